//! Single scenes of the policy, each with its reason to exist.

use std::time::Duration;

use super::super::{Arrival, Limits, NotHeld, Purpose, ReadFailure};
use super::limits;
use super::scene::Scene;

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
    assert!(scene.ledger.memory.lapsed.len() <= 64);
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
    let again = scene.ledger.take(scene.now, Clone::clone).unwrap();
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
fn a_million_equal_events_are_told_apart_in_good_time() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    let arrival = Arrival {
        ack_id: Some("A"),
        events: (0..1_000_000).map(|_| (7, 7)),
        left_out: 0,
        published_after: None,
    };
    assert_eq!(scene.ledger.read_answered(arrival, scene.now).new, 1_000_000);
}

/// The events of a batch of which one is held count as unconfirmed, however long that is.
#[test]
fn with_a_full_memory_and_nothing_to_read_for_the_reader_sleeps() {
    let mut scene = Scene::new(Limits {
        max_remembered: 2,
        ..limits()
    });
    scene.read_carries("");
    scene.answer("A", &[1, 2, 3]);
    scene.take_and_ack();
    scene.take_and_ack();
    scene.take();
    for _ in 0..4 {
        assert_eq!(scene.plan(), None);
        scene.pass(20);
    }
}
