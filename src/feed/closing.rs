//! The end of a feed.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{AlreadyClosed, Inner};
use crate::shared::Phase;

/// Beyond `closeTimeout`, before what the poller is doing is cut once more.
const GRACE: Duration = Duration::from_millis(200);

pub(super) fn close(inner: &Inner) -> Result<(), AlreadyClosed> {
    let shared = &inner.shared;
    {
        let mut state = shared.lock();
        if matches!(state.phase, Phase::Closed) {
            return Err(AlreadyClosed);
        }
        state.phase = Phase::Closed;
        state.tokens = None;
        // A read that carries an acknowledgement is left alone for the moment it needs to arrive. Under the lock: the
        // poller looks at the phase before it sets another end.
        let sent_for = || shared.progress.get().and_then(|progress| progress.sent_for());
        if let Some(cutoff) = &state.cutoff {
            if state.ledger.carries_ack() {
                let end = Instant::now() + shared.close_timeout;
                cutoff.let_send_until(end, sent_for());
                // If it was sent between the two, its answer would be waited for.
                cutoff.let_send_until(end, sent_for());
            } else {
                cutoff.cut();
            }
        }
        shared.show_on_fd(&mut state);
    }
    shared.consumers.notify_all();
    shared.poller.notify_all();
    wait_for_poller(inner);
    {
        let mut state = shared.lock();
        state.ledger.close();
        state.cutoff = None;
    }
    shared.info("the feed is closed", Value::Null);
    shared.log.close();
    Ok(())
}

fn wait_for_poller(inner: &Inner) {
    let shared = &inner.shared;
    let end = Instant::now() + shared.close_timeout + GRACE;
    loop {
        let ticket = shared.ending.ticket();
        if shared.ended.load(Ordering::SeqCst) {
            break;
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            if let Some(cutoff) = &shared.lock().cutoff {
                cutoff.cut();
            }
            break;
        }
        shared.ending.sleep(ticket, Some(left));
    }
    let thread = inner
        .thread
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
        .take();
    if let Some(thread) = thread {
        // The poller catches its own panics.
        let _ = thread.join();
    }
}
