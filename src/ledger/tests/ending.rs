//! How a ledger ends: what is still handed out, read for and kept.

use super::super::{Limits, NotHeld};
use super::limits;
use super::scene::Scene;

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
fn what_a_read_brings_when_a_drained_bot_was_told_so_keeps_nobody_waiting() {
    let mut scene = Scene::new(Limits {
        service_forgets: true,
        ..limits()
    });
    scene.read_carries("");
    scene.answer("", &[1]);
    let (first, _) = scene.take().unwrap();
    scene.read_carries("");
    scene.ledger.drain();
    scene.ledger.ack(first, scene.now).unwrap();
    assert!(scene.ledger.hands_out_no_more());
    scene.answer("", &[2]);
    assert!(scene.ledger.hands_out_no_more() && scene.ledger.is_drained());
    assert_eq!(scene.ledger.unacknowledged(), 1, "which close tells");
}
