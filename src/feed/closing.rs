//! The end of a feed.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{AlreadyClosed, Inner, NotDrained};
use crate::log::Level;
use crate::session::End;
use crate::shared::Phase;

/// Beyond `closeTimeout`, before what the poller is doing is cut once more.
const GRACE: Duration = Duration::from_millis(200);

pub(super) fn close(inner: &Inner) -> Result<(), AlreadyClosed> {
    let shared = &inner.shared;
    let mut state = shared.lock();
    if state.is_closed() {
        drop(state);
        // Another thread may be at it still, and whoever is told that the feed is closed may end the process.
        shared.handover.wait_for_poller(Some(shared.close_timeout + GRACE));
        return Err(AlreadyClosed);
    }
    state.phase = Phase::Closed;
    shared.session.end(End::Closed);
    state.write_until = Some(Instant::now() + shared.close_timeout);
    // A read that carries an acknowledgement is left alone for the moment it needs to arrive. Under the lock: the poller
    // looks at the phase before it sets another end.
    if let Some(cutoff) = &state.cutoff {
        if state.ledger.carries_ack() {
            cutoff.let_send_for(shared.close_timeout);
        } else {
            cutoff.cut();
        }
    }
    shared.handover.announce_end(state);
    wait_for_poller(inner);
    shared.handover.give_up_bell();
    let mut state = shared.lock();
    // What a full disk did not take, or was acknowledged after the feed had failed.
    let stored = shared.save(&mut state);
    let lost = match (&state.store, stored) {
        (None, _) => state.ledger.unacknowledged(),
        (Some(_), true) => 0,
        (Some(_), false) => state.ledger.staged(),
    };
    state.ledger.close();
    state.cutoff = None;
    let store = state.store.take();
    drop(state);
    // Another feed may have the folder from now on.
    drop(store);
    if !stored {
        let message = "stateDir took nothing up to the end: what the bot acknowledged in that time may come again";
        shared.log.write(Level::Warn, message, Value::Null);
    }
    if shared.service_forgets && lost > 0 {
        let message = "events were received that the bot has not acknowledged, and the service has forgotten them: Datafeed 1 \
                       hands out each once";
        shared.log.write(Level::Warn, message, json!({"events": lost}));
    }
    shared.info("the feed is closed", Value::Null);
    shared.log.close();
    Ok(())
}

pub(super) fn drain(inner: &Inner, timeout: Option<Duration>) -> Result<(), NotDrained> {
    let shared = &inner.shared;
    let mut state = shared.lock();
    if state.is_closed() {
        return Err(NotDrained::Closed);
    }
    state.ledger.drain();
    shared.handover.announce_end(state);
    let in_time = shared
        .handover
        .wait_for_bot(timeout, |state| state.is_closed() || state.ledger.is_drained());
    match close(inner) {
        Err(AlreadyClosed) => Err(NotDrained::Closed),
        Ok(()) if in_time => Ok(()),
        Ok(()) => Err(NotDrained::Timeout),
    }
}

fn wait_for_poller(inner: &Inner) {
    let shared = &inner.shared;
    if !shared.handover.wait_for_poller(Some(shared.close_timeout + GRACE))
        && let Some(cutoff) = &shared.lock().cutoff
    {
        cutoff.cut();
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
