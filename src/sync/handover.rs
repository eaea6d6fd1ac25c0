//! Where a feed's callers and its poller meet: what they share behind one lock, and how each wakes the other.
//!
//! Consumers sleep until there is an event, an interruption or the end. The poller sleeps, when it is not on the network,
//! until there is something to read for. Whoever ends the feed waits for the bot to give back what it holds, and for the
//! poller's end. A descriptor shows to programs that poll what a sleeping consumer would wake up for. A consumer that reads by
//! itself ([`desk`](super::desk)) sleeps on a socket, so it has a bell that rings for what would wake it up.

use std::io;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::event_count::Ticket;
use super::primitives::{AtomicBool, AtomicU32, Mutex, MutexGuard, OnceLock, Ordering, RwLock};
use super::{EventCount, EventFd};

/// What has to be known about what is shared.
pub(crate) trait Queue {
    /// Whether an event waits for a consumer.
    fn has_event(&self) -> bool;
    /// Whether nobody is to be handed anything any more: closed, or about to be.
    fn is_shut(&self) -> bool;
    /// Whether nothing new will come: closed, or ended by itself.
    fn is_over(&self) -> bool;
}

pub(crate) struct Handover<S> {
    shared: Mutex<Shared<S>>,
    consumers: EventCount,
    poller: EventCount,
    /// How the poller sleeps: AWAKE, DOZING or SLEEPING.
    poller_sleeps: AtomicU32,
    ending: EventCount,
    poller_ended: AtomicBool,
    leader: Leader,
    interruptions: AtomicU32,
    fd: OnceLock<EventFd>,
}

const AWAKE: u32 = 0;
/// It looks by itself in a moment whether there is something to do.
const DOZING: u32 = 1;
const SLEEPING: u32 = 2;

/// A consumer that reads by itself.
#[derive(Default)]
struct Leader {
    is_there: AtomicBool,
    /// Written when it is made and when the feed is closed, and at neither time is it needed: so a ringer never waits for it.
    bell: RwLock<Option<Arc<EventFd>>>,
    /// The bell was rung since it was silenced.
    has_rung: AtomicBool,
}

struct Shared<S> {
    state: S,
    /// Interruptions that a call has reported.
    interruptions_seen: u32,
    fd_raised: bool,
}

/// What a consumer found.
pub(crate) enum Look<T> {
    Took(T),
    /// Nothing yet. `look_again`: when there may be something without anybody saying so. `may_lead`: there is something to read
    /// for, which this consumer may do by itself. `wake_poller`: if it does not, the poller has to, which sleeps.
    Nothing {
        look_again: Option<Duration>,
        may_lead: bool,
        wake_poller: bool,
    },
}

/// Why a consumer got nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotTaken {
    Timeout,
    Interrupted,
    Closed,
}

impl<S: Queue> Handover<S> {
    pub(crate) fn new(state: S) -> Handover<S> {
        Handover {
            shared: Mutex::new(Shared {
                state,
                interruptions_seen: 0,
                fd_raised: false,
            }),
            consumers: EventCount::default(),
            poller: EventCount::default(),
            poller_sleeps: AtomicU32::new(AWAKE),
            ending: EventCount::default(),
            poller_ended: AtomicBool::new(false),
            leader: Leader::default(),
            interruptions: AtomicU32::new(0),
            fd: OnceLock::new(),
        }
    }

    /// A panic while the lock was held leaves a feed that says FAILED, not one that panics in every call.
    pub(crate) fn lock(&self) -> Guard<'_, S> {
        Guard(self.shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }

