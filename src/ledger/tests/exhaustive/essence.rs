//! What tells one world from another, as far as their futures are concerned. Numbers that only grow are told by their
//! order or by what they stand for, and moments by how far off they are; so there are finitely many worlds.

use std::hash::{Hash, Hasher};

use super::super::super::{Serial, Standing};
use super::instance::{Instance, Read};
use super::service::Service;
use super::world::World;
use super::writer::{Writer, identity_bits};
use crate::clock::Moment;

impl World {
    /// Without what may still happen.
    pub(super) fn essence(&self) -> Vec<u64> {
        let mut essence = vec![self.published.into(), self.broken.map_or(0, |broken| broken as u64 + 1)];
        self.service.essence(self.now, &mut essence);
        let instances = self.instances.iter();
        let mut instances: Vec<Vec<u64>> = instances
            .map(|instance| instance.essence(&self.service, self.now))
            .collect();
        // Which of two bots is which makes no difference.
        instances.sort_unstable();
        for instance in instances {
            essence.push(instance.len() as u64);
            essence.extend(instance);
        }
        essence
    }
}

impl Hash for World {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.left.hash(hasher);
        self.essence().hash(hasher);
    }
}

impl PartialEq for World {
    fn eq(&self, other: &World) -> bool {
        self.left == other.left && self.essence() == other.essence()
    }
}

impl Instance {
    fn essence(&self, service: &Service, now: Moment) -> Vec<u64> {
        let mut essence = vec![
            self.store_works.into(),
            self.owes_store.into(),
            self.done.bits(),
            self.done_for_good.bits(),
            self.acknowledged.bits(),
            self.safe.bits(),
            u64::from_le_bytes(self.tries),
        ];
        match &self.read {
            Read::Idle => essence.push(0),
            Read::Waits { since } => essence.extend([1, u64::from(*since < now)]),
            Read::Answered { ack_id, events, at } => {
                essence.extend([2, service.meaning(ack_id), events.bits(), now.0 - at.0]);
            }
        }
        let mut writer = Writer {
            essence,
            ledger: &self.ledger,
            service,
            time: self.time(now),
            serials: self.serials(),
            leases: self.ledger.leases.iter().map(|(id, _)| id).collect(),
        };
        writer.leases.sort_unstable();
        let mut held: Vec<(u64, u64)> = self
            .held
            .iter()
            .map(|(delivery, event)| {
                (
                    u64::from(*event),
                    self.ledger
                        .held
                        .get(*delivery)
                        .map_or(99, |held| writer.rank(held.serial)),
                )
            })
            .collect();
        held.sort_unstable();
        writer.list(held.into_iter().map(|(event, serial)| [event, serial]));
        writer.events();
        writer.leases();
        writer.memory();
        writer.changes();
        if let Some(store) = &self.store {
            writer
                .essence
                .extend([self.letters().bits(), self.no_longer_kept().bits()]);
            writer.essence.push(store.letters.len() as u64);
            let kept = store.kept.iter();
            let kept: Vec<_> = kept
                .map(|(serial, (identity, event))| [writer.rank(*serial), identity_bits(*identity), u64::from(*event)])
                .collect();
            writer.list(kept);
            let in_own_time = |standing: Standing| match standing {
                Standing::Confirmed(forget_at) => Standing::Confirmed(Moment(forget_at.0.saturating_sub(self.born.0))),
                other => other,
            };
            let standings = store.standings.iter();
            let standings: Vec<_> = standings
                .map(|(identity, standing)| (*identity, Some(in_own_time(*standing))))
                .collect();
            writer.standings(standings);
        }
        writer.essence
    }

    /// Those that occur anywhere, in their order.
    fn serials(&self) -> Vec<Serial> {
        let mut serials: Vec<Serial> = self.ledger.entries.iter().map(|(serial, _)| serial).collect();
        if let Some(store) = &self.store {
            serials.extend(store.kept.keys());
            serials.extend(self.ledger.changes.kept.iter().map(|kept| kept.serial));
        }
        serials.sort_unstable();
        serials.dedup();
        serials
    }
}
