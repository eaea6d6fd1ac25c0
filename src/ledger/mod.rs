//! The delivery ledger: what was received, who holds it, what is acknowledged, and what the next read must say.
//!
//! It is a pure state machine. It does no I/O, takes the time as an argument, and is generic over what an event is, so
//! that it can be driven by tests and models as well as by a feed. The policy it follows, over Datafeed 2:
//!
//! - The service acknowledges a whole batch, by the ackId that the *next* read carries. A batch's lease is *ready* when
//!   each of its events is acknowledged; a read carries the oldest ready ackId whose lease is still alive, else `""`.
//! - A read is wanted when a lease is ready, or nothing is outstanding, or a consumer found nothing to take while events
//!   are held ([`Ledger::plan_read`]).
//! - A redelivered event joins the one that is held or remembered: it moves to its newest lease, and a lease emptied in
//!   this way is dropped ([`arrival`]).
//! - What was acknowledged is remembered until 15 minutes after the service confirmed it ([`memory`]).
//! - An event that is refused comes again, each time later, until it is set aside ([`retry`]).
//! - What must outlive the process is told as [`changes`], from which another ledger is made ([`restore`]).

mod arrival;
mod changes;
mod known;
mod lease;
mod memory;
mod numbered;
mod planning;
mod restore;
mod retry;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use std::time::Duration;

pub(crate) use arrival::{Arrival, Received};
pub(crate) use changes::{Changes, Kept, SetAside, Standing};
use known::Place;
use lease::{Lease, LeaseId};
pub(crate) use memory::LONG_AGO;
use memory::Memory;
use numbered::Numbered;
pub(crate) use restore::Restored;
pub(crate) use retry::Refused;

use crate::batch::Identity;
use crate::clock::{Moment, Time};
use crate::hash::Mixed;

/// The bounds and intervals that the ledger keeps.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Reading pauses while this many events or more are received and not yet acknowledged.
    pub(crate) max_unacknowledged: usize,
    /// Acknowledged events that are remembered at most.
    pub(crate) max_remembered: usize,
    /// How long the service waits for an acknowledgement before it delivers again.
    pub(crate) visibility_timeout: Duration,
    /// How long an acknowledged event is remembered after the service confirmed it.
    pub(crate) memory: Duration,
    /// A feed that is not read for 30 minutes is removed by the service; while reading is paused one read is made in
    /// this interval.
    pub(crate) keep_alive: Duration,
    /// How long an event rests before it is handed out again, when it is refused for the first time. Doubles each time.
    pub(crate) nack_delay: Duration,
    /// An event that was handed out so often is set aside when it is refused; none: it comes again for ever. Needs
    /// `stores`.
    pub(crate) max_attempts: Option<u32>,
    /// The service forgets an event as soon as it has handed it out, and what waits there unread is lost when it is too
    /// much (Datafeed 1): so it is read whenever there is room, and a read never serves to keep the feed alive alone.
    pub(crate) service_forgets: bool,
    /// There is a state store, to which the ledger's changes are written.
    pub(crate) stores: bool,
}

/// What the ledger wants of the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plan {
    /// Read now, with this ackId (`""` acknowledges nothing).
    Read { ack_id: String, purpose: Purpose },
    /// Nothing to do before this moment, unless something is acknowledged or asked for.
    Wait(Moment),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The events are for the bot.
    Events,
    /// The read only keeps the feed alive while the bot is behind; its events are left to be delivered again.
    KeepAlive,
}

/// Why a read brought no answer, as far as the acknowledgement it carried is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadFailure {
    /// The request did not reach the service, or the service refused to handle it.
    NotHandled,
    /// The request was sent and no answer came: it may have been handled.
    AnswerLost,
    /// The service did not accept the ackId.
    AckIdRefused,
}

/// An event handed to the bot.
#[derive(Debug, Clone)]
pub(crate) struct HandedOut<E> {
    pub(crate) delivery: u64,
    pub(crate) attempt: u32,
    pub(crate) event: E,
}

/// A delivery number that is not held: never given, or already acknowledged or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotHeld;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Events that arrived, redelivered ones included.
    pub(crate) received: u64,
    /// Events given to the bot, repetitions after a nack included.
    pub(crate) handed_out: u64,
    pub(crate) acknowledged: u64,
    pub(crate) nacked: u64,
    /// Arrivals recognised as an event that is queued, held or already acknowledged.
    pub(crate) redelivered: u64,
    /// Acknowledgements that the service confirmed, in events.
    pub(crate) confirmed: u64,
    /// Reads whose only purpose was to keep the feed alive.
    pub(crate) keep_alive_reads: u64,
    /// Acknowledged events forgotten before their time because too many were remembered.
    pub(crate) forgotten_early: u64,
    /// Events that were handed out too often and are kept for a person to look at.
    pub(crate) set_aside: u64,
}

#[derive(Clone)]
struct Entry<E> {
    /// None for what the service did not send, or need not be told of: nothing of the kind comes again.
    known: Option<Place>,
    event: E,
    attempts: u32,
    /// It is in the state store.
    kept: bool,
    /// See [`Arrival::published_after`].
    published_after: Option<u64>,
}

