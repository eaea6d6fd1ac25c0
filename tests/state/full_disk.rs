//! A disk without room pauses reading, loses nothing, and is tried again.

use std::collections::BTreeSet;

use datafeed_emulator::{Endpoint, Fault, Settings};
use serde_json::json;

use super::common::*;
use super::disk;
use super::world::{World, until};

fn until_tried_again(feed: &Feed) {
    let failures = || {
        feed.stats()["retriesByCause"]["STATE_UNAVAILABLE"]
            .as_u64()
            .expect("a number")
    };
    let before = failures();
    until("it was tried again", || failures() >= before + 2);
}

#[test]
fn a_full_disk_is_told_and_nothing_is_read_until_there_is_room() {
    let world = World::new();
    let config = world.second(json!({}));
    let feed = world.open(&config);
    world.emulator.publish((0..40).map(numbered));
    let first = feed.must_next();
    disk::is_full(&world.folder);
    assert_eq!(feed.ack(first.delivery), DATAFEED_NOT_STORED);
    let error = feed.error().expect("an error");
    assert_eq!(error["code"], "STATE_UNAVAILABLE");
    assert_eq!(
        (&error["retryable"], &error["field"]),
        (&json!(true), &json!("stateDir"))
    );
    assert_eq!(error["file"], json!(world.state_dir()));
    let message = error["message"].as_str().expect("a message");
    assert!(
        message.contains("the disk is full") && message.contains("make room there"),
        "{message}"
    );
    feed.wait_for_log("the disk is full");
    // The bot goes on with what it has.
    while let Ok(event) = feed.next(0) {
        assert_eq!(feed.ack(event.delivery), DATAFEED_NOT_STORED);
    }
    until("the feed waits for the store", || {
        feed.stats()["state"] == "WAITING_FOR_STORE"
    });
    // Nothing is outstanding and somebody asks, for which it would be read at any other time.
    let reads = world.reads();
    world.emulator.publish([numbered(40)]);
    until_tried_again(&feed);
    assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT));
    assert_eq!(world.reads(), reads);
    assert_eq!(
        world.emulator.books().acknowledged,
        0,
        "what is not stored is not acknowledged"
    );
    disk::has_room(&world.folder);
    feed.wait_for_log("the state store takes changes again");
    assert_eq!(number_of(&feed.must_next_and_ack()), 40);
    assert!(world.emulator.wait_until(PATIENCE, |books| books.acknowledged == 41));
    let mut lines = std::iter::from_fn(|| feed.next_log(0).ok());
    assert!(lines.all(|line| line["code"] != "STATE_UNAVAILABLE"), "it is told once");
}

#[test]
fn what_could_not_be_stored_is_stored_when_there_is_room() {
    let world = World::new();
    let config = world.second(json!({}));
    let mut bot = world.start(&config);
    world.emulator.publish((0..20).map(numbered));
    let mut done = BTreeSet::from([number_of(&bot.must_next_and_ack())]);
    disk::is_full(&world.folder);
    for _ in 0..5 {
        let event = bot.must_next();
        assert_eq!(bot.ack(event.delivery), DATAFEED_NOT_STORED);
        done.insert(number_of(&event.text));
    }
    disk::has_room(&world.folder);
    bot.call("log", &json!("the state store takes changes again"));
    bot.kill();
    let feed = world.open(&config);
    world.deliver_again();
    world.emulator.publish([numbered(20)]);
    let came = world.receive_until(&feed, 20);
    assert_eq!(came.len(), 15);
    assert!(came.is_disjoint(&done), "{came:?}");
}

#[test]
fn what_was_stored_before_the_disk_was_full_survives_a_kill_while_it_is() {
    let world = World::new();
    let config = world.second(json!({}));
    let mut bot = world.start(&config);
    world.emulator.publish((0..3).map(numbered));
    let done = bot.must_next_and_ack();
    disk::is_full(&world.folder);
    let event = bot.must_next();
    assert_eq!(bot.ack(event.delivery), DATAFEED_NOT_STORED);
    bot.kill();
    disk::has_room(&world.folder);
    let feed = world.open(&config);
    assert_eq!(feed.error(), None, "it is not taken for damage");
    world.deliver_again();
    world.emulator.publish([numbered(3)]);
    let came = world.receive_until(&feed, 3);
    assert_eq!(came.len(), 3);
    assert!(!came.contains(&number_of(&done)));
}

#[test]
fn what_datafeed_1_hands_over_to_a_full_disk_waits_for_room() {
    let world = World::new();
    let config = world.first(json!({}));
    let feed = world.open(&config);
    disk::is_full(&world.folder);
    world.emulator.publish([numbered(0)]);
    until("the feed waits for the store", || {
        feed.stats()["state"] == "WAITING_FOR_STORE"
    });
    let reads = world.reads();
    world.emulator.publish([numbered(1)]);
    assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT), "it is not on the disk");
    until_tried_again(&feed);
    assert_eq!((world.reads(), world.emulator.v1_books().queued), (reads, 1));
    disk::has_room(&world.folder);
    assert_eq!([0, 1].map(|_| number_of(&feed.must_next_and_ack())), [0, 1]);
}

/// The service would forget what a crash could bring again here.
#[test]
fn nothing_is_acknowledged_to_the_service_that_is_not_stored() {
    let world = World::new();
    let feed = world.open(&world.second(json!({})));
    world.emulator.publish([numbered(0), numbered(1)]);
    let held = [feed.must_next(), feed.must_next()];
    disk::is_full(&world.folder);
    for event in held {
        assert_eq!(feed.ack(event.delivery), DATAFEED_NOT_STORED);
    }
    until("the feed waits for the store", || {
        feed.stats()["state"] == "WAITING_FOR_STORE"
    });
    feed.close_at_once();
    let requests = world.emulator.requests();
    let mut carried = requests.iter().filter_map(|request| request.ack_id.as_deref());
    assert!(carried.all(str::is_empty));
}

/// Neither does a read in flight put it off, nor a back-off.
#[test]
fn the_disk_is_tried_again_in_whatever_the_feed_waits() {
    for backs_off in [false, true] {
        let world = World::with(Settings::default());
        let mut config = world.second(json!({}));
        config["retry"] = json!({"initialIntervalMillis": 300_000, "maxIntervalMillis": 300_000});
        let feed = world.open(&config);
        world.emulator.publish([numbered(0), numbered(1)]);
        let held = [feed.must_next(), feed.must_next()];
        if backs_off {
            world.emulator.fault(Fault {
                endpoint: Endpoint::Read,
                times: 1,
                action: status(503),
                after: false,
            });
        }
        // Somebody asks while events are held, for which it is read.
        let reads = world.reads();
        assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT));
        world.wait_for_read_after(reads);
        let doing = if backs_off { "BACKING_OFF" } else { "READING" };
        until(doing, || feed.stats()["state"] == doing);
        disk::is_full(&world.folder);
        assert_eq!(feed.ack(held[0].delivery), DATAFEED_NOT_STORED);
        disk::has_room(&world.folder);
        feed.wait_for_log("the state store takes changes again");
        assert_eq!(feed.stats()["state"], doing);
    }
}

#[test]
fn close_is_quick_while_the_disk_is_full() {
    for version in [1, 2] {
        let world = World::new();
        let config = match version {
            1 => world.first(json!({})),
            _ => world.second(json!({})),
        };
        let feed = world.open(&config);
        world.emulator.publish((0..20).map(numbered));
        let event = feed.must_next();
        disk::is_full(&world.folder);
        assert_eq!(feed.ack(event.delivery), DATAFEED_NOT_STORED);
        feed.close_at_once();
    }
}
