//! A place to sleep until something has changed, which no notification can miss.
//!
//! A thread takes a ticket, looks whether what it waits for is already there, and sleeps only if nothing was notified
//! since it took the ticket. Notifying is one atomic addition and, if somebody sleeps, one system call: no lock and no
//! allocation, so that it may be done from a signal handler.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

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

    /// Sleeps until a notification that came after the ticket, the timeout (none: for ever), or for no reason.
    pub(crate) fn sleep(&self, ticket: Ticket, timeout: Option<Duration>) {
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        if self.notified.load(Ordering::SeqCst) == ticket.0 {
            os::sleep(&self.notified, ticket.0, timeout);
        }
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
    }

    /// Wakes up to `most` sleepers, and keeps those from sleeping that have taken a ticket.
    pub(crate) fn notify(&self, most: usize) {
        self.notified.fetch_add(1, Ordering::SeqCst);
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            os::wake(&self.notified, most);
        }
    }

    pub(crate) fn notify_all(&self) {
        self.notify(usize::MAX);
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod os {
    use std::sync::atomic::AtomicU32;
    use std::time::Duration;

    use rustix::thread::futex::{self, Flags, Timespec};

    pub(super) fn sleep(word: &AtomicU32, value: u32, timeout: Option<Duration>) {
        // A timeout beyond what the kernel's time can hold is no timeout.
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        // Every error is a reason to look again: the value has changed, a signal came, the time is over.
        let _ = futex::wait(word, Flags::PRIVATE, value, timeout.as_ref());
    }

    pub(super) fn wake(word: &AtomicU32, most: usize) {
        let most = u32::try_from(most).unwrap_or(u32::MAX).min(i32::MAX as u32);
        let _ = futex::wake(word, Flags::PRIVATE, most);
    }
}

/// Without a futex: short sleeps. Correct, and costs wake-ups.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod os {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::{Duration, Instant};

    const SLICE: Duration = Duration::from_millis(5);

    pub(super) fn sleep(word: &AtomicU32, value: u32, timeout: Option<Duration>) {
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        while word.load(Ordering::SeqCst) == value && end.is_none_or(|end| Instant::now() < end) {
            std::thread::sleep(SLICE);
        }
    }

    pub(super) fn wake(_word: &AtomicU32, _most: usize) {}
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn a_notification_after_the_ticket_is_never_missed() {
        let count = Arc::new(EventCount::default());
        let turn = Arc::new(AtomicU32::new(0));
        let players: Vec<_> = (0..2)
            .map(|player| {
                let (count, turn) = (Arc::clone(&count), Arc::clone(&turn));
                thread::spawn(move || {
                    for round in 0..20_000 {
                        loop {
                            let ticket = count.ticket();
                            if turn.load(Ordering::SeqCst) == round * 2 + player {
                                break;
                            }
                            count.sleep(ticket, None);
                        }
                        turn.fetch_add(1, Ordering::SeqCst);
                        count.notify_all();
                    }
                })
            })
            .collect();
        for player in players {
            player.join().unwrap();
        }
        assert_eq!(turn.load(Ordering::SeqCst), 40_000);
    }

    #[test]
    fn an_old_ticket_does_not_sleep() {
        let count = EventCount::default();
        let ticket = count.ticket();
        count.notify(1);
        count.sleep(ticket, None);
    }

    #[test]
    fn a_timeout_ends_the_sleep() {
        let count = EventCount::default();
        count.sleep(count.ticket(), Some(Duration::from_millis(1)));
    }
}
