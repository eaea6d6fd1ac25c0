//! What is known of each event: whether it is outstanding or acknowledged, and in which lease it came last.
//!
//! An acknowledged event is remembered until 15 minutes after the service confirmed it, as the service's documentation
//! advises for duplicates. An acknowledgement that was not confirmed stays, since its event will come again. Two things
//! confirm without an answer to the read that carried it: the feed was replaced, and a read that found nothing after
//! the event should have become visible again.

use std::collections::VecDeque;
use std::time::Duration;

use super::changes::Standing;
use super::known::{Known, KnownEvents, Place, State};
use super::lease::LeaseId;
use crate::batch::Identity;
use crate::clock::Moment;

/// What was taken back and has not come for so long does not come any more.
pub(crate) const LONG_AGO: Duration = Duration::from_secs(3600);

#[derive(Clone)]
pub(super) struct Memory {
    /// Whether anybody wants the notes.
    takes_notes: bool,
    /// What has changed, for the state store: see [`Changes::standings`](super::Changes).
    pub(super) notes: Vec<(Identity, Option<Standing>)>,
    pub(super) known: KnownEvents,
    /// Whether some may look the same, and so be known under numbers that follow each other: whoever forgets one then has to
    /// look for the others. Nearly always there are none.
    pub(super) may_have_twins: bool,
    /// Settled batches to forget, in the order of their time.
    pub(super) confirmed: VecDeque<(Moment, LeaseId, Vec<Place>)>,
    /// Settled batches that the service took back, with the time from which it delivers them again.
    pub(super) lapsed: Vec<(Moment, LeaseId, Vec<Place>)>,
    /// How many of those lead to the next look for such as no event belongs to any more.
    sweep_at: usize,
    unconfirmed: usize,
    confirmed_events: usize,
}

impl Memory {
    pub(super) fn new(takes_notes: bool) -> Memory {
        Memory {
            takes_notes,
            notes: Vec::new(),
            known: KnownEvents::default(),
            may_have_twins: false,
            confirmed: VecDeque::new(),
            lapsed: Vec::new(),
            sweep_at: 0,
            unconfirmed: 0,
            confirmed_events: 0,
        }
    }

    /// Acknowledged events.
    pub(super) fn remembered(&self) -> usize {
        self.unconfirmed + self.confirmed_events
    }

    /// Acknowledged events whose acknowledgement the service has not confirmed.
    pub(super) fn unconfirmed(&self) -> usize {
        self.unconfirmed
    }

    pub(super) fn find(&self, identity: Identity) -> Option<Place> {
        self.known.find(identity)
    }

    pub(super) fn get(&self, place: Place) -> &Known {
        &self.known[place]
    }

    /// One that is not known yet.
    pub(super) fn insert_new(&mut self, identity: Identity, lease: LeaseId, received: Moment) -> Place {
        self.known.insert_new(Known {
            identity,
            state: State::Outstanding,
            lease,
            received,
        })
    }

    /// As a process before this one had it. What is known of the same event is replaced.
    pub(super) fn restore(&mut self, identity: Identity, state: State, lease: LeaseId, received: Moment) -> Place {
        let is_known = |identity| self.find(identity).is_some();
        self.may_have_twins |=
            state == State::Placeholder || is_known(identity.wrapping_add(1)) || is_known(identity.wrapping_sub(1));
        self.known.insert(Known {
            identity,
            state,
            lease,
            received,
        })
    }

    /// The event came again, in this lease.
    pub(super) fn move_to(&mut self, place: Place, lease: LeaseId, received: Moment) {
        let known = &mut self.known[place];
        known.lease = lease;
        known.received = received;
        if known.state == State::Confirmed {
            known.state = State::Acknowledged;
            self.confirmed_events -= 1;
            self.unconfirmed += 1;
            self.note(place, Some(Standing::Acknowledged));
        }
    }

    fn note(&mut self, place: Place, standing: Option<Standing>) {
        if self.takes_notes {
            self.notes.push((self.known[place].identity, standing));
        }
    }

    /// The outstanding event is handed out for so many times.
    pub(super) fn tried(&mut self, place: Place, attempts: u32) {
        self.note(place, Some(Standing::Tried(attempts)));
    }

    /// As [`acknowledge`](Memory::acknowledge) left it in a process before this one.
    pub(super) fn restore_acknowledged(&mut self, identity: Identity, lease: LeaseId, received: Moment) -> Place {
        let place = self.restore(identity, State::Outstanding, lease, received);
        self.acknowledge(place);
        place
    }