    /// Waits until `look` takes something; no timeout waits for ever, zero does not wait.
    ///
    /// `lead` reads in the meantime, at most until the moment it is given, and no longer than the ticket is current. It answers
    /// whether there may be something now.
    pub(crate) fn take<T>(
        &self,
        timeout: Option<Duration>,
        mut look: impl FnMut(&mut S) -> Look<T>,
        mut lead: impl FnMut(Ticket, Option<Instant>) -> bool,
    ) -> Result<T, NotTaken> {
        // A timeout beyond what the clock can count is no timeout.
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut interruptions_at_start = None;
        loop {
            let ticket = self.consumers.ticket();
            let mut guard = self.lock();
            if guard.is_shut() {
                return Err(NotTaken::Closed);
            }
            let interruptions = self.interruptions.load(Ordering::SeqCst);
            if interruptions != *interruptions_at_start.get_or_insert(guard.0.interruptions_seen) {
                guard.0.interruptions_seen = interruptions;
                self.show(&mut guard);
                return Err(NotTaken::Interrupted);
            }
            let (look_again, may_lead, wake_poller) = match look(&mut guard) {
                Look::Took(value) => {
                    if !guard.has_event() {
                        self.show(&mut guard);
                    }
                    return Ok(value);
                }
                Look::Nothing {
                    look_again,
                    may_lead,
                    wake_poller,
                } => (look_again, may_lead, wake_poller),
            };
            self.show(&mut guard);
            drop(guard);
            let now = Instant::now();
            let left = end.map(|end| end.saturating_duration_since(now));
            let has_time = left.is_none_or(|left| !left.is_zero());
            let wait = [left, look_again].into_iter().flatten().min();
            if has_time && may_lead && lead(ticket, wait.and_then(|wait| now.checked_add(wait))) {
                continue;
            }
            if wake_poller {
                self.poller.notify_all();
            }
            if !has_time {
                return Err(NotTaken::Timeout);
            }
            self.consumers.sleep(ticket, wait);
        }
    }

    /// Wakes every consumer; if none waits, the next to come finds it. Waits for no lock and allocates nothing.
    pub(crate) fn interrupt(&self) {
        self.interruptions.fetch_add(1, Ordering::SeqCst);
        self.consumers.notify_all();
        self.leader.ring();
        if let Some(fd) = self.fd.get() {
            fd.raise();
        }
    }

    /// Gives the lock back and has consumers look: `events` of them, one for each new event, or all.
    pub(crate) fn announce(&self, mut guard: Guard<'_, S>, events: usize) {
        self.show(&mut guard);
        drop(guard);
        if events > 0 {
            self.consumers.notify(events);
            self.leader.ring();
        }
    }

    /// Gives the lock back, and only then wakes the poller, or it would wake up to wait for the lock. One that dozes looks by
    /// itself in a moment; a consumer may be quicker, which is woken for it if it sleeps.
    pub(crate) fn release(&self, guard: Guard<'_, S>, wake_poller: bool) {
        drop(guard);
        if !wake_poller {
            return;
        }
        if self.poller_sleeps.load(Ordering::SeqCst) == DOZING {
            self.consumers.notify(1);
        } else {
            self.poller.notify_all();
        }
    }

    /// Whether a consumer sleeps, and will not come by itself.
    pub(super) fn has_sleeping_consumer(&self) -> bool {
        self.consumers.has_sleepers()
    }

    /// What wakes up a consumer that reads by itself, if there is a descriptor for it.
    pub(crate) fn bell(&self) -> Option<Arc<EventFd>> {
        if let Some(bell) = &*self.leader.bell.read().unwrap_or_else(|poisoned| poisoned.into_inner()) {
            return Some(Arc::clone(bell));
        }
        let made = Arc::new(EventFd::new().ok()?);
        let mut bell = self
            .leader
            .bell
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        Some(Arc::clone(bell.get_or_insert(made)))
    }

    /// Nobody reads any more: the descriptor is given back.
    pub(crate) fn give_up_bell(&self) {
        *self
            .leader
            .bell
            .write()
            .unwrap_or_else(|poisoned| poisoned.into_inner()) = None;
    }

    /// A consumer is about to wait for what it reads by itself, and for the bell. Answers whether nothing has happened since it took
    /// the ticket.
    pub(crate) fn leader_waits(&self, ticket: Ticket) -> bool {
        self.leader.is_there.store(true, Ordering::SeqCst);
        // Whoever notifies does it before looking for a leader.
        let is_current = self.consumers.is_current(ticket);
        if !is_current {
            self.leader_is_back();
        }
        is_current
    }

    /// It waits no longer, and looks at everything anew.
    pub(crate) fn leader_is_back(&self) {
        self.leader.is_there.store(false, Ordering::SeqCst);
        if self.leader.has_rung.load(Ordering::SeqCst) {
            self.leader.silence();
        }
    }

    /// The same, and it may be that the bell has called it.
    pub(crate) fn leader_was_called(&self) {
        self.leader.is_there.store(false, Ordering::SeqCst);
        self.leader.silence();
    }

    /// A consumer leaves a read that is under way: another one may go on with it.
    pub(crate) fn call_another_leader(&self) {
        self.consumers.notify(1);
    }

    /// The end has been noted: everybody looks.
    pub(crate) fn announce_end(&self, guard: Guard<'_, S>) {
        self.announce(guard, usize::MAX);
        self.poller.notify_all();
        self.ending.notify_all();
    }

