//! A batch arrives: what is new is queued, and what is known joins what it was.

use std::collections::HashMap;
use std::time::Duration;

use super::known::{Place, State};
use super::lease::Lease;
use super::{Entry, InFlight, Kept, Ledger, Purpose, Serial};
use crate::batch::Identity;
use crate::clock::Moment;
use crate::hash::Mixed;

/// The same identity sooner than this is another event that looks the same, not a redelivery: no service is set to a
/// shorter visibility timeout. (With a shorter `visibilityTimeout`, half of that.)
pub(super) const SOONEST_REDELIVERY: Duration = Duration::from_secs(5);

/// What an answered read brought.
pub(crate) struct Arrival<'a, I> {
    pub(crate) ack_id: Option<&'a str>,
    pub(crate) events: I,
    /// Elements that came besides and are not for the bot.
    pub(crate) left_out: usize,
    /// Nothing in it that is new is older than this, in milliseconds since 1970, if that is known.
    pub(crate) published_after: Option<u64>,
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
    /// Events that processes before this one have tried too often.
    pub(crate) set_aside: usize,
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
        let id = self.new_lease_id();
        let mut received = Received::default();
        let size = arrival.events.size_hint().0;
        let mut lease = Lease::new(arrival.ack_id.unwrap_or_default(), now, size);
        let mut twins = Twins::default();
        for (identity, event) in arrival.events {
            self.counters.received += 1;
            let place = match self.which_twin(identity, id, now, &mut twins) {
                Twin::New(number) => {
                    self.memory.may_have_twins |= number != identity;
                    let place = self.memory.insert_new(number, id, now);
                    if self.queue_new(place, event, arrival.published_after, now) {
                        received.new += 1;
                        lease.unsettled += 1;
                    } else {
                        received.set_aside += 1;
                    }
                    place
                }
                Twin::Known(place) => {
                    let before = *self.memory.get(place);
                    self.memory.move_to(place, id, now);
                    self.leave(before.lease, before.state);
                    received.redelivered += 1;
                    lease.unsettled += usize::from(before.state == State::Outstanding);
                    place
                }
            };
            lease.members.push(place);
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

    /// Answers whether it is for the bot: processes before this one may have tried it often enough.
    fn queue_new(&mut self, known: Place, event: E, published_after: Option<u64>, now: Moment) -> bool {
        let serial = self.enter(Some(known), event, published_after);
        if self.is_tried_out(serial) {
            self.set_aside(serial, now);
            return false;
        }
        if self.limits.service_forgets && self.limits.stores {
            self.keep(serial);
            self.staged.push(serial);
        } else {
            self.queue.push_back(serial);
        }
        true
    }

    /// An event of the library's own: nothing is acknowledged for it, and nothing like it comes again.
    pub(crate) fn tell(&mut self, event: E) {
        let serial = self.enter(None, event, None);
        if self.limits.stores {
            self.keep(serial);
            self.staged.push(serial);
        } else {
            self.queue.push_back(serial);
        }
    }

    pub(super) fn enter(&mut self, known: Option<Place>, event: E, published_after: Option<u64>) -> Serial {
        let serial = self.next_serial;
        self.next_serial += 1;
        let before = known
            .filter(|_| !self.tried_before.is_empty())
            .and_then(|place| self.tried_before.remove(&self.memory.get(place).identity));
        self.entries.insert_with(serial, || Entry {
            known,
            event,
            attempts: before.unwrap_or_default(),
            kept: false,
            published_after,
        });
        serial
    }

    /// The event goes into the state store, until the bot is done with it.
    pub(super) fn keep(&mut self, serial: Serial) {
        let entry = self.entries.get_mut(serial).expect("it was entered just now");
        entry.kept = true;
        self.changes.kept.push(Kept {
            serial,
            identity: entry.known.map(|place| self.memory.get(place).identity),
            attempts: 0,
            event: entry.event.clone(),
        });
    }

    /// Everything that was published before this, in milliseconds since 1970, has come and is done with; nothing: that is
    /// not known. `caught_up`: the same for what has come at all.
    pub(crate) fn done_until(&self, caught_up: Option<u64>) -> Option<u64> {
        let only_the_service_has = |entry: &&Entry<E>| entry.known.is_some() && !entry.kept;
        let outstanding = self.entries.iter().map(|(_, entry)| entry).filter(only_the_service_has);
        outstanding
            .map(|entry| entry.published_after)
            .fold(caught_up, Option::min)
    }

    /// Tells events that look the same apart: the same identity twice in one batch, or sooner than a lease can lapse,
    /// is another event, and counts under the next number.
    fn which_twin(&self, identity: Identity, lease: u64, now: Moment, twins: &mut Twins) -> Twin {
        let soonest = SOONEST_REDELIVERY.min(self.limits.visibility_timeout / 2);
        let mut twin = twins.next(identity);
        let mut found = None;
        while let Some(place) = self.memory.find(twin) {
            let known = self.memory.get(place);
            let same_feed = known.lease >= self.first_lease_of_feed;
            let another = known.state == State::Placeholder
                || known.lease == lease
                || (same_feed && now < known.received + soonest);
            if !another {
                found = Some(place);
                break;
            }
            twin = twin.wrapping_add(1);
        }
        twins.used(identity, twin);
        found.map_or(Twin::New(twin), Twin::Known)
    }
}

/// Which of the events that look the same one is.
enum Twin {
    /// One that is not known, with its own identity.
    New(Identity),
    Known(Place),
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
