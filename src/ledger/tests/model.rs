//! A model that keeps everything in plain lists and finds every answer by looking through all of them.

use std::time::Duration;

use proptest::prelude::*;

use super::super::{Arrival, Ledger, Plan, Purpose, ReadFailure};
use super::limits;
use crate::clock::Moment;

#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Queued,
    Held(u64),
    Postponed(Moment),
    Done { forget_at: Option<Moment> },
    Forgotten,
}

#[derive(Debug)]
struct Event {
    identity: u128,
    state: State,
    lease: usize,
    /// When it came last, which tells a twin from a redelivery.
    received: Moment,
    /// Its turn in the queue.
    turn: u64,
    attempts: u32,
}

#[derive(Debug)]
struct Lease {
    received: Moment,
    born_empty: bool,
    lapsed: bool,
    lost: u32,
    /// Carried and confirmed, or given up.
    over: bool,
    visible_again: Option<Moment>,
}

#[derive(Debug, Default)]
struct Model {
    events: Vec<Event>,
    leases: Vec<Lease>,
    next_turn: u64,
    next_delivery: u64,
    hungry: bool,
    last_read: Moment,
    refused: bool,
    in_flight: Option<(Option<usize>, Purpose, Moment)>,
}

impl Model {
    fn members(&self, lease: usize) -> impl Iterator<Item = &Event> {
        self.events
            .iter()
            .filter(move |event| event.lease == lease && event.state != State::Forgotten)
    }

    fn outstanding(&self) -> usize {
        let open = |event: &&Event| !matches!(event.state, State::Done { .. } | State::Forgotten);
        self.events.iter().filter(open).count()
    }

    fn is_settled(&self, lease: usize) -> bool {
        self.members(lease)
            .all(|event| matches!(event.state, State::Done { .. }))
    }

    /// Leases that no event belongs to, and settled ones whose time is over, are given up.
    fn tidy(&mut self, now: Moment) {
        for index in 0..self.leases.len() {
            if self.leases[index].over {
                continue;
            }
            if !self.leases[index].born_empty && self.members(index).count() == 0 {
                self.leases[index].over = true;
                continue;
            }
            let alive = !self.leases[index].lapsed && now < self.leases[index].received + limits().visibility_timeout;
            let carried = self.in_flight.is_some_and(|(carried, ..)| carried == Some(index));
            if self.is_settled(index) && !alive && !carried {
                self.give_up(index);
            }
        }
    }

    fn give_up(&mut self, index: usize) {
        let lease = &mut self.leases[index];
        lease.over = true;
        lease.visible_again = Some(lease.received + limits().visibility_timeout);
    }

    fn oldest_ready(&self) -> Option<usize> {
        (0..self.leases.len()).find(|index| !self.leases[*index].over && self.is_settled(*index))
    }

    fn plan(&mut self, now: Moment) -> (Option<(Option<usize>, Purpose)>, Moment) {
        self.tidy(now);
        let hour = Duration::from_secs(3600);
        self.confirm_visible(|visible| visible + hour <= now, now);
        for event in &mut self.events {
            if matches!(event.state, State::Done { forget_at: Some(at) } if at <= now) {
                event.state = State::Forgotten;
            }
        }
        let ready = self.oldest_ready();
        let carried = ready.filter(|_| !self.refused);
        let queued = self.events.iter().any(|event| event.state == State::Queued);
        let keep_alive = self.last_read + limits().keep_alive;
        let reason = ready.is_some() || self.outstanding() == 0 || (self.hungry && !queued);
        if self.outstanding() < limits().max_unacknowledged && reason {
            (Some((carried, Purpose::Events)), keep_alive)
        } else if now >= keep_alive {
            (Some((carried, Purpose::KeepAlive)), keep_alive)
        } else {
            (None, keep_alive)
        }
    }

    fn confirm(&mut self, lease: usize, now: Moment) {
        let forget_at = now + limits().memory;
        for event in &mut self.events {
            if event.lease == lease && event.state == (State::Done { forget_at: None }) {
                event.state = State::Done {
                    forget_at: Some(forget_at),
                };
            }
        }
    }

