//! Close and drain, with a read in flight and several batches that wait to be acknowledged.

use std::collections::BTreeSet;
use std::thread;

use datafeed_emulator::{Outcome, Settings};
use serde_json::json;

use super::common::*;
use super::world::World;

/// Each event is a batch of its own.
fn one_by_one() -> World {
    World::with(Settings {
        batch: 1..=1,
        abandoned_reads_take: false,
        ..Settings::default()
    })
}

/// A feed that reads for more while the bot holds these.
#[track_caller]
fn holding(world: &World, count: usize) -> (Feed, Vec<Received>) {
    let feed = world.open(&world.second(json!({})));
    world.emulator.publish((0..count).map(numbered));
    let held: Vec<Received> = (0..count).map(|_| feed.must_next()).collect();
    assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT));
    let in_flight = world.emulator.wait_for_requests(PATIENCE, |requests| {
        let last = requests.iter().rfind(|request| request.ack_id.is_some());
        last.is_some_and(|read| read.outcome == Outcome::Waiting && read.ack_id.as_deref() == Some(""))
    });
    assert!(in_flight);
    (feed, held)
}

#[test]
fn close_writes_every_batch_that_is_done_and_the_rest_is_remembered() {
    let world = one_by_one();
    let (feed, held) = holding(&world, 5);
    for event in &held[1..] {
        assert_eq!(feed.ack(event.delivery), DATAFEED_OK);
    }
    feed.close_at_once();
    let written = world.emulator.wait_until(PATIENCE, |books| books.acknowledged == 4);
    assert!(written, "{:?}", world.emulator.books());
    let feed = world.open(&world.second(json!({})));
    world.deliver_again();
    world.emulator.publish([numbered(5)]);
    assert_eq!(world.receive_until(&feed, 5), BTreeSet::from([0, 5]));
}

#[test]
fn drain_waits_for_what_is_held_and_writes_it() {
    let world = one_by_one();
    let (feed, held) = holding(&world, 5);
    thread::scope(|scope| {
        let draining = scope.spawn(|| feed.drain(PATIENCE.as_millis() as i32));
        assert_eq!(feed.next(-1), Err(DATAFEED_CLOSED));
        for event in &held {
            assert_eq!(feed.ack(event.delivery), DATAFEED_OK);
        }
        assert_eq!(draining.join().expect("a status"), DATAFEED_OK);
    });
    let written = world.emulator.wait_until(PATIENCE, |books| books.acknowledged == 5);
    assert!(written, "{:?}", world.emulator.books());
}

/// What was received and not handed out is in the folder, so nobody has to wait for it.
#[test]
fn drain_leaves_what_datafeed_1_has_handed_over_to_the_next_process() {
    let world = World::new();
    let config = world.first(json!({}));
    let feed = world.open(&config);
    world.emulator.publish((0..3).map(numbered));
    feed.must_next_and_ack();
    assert_eq!(feed.drain(PATIENCE.as_millis() as i32), DATAFEED_OK);
    let feed = Feed::open(&config);
    assert_eq!([1, 2].map(|_| number_of(&feed.must_next_and_ack())), [1, 2]);
}