    pub(super) fn restore_placeholder(&mut self, identity: Identity) {
        self.restore(identity, State::Placeholder, 0, Moment::default());
    }

    /// The bot acknowledged it; answers the lease it belongs to.
    pub(super) fn acknowledge(&mut self, place: Place) -> LeaseId {
        let known = &mut self.known[place];
        known.state = State::Acknowledged;
        let lease = known.lease;
        self.unconfirmed += 1;
        self.note(place, Some(Standing::Acknowledged));
        lease
    }

    /// The service took this settled lease back.
    pub(super) fn lapse(&mut self, visible_again: Moment, lease: LeaseId, members: Vec<Place>) {
        if members.is_empty() {
            return;
        }
        self.lapsed.push((visible_again, lease, members));
        if self.lapsed.len() >= self.sweep_at {
            // Most have been delivered again since, and belong to newer leases.
            let known = &self.known;
            self.lapsed
                .retain(|(_, lease, members)| members.iter().any(|place| known[*place].lease == *lease));
            self.sweep_at = (self.lapsed.len() * 2).max(64);
        }
    }

    /// The service removed the events of this lease; they are remembered until `forget_at`.
    pub(super) fn confirm(&mut self, forget_at: Moment, lease: LeaseId, members: Vec<Place>) {
        for place in &members {
            let known = &mut self.known[*place];
            if known.lease == lease && known.state == State::Acknowledged {
                known.state = State::Confirmed;
                self.unconfirmed -= 1;
                self.confirmed_events += 1;
                self.note(*place, Some(Standing::Confirmed(forget_at)));
            }
        }
        if !members.is_empty() {
            self.confirmed.push_back((forget_at, lease, members));
        }
    }

    /// A read sent after these leases' events became visible again found nothing: the service has removed them.
    pub(super) fn confirm_lapsed(&mut self, read_started: Moment, forget_at: Moment) {
        let mut index = 0;
        while index < self.lapsed.len() {
            if self.lapsed[index].0 <= read_started {
                let (_, lease, members) = self.lapsed.swap_remove(index);
                self.confirm(forget_at, lease, members);
            } else {
                index += 1;
            }
        }
    }

    /// Forgets what has been remembered for long enough, by this time.
    ///
    /// What was visible again for so long and has not come counts as confirmed: on a feed that is never empty nothing
    /// else would ever tell.
    pub(super) fn expire(&mut self, now: Moment, memory: Duration) {
        if let Some(long_ago) = now.0.checked_sub(LONG_AGO.as_millis() as u64) {
            self.confirm_lapsed(Moment(long_ago), now + memory);
        }
        while self.confirmed.front().is_some_and(|(forget_at, ..)| *forget_at <= now) {
            self.forget_oldest();
        }
    }

    /// Forgets the oldest confirmed events until at most `most` events are remembered; answers how many.
    ///
    /// Pausing instead would hold up the feed for up to 15 minutes after a burst. What goes was confirmed by the
    /// service, which has no reason to deliver it again.
    pub(super) fn shrink_to(&mut self, most: usize) -> u64 {
        let before = self.confirmed_events;
        while self.remembered() > most && !self.confirmed.is_empty() {
            self.forget_oldest();
        }
        (before - self.confirmed_events) as u64
    }

    fn remove(&mut self, place: Place) {
        if !self.may_have_twins {
            self.forget(place);
            return;
        }
        let identity = self.known[place].identity;
        if self.find(identity.wrapping_add(1)).is_some() {
            self.known[place].state = State::Placeholder;
            self.note(place, Some(Standing::Placeholder));
            return;
        }
        self.forget(place);
        let mut before = identity.wrapping_sub(1);
        while let Some(place) = self.find(before)
            && self.known[place].state == State::Placeholder
        {
            self.forget(place);
            before = before.wrapping_sub(1);
        }
    }

    fn forget(&mut self, place: Place) {
        self.note(place, None);
        self.known.remove(place);
    }

    fn forget_oldest(&mut self) {
        let Some((_, lease, members)) = self.confirmed.pop_front() else {
            return;
        };
        for place in members {
            let known = &self.known[place];
            if known.lease == lease && known.state == State::Confirmed {
                self.confirmed_events -= 1;
                self.remove(place);
            }
        }
    }
}
