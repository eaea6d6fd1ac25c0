//! What a state store is told, and what waits for it.

use std::time::Duration;

use super::super::{Arrival, Limits, Standing};
use super::disk::Disk;
use super::limits;
use super::scene::Scene;
use crate::clock::Moment;

fn storing() -> Limits {
    Limits {
        stores: true,
        ..limits()
    }
}

fn forgetful() -> Limits {
    Limits {
        service_forgets: true,
        ..storing()
    }
}

#[test]
fn an_acknowledgement_is_told_until_it_is_forgotten() {
    let mut scene = Scene::new(storing());
    scene.read_carries("");
    scene.answer("A", &[1]);
    assert!(scene.ledger.changes().is_empty(), "the service has it");
    scene.take_and_ack();
    let told = |scene: &mut Scene| {
        let told = scene.ledger.changes().standings.clone();
        scene.ledger.changes_are_stored();
        told
    };
    assert_eq!(told(&mut scene), [(1000, Some(Standing::Acknowledged))]);
    scene.read_carries("A");
    scene.pass(1);
    scene.answer("B", &[]);
    assert_eq!(told(&mut scene), [(1000, Some(Standing::Confirmed(Moment(901_000))))]);
    scene.pass(900);
    scene.plan();
    assert_eq!(told(&mut scene), [(1000, None)]);
}

#[test]
fn without_a_store_nothing_is_noted() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[1]);
    scene.take_and_ack();
    assert!(scene.ledger.changes().is_empty());
}

#[test]
fn while_the_store_takes_nothing_nothing_is_read_or_acknowledged() {
    let mut scene = Scene::new(storing());
    scene.read_carries("");
    scene.answer("A", &[1]);
    scene.take_and_ack();
    scene.ledger.pause();
    assert_eq!(scene.plan(), None);
    assert!(!scene.ledger.wants_read(scene.now));
    assert!(scene.ledger.unwritten(scene.now).is_empty());
    assert!(!scene.ledger.resume(), "it has not been told of the acknowledgement");
    assert_eq!(scene.plan(), None);
    scene.ledger.changes_are_stored();
    assert!(scene.ledger.resume());
    assert_eq!(scene.ledger.unwritten(scene.now), ["A"]);
    scene.read_carries("A");
}

#[test]
fn a_paused_read_that_keeps_the_feed_alive_acknowledges_nothing() {
    let mut scene = Scene::new(Limits {
        keep_alive: Duration::from_secs(10),
        ..storing()
    });
    scene.read_carries("");
    scene.answer("A", &[1]);
    scene.take_and_ack();
    scene.ledger.pause();
    scene.pass(10);
    scene.read_carries("");
    scene.answer("B", &[]);
    scene.save(&mut Disk::default());
    assert!(scene.ledger.resume());
    scene.read_carries("A");
}

#[test]
fn what_the_service_has_forgotten_is_stored_before_it_is_seen() {
    let mut scene = Scene::new(forgetful());
    let mut disk = Disk::default();
    scene.read_carries("");
    scene.answer("", &[1, 2]);
    assert!(scene.ledger.has_staged());
    assert_eq!(scene.take(), None);
    scene.save(&mut disk);
    assert_eq!(disk.kept.len(), 2);
    assert_eq!(scene.take(), None, "not before it is told so");
    assert_eq!(scene.ledger.release_staged(), 2);
    assert_eq!(scene.ledger.release_staged(), 0);
    assert_eq!(scene.take_and_ack(), Some(1));
    scene.save(&mut disk);
    let kept: Vec<u128> = disk.kept.values().map(|(_, event)| *event).collect();
    assert_eq!(kept, [2]);
}

#[test]
fn what_the_library_tells_is_stored_before_it_is_seen() {
    let mut scene = Scene::new(storing());
    let mut disk = Disk::default();
    scene.ledger.tell(7);
    assert_eq!(scene.take(), None);
    scene.save(&mut disk);
    scene.ledger.release_staged();
    assert_eq!(scene.take_and_ack(), Some(7));
    scene.save(&mut disk);
    assert!(disk.kept.is_empty() && disk.standings.is_empty());
}

/// A batch of one event, of which nothing was published before this.
fn arrive(scene: &mut Scene, event: u128, published_after: Option<u64>) {
    let arrival = Arrival {
        ack_id: Some("A"),
        events: [(event * 1000, event)].into_iter(),
        left_out: 0,
        published_after,
    };
    scene.ledger.read_answered(arrival, scene.now);
}

#[test]
fn done_until_is_as_far_as_the_oldest_event_at_hand() {
    let mut scene = Scene::new(limits());
    assert_eq!(scene.ledger.done_until(Some(900)), Some(900));
    arrive(&mut scene, 1, Some(300));
    arrive(&mut scene, 2, Some(500));
    assert_eq!(scene.ledger.done_until(Some(900)), Some(300));
    assert_eq!(scene.ledger.done_until(Some(200)), Some(200));
    assert_eq!(scene.ledger.done_until(None), None);
    let (first, _) = scene.take().unwrap();
    assert_eq!(scene.ledger.done_until(Some(900)), Some(300), "it is held");
    scene.ledger.nack(first, scene.now).unwrap();
    assert_eq!(scene.ledger.done_until(Some(900)), Some(300), "it rests");
    assert_eq!(scene.take_and_ack(), Some(2));
    scene.pass(1);
    assert_eq!(scene.take_and_ack(), Some(1));
    assert_eq!(scene.ledger.done_until(Some(900)), Some(900));
    arrive(&mut scene, 3, None);
    assert_eq!(scene.ledger.done_until(Some(900)), None, "nobody knows how old it is");
}

#[test]
fn done_until_passes_over_what_is_stored_and_what_nobody_sent() {
    let mut scene = Scene::new(forgetful());
    arrive(&mut scene, 1, Some(300));
    scene.ledger.tell(7);
    assert_eq!(scene.ledger.done_until(Some(900)), Some(900));
}
