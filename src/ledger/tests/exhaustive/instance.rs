//! A bot, its process and what outlives the process. It drives the ledger as the feed's calls and the poller do.

use super::super::super::{Arrival, HandedOut, Ledger, Plan, ReadFailure, Refused};
use super::super::disk::Disk;
use super::Setting;
use super::events::Events;
use super::world::Broken;
use crate::clock::Moment;

/// Where the poller's read is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Read {
    /// There is none.
    Idle,
    /// It waits at the service, which has seen its ackId then.
    Waits { since: Moment },
    /// The answer is on its way, since then.
    Answered { ack_id: String, events: Events, at: Moment },
}

#[derive(Clone)]
pub(super) struct Instance {
    pub(super) ledger: Ledger<u8>,
    pub(super) store: Option<Disk<u8>>,
    pub(super) store_works: bool,
    /// The poller has taken a batch in, and writes to the store before it does anything else.
    pub(super) owes_store: bool,
    /// When the process began.
    pub(super) born: Moment,
    pub(super) read: Read,
    /// What the bot holds: the number of the delivery, and the event.
    pub(super) held: Vec<(u64, u8)>,
    /// What must not be handed out again by this process.
    pub(super) done: Events,
    /// What must not be handed out again by those after it: an acknowledgement of it was answered, and is stored.
    pub(super) done_for_good: Events,
    /// How often events were handed out by any of the processes, where that is limited and was stored.
    pub(super) tries: [u8; 8],
    /// What the bot has acknowledged in any of the processes.
    pub(super) acknowledged: Events,
    /// The same, and the store has it, if there is one.
    pub(super) safe: Events,
}

impl Instance {
    pub(super) fn new(setting: &Setting) -> Instance {
        Instance {
            ledger: Ledger::new(setting.limits()),
            store: setting.stores.then(Disk::default),
            store_works: true,
            owes_store: false,
            born: Moment::default(),
            read: Read::Idle,
            held: Vec::new(),
            done: Events::default(),
            done_for_good: Events::default(),
            tries: [0; 8],
            acknowledged: Events::default(),
            safe: Events::default(),
        }
    }

    /// The time as the process counts it.
    pub(super) fn time(&self, now: Moment) -> Moment {
        Moment(now.0 - self.born.0)
    }

    /// What the service may remove on behalf of this bot.
    pub(super) fn may_be_removed(&self) -> Events {
        let mut events = self.safe;
        events |= self.letters();
        events
    }

    /// What the store keeps.
    fn kept(&self) -> Events {
        let kept = self.store.iter().flat_map(|store| store.kept.values());
        kept.map(|(_, event)| *event).collect()
    }

    /// What the store kept once, and does not keep any more.
    pub(super) fn no_longer_kept(&self) -> Events {
        let ever = self.store.iter().flat_map(|store| store.ever_kept.iter().copied());
        ever.collect::<Events>().without(self.kept())
    }

    /// What is stored as set aside.
    pub(super) fn letters(&self) -> Events {
        let store = self.store.iter();
        store.flat_map(|store| store.letters.iter().copied()).collect()
    }

    /// A read of its own waits at the service.
    pub(super) fn waits(&self) -> bool {
        matches!(self.read, Read::Waits { .. })
    }

    /// As `Shared::save` does.
    fn save(&mut self) -> bool {
        let Some(store) = &mut self.store else {
            self.safe = self.acknowledged;
            return true;
        };
        let changes = self.ledger.changes();
        if changes.is_empty() {
            return true;
        }
        if !self.store_works {
            self.ledger.pause();
            return false;
        }
        store.write(changes, self.born);
        self.ledger.changes_are_stored();
        self.safe = self.acknowledged;
        if self.ledger.is_paused() {
            self.ledger.resume();
        }
        true
    }

    /// As `Poller::store` does.
    pub(super) fn store(&mut self) {
        self.owes_store = false;
        if !self.save() {
            return;
        }
        if self.ledger.is_paused() {
            if !self.store_works {
                return;
            }
            self.ledger.resume();
        }
        self.ledger.release_staged();
    }

    pub(super) fn wants_store(&self) -> bool {
        self.store.is_some() && (self.owes_store || self.ledger.is_paused() || self.ledger.has_staged())
    }

