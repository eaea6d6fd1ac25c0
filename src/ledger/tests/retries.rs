//! An event that is refused: how long it rests, and when it is set aside.

use std::time::Duration;

use super::super::retry::MOST_LETTERS;
use super::super::{Limits, Refused, Restored, SetAside, Standing};
use super::disk::Disk;
use super::limits;
use super::scene::Scene;

fn twice() -> Limits {
    Limits {
        max_attempts: Some(2),
        stores: true,
        ..limits()
    }
}

/// How long the event rests, each time that it is refused.
fn rests(scene: &mut Scene, times: usize) -> Vec<u64> {
    let rest = |_| {
        let (delivery, _) = scene.take().expect("it has rested");
        scene.ledger.nack(delivery, scene.now).unwrap();
        let rest = scene.ledger.next_due().unwrap().since(scene.now);
        assert_eq!(scene.take(), None, "it rests");
        scene.pass(rest.as_secs());
        rest.as_secs()
    };
    (0..times).map(rest).collect()
}

#[test]
fn a_refused_event_rests_twice_as_long_each_time_up_to_five_minutes() {
    let mut scene = Scene::new(limits());
    scene.read_carries("");
    scene.answer("A", &[1]);
    let expected = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300];
    assert_eq!(rests(&mut scene, 11), expected);
    assert!(rests(&mut scene, 60).iter().all(|rest| *rest == 300));
}

#[test]
fn a_longer_nack_delay_stays_what_it_is() {
    let mut scene = Scene::new(Limits {
        nack_delay: Duration::from_secs(400),
        ..limits()
    });
    scene.read_carries("");
    scene.answer("A", &[1]);
    assert_eq!(rests(&mut scene, 3), [400, 400, 400]);
}

#[test]
fn what_is_refused_often_enough_is_set_aside_and_acknowledged() {
    let mut scene = Scene::new(twice());
    scene.read_carries("");
    scene.answer("A", &[1]);
    assert_eq!(rests(&mut scene, 1), [1]);
    let (delivery, _) = scene.take().unwrap();
    assert_eq!(scene.ledger.nack(delivery, scene.now), Ok(Refused::SetAside));
    let letter = SetAside { attempts: 2, event: 1 };
    assert_eq!(scene.ledger.changes().set_aside, [letter]);
    assert_eq!((scene.ledger.letters(), scene.ledger.unacknowledged()), (1, 0));
    scene.read_carries("A");
}

#[test]
fn what_processes_before_have_tried_often_enough_is_set_aside_when_it_comes() {
    let mut scene = Scene::new(twice());
    let mut disk = Disk::default();
    scene.read_carries("");
    scene.answer("A", &[1, 2]);
    for expected in 1..=2 {
        // Each time, the process ends while it holds the first one.
        assert_eq!(scene.take().map(|(_, event)| event), Some(1));
        scene.save(&mut disk);
        assert_eq!(disk.standings[&1000], Standing::Tried(expected));
        scene.restart(twice(), &disk);
        scene.pass(31);
        scene.read_carries("");
        let received = scene.answer("A", &[1, 2]);
        let set_aside = usize::from(expected == 2);
        assert_eq!((received.new, received.set_aside), (2 - set_aside, set_aside));
    }
    assert_eq!(scene.take_and_ack(), Some(2));
    assert_eq!(scene.take(), None);
    scene.read_carries("A");
    scene.save(&mut disk);
    assert_eq!(disk.letters, [1]);
    assert_eq!(disk.standings[&1000], Standing::Acknowledged);
}

#[test]
fn what_is_kept_and_was_tried_often_enough_is_set_aside_at_the_start() {
    let limits = Limits {
        service_forgets: true,
        ..twice()
    };
    let mut scene = Scene::new(limits.clone());
    let mut disk = Disk::default();
    scene.read_carries("");
    scene.answer("", &[1, 2]);
    scene.save(&mut disk);
    scene.ledger.release_staged();
    for _ in 0..2 {
        assert_eq!(scene.take().map(|(_, event)| event), Some(1));
        scene.save(&mut disk);
        scene.restart(limits.clone(), &disk);
    }
    assert_eq!(scene.ledger.letters(), 1);
    assert_eq!(scene.take_and_ack(), Some(2));
    assert_eq!(scene.take(), None);
    scene.save(&mut disk);
    assert_eq!((disk.letters.as_slice(), disk.kept.len()), ([1].as_slice(), 0));
}

#[test]
fn what_cannot_be_set_aside_any_more_comes_again() {
    let mut scene = Scene::new(twice());
    let full = Restored {
        standings: Vec::new(),
        kept: Vec::new(),
        letters: MOST_LETTERS,
    };
    scene.ledger.restore(full, scene.now);
    scene.read_carries("");
    scene.answer("A", &[1]);
    assert_eq!(rests(&mut scene, 4), [1, 2, 4, 8], "nothing may be lost");
    scene.ledger.take_letter(7, None);
    let (delivery, _) = scene.take().unwrap();
    assert_eq!(scene.ledger.nack(delivery, scene.now), Ok(Refused::SetAside));
    assert_eq!(scene.ledger.letters(), MOST_LETTERS);
}

#[test]
fn an_event_that_is_handed_out_again_counts_from_one_and_can_be_put_back() {
    let mut scene = Scene::new(twice());
    let first = Restored {
        standings: Vec::new(),
        kept: Vec::new(),
        letters: 1,
    };
    scene.ledger.restore(first, scene.now);
    let taken = scene.ledger.take_letter(7, Some(1));
    scene.ledger.put_back(taken);
    assert!(scene.ledger.changes().is_empty());
    assert_eq!((scene.ledger.letters(), scene.take()), (1, None));
    scene.ledger.take_letter(7, Some(1));
    assert_eq!(scene.ledger.changes().letters_taken, [7]);
    assert_eq!(scene.ledger.changes().kept.len(), 1);
    assert_eq!(
        scene.ledger.take(scene.now, Clone::clone).map(|out| out.attempt),
        Some(1)
    );
}

/// What was resubmitted has no identity that its attempts could be told by.
#[test]
fn a_resubmitted_event_that_ends_the_process_each_time_is_set_aside_again() {
    let limits = twice();
    let mut scene = Scene::new(limits.clone());
    let mut disk = Disk::default();
    let _ = scene.ledger.take_letter(1, Some(7));
    scene.save(&mut disk);
    for _ in 0..2 {
        assert_eq!(scene.take().map(|(_, event)| event), Some(7));
        scene.save(&mut disk);
        scene.restart(limits.clone(), &disk);
    }
    assert_eq!(scene.take(), None);
    scene.save(&mut disk);
    assert_eq!(disk.letters, [7]);
}
