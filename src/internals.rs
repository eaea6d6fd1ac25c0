//! Doors for the project's own tests and fuzz targets. Not part of the interface; anything here may change.

use std::sync::Arc;
use std::time::Duration;

use crate::ffi::handle::datafeed;

/// Moves the time of the feed behind this handle forward and lets its threads look at it. Answers whether it is one.
pub fn advance_clock(handle: *const datafeed, by: Duration) -> bool {
    let Some(feed) = crate::ffi::feed_of(handle) else {
        return false;
    };
    feed.advance_clock(by);
    true
}

/// Splits the answer to a read as a feed does: the events' texts and the ackId, or nothing if it is refused.
pub fn split_body(body: &[u8]) -> Option<(Vec<String>, Option<String>)> {
    let batch = Arc::new(crate::batch::Batch::parse(body.to_vec(), 0).ok()?);
    let events = batch.events().map(|(_, event)| event.as_str().to_owned()).collect();
    Some((events, batch.ack_id().map(str::to_owned)))
}

/// The names of the policy's rows.
pub fn policy_rules() -> Vec<&'static str> {
    crate::policy::TABLE.iter().map(|row| row.rule).collect()
}
