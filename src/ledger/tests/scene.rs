//! A ledger on a stage: what a scene does with it, in a word each.

use std::time::Duration;

use super::super::{Arrival, Ledger, Limits, Plan, Purpose, Received};
use super::disk::Disk;
use crate::clock::Moment;

pub(super) struct Scene {
    pub(super) ledger: Ledger<u128>,
    pub(super) now: Moment,
}

impl Scene {
    pub(super) fn new(limits: Limits) -> Scene {
        Scene {
            ledger: Ledger::new(limits),
            now: Moment(0),
        }
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
    }

    /// The ackId and purpose of the read that the ledger asks for, if it does.
    pub(super) fn plan(&mut self) -> Option<(String, Purpose)> {
        match self.ledger.plan_read(self.now) {
            Plan::Read { ack_id, purpose } => Some((ack_id, purpose)),
            Plan::Wait(until) => {
                assert!(until > self.now, "a wait that is over");
                None
            }
        }
    }

    #[track_caller]
    pub(super) fn read_carries(&mut self, expected: &str) {
        let (ack_id, purpose) = self.plan().expect("a read");
        assert_eq!(ack_id, expected);
        self.ledger.read_started(purpose, self.now);
    }

    pub(super) fn answer(&mut self, ack_id: &str, events: &[u128]) -> Received {
        let arrival = Arrival {
            ack_id: Some(ack_id),
            events: events.iter().map(|event| (*event * 1000, *event)),
            left_out: 0,
            published_after: None,
        };
        self.ledger.read_answered(arrival, self.now)
    }

    pub(super) fn take(&mut self) -> Option<(u64, u128)> {
        self.ledger
            .take(self.now, Clone::clone)
            .map(|out| (out.delivery, out.event))
    }

    pub(super) fn take_and_ack(&mut self) -> Option<u128> {
        let (delivery, event) = self.take()?;
        self.ledger.ack(delivery, self.now).expect("held");
        Some(event)
    }

    /// The state store takes what has changed.
    pub(super) fn save(&mut self, disk: &mut Disk<u128>) {
        disk.write(self.ledger.changes(), Moment(0));
        self.ledger.changes_are_stored();
    }

    /// Another process goes on with what is stored. Its clock shows the same.
    pub(super) fn restart(&mut self, limits: Limits, disk: &Disk<u128>) {
        self.ledger = Ledger::new(limits);
        self.ledger.restore(disk.restored(Moment(0)), self.now);
    }
}
