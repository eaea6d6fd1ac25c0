//! Single scenes of the policy, each with its reason to exist.

use std::time::Duration;

use super::super::{Arrival, Ledger, Limits, NotHeld, Plan, Purpose, ReadFailure};
use super::limits;
use crate::clock::Moment;

struct Scene {
    ledger: Ledger<u128>,
    now: Moment,
}

impl Scene {
    fn new(limits: Limits) -> Scene {
        Scene {
            ledger: Ledger::new(limits),
            now: Moment(0),
        }
    }

    fn pass(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
    }

    /// The ackId and purpose of the read that the ledger asks for, if it does.
    fn plan(&mut self) -> Option<(String, Purpose)> {
        match self.ledger.plan_read(self.now) {
            Plan::Read { ack_id, purpose } => Some((ack_id, purpose)),
            Plan::Wait(_) => None,
        }
    }

    #[track_caller]
    fn read_carries(&mut self, expected: &str) {
        let (ack_id, purpose) = self.plan().expect("a read");
        assert_eq!(ack_id, expected);
        self.ledger.read_started(purpose, self.now);
    }

    fn answer(&mut self, ack_id: &str, events: &[u128]) {
        let arrival = Arrival {
            ack_id: Some(ack_id),
            events: events.iter().map(|event| (*event * 1000, *event)),
            left_out: 0,
        };
        self.ledger.read_answered(arrival, self.now);
    }

    fn take(&mut self) -> Option<(u64, u128)> {
        self.ledger.take(self.now).map(|out| (out.delivery, out.event))
    }

    fn take_and_ack(&mut self) -> Option<u128> {
        let (delivery, event) = self.take()?;
        self.ledger.ack(delivery, self.now).expect("held");
        Some(event)
    }
}

#[test]
fn a_batch_is_acknowledged_when_its_last_event_is() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[1, 2]);
    let (first, _) = scene.take().unwrap();
    let (second, _) = scene.take().unwrap();
    scene.ledger.ack(second, scene.now).unwrap();
    assert_eq!(scene.plan(), None, "one is still held");
    scene.ledger.ack(first, scene.now).unwrap();
    scene.read_carries("A");
}

#[test]
fn an_empty_batch_is_acknowledged_at_once() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[]);
    scene.read_carries("A");
}

#[test]
fn a_waiting_consumer_reads_past_a_held_event() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[1]);
    let (_held, _) = scene.take().unwrap();
    assert_eq!(scene.plan(), None, "nobody asks");
    assert_eq!(scene.take(), None);
    scene.read_carries("");
    scene.answer("B", &[2]);
    assert_eq!(scene.take_and_ack(), Some(2));
    scene.read_carries("B");
}

#[test]
fn a_held_event_comes_once_however_often_it_is_redelivered() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("0", &[1, 2]);
    let (held, event) = scene.take().unwrap();
    assert_eq!(event, 1);
    assert_eq!(scene.take_and_ack(), Some(2));
    for round in 1..=20 {
        scene.pass(31);
        assert_eq!(scene.take(), None, "round {round}");
        let (ack_id, purpose) = scene.plan().expect("a waiting consumer");
        assert_eq!(ack_id, "");
        scene.ledger.read_started(purpose, scene.now);
        scene.answer(&round.to_string(), &[1, 2]);
        assert_eq!(scene.ledger.leases.len(), 1, "the lease it left is dropped");
    }
    scene.ledger.ack(held, scene.now).unwrap();
    scene.read_carries("20");
}

#[test]
fn an_acknowledged_event_is_recognised_and_its_new_batch_acknowledged() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[1]);
    assert_eq!(scene.take_and_ack(), Some(1));
    scene.pass(31);
    scene.read_carries("");
    scene.answer("B", &[1]);
    assert_eq!(scene.take(), None);
    scene.read_carries("B");
    assert_eq!(scene.ledger.counters().redelivered, 1);
}

#[test]
fn memory_runs_from_the_confirmation() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[1]);
    assert_eq!(scene.take_and_ack(), Some(1));
    scene.read_carries("A");
    scene.answer("B", &[]);
    scene.pass(899);
    scene.plan();
    assert_eq!(scene.ledger.remembered(), 1);
    scene.pass(1);
    scene.plan();
    assert_eq!(scene.ledger.remembered(), 0);
}

