//! The ledger against a slow, obvious model, against a service with faults, in every order of what can happen in small worlds,
//! and in single scenes.

mod changes;
mod disk;
mod ending;
mod exhaustive;
mod known;
mod model;
mod numbered;
mod restoring;
mod retries;
mod scene;
mod scenes;
mod service;

use std::time::Duration;

use super::Limits;

pub(super) fn limits() -> Limits {
    Limits {
        service_forgets: false,
        max_unacknowledged: 1000,
        max_remembered: 100_000,
        visibility_timeout: Duration::from_secs(30),
        memory: Duration::from_secs(900),
        keep_alive: Duration::from_secs(600),
        nack_delay: Duration::from_secs(1),
        max_attempts: None,
        stores: false,
    }
}
