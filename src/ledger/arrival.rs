//! A batch arrives: what is new is queued, and what is known joins what it was.

use std::collections::HashMap;
use std::time::Duration;

use super::lease::Lease;
use super::memory::State;
use super::{Entry, InFlight, Ledger, Purpose};
use crate::batch::Identity;
use crate::clock::Moment;
use crate::hash::Mixed;

/// The same identity sooner than this is another event that looks the same, not a redelivery: no service is set to a
/// shorter visibility timeout. (With a shorter `visibilityTimeout`, half of that.)
const SOONEST_REDELIVERY: Duration = Duration::from_secs(5);

/// What an answered read brought.
pub(crate) struct Arrival<'a, I> {
    pub(crate) ack_id: Option<&'a str>,
    pub(crate) events: I,
    /// Elements that came besides and are not for the bot.
    pub(crate) left_out: usize,
}

/// What became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// Events that were queued for the bot.
    pub(crate) new: usize,
    /// Events that were known.
    pub(crate) redelivered: usize,
    /// Events of a keep-alive read, left to be delivered again.
    pub(crate) left: usize,
    /// Elements that are not for the bot. They are acknowledged with the rest.
    pub(crate) left_out: usize,
}

impl<E: Clone> Ledger<E> {
    /// The read in flight was answered, which confirms the acknowledgement that it carried.
    pub(crate) fn read_answered<I>(&mut self, arrival: Arrival<I>, now: Moment) -> Received
    where
        I: Iterator<Item = (Identity, E)>,
    {
        let read = self.in_flight.take().unwrap_or(InFlight {
            carried: None,
            purpose: Purpose::Events,
            started: now,
        });
        self.last_read = now;
        self.refused = false;
        if let Some(carried) = read.carried {
            self.confirm(carried, now);
        }
        let left_out = arrival.left_out;
        let mut received = match read.purpose {
            Purpose::Events => self.queue_arrival(arrival, now),
            Purpose::KeepAlive => Received {
                left: arrival.events.count(),
                ..Received::default()
            },
        };
        received.left_out = left_out;
        if received == Received::default() {
            self.memory.confirm_lapsed(read.started, now + self.limits.memory);
        }
        if received.new > 0 {
            self.hungry = false;
        }
        self.counters.forgotten_early += self.memory.shrink_to(self.limits.max_remembered);
        received
    }

    fn queue_arrival<I>(&mut self, arrival: Arrival<I>, now: Moment) -> Received
    where
        I: Iterator<Item = (Identity, E)>,
    {
        let id = self.next_lease;
        self.next_lease += 1;
        let mut received = Received::default();
        let mut lease = Lease {
            ack_id: arrival.ack_id.unwrap_or_default().to_owned(),
            received: now,
            members: Vec::with_capacity(arrival.events.size_hint().0),
            present: 0,
            unsettled: 0,
            lapsed: false,
            answers_lost: 0,
        };
        let mut twins = Twins::default();
        for (identity, event) in arrival.events {
            self.counters.received += 1;
            let identity = self.which_twin(identity, id, now, &mut twins);
            match self.memory.get(identity) {
                None => {
                    self.memory.insert_new(identity, id, now);
                    self.queue_new(identity, event);
                    received.new += 1;
                    lease.unsettled += 1;
                }
                Some(known) => {
                    self.memory.move_to(identity, id, now);
                    self.leave(known.lease, known.state);
                    received.redelivered += 1;
                    lease.unsettled += usize::from(known.state == State::Outstanding);
                }
            }
            lease.members.push(identity);
        }
        self.counters.redelivered += received.redelivered as u64;
        lease.present = lease.members.len();
        if arrival.ack_id.is_none() && lease.members.is_empty() {
            return received;
        }
        self.leases.insert(id, lease);
        self.settled(id, now);
        received
    }

    fn queue_new(&mut self, identity: Identity, event: E) {
        let serial = self.next_serial;
        self.next_serial += 1;
        self.entries.insert(
            serial,
            Entry {
                identity,
                event,
                attempts: 0,
            },
        );
        self.queue.push_back(serial);
    }

    /// Tells events that look the same apart: the same identity twice in one batch, or sooner than a lease can lapse,
    /// is another event, and counts under the next number.
    fn which_twin(&self, identity: Identity, lease: u64, now: Moment, twins: &mut Twins) -> Identity {
        let soonest = SOONEST_REDELIVERY.min(self.limits.visibility_timeout / 2);
        let mut twin = twins.next(identity);
        while let Some(known) = self.memory.get(twin) {
            let same_feed = known.lease >= self.first_lease_of_feed;
            let another = known.state == State::Placeholder
                || known.lease == lease
                || (same_feed && now < known.received + soonest);
            if !another {
                break;
            }
            twin = twin.wrapping_add(1);
        }
        twins.used(identity, twin);
        twin
    }
}

/// The identities that occur more than once in the batch at hand, with the next number to try. Without it a batch of
/// a million equal events would take the square of that.
#[derive(Default)]
struct Twins(HashMap<Identity, Identity, Mixed>);

impl Twins {
    fn next(&self, identity: Identity) -> Identity {
        if self.0.is_empty() {
            return identity;
        }
        self.0.get(&identity).copied().unwrap_or(identity)
    }

    fn used(&mut self, identity: Identity, twin: Identity) {
        if twin != identity {
            self.0.insert(identity, twin.wrapping_add(1));
        }
    }
}
