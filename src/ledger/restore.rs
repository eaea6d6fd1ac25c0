//! A ledger that goes on where another one was, by what the state store has of it.

use std::time::Duration;

use super::known::State;
use super::lease::Lease;
use super::{Kept, Ledger, Standing};
use crate::batch::Identity;
use crate::clock::Moment;

/// What a state store has.
#[derive(Debug)]
pub(crate) struct Restored<E> {
    /// In any order.
    pub(crate) standings: Vec<(Identity, Standing)>,
    /// In the order in which they came.
    pub(crate) kept: Vec<Kept<E>>,
    /// Events set aside.
    pub(crate) letters: usize,
}

/// How long the service may wait on behalf of a read whose reader is gone.
const LONG_POLL: Duration = Duration::from_secs(30);

impl<E: Clone> Ledger<E> {
    /// Takes up what the state store has. For a ledger that has not been used.
    pub(crate) fn restore(&mut self, restored: Restored<E>, now: Moment) {
        self.letters = restored.letters;
        self.restore_standings(restored.standings, now);
        // The state store knows that much.
        self.memory.notes.clear();
        self.restore_kept(restored.kept, now);
        // No lease of this process has what is restored: whatever looks the same was delivered again.
        self.first_lease_of_feed = self.next_lease;
    }

    fn restore_standings(&mut self, standings: Vec<(Identity, Standing)>, now: Moment) {
        let mut unconfirmed = Vec::new();
        let mut confirmed = Vec::new();
        for (identity, standing) in standings {
            match standing {
                Standing::Tried(attempts) => {
                    self.tried_before.insert(identity, attempts);
                }
                Standing::Acknowledged => unconfirmed.push(identity),
                Standing::Confirmed(forget_at) => confirmed.push((forget_at, identity)),
                Standing::Placeholder => self.memory.restore_placeholder(identity),
            }
        }
        if self.limits.service_forgets {
            // Nothing comes again by which these could ever be confirmed, and many of them would keep from reading.
            let forget_at = now + self.limits.memory;
            confirmed.extend(unconfirmed.into_iter().map(|identity| (forget_at, identity)));
        } else {
            // What the process before has read, or a read that it left behind, comes again after this.
            let visible_again = now + LONG_POLL + self.limits.visibility_timeout;
            let lease = self.new_lease_id();
            let members = unconfirmed
                .into_iter()
                .map(|identity| self.memory.restore_acknowledged(identity, lease, now))
                .collect();
            self.memory.lapse(visible_again, lease, members);
        }
        confirmed.sort_unstable();
        for group in confirmed.chunk_by(|(one, _), (other, _)| one == other) {
            let lease = self.new_lease_id();
            let members = group
                .iter()
                .map(|(_, identity)| self.memory.restore_acknowledged(*identity, lease, now))
                .collect();
            self.memory.confirm(group[0].0, lease, members);
        }
    }

    /// They form a batch that nothing can be told of, since the service has forgotten it.
    fn restore_kept(&mut self, kept: Vec<Kept<E>>, now: Moment) {
        let id = self.new_lease_id();
        let mut lease = Lease::new("", now, 0);
        for Kept {
            serial,
            identity,
            attempts,
            event,
        } in kept
        {
            self.next_serial = self.next_serial.max(serial);
            let known = identity.map(|identity| self.memory.restore(identity, State::Outstanding, id, now));
            let serial = self.enter(known, event, None);
            let entry = self.entries.get_mut(serial).expect("it was entered just now");
            entry.kept = true;
            entry.attempts = entry.attempts.max(attempts);
            if let Some(place) = known {
                lease.members.push(place);
                lease.unsettled += 1;
            }
            if self.is_tried_out(serial) {
                lease.unsettled -= usize::from(known.is_some());
                self.set_aside(serial, now);
            } else {
                self.queue.push_back(serial);
            }
        }
        lease.present = lease.members.len();
        if !lease.members.is_empty() {
            self.leases.insert(id, lease);
            self.settled(id, now);
        }
    }
}
