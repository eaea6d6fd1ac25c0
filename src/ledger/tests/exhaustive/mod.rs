//! Everything that can happen in small worlds, in every order: the ledger's own code, a service, the bots that share it, and
//! what outlives them.
//!
//! A world is explored to its end by stateright, a model checker. (It brings a web server that is not used here; as a
//! development dependency that costs some seconds of compiling, and its search runs on all cores, keeps a fingerprint of a
//! world instead of the world, and answers with the shortest way to what it finds.) When a promise is broken the test tells
//! the steps that lead there.
//!
//! How it is bounded: time passes in ticks of half a visibility timeout, or a whole one, of which a world has a few, as it has
//! few losses, crashes and refusals. Nothing is forgotten for its age, since that takes longer than a world lasts, but in the
//! one of a short memory. An answer is on its way for less than a visibility timeout. The service hands out the first of what
//! it has, as many as fit.

mod draining;
mod essence;
mod events;
mod instance;
mod promises;
mod service;
mod world;
mod worlds;
mod writer;

use std::time::Duration;

use stateright::{Model, Property};

use super::super::Limits;
use super::limits;
use draining::Drained;
use promises::PROMISES;
use service::Stale;
use world::{Step, World};

const LEASE: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_secs(15);

/// Longer than a world and its end last.
const FAR: Duration = Duration::from_secs(300);

/// How often something may happen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Budget {
    ticks: u8,
    /// Reads without an answer.
    losses: u8,
    crashes: u8,
    nacks: u8,
    /// Feeds that are replaced.
    replacements: u8,
    /// Times that a store takes nothing.
    outages: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bot {
    /// Takes when it likes, and finishes what it holds in any order.
    Free,
    /// Takes what there is before anything else happens. The ledger does the same for it as for one that takes later, as long
    /// as nothing is refused, so this saves worlds.
    Eager,
    /// The same, and finishes the events in their order.
    InTurn,
}

#[derive(Debug, Clone)]
struct Setting {
    events: u8,
    /// How many events the service hands out at once.
    batch: usize,
    instances: usize,
    stores: bool,
    service_forgets: bool,
    stale: Stale,
    /// A read that is given up goes on waiting at the service.
    abandons: bool,
    max_unacknowledged: usize,
    keep_alive: Duration,
    memory: Duration,
    max_attempts: Option<u32>,
    bot: Bot,
    tick: Duration,
    budget: Budget,
}

impl Setting {
    /// Three events, in two batches at least.
    fn new(budget: Budget) -> Setting {
        Setting {
            events: 3,
            batch: 2,
            instances: 1,
            stores: false,
            service_forgets: false,
            stale: Stale::Ignored,
            abandons: true,
            max_unacknowledged: 1000,
            keep_alive: limits().keep_alive,
            memory: limits().memory,
            max_attempts: None,
            bot: Bot::Free,
            tick: TICK,
            budget,
        }
    }

    fn limits(&self) -> Limits {
        Limits {
            visibility_timeout: LEASE,
            service_forgets: self.service_forgets,
            stores: self.stores,
            max_unacknowledged: self.max_unacknowledged,
            keep_alive: self.keep_alive,
            memory: self.memory,
            max_attempts: self.max_attempts,
            ..limits()
        }
    }
}

struct Exploration {
    setting: Setting,
    drained: Drained,
}

impl Model for Exploration {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(&self.setting)]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        world.steps(&self.setting, steps);
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        Some(world.after(step, &self.setting))
    }

    fn properties(&self) -> Vec<Property<Exploration>> {
        let promises = PROMISES.into_iter().map(|(name, holds)| Property::always(name, holds));
        let occurrences = self.setting.occurrences();
        promises
            .chain(occurrences.map(|(name, occurs)| Property::sometimes(name, occurs)))
            .collect()
    }
}