    /// For the poller, to be taken before it looks whether there is something to do.
    pub(crate) fn poller_ticket(&self) -> Ticket {
        self.poller.ticket()
    }

    /// The poller sleeps until somebody wakes it, or for so long.
    pub(crate) fn poller_sleep(&self, ticket: Ticket, most: Option<Duration>) {
        self.poller.sleep(ticket, most);
    }

    pub(crate) fn wake_poller(&self) {
        self.poller.notify_all();
    }

    /// The poller is about to sleep. `dozes`: for a moment, and then it looks for what there is to do.
    pub(super) fn poller_falls_asleep(&self, dozes: bool) {
        let how = if dozes { DOZING } else { SLEEPING };
        self.poller_sleeps.store(how, Ordering::SeqCst);
    }

    pub(super) fn poller_wakes_up(&self) {
        self.poller_sleeps.store(AWAKE, Ordering::SeqCst);
    }

    pub(super) fn has_to_be_woken(&self) -> bool {
        self.poller_sleeps.load(Ordering::SeqCst) == SLEEPING
    }

    /// The poller's last act.
    pub(crate) fn poller_has_ended(&self) {
        self.poller_ended.store(true, Ordering::SeqCst);
        self.ending.notify_all();
    }

    /// Waits until the poller has ended, and answers whether it has in time.
    pub(crate) fn wait_for_poller(&self, most: Option<Duration>) -> bool {
        self.wait(most, || self.poller_ended.load(Ordering::SeqCst))
    }

    /// Waits until `done` says so, and answers whether it has in time. It is asked again after each `given_back` and
    /// `announce_end`.
    pub(crate) fn wait_for_bot(&self, most: Option<Duration>, done: impl Fn(&S) -> bool) -> bool {
        self.wait(most, || done(&self.lock()))
    }

    /// The bot has given back what somebody may wait for.
    pub(crate) fn given_back(&self) {
        self.ending.notify_all();
    }

    fn wait(&self, most: Option<Duration>, done: impl Fn() -> bool) -> bool {
        let end = most.and_then(|most| Instant::now().checked_add(most));
        loop {
            let ticket = self.ending.ticket();
            if done() {
                return true;
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return false;
            }
            self.ending.sleep(ticket, left);
        }
    }

    /// The descriptor, made on first request.
    pub(crate) fn fd(&self) -> io::Result<&EventFd> {
        if let Some(fd) = self.fd.get() {
            return Ok(fd);
        }
        let made = EventFd::new()?;
        let mut guard = self.lock();
        // Another thread may have been first: then this one's is closed again.
        let fd = self.fd.get_or_init(|| made);
        self.show(&mut guard);
        Ok(fd)
    }

    /// Whether anybody has asked for the descriptor.
    pub(crate) fn has_fd(&self) -> bool {
        self.fd.get().is_some()
    }

    /// Keeps the descriptor readable while an event, an interruption or the end is waiting.
    ///
    /// `interrupt` raises it without the lock, so it is lowered whatever is remembered of it, and interruptions are
    /// looked at once more afterwards.
    pub(crate) fn show(&self, guard: &mut Guard<'_, S>) {
        let Some(fd) = self.fd.get() else { return };
        let interrupted = |guard: &Guard<S>| self.interruptions.load(Ordering::SeqCst) != guard.0.interruptions_seen;
        if !guard.has_event() && !guard.is_over() && !guard.is_shut() && !interrupted(guard) {
            fd.lower();
            guard.0.fd_raised = false;
            if !interrupted(guard) {
                return;
            }
        }
        if !guard.0.fd_raised {
            guard.0.fd_raised = true;
            fd.raise();
        }
    }
}

impl Leader {
    fn ring(&self) {
        if self.is_there.load(Ordering::SeqCst)
            && let Ok(bell) = self.bell.try_read()
            && let Some(bell) = &*bell
        {
            bell.raise();
            // Afterwards: who silences it in between will do so once more.
            self.has_rung.store(true, Ordering::SeqCst);
        }
    }

    fn silence(&self) {
        self.has_rung.store(false, Ordering::SeqCst);
        if let Ok(bell) = self.bell.try_read()
            && let Some(bell) = &*bell
        {
            bell.lower();
        }
    }
}

/// What is shared, locked.
pub(crate) struct Guard<'a, S>(MutexGuard<'a, Shared<S>>);

impl<S> Deref for Guard<'_, S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.0.state
    }
}

impl<S> DerefMut for Guard<'_, S> {
    fn deref_mut(&mut self) -> &mut S {
        &mut self.0.state
    }
}