#[derive(Clone)]
struct InFlight {
    carried: Option<LeaseId>,
    purpose: Purpose,
    started: Moment,
}

/// An event's place in the ledger while it is outstanding; counts up and is never used again.
pub(crate) type Serial = u64;

/// An event in the bot's hands.
#[derive(Clone)]
struct Held {
    serial: Serial,
    /// The bot has a copy of its own, so nothing has to be kept for it when the ledger is closed.
    copied: bool,
}

#[derive(Clone)]
pub(crate) struct Ledger<E> {
    limits: Limits,
    entries: Numbered<Entry<E>>,
    next_serial: Serial,
    queue: VecDeque<Serial>,
    /// What is to be in the state store before the bot sees it, and then goes into the queue.
    staged: Vec<Serial>,
    held: Numbered<Held>,
    next_delivery: u64,
    postponed: BinaryHeap<Reverse<(Moment, Serial)>>,
    memory: Memory,
    leases: Numbered<Lease>,
    next_lease: LeaseId,
    /// Leases before this one were given by a feed that has been replaced.
    first_lease_of_feed: LeaseId,
    ready: BTreeSet<LeaseId>,
    in_flight: Option<InFlight>,
    /// When a read was last answered, which is what keeps the feed alive.
    last_read: Moment,
    /// The latest read's ackId was refused: the next one carries none, to tell a bad ackId from a bad feed.
    refused: bool,
    hungry: bool,
    /// The feed is about to be closed, and only what the bot holds is waited for.
    draining: bool,
    /// While draining: there was nothing left that may be handed out, and a consumer may have been told.
    shut: bool,
    /// The state store takes nothing at the moment, so nothing more is read for the bot.
    paused: bool,
    /// What the state store has not been told yet.
    changes: Changes<E>,
    /// How often events were handed out by processes before this one, until they come again.
    tried_before: HashMap<Identity, u32, Mixed>,
    /// Events set aside that are in the state store.
    letters: usize,
    counters: Counters,
}

impl<E: Clone> Ledger<E> {
    pub(crate) fn new(limits: Limits) -> Ledger<E> {
        Ledger {
            memory: Memory::new(limits.stores),
            limits,
            entries: Numbered::default(),
            next_serial: 0,
            queue: VecDeque::new(),
            staged: Vec::new(),
            held: Numbered::default(),
            next_delivery: 1,
            postponed: BinaryHeap::new(),
            leases: Numbered::default(),
            next_lease: 0,
            first_lease_of_feed: 0,
            ready: BTreeSet::new(),
            in_flight: None,
            last_read: Moment::default(),
            refused: false,
            hungry: false,
            draining: false,
            shut: false,
            paused: false,
            changes: Changes::default(),
            tried_before: HashMap::default(),
            letters: 0,
            counters: Counters::default(),
        }
    }

    /// Hands out the next event, or notes that a consumer is waiting for one. `lend`: as what it is handed out.
    pub(crate) fn take<T>(&mut self, time: impl Time, lend: impl FnOnce(&E) -> T) -> Option<HandedOut<T>> {
        if !self.postponed.is_empty() {
            self.wake_postponed(time.moment());
        }
        let Some(serial) = self.queue.pop_front() else {
            self.hungry = true;
            return None;
        };
        let delivery = self.next_delivery;
        self.next_delivery += 1;
        self.held.insert(delivery, Held { serial, copied: false });
        self.counters.handed_out += 1;
        let entry = self.entries.get_mut(serial).expect("a queued event has an entry");
        entry.attempts += 1;
        if self.limits.max_attempts.is_some() {
            // An event that ends the process each time is to be set aside, too.
            match entry.known {
                Some(place) => self.memory.tried(place, entry.attempts),
                None if entry.kept => self.changes.tried.push((serial, entry.attempts)),
                None => {}
            }
        }
        Some(HandedOut {
            delivery,
            attempt: entry.attempts,
            event: lend(&entry.event),
        })
    }

    /// The bot is done with this one: it will not be handed out again.
    pub(crate) fn ack(&mut self, delivery: u64, time: impl Time) -> Result<(), NotHeld> {
        let Held { serial, .. } = self.held.remove(delivery).ok_or(NotHeld)?;
        self.counters.acknowledged += 1;
        self.done_with(serial, time);
        Ok(())
    }

    /// The event leaves the ledger; the service may be told.
    fn done_with(&mut self, serial: Serial, time: impl Time) -> Entry<E> {
        let entry = self.entries.remove(serial).expect("an event at hand has an entry");
        if entry.kept {
            self.changes.released.push(serial);
        }
        if let Some(place) = entry.known {
            let lease = self.memory.acknowledge(place);
            self.settle_one(lease, time);
        }
        self.shut_if_empty();
        entry
    }

    /// How often the held event has been handed out, this time included.
    pub(crate) fn attempt(&self, delivery: u64) -> Result<u32, NotHeld> {
        let held = self.held.get(delivery).ok_or(NotHeld)?;
        Ok(self.entries[held.serial].attempts)
    }

