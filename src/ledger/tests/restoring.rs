//! A ledger that goes on where another one was.

use super::super::{Limits, ReadFailure, Standing};
use super::disk::Disk;
use super::limits;
use super::scene::Scene;

fn storing() -> Limits {
    Limits {
        stores: true,
        ..limits()
    }
}

/// Two events came, the first was acknowledged, and the process ended.
fn after_a_crash() -> (Scene, Disk<u128>) {
    let mut scene = Scene::new(storing());
    let mut disk = Disk::default();
    scene.read_carries("");
    scene.answer("A", &[1, 2]);
    assert_eq!(scene.take_and_ack(), Some(1));
    scene.save(&mut disk);
    scene.restart(storing(), &disk);
    (scene, disk)
}

#[test]
fn what_was_acknowledged_is_recognised_however_soon_it_comes() {
    let (mut scene, _) = after_a_crash();
    scene.read_carries("");
    let received = scene.answer("B", &[1, 2]);
    assert_eq!((received.new, received.redelivered), (1, 1));
    assert_eq!(scene.take_and_ack(), Some(2));
    assert_eq!(scene.take(), None);
    scene.read_carries("B");
}

#[test]
fn a_restored_ledger_has_nothing_new_to_tell() {
    let (mut scene, _) = after_a_crash();
    assert!(scene.ledger.changes().is_empty());
}

#[test]
fn an_empty_read_confirms_only_after_what_was_left_behind_has_come_again() {
    let (mut scene, mut disk) = after_a_crash();
    // A read of the process before may wait at the service for 30 s, and its lease lasts for another 30.
    scene.pass(59);
    scene.read_carries("");
    scene.answer("B", &[]);
    scene.save(&mut disk);
    assert_eq!(disk.standings[&1000], Standing::Acknowledged);
    scene.pass(1);
    scene.read_carries("B");
    scene.answer("C", &[]);
    scene.save(&mut disk);
    assert!(matches!(disk.standings[&1000], Standing::Confirmed(_)));
}

#[test]
fn what_was_confirmed_is_remembered_for_the_time_that_is_left() {
    let (mut scene, mut disk) = after_a_crash();
    scene.read_carries("");
    scene.answer("B", &[1, 2]);
    assert_eq!(scene.take_and_ack(), Some(2));
    scene.read_carries("B");
    scene.answer("C", &[]);
    scene.save(&mut disk);
    scene.pass(600);
    scene.restart(storing(), &disk);
    assert_eq!(scene.ledger.remembered(), 2);
    scene.pass(299);
    scene.plan();
    assert_eq!(scene.ledger.remembered(), 2);
    scene.pass(1);
    scene.plan();
    assert_eq!(scene.ledger.remembered(), 0);
    scene.save(&mut disk);
    assert!(disk.standings.is_empty());
}

#[test]
fn what_was_confirmed_and_comes_all_the_same_is_acknowledged_again() {
    let (mut scene, mut disk) = after_a_crash();
    scene.read_carries("");
    scene.answer("B", &[1]);
    scene.read_carries("B");
    scene.answer("C", &[]);
    scene.save(&mut disk);
    assert!(matches!(disk.standings[&1000], Standing::Confirmed(_)));
    scene.restart(storing(), &disk);
    scene.read_carries("");
    scene.answer("D", &[1]);
    scene.save(&mut disk);
    assert_eq!(disk.standings[&1000], Standing::Acknowledged);
    assert_eq!(scene.take(), None);
    scene.read_carries("D");
}

#[test]
fn what_is_kept_comes_in_its_order_and_before_what_is_new() {
    let limits = Limits {
        service_forgets: true,
        ..storing()
    };
    let mut scene = Scene::new(limits.clone());
    let mut disk = Disk::default();
    scene.read_carries("");
    scene.answer("", &[1, 2, 3]);
    scene.ledger.tell(7);
    scene.save(&mut disk);
    scene.ledger.release_staged();
    assert_eq!(scene.take_and_ack(), Some(1));
    scene.save(&mut disk);
    scene.restart(limits, &disk);
    scene.read_carries("");
    scene.answer("", &[4]);
    // The disk refuses a serial that it has.
    scene.save(&mut disk);
    scene.ledger.release_staged();
    for expected in [2, 3, 7, 4] {
        assert_eq!(scene.take_and_ack(), Some(expected));
    }
    assert_eq!(scene.take(), None);
    scene.save(&mut disk);
    assert!(disk.kept.is_empty());
}