#[test]
fn what_is_not_confirmed_stays_remembered_until_the_queue_is_seen_empty() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[1]);
    assert_eq!(scene.take_and_ack(), Some(1));
    for _ in 0..2 {
        scene.read_carries("A");
        scene.ledger.read_failed(ReadFailure::AnswerLost);
    }
    scene.pass(5000);
    scene.read_carries("");
    scene.answer("B", &[2]);
    assert_eq!(scene.ledger.remembered(), 1, "it may be next in the queue");
    assert_eq!(scene.take_and_ack(), Some(2));
    scene.read_carries("B");
    scene.answer("C", &[]);
    scene.pass(900);
    scene.plan();
    assert_eq!(scene.ledger.remembered(), 0);
}

#[test]
fn a_lost_answer_is_asked_for_once_more() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[1]);
    scene.take_and_ack();
    scene.read_carries("A");
    scene.ledger.read_failed(ReadFailure::AnswerLost);
    scene.read_carries("A");
    scene.ledger.read_failed(ReadFailure::AnswerLost);
    scene.read_carries("");
}

#[test]
fn an_outage_does_not_use_up_the_second_try() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[1]);
    scene.take_and_ack();
    for _ in 0..10 {
        scene.read_carries("A");
        scene.ledger.read_failed(ReadFailure::NotHandled);
    }
    scene.pass(30);
    scene.read_carries("");
}

#[test]
fn a_refused_ack_id_is_dropped_and_its_events_recognised() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[1]);
    scene.take_and_ack();
    scene.read_carries("A");
    scene.ledger.read_failed(ReadFailure::AckIdRefused);
    scene.read_carries("");
    scene.pass(30);
    scene.answer("B", &[1]);
    assert_eq!(scene.take(), None);
}

#[test]
fn a_bot_that_is_behind_stops_the_reading_but_not_the_feed() {
    let mut scene = Scene::new(Limits {
        max_unacknowledged: 2,
        ..limits()
    });
    scene.read_carries("");
    scene.answer("A", &[1, 2, 3]);
    assert_eq!(scene.plan(), None);
    scene.pass(600);
    assert_eq!(scene.plan(), Some((String::new(), Purpose::KeepAlive)));
    scene.read_carries("");
    scene.answer("B", &[1, 4]);
    assert_eq!(scene.ledger.queued(), 3, "a keep-alive read queues nothing");
    for expected in 1..=3 {
        assert_eq!(scene.take_and_ack(), Some(expected));
    }
    scene.pass(30);
    scene.read_carries("");
    scene.answer("C", &[1, 2, 3, 4]);
    assert_eq!(scene.take_and_ack(), Some(4));
    assert_eq!(scene.take(), None);
    scene.read_carries("C");
}

#[test]
fn a_keep_alive_read_that_failed_is_still_due() {
    let mut scene = Scene::new(Limits {
        max_unacknowledged: 1,
        ..limits()
    });
    scene.read_carries("");
    scene.answer("A", &[1]);
    scene.pass(600);
    for _ in 0..3 {
        scene.read_carries("");
        scene.ledger.read_failed(ReadFailure::NotHandled);
    }
    scene.read_carries("");
    scene.answer("B", &[]);
    assert_eq!(scene.plan(), None);
}

#[test]
fn after_a_refused_ack_id_the_next_read_acknowledges_nothing() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[1]);
    let (held, _) = scene.take().unwrap();
    assert_eq!(scene.take(), None);
    scene.read_carries("");
    scene.answer("B", &[2]);
    scene.take_and_ack();
    scene.ledger.ack(held, scene.now).unwrap();
    scene.read_carries("A");
    scene.ledger.read_failed(ReadFailure::AckIdRefused);
    scene.read_carries("");
    scene.answer("C", &[]);
    scene.read_carries("B");
}

#[test]
fn what_was_taken_back_and_came_again_leaves_nothing_behind() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    for round in 0..1000 {
        scene.answer(&round.to_string(), &[1]);
        scene.take_and_ack();
        scene.pass(31);
        scene.read_carries("");
    }
    assert!(scene.ledger.memory.lapsed_batches() <= 64);
}

#[test]
fn the_same_identity_twice_in_a_batch_is_two_events() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[1, 1]);
    assert_eq!(scene.take_and_ack(), Some(1));
    let (held, event) = scene.take().unwrap();
    assert_eq!(event, 1);
    scene.pass(31);
    assert_eq!(scene.take(), None);
    scene.read_carries("");
    scene.answer("B", &[1, 1]);
    assert_eq!(scene.take(), None, "both are known");
    scene.ledger.ack(held, scene.now).unwrap();
    scene.read_carries("B");
}

