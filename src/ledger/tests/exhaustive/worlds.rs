//! The worlds. Each tells how many it is at least, so that none gets lost unnoticed; a larger one is for those who can wait:
//! `cargo test --release --lib exhaustive -- --ignored --nocapture`.

use std::time::Instant;

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use super::draining::Drained;
use super::service::Stale;
use super::{Bot, Budget, Exploration, LEASE, Setting, TICK};

/// Explores all that can become of it, which are this many worlds at least.
fn explore(name: &str, setting: Setting, at_least: usize) {
    let exploration = Exploration {
        setting,
        drained: Drained::default(),
    };
    let started = Instant::now();
    let checker = exploration
        .checker()
        .threads(2)
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    let count = checker.unique_state_count();
    println!("{name}: {count} worlds, {:?}", started.elapsed());
    let mut found = checker.discoveries();
    let mut broken = String::new();
    let mut missing = Vec::new();
    for property in checker.model().properties() {
        let found = found.remove(property.name).map(|path| path.into_actions());
        match (property.expectation, found) {
            (Expectation::Always, Some(steps)) => broken += &format!("\n{}, after {steps:#?}", property.name),
            (Expectation::Sometimes, None) => missing.push(property.name),
            _ => {}
        }
    }
    assert!(broken.is_empty(), "{name}: what is not so:{broken}");
    assert!(missing.is_empty(), "{name}: what does not happen: {missing:?}");
    assert!(count >= at_least, "{name}: {count} worlds are fewer than there are");
}

#[test]
fn one_bot_and_a_lost_read() {
    let budget = Budget {
        ticks: 2,
        losses: 1,
        ..Budget::default()
    };
    for stale in [Stale::Ignored, Stale::Refused] {
        let setting = Setting {
            stale,
            ..Setting::new(budget)
        };
        explore(&format!("one bot, a stale ackId is {stale:?}"), setting, 60_000);
    }
}

#[test]
fn a_crash_without_a_store() {
    let setting = Setting {
        bot: Bot::InTurn,
        ..Setting::new(Budget {
            ticks: 2,
            crashes: 1,
            ..Budget::default()
        })
    };
    explore("a crash without a store", setting, 40_000);
}

#[test]
fn a_crash_and_a_lost_read_with_a_store() {
    let setting = Setting {
        stores: true,
        bot: Bot::InTurn,
        ..Setting::new(Budget {
            ticks: 2,
            losses: 1,
            crashes: 1,
            ..Budget::default()
        })
    };
    explore("a crash and a lost read with a store", setting, 250_000);
}

#[test]
fn another_feed() {
    let setting = Setting {
        stores: true,
        bot: Bot::InTurn,
        ..Setting::new(Budget {
            ticks: 2,
            replacements: 1,
            ..Budget::default()
        })
    };
    explore("another feed", setting, 18_000);
}

#[test]
fn a_store_that_takes_nothing_for_a_while() {
    let setting = Setting {
        stores: true,
        keep_alive: TICK,
        bot: Bot::InTurn,
        ..Setting::new(Budget {
            ticks: 2,
            outages: 1,
            ..Budget::default()
        })
    };
    explore("a store that takes nothing for a while", setting, 69_000);
}

/// Nothing here makes the ledger take for confirmed what is not: no answer is late, and no read is left at the service. So
/// what it forgets never comes again.
#[test]
fn a_short_memory() {
    let setting = Setting {
        memory: LEASE,
        tick: LEASE,
        abandons: false,
        bot: Bot::Eager,
        ..Setting::new(Budget {
            ticks: 4,
            losses: 1,
            ..Budget::default()
        })
    };
    explore("a short memory", setting, 35_000);
}

#[test]
fn a_bot_that_is_behind() {
    let setting = Setting {
        max_unacknowledged: 2,
        keep_alive: TICK * 2,
        bot: Bot::Eager,
        ..Setting::new(Budget {
            ticks: 3,
            ..Budget::default()
        })
    };
    explore("a bot that is behind", setting, 13_000);
}

#[test]
fn refused_events_and_a_crash() {
    let setting = Setting {
        events: 2,
        stores: true,
        max_attempts: Some(2),
        ..Setting::new(Budget {
            ticks: 2,
            crashes: 1,
            nacks: 2,
            ..Budget::default()
        })
    };
    explore("refused events and a crash", setting, 60_000);
}

/// Datafeed 1.
fn forgetful(budget: Budget) -> Setting {
    Setting {
        service_forgets: true,
        stores: true,
        ..Setting::new(budget)
    }
}

#[test]
fn a_service_that_forgets() {
    let lost = Budget {
        losses: 1,
        crashes: 2,
        ..Budget::default()
    };
    explore("a service that forgets", forgetful(lost), 16_000);
    let outage = Budget {
        crashes: 1,
        outages: 1,
        ..Budget::default()
    };
    explore("a service that forgets, and an outage", forgetful(outage), 23_000);
    let refused = Setting {
        max_attempts: Some(2),
        bot: Bot::InTurn,
        ..forgetful(Budget {
            ticks: 1,
            crashes: 1,
            nacks: 2,
            ..Budget::default()
        })
    };
    explore("a service that forgets, and refused events", refused, 37_000);
}

/// On one feed.
fn two_bots(budget: Budget) -> Setting {
    Setting {
        instances: 2,
        bot: Bot::InTurn,
        tick: LEASE,
        ..Setting::new(budget)
    }
}

#[test]
fn two_bots_and_a_lost_read() {
    let budget = Budget {
        ticks: 1,
        losses: 1,
        ..Budget::default()
    };
    explore("two bots and a lost read", two_bots(budget), 225_000);
}

#[test]
fn two_bots_and_a_crash_with_a_store() {
    let setting = Setting {
        events: 2,
        batch: 1,
        stores: true,
        ..two_bots(Budget {
            ticks: 1,
            crashes: 1,
            ..Budget::default()
        })
    };
    explore("two bots and a crash with a store", setting, 88_000);
}

#[test]
#[ignore = "it takes minutes: cargo test --release --features internals --lib -- --ignored"]
fn two_bots_in_finer_time() {
    let setting = Setting {
        tick: TICK,
        stores: true,
        ..two_bots(Budget {
            ticks: 2,
            crashes: 1,
            ..Budget::default()
        })
    };
    explore("two bots in finer time", setting, 1_000_000);
}