#[test]
fn events_that_look_the_same_are_told_apart_after_a_restart() {
    let mut scene = Scene::new(storing());
    let mut disk = Disk::default();
    scene.read_carries("");
    scene.answer("A", &[1, 1, 2]);
    assert_eq!(scene.take_and_ack(), Some(1));
    assert_eq!(scene.take_and_ack(), Some(1));
    scene.save(&mut disk);
    scene.restart(storing(), &disk);
    scene.read_carries("");
    let received = scene.answer("B", &[1, 1, 1, 2]);
    assert_eq!(
        (received.new, received.redelivered),
        (2, 2),
        "a third one is another event"
    );
}

/// Two that look the same have come, and are acknowledged; that of the second was not confirmed.
fn two_that_look_the_same() -> (Scene, Disk<u128>) {
    let mut scene = Scene::new(storing());
    let mut disk = Disk::default();
    scene.read_carries("");
    scene.answer("A", &[1]);
    assert_eq!(scene.take_and_ack(), Some(1));
    scene.pass(1);
    scene.read_carries("A");
    scene.answer("B", &[1]);
    assert_eq!(scene.take_and_ack(), Some(1), "it is another one");
    for _ in 0..2 {
        scene.read_carries("B");
        scene.ledger.read_failed(ReadFailure::AnswerLost);
    }
    scene.save(&mut disk);
    (scene, disk)
}

/// Long enough for the first one to be forgotten.
fn the_first_is_forgotten(scene: &mut Scene, disk: &mut Disk<u128>) {
    scene.pass(900);
    scene.plan();
    scene.save(disk);
    assert_eq!(disk.standings[&1000], Standing::Placeholder);
    assert_eq!(disk.standings[&1001], Standing::Acknowledged);
}

#[test]
fn the_later_of_two_that_look_the_same_is_recognised_when_the_first_is_forgotten() {
    let (mut scene, mut disk) = two_that_look_the_same();
    the_first_is_forgotten(&mut scene, &mut disk);
    scene.restart(storing(), &disk);
    scene.read_carries("");
    assert_eq!(scene.answer("C", &[1]).redelivered, 1);
    assert_eq!(scene.take(), None);
    scene.read_carries("C");
}

#[test]
fn and_when_the_first_is_forgotten_by_another_process() {
    let (mut scene, mut disk) = two_that_look_the_same();
    scene.restart(storing(), &disk);
    the_first_is_forgotten(&mut scene, &mut disk);
    scene.read_carries("");
    assert_eq!(scene.answer("C", &[1]).redelivered, 1);
    assert_eq!(scene.take(), None);
    scene.read_carries("C");
}

/// A bot that has moved from Datafeed 1: what that service has forgotten, this one never had.
#[test]
fn what_datafeed_1_left_is_not_acknowledged_over_datafeed_2() {
    let forgetting = Limits {
        service_forgets: true,
        ..storing()
    };
    let mut scene = Scene::new(forgetting);
    let mut disk = Disk::default();
    scene.read_carries("");
    scene.answer("", &[1]);
    scene.save(&mut disk);
    scene.restart(storing(), &disk);
    assert_eq!(scene.take_and_ack(), Some(1));
    assert!(scene.ledger.unwritten(scene.now).is_empty());
}

#[test]
fn where_nothing_comes_again_what_was_acknowledged_never_keeps_from_reading() {
    let forgetful = || Limits {
        service_forgets: true,
        max_remembered: 2,
        ..storing()
    };
    let mut scene = Scene::new(forgetful());
    let mut disk = Disk::default();
    for process in 0..3 {
        scene.read_carries("");
        scene.answer("", &[10 * process + 1, 10 * process + 2]);
        scene.save(&mut disk);
        scene.ledger.release_staged();
        // What is left of the batch is in the bot's hands when the process ends.
        let _ = (scene.take().unwrap(), scene.take_and_ack().unwrap());
        scene.save(&mut disk);
        scene.restart(forgetful(), &disk);
    }
    scene.read_carries("");
}
