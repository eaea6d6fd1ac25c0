//! The queue alone, with a clock that is a number.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Ack, Queue};
use crate::settings::Order;

const KEY: &str = "0123456789abcdef";

fn queue_of(count: u64) -> Queue {
    let mut queue = Queue::new(KEY);
    for sequence in 1..=count {
        queue.push(sequence, Arc::from(sequence.to_string()));
    }
    queue
}

fn texts(events: &[Arc<str>]) -> Vec<&str> {
    events.iter().map(|event| &**event).collect()
}

fn fifo(queue: &mut Queue, most: usize, until: u64) -> super::Batch {
    queue.take(most, until, Order::Fifo, &mut fastrand::Rng::with_seed(1))
}

#[test]
fn an_ack_removes_the_events_of_its_lease_and_no_others() {
    let mut queue = queue_of(5);
    let first = fifo(&mut queue, 2, 30);
    let second = fifo(&mut queue, 2, 30);
    assert_eq!(texts(&first.events), ["1", "2"]);
    assert_eq!(texts(&second.events), ["3", "4"]);
    assert_eq!(queue.acknowledge(&second.ack_id), Ack::Live);
    queue.lapse(30);
    assert_eq!(texts(&fifo(&mut queue, 9, 60).events), ["1", "2", "5"]);
    assert_eq!(queue.books().acknowledged, 2);
    assert_eq!(queue.books().redelivered, 2);
}

#[test]
fn events_come_back_when_their_lease_ends_and_not_before() {
    let mut queue = queue_of(1);
    let batch = fifo(&mut queue, 1, 30);
    assert!(!queue.lapse(29));
    assert!(!queue.has_waiting());
    assert_eq!(queue.next_lapse(), Some(30));
    assert!(queue.lapse(30));
    assert!(queue.has_waiting());
    assert_eq!(queue.next_lapse(), None);
    assert_eq!(queue.acknowledge(&batch.ack_id), Ack::Stale);
    assert_eq!(queue.books().queued, 1);
}

#[test]
fn an_empty_batch_has_a_live_ack_id() {
    let mut queue = queue_of(0);
    let batch = fifo(&mut queue, 10, 30);
    assert!(batch.events.is_empty());
    assert_eq!(queue.acknowledge(&batch.ack_id), Ack::Live);
    assert_eq!(queue.acknowledge(&batch.ack_id), Ack::Stale);
}

#[test]
fn ack_ids_are_judged_by_form_first() {
    let mut queue = queue_of(1);
    let batch = fifo(&mut queue, 1, 30);
    let other = fifo(&mut Queue::new("fedcba9876543210"), 1, 30);
    assert_eq!(queue.judge(&batch.ack_id), Ack::Live);
    assert_eq!(queue.judge(&other.ack_id), Ack::Stale);
    assert_eq!(queue.judge(&format!("{KEY}:00000063")), Ack::Stale);
    let cut = &batch.ack_id[..batch.ack_id.len() - 1];
    let upper = batch.ack_id.to_uppercase();
    let spaced = format!(" {}", batch.ack_id);
    for wrong in ["", "x", ":", "null", KEY, cut, &upper, &spaced] {
        assert_eq!(queue.judge(wrong), Ack::Malformed, "{wrong:?}");
    }
}

#[test]
fn what_is_dropped_was_removed_unacknowledged() {
    let mut queue = queue_of(3);
    let batch = fifo(&mut queue, 1, 30);
    queue.acknowledge(&batch.ack_id);
    fifo(&mut queue, 1, 30);
    queue.drop_all();
    let books = queue.books();
    assert_eq!((books.acknowledged, books.removed_unacknowledged), (1, 2));
    assert_eq!((books.queued, books.leased), (0, 0));
    let fates: Vec<_> = queue
        .event_books("a")
        .map(|event| (event.sequence, event.acknowledged, event.removed))
        .collect();
    assert_eq!(fates, [(1, true, false), (2, false, true), (3, false, true)]);
}

#[test]
fn a_shuffle_is_drawn_from_the_seed_and_loses_nothing() {
    let draw = |seed| {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut queue = queue_of(20);
        let mut drawn = Vec::new();
        while queue.has_waiting() {
            let batch = queue.take(3, 30, Order::Shuffled, &mut rng);
            drawn.extend(batch.events.iter().map(|event| event.to_string()));
        }
        drawn
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    let mut sorted: Vec<u64> = draw(1).iter().map(|text| text.parse().unwrap()).collect();
    assert_ne!(sorted, (1..=20).collect::<Vec<_>>());
    sorted.sort_unstable();
    assert_eq!(sorted, (1..=20).collect::<Vec<_>>());
}

/// Random histories against the simplest model there is: a map from event to who holds it until when.
#[test]
fn random_histories_agree_with_a_model() {
    for seed in 0..200 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut queue = queue_of(0);
        // Alive events: when they come back (0: they wait), and the ackId that removes them.
        let mut model: HashMap<String, (u64, String)> = HashMap::new();
        let (mut now, mut last) = (0, 0);
        let mut ack_ids: Vec<String> = Vec::new();
        for _ in 0..200 {
            match rng.usize(..5) {
                0 | 1 => {
                    last += 1;
                    queue.push(last, Arc::from(last.to_string()));
                    model.insert(last.to_string(), (0, String::new()));
                }
                2 => {
                    now += rng.u64(..20);
                    queue.lapse(now);
                    let over = |(until, _): &(u64, String)| *until > 0 && *until <= now;
                    let back = model.values_mut().filter(|held| over(held));
                    back.for_each(|held| *held = (0, String::new()));
                }
                3 => {
                    let order = match rng.bool() {
                        true => Order::Fifo,
                        false => Order::Shuffled,
                    };
                    let batch = queue.take(rng.usize(1..6), now + 30, order, &mut rng);
                    for event in &batch.events {
                        let held = model.get_mut(&**event).expect("only what is alive");
                        assert_eq!(held.0, 0, "only what waits");
                        *held = (now + 30, batch.ack_id.clone());
                    }
                    ack_ids.push(batch.ack_id);
                }
                _ => {
                    let Some(ack_id) = rng.choice(&ack_ids) else {
                        continue;
                    };
                    queue.acknowledge(ack_id);
                    model.retain(|_, (_, held_by)| held_by != ack_id);
                }
            }
            let books = queue.books();
            let waiting = model.values().filter(|(until, _)| *until == 0).count();
            assert_eq!(books.queued, waiting as u64);
            assert_eq!(books.leased, (model.len() - waiting) as u64);
            assert_eq!(books.routed, books.acknowledged + books.queued + books.leased);
        }
    }
}
