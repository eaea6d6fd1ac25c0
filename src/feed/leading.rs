//! A consumer that reads by itself while the poller's thread is idle.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::Inner;
use crate::clock::Moment;
use crate::net::Lent;
use crate::poller::Led;
use crate::shared::{Shared, State};
use crate::sync::Ticket;

/// Whether a consumer that has found nothing may do what is to be done: a read that is wanted, or that another one has left.
///
/// Not where the disk has to be waited for, and not for Datafeed 1, which is read ahead of the bot. Who polls the descriptor does not
/// wait in a call.
pub(super) fn is_possible(shared: &Shared, state: &State, now: Moment) -> bool {
    let is_wanted = state.ledger.wants_read(now) || state.ledger.is_reading();
    is_wanted && state.store.is_none() && !shared.service_forgets && !shared.handover.has_fd()
}

/// Reads until something has come, until that moment at most. Answers whether to look again, rather than sleep.
pub(super) fn lead(inner: &Inner, ticket: Ticket, until: Option<Instant>) -> bool {
    let handover = &inner.shared.handover;
    // After a fork the connection is another process's.
    if inner.process != std::process::id() {
        return false;
    }
    let Some(mut lead) = inner.desk.borrow(handover) else {
        return false;
    };
    // Only now: once the feed is closed there is no poller to borrow, and nobody to give the descriptor back.
    let Some(bell) = handover.bell() else { return false };
    if !handover.leader_waits(ticket) {
        return true;
    }
    let led = {
        let Some(poller) = lead.poller() else { return false };
        catch_unwind(AssertUnwindSafe(|| poller.lead(Lent { bell, until })))
    };
    if matches!(led, Ok(Led::Left)) {
        handover.leader_was_called();
    } else {
        handover.leader_is_back();
    }
    match led {
        Ok(Led::LookAgain) => true,
        Ok(Led::Left) => {
            drop(lead);
            handover.call_another_leader();
            true
        }
        Ok(Led::Nothing) => false,
        Ok(Led::NotForConsumer) => {
            lead.leave_to_thread();
            false
        }
        Err(_) => {
            lead.lose();
            inner.shared.fail_after_panic("the library's poller");
            true
        }
    }
}
