//! Leases: one for each batch, from its arrival until the service confirmed it or took it back.

use std::time::Duration;

use super::Ledger;
use super::known::{Place, State};
use crate::clock::{Moment, Time};

pub(super) type LeaseId = u64;

/// One batch as the service sees it: an ackId, and the events it would remove.
#[derive(Clone)]
pub(super) struct Lease {
    pub(super) ack_id: String,
    pub(super) received: Moment,
    /// The events that arrived with it. Those that were delivered again since belong to a newer lease.
    pub(super) members: Vec<Place>,
    /// How many members still belong to it.
    pub(super) present: usize,
    /// How many of those are not acknowledged.
    pub(super) unsettled: usize,
    /// The service has taken it back for certain, since it delivered one of its events again.
    pub(super) lapsed: bool,
    /// Reads that carried this ackId and were not answered.
    pub(super) answers_lost: u32,
}

impl Lease {
    /// A batch of so many events, of which none has been looked at.
    pub(super) fn new(ack_id: &str, received: Moment, size: usize) -> Lease {
        Lease {
            ack_id: ack_id.to_owned(),
            received,
            members: Vec::with_capacity(size),
            present: 0,
            unsettled: 0,
            lapsed: false,
            answers_lost: 0,
        }
    }

    pub(super) fn alive(&self, now: Moment, visibility_timeout: Duration) -> bool {
        !self.lapsed && now < self.received + visibility_timeout
    }
}

impl<E: Clone> Ledger<E> {
    pub(super) fn new_lease_id(&mut self) -> LeaseId {
        let id = self.next_lease;
        self.next_lease += 1;
        id
    }

    /// One event of the lease was acknowledged.
    pub(super) fn settle_one(&mut self, id: LeaseId, time: impl Time) {
        let Some(lease) = self.leases.get_mut(id) else {
            return;
        };
        lease.unsettled -= 1;
        self.settled(id, time);
    }

    /// Makes a lease without unsettled events ready, or retires it if the service took it back.
    pub(super) fn settled(&mut self, id: LeaseId, time: impl Time) {
        let lease = &self.leases[id];
        if lease.unsettled > 0 {
            return;
        }
        let now = time.moment();
        if self.limits.service_forgets {
            // There is nothing to acknowledge, and nothing comes again.
            self.confirm(id, now);
            return;
        }
        if lease.alive(now, self.limits.visibility_timeout) {
            self.ready.insert(id);
        } else {
            self.retire_unconfirmed(id);
        }
    }

    /// The service has taken this lease back.
    pub(super) fn lapse(&mut self, id: LeaseId) {
        let Some(lease) = self.leases.get_mut(id) else {
            return;
        };
        lease.lapsed = true;
        if lease.unsettled == 0 {
            self.retire_unconfirmed(id);
        }
    }

    /// Gives up the ready leases whose time has passed; their events will be delivered again and recognised.
    pub(super) fn retire_lapsed(&mut self, now: Moment) {
        while let Some(oldest) = self.ready.first().copied() {
            if self.leases[oldest].alive(now, self.limits.visibility_timeout) {
                return;
            }
            self.retire_unconfirmed(oldest);
        }
    }

    /// Drops a settled lease that the service did not confirm; its acknowledgements stay remembered.
    pub(super) fn retire_unconfirmed(&mut self, id: LeaseId) {
        self.ready.remove(&id);
        if let Some(lease) = self.leases.remove(id) {
            let visible_again = lease.received + self.limits.visibility_timeout;
            self.memory.lapse(visible_again, id, lease.members);
        }
    }

    /// The service has confirmed this lease: it removed the events.
    pub(super) fn confirm(&mut self, id: LeaseId, now: Moment) {
        self.ready.remove(&id);
        if let Some(lease) = self.leases.remove(id) {
            self.counters.confirmed += lease.present as u64;
            self.memory.confirm(now + self.limits.memory, id, lease.members);
        }
    }

    /// An event of this lease was delivered again, in a newer one.
    pub(super) fn leave(&mut self, id: LeaseId, state: State) {
        let Some(lease) = self.leases.get_mut(id) else {
            return;
        };
        lease.present -= 1;
        if matches!(state, State::Outstanding) {
            lease.unsettled -= 1;
        }
        if lease.present == 0 {
            self.leases.remove(id);
            self.ready.remove(&id);
        } else {
            self.lapse(id);
        }
    }
}