#[test]
fn the_same_identity_sooner_than_a_lease_can_lapse_is_another_event() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[1]);
    assert_eq!(scene.take_and_ack(), Some(1));
    scene.pass(1);
    scene.read_carries("A");
    scene.answer("B", &[1]);
    assert_eq!(scene.take_and_ack(), Some(1));
}

#[test]
fn another_feed_s_copy_is_recognised_however_soon() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[1, 2]);
    assert_eq!(scene.take_and_ack(), Some(1));
    let (held, _) = scene.take().unwrap();
    scene.ledger.feed_replaced(scene.now);
    assert_eq!(scene.take(), None);
    scene.read_carries("");
    scene.answer("B", &[1, 2, 3]);
    assert_eq!(scene.take_and_ack(), Some(3));
    scene.ledger.ack(held, scene.now).unwrap();
    scene.read_carries("B");
}

#[test]
fn a_refused_event_rests_and_comes_alone_under_a_new_number() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &(0..10).collect::<Vec<u128>>());
    let taken: Vec<(u64, u128)> = std::iter::from_fn(|| scene.take()).collect();
    for (delivery, event) in &taken {
        if *event == 4 {
            scene.ledger.nack(*delivery, scene.now).unwrap();
        } else {
            scene.ledger.ack(*delivery, scene.now).unwrap();
        }
    }
    assert_eq!(scene.take(), None);
    assert_eq!(scene.ledger.next_due(), Some(scene.now + Duration::from_secs(1)));
    scene.pass(1);
    let again = scene.ledger.take(scene.now).unwrap();
    assert_eq!((again.event, again.attempt), (4, 2));
    assert!(taken.iter().all(|(delivery, _)| *delivery != again.delivery));
    assert_eq!(scene.ledger.attempt(again.delivery), Ok(2));
    assert_eq!(scene.ledger.attempt(taken[4].0), Err(NotHeld));
}

#[test]
fn numbers_that_are_not_held_are_answered() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[1]);
    let (delivery, _) = scene.take().unwrap();
    for number in [0, delivery + 1, u64::MAX] {
        assert_eq!(scene.ledger.ack(number, scene.now), Err(NotHeld));
        assert_eq!(scene.ledger.nack(number, scene.now), Err(NotHeld));
    }
    scene.ledger.ack(delivery, scene.now).unwrap();
    assert_eq!(scene.ledger.ack(delivery, scene.now), Err(NotHeld));
    assert_eq!(scene.ledger.nack(delivery, scene.now), Err(NotHeld));
}

#[test]
fn the_oldest_confirmed_are_forgotten_when_too_many_are_remembered() {
    let mut scene = Scene::new(Limits {
        max_remembered: 10,
        ..limits()
    });
    for round in 0..100 {
        let (_, purpose) = scene.plan().expect("confirmed events never stop the reading");
        scene.ledger.read_started(purpose, scene.now);
        scene.answer(&round.to_string(), &[round * 2, round * 2 + 1]);
        scene.take_and_ack();
        scene.take_and_ack();
        assert!(scene.ledger.remembered() <= 12);
    }
    assert!(scene.ledger.counters().forgotten_early > 150);
}

#[test]
fn a_memory_full_of_what_is_not_confirmed_slows_the_reading_down_and_recovers() {
    let mut scene = Scene::new(Limits {
        max_remembered: 3,
        ..limits()
    });
    scene.read_carries("");
    scene.answer("A", &[1, 2, 3]);
    while scene.take_and_ack().is_some() {}
    // What can confirm them goes out at once; when that has failed, one read in a visibility timeout.
    scene.read_carries("A");
    scene.ledger.read_failed(ReadFailure::AckIdRefused);
    scene.pass(29);
    assert_eq!(scene.plan(), None);
    scene.pass(1);
    scene.read_carries("");
    scene.answer("B", &[1, 2, 3]);
    scene.read_carries("B");
    scene.answer("C", &[]);
    assert!(scene.plan().is_some());
}

#[test]
fn a_batch_larger_than_the_memory_is_acknowledged() {
    let mut scene = Scene::new(Limits {
        max_remembered: 2,
        ..limits()
    });
    scene.read_carries("");
    scene.answer("A", &[1, 2, 3]);
    while scene.take_and_ack().is_some() {}
    scene.read_carries("A");
    scene.answer("B", &[4]);
    assert_eq!(scene.take_and_ack(), Some(4));
    scene.read_carries("B");
}

