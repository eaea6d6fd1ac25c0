//! What the disk is told to write at once.

use std::time::Duration;

use serde_json::json;

use super::common::*;
use super::disk;
use super::world::{World, until};

/// But for those of the second before.
#[test]
fn with_batch_acknowledgements_are_on_the_disk_when_a_batch_comes() {
    let world = World::new();
    let feed = world.open(&world.second(json!({})));
    let log = world.state_dir().join("state.db-wal");
    for number in 0..5 {
        world.publish_and_receive(&feed, number);
        feed.advance(Duration::from_millis(1001));
        let before = disk::syncs(&log);
        world.publish_and_receive(&feed, 100 + number);
        until("the one before is on the disk", || disk::syncs(&log) > before);
    }
}

#[test]
fn no_acknowledgement_waits_for_the_disk() {
    let world = World::new();
    let feed = world.open(&world.second(json!({})));
    let log = world.state_dir().join("state.db-wal");
    world.emulator.publish((0..100).map(numbered));
    let first = feed.must_next();
    let before = disk::syncs(&log);
    assert_eq!(feed.ack(first.delivery), DATAFEED_OK);
    for _ in 1..100 {
        feed.must_next_and_ack();
    }
    let syncs = disk::syncs(&log) - before;
    assert!(syncs < 50, "{syncs}");
}

/// With Datafeed 1 the batch itself, too, before the bot has any of it.
#[test]
fn with_batch_events_of_datafeed_1_are_on_the_disk_before_they_are_handed_out() {
    let world = World::new();
    let feed = world.open(&world.first(json!({})));
    let log = world.state_dir().join("state.db-wal");
    for number in 0..5 {
        let before = disk::syncs(&log);
        world.publish_and_receive(&feed, number);
        assert!(disk::syncs(&log) > before);
    }
}

#[test]
fn with_relaxed_the_disk_writes_when_it_likes() {
    let world = World::new();
    let feed = world.open(&world.first(json!({"sync": "relaxed"})));
    // The first of all is written with the head of the log.
    world.publish_and_receive(&feed, 0);
    let log = world.state_dir().join("state.db-wal");
    let before = disk::syncs(&log);
    for number in 1..50 {
        world.publish_and_receive(&feed, number);
    }
    assert_eq!(disk::syncs(&log), before);
}