    /// The ackId of the read that the ledger wants now, if it does. The read has begun.
    pub(super) fn begin_read(&mut self, now: Moment) -> Option<String> {
        let time = self.time(now);
        match self.ledger.plan_read(time) {
            Plan::Read { ack_id, purpose } => {
                self.ledger.read_started(purpose, time);
                Some(ack_id)
            }
            Plan::Wait(_) => None,
        }
    }

    pub(super) fn fail_read(&mut self, failure: ReadFailure) {
        self.ledger.read_failed(failure);
        self.read = Read::Idle;
    }

    pub(super) fn take_in(&mut self, setting: &Setting, now: Moment) {
        let Read::Answered { ack_id, events, .. } = std::mem::replace(&mut self.read, Read::Idle) else {
            return;
        };
        let arrival = Arrival {
            ack_id: (!setting.service_forgets).then_some(ack_id.as_str()),
            events: events.iter().map(|event| (u128::from(event) * 1000, event)),
            left_out: 0,
            published_after: None,
        };
        self.ledger.read_answered(arrival, self.time(now));
        self.owes_store = self.store.is_some();
    }

    /// Whether a refused event has rested long enough.
    pub(super) fn is_due(&self, now: Moment) -> bool {
        self.ledger.next_due().is_some_and(|due| due <= self.time(now))
    }

    /// Whether asking for an event would change anything.
    pub(super) fn would_take(&self, now: Moment) -> bool {
        self.is_due(now) || self.ledger.queued() > 0 || !self.ledger.hungry
    }

    pub(super) fn take(&mut self, setting: &Setting, now: Moment) -> Result<(), Broken> {
        let Some(HandedOut { delivery, event, .. }) = self.ledger.take(self.time(now), Clone::clone) else {
            return Ok(());
        };
        let kept_before = self.kept().contains(event);
        let stored = self.save();
        if self.held.iter().any(|(_, held)| *held == event) {
            return Err(Broken::HeldTwice);
        }
        if self.done.contains(event) || self.letters().contains(event) {
            return Err(Broken::Repeated);
        }
        if let Some(most) = setting.max_attempts {
            let tries = &mut self.tries[usize::from(event)];
            if u32::from(*tries) >= most {
                return Err(Broken::TooOften);
            }
            *tries += u8::from(stored);
        }
        if setting.service_forgets && !kept_before {
            return Err(Broken::SeenBeforeStored);
        }
        self.held.push((delivery, event));
        self.held.sort_unstable_by_key(|(_, event)| *event);
        Ok(())
    }

    pub(super) fn ack(&mut self, index: usize, now: Moment) {
        let (delivery, event) = self.held.remove(index);
        self.ledger.ack(delivery, self.time(now)).expect("the bot holds it");
        self.acknowledged.insert(event);
        self.done.insert(event);
        if self.save() && self.store.is_some() {
            self.done_for_good.insert(event);
        }
    }

    pub(super) fn nack(&mut self, index: usize, now: Moment) {
        let (delivery, event) = self.held.remove(index);
        let refused = self.ledger.nack(delivery, self.time(now)).expect("the bot holds it");
        let stored = self.save();
        if refused == Refused::SetAside {
            self.done.insert(event);
            if stored {
                self.done_for_good.insert(event);
            }
        }
    }

    /// The process ends, and another one begins with what is stored. Answers whether a read was left at the service.
    ///
    /// An end between the ledger's change and the store's is the same as one before that change, and an end between the
    /// store's change and the answer to the bot the same as one after, with less to be kept: so a crash between any two
    /// steps is a crash at any moment.
    pub(super) fn crash(&mut self, setting: &Setting, now: Moment) -> bool {
        let left_a_read = self.waits();
        let mut next = Instance {
            store: self.store.take(),
            store_works: self.store_works,
            born: now,
            done: self.done_for_good,
            done_for_good: self.done_for_good,
            tries: self.tries,
            acknowledged: self.acknowledged,
            safe: self.safe,
            ..Instance::new(setting)
        };
        if let Some(store) = &next.store {
            next.ledger.restore(store.restored(now), Moment::default());
        }
        *self = next;
        left_a_read
    }

    /// As the poller does when it finds its feed gone and makes another.
    pub(super) fn replace_feed(&mut self, now: Moment) {
        if self.waits() {
            let failure = if self.ledger.carries_ack() {
                ReadFailure::AckIdRefused
            } else {
                ReadFailure::NotHandled
            };
            self.fail_read(failure);
        }
        self.ledger.feed_replaced(self.time(now));
    }
}