#[test]
fn at_close_only_what_no_read_carried_is_unwritten() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[1]);
    let (held, _) = scene.take().unwrap();
    assert_eq!(scene.take(), None);
    scene.read_carries("");
    scene.answer("B", &[2]);
    assert_eq!(scene.take_and_ack(), Some(2));
    scene.read_carries("B");
    scene.ledger.ack(held, scene.now).unwrap();
    assert!(scene.ledger.carries_ack());
    assert_eq!(scene.ledger.unwritten(scene.now), ["A"]);
    scene.ledger.close();
    assert!(scene.ledger.entries.is_empty() && scene.ledger.held.is_empty());
}

#[test]
fn after_close_what_the_bot_holds_can_be_given_back() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[1, 2]);
    let (held, _) = scene.take().unwrap();
    scene.ledger.close();
    assert_eq!(scene.ledger.entries.len(), 1);
    scene.ledger.release(held);
    scene.ledger.release(held);
    assert!(scene.ledger.entries.is_empty() && scene.ledger.held.is_empty());
}

#[test]
fn after_close_nothing_is_kept_of_what_the_bot_has_copied() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[1, 2, 3]);
    let (copied, _) = scene.take().unwrap();
    let (refused, _) = scene.take().unwrap();
    let (lent, _) = scene.take().unwrap();
    scene.ledger.copied(copied).unwrap();
    scene.ledger.copied(refused).unwrap();
    assert_eq!(scene.ledger.attempt(copied), Ok(1), "it is held all the same");
    scene.ledger.nack(refused, scene.now).unwrap();
    assert_eq!(scene.ledger.copied(refused), Err(NotHeld));
    scene.pass(60);
    let (again, event) = scene.take().unwrap();
    assert_eq!(
        (event, scene.ledger.attempt(again)),
        (2, Ok(2)),
        "it can be handed out again"
    );
    scene.ledger.close();
    assert_eq!(scene.ledger.attempt(copied), Err(NotHeld));
    assert_eq!(scene.ledger.entries.len(), 2, "the two that are lent");
    assert_eq!(scene.ledger.attempt(lent), Ok(1));
}

#[test]
fn draining_reads_for_an_acknowledgement_only() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[1]);
    let (first, _) = scene.take().unwrap();
    assert_eq!(scene.take(), None, "a consumer is hungry");
    scene.read_carries("");
    scene.answer("B", &[2]);
    let (second, _) = scene.take().unwrap();
    assert_eq!(scene.take(), None);
    scene.ledger.drain();
    assert!(scene.ledger.hands_out_no_more() && !scene.ledger.is_drained());
    assert_eq!(scene.plan(), None, "what a read brought now would be of no use");
    scene.ledger.ack(first, scene.now).unwrap();
    scene.read_carries("A");
    scene.answer("C", &[3]);
    assert_eq!(scene.plan(), None);
    scene.ledger.nack(second, scene.now).unwrap();
    assert!(
        scene.ledger.is_drained(),
        "what is queued or refused comes to the next reader"
    );
}

#[test]
fn draining_hands_out_what_the_service_has_forgotten() {
    let mut scene = Scene::new(Limits {
        service_forgets: true,
        ..limits()
    });
    scene.read_carries("");
    scene.answer("", &[1, 2]);
    let (first, _) = scene.take().unwrap();
    scene.ledger.drain();
    assert_eq!(scene.plan(), None);
    assert!(!scene.ledger.hands_out_no_more());
    scene.ledger.nack(first, scene.now).unwrap();
    assert_eq!(scene.take_and_ack(), Some(2));
    assert!(!scene.ledger.hands_out_no_more(), "the refused one is still to come");
    scene.pass(60);
    assert_eq!(scene.take_and_ack(), Some(1));
    assert!(scene.ledger.hands_out_no_more() && scene.ledger.is_drained());
}

#[test]
fn a_million_equal_events_are_told_apart_in_good_time() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    let arrival = Arrival {
        ack_id: Some("A"),
        events: (0..1_000_000).map(|_| (7, 7)),
        left_out: 0,
    };
    assert_eq!(scene.ledger.read_answered(arrival, scene.now).new, 1_000_000);
}
