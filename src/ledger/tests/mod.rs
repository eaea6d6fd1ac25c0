//! The ledger against a slow, obvious model, against a service with faults, and in single scenes.

mod ending;
mod model;
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
    }
}
