//! Doors for the project's own tests and fuzz targets. Not part of the interface; anything here may change.

use std::sync::Arc;
use std::time::Duration;

use crate::{Config, Datafeed};

/// A feed's clock, to be moved by tests.
pub struct MovableClock {
    clock: crate::clock::Clock,
}

impl MovableClock {
    /// The clock that a feed opened with this configuration will go by.
    pub fn of(config: &Config) -> MovableClock {
        MovableClock {
            clock: config.clock.clone(),
        }
    }

    /// Moves the feed's time forward and lets its threads look at it.
    pub fn advance(&self, feed: &Datafeed, by: Duration) {
        self.clock.advance(by);
        feed.look_at_the_clock();
    }
}

/// Splits the answer to a read as a feed does: the events' texts and the ackId, or nothing if it is refused.
pub fn split_body(body: &[u8]) -> Option<(Vec<String>, Option<String>)> {
    let batch = Arc::new(crate::batch::Batch::parse(body.to_vec(), 0).ok()?);
    let events = batch.events().map(|(_, event)| event.as_str().to_owned()).collect();
    Some((events, batch.ack_id().map(str::to_owned)))
}
