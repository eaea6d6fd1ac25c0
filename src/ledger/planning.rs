//! Whether to read now, and what the read says.

use super::lease::LeaseId;
use super::{Ledger, Plan, Purpose};
use crate::clock::{Moment, Time};

impl<E: Clone> Ledger<E> {
    /// What the reader should do now. While a read is in flight there is nothing more to plan.
    pub(crate) fn plan_read(&mut self, now: Moment) -> Plan {
        debug_assert!(self.in_flight.is_none(), "one read at a time");
        self.retire_lapsed(now);
        self.memory.expire(now, self.limits.memory);
        let ack_id = || match self.next_to_carry() {
            Some(oldest) => self.leases[oldest].ack_id.clone(),
            None => String::new(),
        };
        if self.may_read(now) && self.has_reason_to_read() {
            return Plan::Read {
                ack_id: ack_id(),
                purpose: Purpose::Events,
            };
        }
        if self.limits.service_forgets {
            return Plan::Wait(now + self.limits.keep_alive);
        }
        let keep_alive = self.last_read + self.limits.keep_alive;
        if now >= keep_alive {
            return Plan::Read {
                ack_id: ack_id(),
                purpose: Purpose::KeepAlive,
            };
        }
        // From then on a full memory keeps nobody from reading, and whoever wants a read says so.
        let visible_again = self.last_read + self.limits.visibility_timeout;
        if self.memory_is_full() && now < visible_again {
            return Plan::Wait(keep_alive.min(visible_again));
        }
        Plan::Wait(keep_alive)
    }

    /// The oldest ready lease, unless the next read is to acknowledge nothing.
    pub(super) fn next_to_carry(&self) -> Option<LeaseId> {
        if self.refused || self.paused {
            None
        } else {
            self.ready.first().copied()
        }
    }

    /// Whether `plan_read` would ask for a read: cheap, for the consumers' calls.
    pub(crate) fn wants_read(&self, time: impl Time) -> bool {
        self.in_flight.is_none() && self.may_read(time) && self.has_reason_to_read()
    }

    /// Whether a read is under way.
    pub(crate) fn is_reading(&self) -> bool {
        self.in_flight.is_some()
    }

    fn has_reason_to_read(&self) -> bool {
        if self.draining {
            return !self.ready.is_empty();
        }
        let eager = self.limits.service_forgets;
        eager || !self.ready.is_empty() || self.entries.is_empty() || (self.hungry && self.queue.is_empty())
    }

    /// Whether reading pauses because the bot has not acknowledged what was received.
    pub(crate) fn is_full(&self) -> bool {
        self.entries.len() >= self.limits.max_unacknowledged
    }

    /// Whether there is room for what a read may bring.
    ///
    /// When the memory is full of acknowledgements that are not confirmed, a read still goes out that carries one of
    /// them, and otherwise one in a visibility timeout: only a redelivery can then lead to their confirmation.
    fn may_read(&self, time: impl Time) -> bool {
        let has_memory = !self.memory_is_full()
            || self.next_to_carry().is_some()
            || time.moment() >= self.last_read + self.limits.visibility_timeout;
        !self.paused && !self.is_full() && has_memory
    }

    fn memory_is_full(&self) -> bool {
        self.memory.unconfirmed() >= self.limits.max_remembered
    }
}
