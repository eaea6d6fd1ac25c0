//! The service: what is handed out is invisible until its lease lapses, and an ackId removes its batch. As Datafeed 1 it
//! forgets what it hands out.

use std::collections::BTreeMap;

use super::events::Events;
use super::{LEASE, Setting};
use crate::clock::Moment;

/// What it does with an ackId that it does not know any more: nobody knows for certain, so there are worlds with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stale {
    Ignored,
    Refused,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Lease {
    pub(super) until: Moment,
    pub(super) events: Events,
}

/// The ackId of a batch without events. It removes nothing, and is never refused.
const OF_NOTHING: &str = "nothing";

#[derive(Debug, Clone, Default)]
pub(super) struct Service {
    pub(super) visible: Events,
    pub(super) leases: BTreeMap<u64, Lease>,
    next_lease: u64,
    /// What was acknowledged, or forgotten.
    pub(super) removed: Events,
    /// Reads that still wait here and whose readers are gone.
    pub(super) abandoned: u8,
}

impl Service {
    pub(super) fn lapse(&mut self, now: Moment) {
        let visible = &mut self.visible;
        self.leases.retain(|_, lease| {
            let alive = now < lease.until;
            if !alive {
                *visible |= lease.events;
            }
            alive
        });
    }

    /// A read arrives that carries this ackId. Answers what that removes; nothing: the read is refused.
    pub(super) fn acknowledge(&mut self, ack_id: &str, stale: Stale) -> Option<Events> {
        if ack_id.is_empty() || ack_id == OF_NOTHING {
            return Some(Events::default());
        }
        match ack_id.parse().ok().and_then(|id: u64| self.leases.remove(&id)) {
            Some(lease) => {
                self.removed |= lease.events;
                Some(lease.events)
            }
            None => (stale == Stale::Ignored).then(Events::default),
        }
    }

    /// A waiting read is answered, with the first of what is visible.
    pub(super) fn hand_out(&mut self, setting: &Setting, now: Moment) -> (String, Events) {
        let events: Events = self.visible.iter().take(setting.batch).collect();
        self.visible = self.visible.without(events);
        if setting.service_forgets {
            self.removed |= events;
            return (String::new(), events);
        }
        if events.is_empty() {
            return (OF_NOTHING.to_owned(), events);
        }
        self.next_lease += 1;
        let until = now + LEASE;
        self.leases.insert(self.next_lease, Lease { until, events });
        (self.next_lease.to_string(), events)
    }

    /// Another feed takes the place of this one: each has a copy of every event.
    pub(super) fn replace_feed(&mut self, published: Events) {
        *self = Service {
            visible: published,
            next_lease: self.next_lease,
            ..Service::default()
        };
    }

    /// Nothing waits to be handed out, now or later.
    pub(super) fn is_empty(&self) -> bool {
        self.visible.is_empty() && self.leases.is_empty()
    }

    /// What tells this service from another one, as far as its future is concerned.
    pub(super) fn essence(&self, now: Moment, essence: &mut Vec<u64>) {
        essence.extend([self.visible.bits(), self.removed.bits(), self.abandoned.into()]);
        let leases = self.leases.values();
        let mut leases: Vec<[u64; 2]> = leases
            .map(|lease| [lease.events.bits(), lease.until.0 - now.0])
            .collect();
        leases.sort_unstable();
        essence.push(leases.len() as u64);
        essence.extend(leases.concat());
    }

    /// An ackId by what it stands for, since numbers only grow.
    pub(super) fn meaning(&self, ack_id: &str) -> u64 {
        match ack_id {
            "" => 0,
            OF_NOTHING => 1 << 32,
            _ => {
                let lease = ack_id.parse().ok().and_then(|id: u64| self.leases.get(&id));
                lease.map_or(1 << 33, |lease| lease.events.bits())
            }
        }
    }
}