    fn arrive(&mut self, identities: &[u128], has_ack_id: bool, now: Moment) -> (usize, usize) {
        let (carried, purpose, started) = self.in_flight.take().expect("a read was started");
        self.last_read = now;
        self.refused = false;
        if let Some(carried) = carried {
            self.leases[carried].over = true;
            self.confirm(carried, now);
        }
        if purpose == Purpose::KeepAlive {
            if identities.is_empty() {
                self.confirm_absent(started, now);
            }
            return (0, 0);
        }
        let lease = self.leases.len();
        self.leases.push(Lease {
            received: now,
            born_empty: identities.is_empty(),
            lapsed: false,
            lost: 0,
            over: identities.is_empty() && !has_ack_id,
            visible_again: None,
        });
        let (mut new, mut redelivered) = (0, 0);
        for identity in identities {
            let known = self.events.iter().position(|event| {
                let another = event.lease == lease || now < event.received + Duration::from_secs(5);
                event.identity == *identity && event.state != State::Forgotten && !another
            });
            match known {
                Some(index) => {
                    redelivered += 1;
                    let left = std::mem::replace(&mut self.events[index].lease, lease);
                    self.events[index].received = now;
                    if matches!(self.events[index].state, State::Done { .. }) {
                        self.events[index].state = State::Done { forget_at: None };
                    }
                    self.leases[left].lapsed = true;
                }
                None => {
                    new += 1;
                    self.events.push(Event {
                        identity: *identity,
                        state: State::Queued,
                        lease,
                        received: now,
                        turn: self.next_turn,
                        attempts: 0,
                    });
                    self.next_turn += 1;
                }
            }
        }
        self.tidy(now);
        if new + redelivered == 0 {
            self.confirm_absent(started, now);
        }
        if new > 0 {
            self.hungry = false;
        }
        (new, redelivered)
    }

    fn confirm_absent(&mut self, started: Moment, now: Moment) {
        self.confirm_visible(|visible| visible <= started, now);
    }

    fn confirm_visible(&mut self, long_enough: impl Fn(Moment) -> bool, now: Moment) {
        for index in 0..self.leases.len() {
            if self.leases[index].visible_again.is_some_and(&long_enough) {
                self.leases[index].visible_again = None;
                self.confirm(index, now);
            }
        }
    }

    fn fail(&mut self, failure: ReadFailure) {
        let Some((Some(carried), ..)) = self.in_flight.take() else {
            return;
        };
        self.refused |= failure == ReadFailure::AckIdRefused;
        if failure == ReadFailure::AnswerLost {
            self.leases[carried].lost += 1;
        }
        if failure == ReadFailure::AckIdRefused || self.leases[carried].lost > 1 {
            self.give_up(carried);
        }
    }

    fn take(&mut self, now: Moment) -> Option<(u64, u32, u128)> {
        let mut due: Vec<(Moment, usize)> = (0..self.events.len())
            .filter_map(|index| match self.events[index].state {
                State::Postponed(due) if due <= now => Some((due, index)),
                _ => None,
            })
            .collect();
        due.sort();
        for (_, index) in due {
            self.events[index].state = State::Queued;
            self.events[index].turn = self.next_turn;
            self.next_turn += 1;
        }
        let queued = self.events.iter_mut().filter(|event| event.state == State::Queued);
        let Some(first) = queued.min_by_key(|event| event.turn) else {
            self.hungry = true;
            return None;
        };
        self.next_delivery += 1;
        first.state = State::Held(self.next_delivery);
        first.attempts += 1;
        Some((self.next_delivery, first.attempts, first.identity))
    }

    fn give_back(&mut self, delivery: u64, state: impl FnOnce(&Event) -> State) -> bool {
        let held = self
            .events
            .iter_mut()
            .find(|event| event.state == State::Held(delivery));
        held.map(|event| event.state = state(event)).is_some()
    }
}

#[derive(Debug, Clone)]
enum Step {
    Take,
    Ack(u64),
    Nack(u64),
    Advance(u64),
    StartRead,
    Answer {
        new: u8,
        again: Vec<prop::sample::Index>,
        has_ack_id: bool,
    },
    Fail(ReadFailure),
}

