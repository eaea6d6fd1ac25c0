//! The ledger and a service with faults, run against each other: nothing is lost, nothing acknowledged is handed out
//! again, nothing held is handed out twice, and in the end everything is acknowledged.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use proptest::prelude::*;

use super::super::{Arrival, Ledger, Limits, Plan, ReadFailure};
use super::disk::Disk;
use super::limits;
use crate::clock::Moment;

/// A queue as Datafeed 2 keeps it: what was read is invisible until its lease lapses, and an ackId removes its batch.
#[derive(Default)]
struct Service {
    visible: Vec<u128>,
    leases: HashMap<String, (Moment, Vec<u128>)>,
    next_lease: u64,
    acknowledged: HashSet<u128>,
}

impl Service {
    fn read(&mut self, ack_id: &str, most: usize, now: Moment) -> (String, Vec<u128>) {
        let lapsed: Vec<String> = self
            .leases
            .iter()
            .filter(|(_, (until, _))| *until <= now)
            .map(|(id, _)| id.clone())
            .collect();
        for id in lapsed {
            self.visible.extend(self.leases.remove(&id).unwrap().1);
        }
        if let Some((_, events)) = self.leases.remove(ack_id) {
            self.acknowledged.extend(events);
        }
        let events: Vec<u128> = self.visible.drain(..most.min(self.visible.len())).collect();
        self.next_lease += 1;
        let id = format!("lease-{}", self.next_lease);
        self.leases
            .insert(id.clone(), (now + limits().visibility_timeout, events.clone()));
        (id, events)
    }
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    None,
    RequestLost,
    AnswerLost,
    Malformed,
}

#[derive(Debug, Clone)]
enum Deed {
    Take,
    Ack(prop::sample::Index),
    Nack(prop::sample::Index),
    Pass(u64),
    Publish(u8),
    Read(u8, Fault),
    /// The process ends, and another one goes on with what is stored.
    Restart,
}

fn deed() -> impl Strategy<Value = Deed> {
    let fault = prop_oneof![
        6 => Just(Fault::None),
        1 => Just(Fault::RequestLost),
        1 => Just(Fault::AnswerLost),
        1 => Just(Fault::Malformed)
    ];
    prop_oneof![
        6 => Just(Deed::Take),
        5 => any::<prop::sample::Index>().prop_map(Deed::Ack),
        1 => any::<prop::sample::Index>().prop_map(Deed::Nack),
        2 => prop_oneof![1u64..2000, Just(31_000)].prop_map(Deed::Pass),
        2 => (1u8..8).prop_map(Deed::Publish),
        1 => Just(Deed::Restart),
        5 => (1u8..6, fault).prop_map(|(most, fault)| Deed::Read(most, fault)),
    ]
}

struct World {
    ledger: Ledger<u128>,
    service: Service,
    now: Moment,
    published: u128,
    held: Vec<(u64, u128)>,
    done: HashSet<u128>,
    limits: Limits,
    disk: Disk<u128>,
}

impl World {
    fn new(limits: Limits) -> World {
        World {
            ledger: Ledger::new(limits.clone()),
            service: Service::default(),
            now: Moment(0),
            published: 0,
            held: Vec::new(),
            done: HashSet::new(),
            limits,
            disk: Disk::default(),
        }
    }

    fn save(&mut self) {
        self.disk.write(self.ledger.changes(), Moment(0));
        self.ledger.changes_are_stored();
    }

    /// What was not saved is lost with the process: what a read has changed since the latest call.
    fn restart(&mut self) {
        self.held.clear();
        self.ledger = Ledger::new(self.limits.clone());
        self.ledger.restore(self.disk.restored(Moment(0)), self.now);
    }

    fn take(&mut self) {
        if let Some(out) = self.ledger.take(self.now, Clone::clone) {
            self.save();
            assert!(
                !self.done.contains(&out.event),
                "{} was acknowledged and came again",
                out.event
            );
            assert!(
                self.held.iter().all(|(_, event)| *event != out.event),
                "{} is held and came again",
                out.event
            );
            self.held.push((out.delivery, out.event));
        }
    }

    fn ack(&mut self, index: usize) {
        let (delivery, event) = self.held.swap_remove(index);
        self.ledger.ack(delivery, self.now).expect("a held delivery");
        assert!(self.ledger.ack(delivery, self.now).is_err());
        self.save();
        self.done.insert(event);
    }

    fn read(&mut self, most: usize, fault: Fault) {
        let Plan::Read { ack_id, purpose } = self.ledger.plan_read(self.now) else {
            return;
        };
        let bound = self.limits.max_unacknowledged + 5;
        self.ledger.read_started(purpose, self.now);
        if let Fault::RequestLost = fault {
            return self.ledger.read_failed(ReadFailure::NotHandled);
        }
        let (ack_id, events) = self.service.read(&ack_id, most, self.now);
        assert!(
            self.service.acknowledged.iter().all(|event| self.done.contains(event)),
            "the service was told of an event that the bot has not acknowledged"
        );
        match fault {
            Fault::AnswerLost | Fault::Malformed => self.ledger.read_failed(ReadFailure::AnswerLost),
            _ => {
                let arrival = Arrival {
                    ack_id: Some(&ack_id),
                    events: events.iter().map(|event| (event * 1000, *event)),
                    left_out: 0,
                    published_after: None,
                };
                self.ledger.read_answered(arrival, self.now);
            }
        }
        assert!(self.ledger.entries.len() < bound, "the unacknowledged stock is bounded");
    }

    fn pass(&mut self, millis: u64) {
        self.now = self.now + Duration::from_millis(millis);
    }

    /// A patient bot without faults: everything is acknowledged at last.
    fn drain(&mut self) {
        for _ in 0..10_000 {
            if self.service.acknowledged.len() as u128 == self.published {
                return;
            }
            self.take();
            while !self.held.is_empty() {
                self.ack(0);
            }
            self.read(5, Fault::None);
            self.pass(500);
        }
        panic!(
            "{} of {} are acknowledged",
            self.service.acknowledged.len(),
            self.published
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_and_nothing_acknowledged_comes_again(deeds in prop::collection::vec(deed(), 1..200)) {
        // Without a store, a process is on its own.
        let deeds = deeds.into_iter().filter(|deed| !matches!(deed, Deed::Restart));
        run(Limits { max_unacknowledged: 10, ..limits() }, deeds);
    }

    #[test]
    fn nor_in_the_processes_after_this_one(deeds in prop::collection::vec(deed(), 1..200)) {
        run(Limits { max_unacknowledged: 10, stores: true, ..limits() }, deeds);
    }
}

fn run(limits: Limits, deeds: impl IntoIterator<Item = Deed>) {
    let mut world = World::new(limits);
    for deed in deeds {
        match deed {
            Deed::Take => world.take(),
            Deed::Ack(index) if !world.held.is_empty() => world.ack(index.index(world.held.len())),
            Deed::Nack(index) if !world.held.is_empty() => {
                let (delivery, _) = world.held.swap_remove(index.index(world.held.len()));
                world.ledger.nack(delivery, world.now).expect("a held delivery");
            }
            Deed::Ack(_) | Deed::Nack(_) => {}
            Deed::Pass(millis) => world.pass(millis),
            Deed::Publish(count) => {
                for _ in 0..count {
                    world.service.visible.push(world.published);
                    world.published += 1;
                }
            }
            Deed::Read(most, fault) => world.read(most.into(), fault),
            Deed::Restart => world.restart(),
        }
    }
    world.drain();
    assert_eq!(world.done.len() as u128, world.published);
}
