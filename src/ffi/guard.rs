//! What every call begins with: whose feed is it, and no panic crosses the boundary.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::handle::datafeed;
use super::registry::{self, Found};
use super::status::{DATAFEED_FAILED, DATAFEED_FORKED, DATAFEED_INVALID_ARGUMENT};
use crate::Datafeed;

/// Runs the body of a call for the feed that the handle stands for.
pub(super) fn with_feed(handle: *const datafeed, body: impl FnOnce(&Datafeed) -> i32) -> i32 {
    match registry::find(handle) {
        Found::Nothing => DATAFEED_INVALID_ARGUMENT,
        Found::Parents => DATAFEED_FORKED,
        Found::Feed(feed) => catch_unwind(AssertUnwindSafe(|| body(feed))).unwrap_or_else(|_| {
            feed.fail_after_panic();
            DATAFEED_FAILED
        }),
    }
}

/// For what is called without a feed. A panic is a fault in the library; the caller gets a status, not an unwinding
/// stack.
pub(super) fn no_panic(body: impl FnOnce() -> i32) -> i32 {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(DATAFEED_FAILED)
}
