//! The poller's last act: writing what was acknowledged.

use std::time::Instant;

use serde_json::json;

use super::Poller;
use crate::log::Level;

impl Poller {
    /// At the end: sends the acknowledgements that no read has carried, oldest first. The service confirms nothing, so
    /// each request is left alone for a moment after it was sent; its answer, a long poll's, is not waited for.
    pub(super) fn write_acknowledgements(&mut self) {
        let Some(feed) = self.feed_to_read().filter(|_| self.logged_in) else {
            return;
        };
        let state = self.shared.lock();
        let end = state.write_until.unwrap_or_else(|| Instant::now() + self.close_timeout);
        let unwritten = state.ledger.unwritten(self.shared.clock.now());
        drop(state);
        let mut missed = 0;
        for ack_id in &unwritten {
            self.cutoff.request_begins();
            self.cutoff.let_send_for(end.saturating_duration_since(Instant::now()));
            // Cut short, as a rule: what counts is that it was sent.
            let _ = self
                .ask_for_events(&feed, ack_id)
                .and_then(|mut asked| self.agent.wait_for(&mut asked));
            missed += usize::from(!self.cutoff.was_sent());
        }
        if missed > 0 {
            let message = "closeTimeout was over before every acknowledgement was written; their events come again";
            self.shared
                .log
                .write(Level::Warn, message, json!({ "batches": missed }));
        }
    }
}
