//! Where the poller lies while its thread has nothing to do, so that a consumer can take it and read by itself: a batch then
//! needs no change of threads.
//!
//! While consumers come, the thread does not wait for work but looks now and then whether some was left: to be woken would
//! cost as much as the read. When none came for a while it sleeps, and is woken.

use std::time::{Duration, Instant};

use super::event_count::Ticket;
use super::handover::{Handover, Queue};
use super::primitives::{AtomicBool, AtomicU32, Mutex, MutexGuard, Ordering};

/// How long a read that is wanted may wait for a consumer. Each tick is a wake-up, so it is no shorter than need be.
pub(super) const TICK: Duration = Duration::from_millis(20);

/// After so many ticks without a consumer the thread sleeps.
const QUIET: u32 = 3;

pub(crate) struct Desk<P> {
    place: Mutex<Place<P>>,
    /// How often a consumer has taken the poller or laid it down.
    moves: AtomicU32,
    /// The thread is to take the poller at once.
    is_urgent: AtomicBool,
}

enum Place<P> {
    Here(P),
    /// Its thread has it, or a consumer.
    Away,
    /// A consumer has broken it.
    Gone,
}

/// What the thread has seen of the desk.
#[derive(Debug)]
pub(crate) struct Watch {
    moves: u32,
    /// Ticks without a consumer.
    quiet: u32,
    /// What `moves` was when a consumer was last waited for.
    awaited_at: u32,
}

impl Default for Watch {
    /// No consumer has come yet.
    fn default() -> Watch {
        Watch {
            moves: 0,
            quiet: QUIET,
            awaited_at: 0,
        }
    }
}

impl<P> Desk<P> {
    pub(crate) fn new() -> Desk<P> {
        Desk {
            place: Mutex::new(Place::Away),
            moves: AtomicU32::new(0),
            is_urgent: AtomicBool::new(false),
        }
    }

    fn place(&self) -> MutexGuard<'_, Place<P>> {
        self.place.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn take(&self) -> Option<P> {
        let mut place = self.place();
        match std::mem::replace(&mut *place, Place::Away) {
            Place::Here(poller) => Some(poller),
            other => {
                *place = other;
                None
            }
        }
    }

    fn is_gone(&self) -> bool {
        matches!(*self.place(), Place::Gone)
    }

    /// For a consumer: the poller, if nobody has it.
    pub(crate) fn borrow<'a, S: Queue>(&'a self, handover: &'a Handover<S>) -> Option<Lead<'a, S, P>> {
        let poller = self.take()?;
        self.moves.fetch_add(1, Ordering::SeqCst);
        Some(Lead {
            desk: self,
            handover,
            poller: Some(poller),
            is_urgent: false,
        })
    }

    /// For the thread: lays the poller down until there is something to do, at the latest after `most`. Nothing: the poller is
    /// gone. `ticket` was taken before it was found that there is nothing to do.
    pub(crate) fn park<S: Queue>(
        &self,
        handover: &Handover<S>,
        watch: &mut Watch,
        poller: P,
        ticket: Ticket,
        most: Option<Duration>,
    ) -> Option<P> {
        let end = most.and_then(|most| Instant::now().checked_add(most));
        let mut ticket = ticket;
        let mut is_here = true;
        *self.place() = Place::Here(poller);
        loop {
            // While a consumer has it, nothing is the thread's business.
            let left = end
                .filter(|_| is_here)
                .map(|end| end.saturating_duration_since(Instant::now()));
            let dozes = watch.quiet < QUIET && !handover.lock().is_over();
            handover.poller_falls_asleep(dozes);
            // Whoever lays the poller down looks how the thread sleeps afterwards, and the thread looks here afterwards: one
            // of them sees the other.
            if dozes || self.moves.load(Ordering::SeqCst) == watch.moves {
                let nap = if dozes {
                    Some(left.map_or(TICK, |left| left.min(TICK)))
                } else {
                    left
                };
                handover.poller_sleep(ticket, nap);
            }
            handover.poller_wakes_up();
            ticket = handover.poller_ticket();
            let moves = self.moves.load(Ordering::SeqCst);
            let is_urgent = self.is_urgent.swap(false, Ordering::SeqCst) || handover.lock().is_over();
            if moves != watch.moves {
                watch.moves = moves;
                watch.quiet = 0;
                if !is_urgent {
                    // A consumer was here, and may come again in a moment.
                    is_here = false;
                    continue;
                }
            }
            let has_time = end.is_none_or(|end| Instant::now() < end);
            let may_come = moves != watch.awaited_at && !handover.has_sleeping_consumer();
            if !dozes && is_here && may_come && !is_urgent && has_time {
                // Something is to be done, and a consumer may be on its way. Unless one comes, the next time is not waited
                // for another: the bot may have ceased to wait in calls.
                watch.awaited_at = moves;
                watch.quiet = QUIET - 1;
                continue;
            }
            watch.quiet = (watch.quiet + 1).min(QUIET);
            if let Some(poller) = self.take() {
                return Some(poller);
            }
            if self.is_gone() {
                return None;
            }
            is_here = false;
        }
    }
}

/// The poller in the hands of a consumer. It is laid down again when this is dropped.
pub(crate) struct Lead<'a, S: Queue, P> {
    desk: &'a Desk<P>,
    handover: &'a Handover<S>,
    poller: Option<P>,
    is_urgent: bool,
}

impl<S: Queue, P> Lead<'_, S, P> {
    pub(crate) fn poller(&mut self) -> Option<&mut P> {
        self.poller.as_mut()
    }

    /// The thread has to go on at once: it is nothing that a consumer does.
    pub(crate) fn leave_to_thread(mut self) {
        self.is_urgent = true;
    }

    /// It is not fit to be used any more.
    pub(crate) fn lose(mut self) {
        self.poller = None;
        self.is_urgent = true;
    }
}

impl<S: Queue, P> Drop for Lead<'_, S, P> {
    fn drop(&mut self) {
        *self.desk.place() = match self.poller.take() {
            Some(poller) => Place::Here(poller),
            None => Place::Gone,
        };
        self.desk.moves.fetch_add(1, Ordering::SeqCst);
        if self.is_urgent {
            self.desk.is_urgent.store(true, Ordering::SeqCst);
        }
        if self.is_urgent || self.handover.has_to_be_woken() {
            self.handover.wake_poller();
        }
    }
}
