//! A place to sleep until something has changed, which no notification can miss.
//!
//! A thread takes a ticket, looks whether what it waits for is already there, and sleeps only if nothing was notified
//! since it took the ticket. Notifying is one atomic addition and, if somebody sleeps, one system call: no lock and no
//! allocation, so that it may be done from a signal handler.

use std::time::Duration;

use super::primitives::{AtomicU32, Ordering, futex};

#[derive(Debug, Default)]
pub(crate) struct EventCount {
    notified: AtomicU32,
    sleepers: AtomicU32,
}

/// The state of an event count at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket(u32);

impl EventCount {
    /// To be taken before looking at the condition.
    pub(crate) fn ticket(&self) -> Ticket {
        Ticket(self.notified.load(Ordering::SeqCst))
    }

    /// Whether nothing was notified since the ticket was taken.
    pub(crate) fn is_current(&self, ticket: Ticket) -> bool {
        self.notified.load(Ordering::SeqCst) == ticket.0
    }

    /// Whether anybody sleeps, or is about to.
    pub(crate) fn has_sleepers(&self) -> bool {
        self.sleepers.load(Ordering::SeqCst) > 0
    }

    /// Sleeps until a notification that came after the ticket, the timeout (none: for ever), or for no reason.
    pub(crate) fn sleep(&self, ticket: Ticket, timeout: Option<Duration>) {
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        if self.is_current(ticket) {
            futex::sleep(&self.notified, ticket.0, timeout);
        }
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
    }

    /// Wakes up to `most` sleepers, and keeps those from sleeping that have taken a ticket.
    pub(crate) fn notify(&self, most: usize) {
        self.notified.fetch_add(1, Ordering::SeqCst);
        if self.has_sleepers() {
            futex::wake(&self.notified, most);
        }
    }

    pub(crate) fn notify_all(&self) {
        self.notify(usize::MAX);
    }
}