    /// The bot has a copy of the held event: see [`close`](Ledger::close).
    pub(crate) fn copied(&mut self, delivery: u64) -> Result<(), NotHeld> {
        self.held.get_mut(delivery).ok_or(NotHeld)?.copied = true;
        Ok(())
    }

    /// From now on nothing is handed out, and a read is made for an acknowledgement only. What the service has forgotten
    /// is still handed out: it would be lost.
    pub(crate) fn drain(&mut self) {
        self.draining = true;
        self.shut_if_empty();
    }

    /// Draining, and nothing is left that may be handed out. A read that was under way may bring more: too late.
    pub(crate) fn hands_out_no_more(&self) -> bool {
        self.shut
    }

    fn shut_if_empty(&mut self) {
        let would_be_lost = self.limits.service_forgets && !self.limits.stores;
        self.shut |= self.draining && (!would_be_lost || self.entries.is_empty());
    }

    /// Draining, and nothing is left to wait for.
    pub(crate) fn is_drained(&self) -> bool {
        self.hands_out_no_more() && self.held.is_empty()
    }

    /// The planned read is about to be sent.
    pub(crate) fn read_started(&mut self, purpose: Purpose, now: Moment) {
        if purpose == Purpose::KeepAlive {
            self.counters.keep_alive_reads += 1;
        }
        self.in_flight = Some(InFlight {
            carried: self.next_to_carry(),
            purpose,
            started: now,
        });
    }

    /// The read brought no answer that can be used.
    pub(crate) fn read_failed(&mut self, failure: ReadFailure) {
        let Some(InFlight {
            carried: Some(carried), ..
        }) = self.in_flight.take()
        else {
            return;
        };
        let Some(lease) = self.leases.get_mut(carried) else {
            return;
        };
        let given_up = match failure {
            ReadFailure::NotHandled => false,
            ReadFailure::AnswerLost => {
                lease.answers_lost += 1;
                lease.answers_lost > 1
            }
            ReadFailure::AckIdRefused => {
                self.refused = true;
                true
            }
        };
        if given_up {
            self.retire_unconfirmed(carried);
        }
    }

    /// Another feed takes the place of the one that was read: nothing given by the old one can be acknowledged any
    /// more, and what the new one delivers may be known already.
    pub(crate) fn feed_replaced(&mut self, now: Moment) {
        self.in_flight = None;
        let old: Vec<LeaseId> = self.leases.iter().map(|(id, _)| id).collect();
        for id in old {
            self.lapse(id);
        }
        self.memory.confirm_lapsed(Moment(u64::MAX), now + self.limits.memory);
        self.first_lease_of_feed = self.next_lease;
    }

    /// The ackIds of batches with events that are ready and that no read has carried, oldest first.
    pub(crate) fn unwritten(&self, now: Moment) -> Vec<String> {
        if self.paused {
            return Vec::new();
        }
        let carried = self.in_flight.as_ref().and_then(|read| read.carried);
        self.ready
            .iter()
            .filter(|id| Some(**id) != carried)
            .map(|id| &self.leases[*id])
            .filter(|lease| {
                lease.alive(now, self.limits.visibility_timeout)
                    && !lease.members.is_empty()
                    && !lease.ack_id.is_empty()
            })
            .map(|lease| lease.ack_id.clone())
            .collect()
    }

    /// Whether the read in flight carries an acknowledgement.
    pub(crate) fn carries_ack(&self) -> bool {
        self.in_flight.as_ref().is_some_and(|read| read.carried.is_some())
    }

    /// Gives back everything but what the bot holds and has no copy of: nothing more will be handed out or read.
    pub(crate) fn close(&mut self) {
        self.held.retain(|_, held| !held.copied);
        let lent: HashSet<Serial> = self.held.iter().map(|(_, held)| held.serial).collect();
        self.entries.retain(|serial, _| lent.contains(&serial));
        self.queue = VecDeque::new();
        self.staged = Vec::new();
        self.postponed = BinaryHeap::new();
        self.memory = Memory::new(false);
        self.changes = Changes::default();
        self.tried_before = HashMap::default();
        self.leases = Numbered::default();
        self.ready = BTreeSet::new();
        self.in_flight = None;
    }

    /// After `close`: the bot gives back what it held.
    pub(crate) fn release(&mut self, delivery: u64) {
        if let Some(Held { serial, .. }) = self.held.remove(delivery) {
            self.entries.remove(serial);
            self.held.shrink_to_fit();
            self.entries.shrink_to_fit();
        }
    }

    /// Events that were received and that the bot has not acknowledged.
    pub(crate) fn unacknowledged(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn queued(&self) -> usize {
        self.queue.len()
    }

    pub(crate) fn held(&self) -> usize {
        self.held.len()
    }

    pub(crate) fn postponed(&self) -> usize {
        self.postponed.len()
    }

    pub(crate) fn remembered(&self) -> usize {
        self.memory.remembered()
    }

    pub(crate) fn counters(&self) -> Counters {
        self.counters
    }
}
