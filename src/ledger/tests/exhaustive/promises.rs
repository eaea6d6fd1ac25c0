//! What is promised of every world, and what has to occur in some.

use super::super::super::Ledger;
use super::events::Events;
use super::world::{Broken, World};
use super::{Exploration, FAR, Setting};
use crate::clock::Moment;

pub(super) type Holds = fn(&Exploration, &World) -> bool;

/// Of each world that can be reached.
pub(super) const PROMISES: [(&str, Holds); 8] = [
    ("nothing is lost", |exploration, world| {
        world.loses_nothing(&exploration.setting)
    }),
    ("nothing acknowledged is handed out again", |_, world| {
        world.broken != Some(Broken::Repeated)
    }),
    ("nothing held is handed out again", |_, world| {
        world.broken != Some(Broken::HeldTwice)
    }),
    ("nothing is acknowledged for the bot", |_, world| {
        world.broken != Some(Broken::AcknowledgedForIt)
    }),
    ("nothing is seen before it is stored", |_, world| {
        world.broken != Some(Broken::SeenBeforeStored)
    }),
    ("nothing is tried too often", |_, world| {
        world.broken != Some(Broken::TooOften)
    }),
    ("nothing panics", |_, world| world.broken != Some(Broken::Panicked)),
    ("everything is acknowledged in the end", |exploration, world| {
        world.broken.is_some() || exploration.drained.comes_from(world, &exploration.setting)
    }),
];

impl Setting {
    /// Of some world: what an exploration is worth nothing without. The last member: whether it can occur at all.
    pub(super) fn occurrences(&self) -> impl Iterator<Item = (&'static str, Holds)> {
        let occurrences: [(&str, Holds, bool); 5] = [
            (
                "everything is acknowledged",
                |exploration, world| world.published == exploration.setting.events && world.is_drained(),
                true,
            ),
            (
                "an event is recognised that was delivered again",
                |_, world| world.ledgers().any(|ledger| ledger.counters().redelivered > 0),
                !self.service_forgets,
            ),
            (
                "a read keeps the feed alive",
                |_, world| world.ledgers().any(|ledger| ledger.counters().keep_alive_reads > 0),
                self.keep_alive < FAR,
            ),
            (
                "an event is set aside",
                |_, world| world.ledgers().any(|ledger| ledger.letters() > 0),
                self.max_attempts.is_some(),
            ),
            (
                "a process goes on where another one was",
                |_, world| {
                    let mut instances = world.instances.iter();
                    instances.any(|instance| instance.born > Moment::default() && !instance.done_for_good.is_empty())
                },
                self.stores && self.budget.crashes > 0 && self.budget.ticks > 0,
            ),
        ];
        let possible = occurrences.into_iter().filter(|(.., possible)| *possible);
        possible.map(|(name, occurs, _)| (name, occurs))
    }
}

impl World {
    fn ledgers(&self) -> impl Iterator<Item = &Ledger<u8>> {
        self.instances.iter().map(|instance| &instance.ledger)
    }

    /// What is gone was acknowledged by a bot, or is stored as set aside. What was stored is not gone while it is kept; what
    /// the service has forgotten and nobody has stored is not counted.
    fn loses_nothing(&self, setting: &Setting) -> bool {
        let mut gone = Events::default();
        let mut may_be_gone = Events::default();
        for instance in &self.instances {
            may_be_gone |= instance.may_be_removed();
            gone |= instance.no_longer_kept();
        }
        if !setting.service_forgets {
            gone |= self.service.removed;
        }
        gone.without(may_be_gone).is_empty()
    }
}