fn step() -> impl Strategy<Value = Step> {
    let failure = prop_oneof![
        Just(ReadFailure::NotHandled),
        Just(ReadFailure::AnswerLost),
        Just(ReadFailure::AckIdRefused)
    ];
    prop_oneof![
        6 => Just(Step::Take),
        6 => (0u64..12).prop_map(Step::Ack),
        2 => (0u64..12).prop_map(Step::Nack),
        3 => prop_oneof![1u64..3000, 20_000u64..40_000, Just(300_000), Just(1_000_000)].prop_map(Step::Advance),
        4 => Just(Step::StartRead),
        4 => (0u8..5, prop::collection::vec(any::<prop::sample::Index>(), 0..4), prop::bool::weighted(0.9))
            .prop_map(|(new, again, has_ack_id)| Step::Answer { new, again, has_ack_id }),
        1 => failure.prop_map(Step::Fail),
    ]
}

fn run(steps: &[Step]) {
    let mut ledger = Ledger::<u128>::new(limits());
    let mut model = Model::default();
    let mut now = Moment(0);
    let mut identities: Vec<u128> = Vec::new();
    for step in steps {
        match step {
            Step::Advance(millis) => now = now + Duration::from_millis(*millis),
            Step::Take => {
                let taken = ledger
                    .take(now, Clone::clone)
                    .map(|out| (out.delivery, out.attempt, out.event));
                assert_eq!(taken, model.take(now));
            }
            // The latest deliveries, held or not, and the one that will come next.
            Step::Ack(back) => {
                let delivery = (model.next_delivery + 1).saturating_sub(*back);
                let done = |_: &Event| State::Done { forget_at: None };
                assert_eq!(ledger.ack(delivery, now).is_ok(), model.give_back(delivery, done));
                model.tidy(now);
            }
            Step::Nack(back) => {
                let delivery = (model.next_delivery + 1).saturating_sub(*back);
                let postponed = |event: &Event| {
                    let seconds = [1, 2, 4, 8, 16, 32, 64, 128, 256];
                    let rest = seconds.get(event.attempts as usize - 1).copied().unwrap_or(300);
                    State::Postponed(now + Duration::from_secs(rest))
                };
                assert_eq!(ledger.nack(delivery, now).is_ok(), model.give_back(delivery, postponed));
            }
            Step::StartRead if model.in_flight.is_none() => {
                let (planned, wait_until) = model.plan(now);
                match (ledger.plan_read(now), planned) {
                    (Plan::Read { ack_id, purpose }, Some((carried, expected))) => {
                        assert_eq!(ack_id, carried.map_or(String::new(), |lease| lease.to_string()));
                        assert_eq!(purpose, expected);
                        ledger.read_started(purpose, now);
                        model.in_flight = Some((carried, expected, now));
                    }
                    (Plan::Wait(until), None) => assert_eq!(until, wait_until),
                    (plan, expected) => panic!("planned {plan:?}, expected {expected:?}"),
                }
            }
            Step::Answer { new, again, has_ack_id } if model.in_flight.is_some() => {
                let mut events: Vec<u128> = Vec::new();
                if !identities.is_empty() {
                    events.extend(again.iter().map(|index| *index.get(&identities)));
                }
                for _ in 0..*new {
                    identities.push(identities.len() as u128 * 1000);
                    events.push(*identities.last().unwrap());
                }
                let ack_id = model.leases.len().to_string();
                // Without an ackId nothing can be acknowledged; with events that would never end.
                let has_ack_id = *has_ack_id || !events.is_empty();
                let arrival = Arrival {
                    ack_id: has_ack_id.then_some(ack_id.as_str()),
                    events: events.iter().map(|identity| (*identity, *identity)),
                    left_out: 0,
                    published_after: None,
                };
                let received = ledger.read_answered(arrival, now);
                let expected = model.arrive(&events, has_ack_id, now);
                assert_eq!((received.new, received.redelivered), expected);
            }
            Step::Fail(failure) => {
                ledger.read_failed(*failure);
                model.fail(*failure);
            }
            Step::StartRead | Step::Answer { .. } => {}
        }
        assert_eq!(ledger.entries.len(), model.outstanding());
        assert_eq!(
            ledger.held.len(),
            model
                .events
                .iter()
                .filter(|event| matches!(event.state, State::Held(_)))
                .count()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_does_what_the_obvious_model_does(steps in prop::collection::vec(step(), 1..120)) {
        run(&steps);
    }
}
