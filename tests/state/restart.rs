//! One feed closed, and another opened with the same folder.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::common::*;
use super::world::{World, until};

#[test]
fn what_was_acknowledged_does_not_come_again_after_a_restart() {
    let world = World::new();
    let config = world.second(json!({}));
    let feed = world.open(&config);
    world.emulator.publish((0..3).map(numbered));
    let done = number_of(&feed.must_next_and_ack());
    let held = number_of(&feed.must_next().text);
    drop(feed);
    let again = world.open(&config);
    assert_eq!(again.stats()["remembered"], 1);
    world.deliver_again();
    let came = BTreeSet::from([0, 1].map(|_| number_of(&again.must_next_and_ack())));
    assert!(!came.contains(&done) && came.contains(&held), "{came:?}");
    assert!(
        world.emulator.wait_until(PATIENCE, |books| books.acknowledged == 3),
        "the service is told of all of them: {:?}",
        world.emulator.books()
    );
}

#[test]
fn a_refused_event_comes_again_after_a_restart() {
    let world = World::new();
    let config = world.second(json!({}));
    let feed = world.open(&config);
    world.emulator.publish([numbered(0)]);
    assert_eq!(feed.nack(feed.must_next().delivery), DATAFEED_OK);
    drop(feed);
    let again = world.open(&config);
    world.deliver_again();
    assert_eq!(number_of(&again.must_next_and_ack()), 0);
}

/// It is not the feed that an acknowledgement is remembered for.
#[test]
fn what_was_acknowledged_is_remembered_for_another_feed_too() {
    let world = World::new();
    let config = world.second(json!({}));
    let feed = world.open(&config);
    world.emulator.publish([numbered(0)]);
    feed.must_next_and_ack();
    drop(feed);
    world.emulator.remove_feeds();
    let again = world.open(&config);
    again.wait_for_log("created a feed");
    world.emulator.publish([numbered(0), numbered(1)]);
    assert_eq!(number_of(&again.must_next_and_ack()), 1);
}

#[test]
fn what_the_service_confirmed_is_forgotten_after_a_quarter_of_an_hour_over_restarts_too() {
    let world = World::new();
    let config = world.second(json!({}));
    let feed = world.open(&config);
    world.emulator.publish([numbered(0)]);
    feed.must_next_and_ack();
    World::wait_for_confirmed(&feed, 1);
    drop(feed);
    let again = world.open(&config);
    assert_eq!(again.stats()["remembered"], 1);
    // Less the moment that has passed, it is not forgotten sooner for the restart.
    again.advance(Duration::from_secs(14 * 60));
    world.publish_and_receive(&again, 1);
    assert_eq!(again.stats()["remembered"], 2);
    again.advance(Duration::from_secs(61));
    world.publish_and_receive(&again, 2);
    until("the first is forgotten", || {
        again.stats()["remembered"].as_u64() <= Some(2)
    });
    drop(again);
    assert!(world.open(&config).stats()["remembered"].as_u64() <= Some(2));
}

/// The memory of many restarts is no larger than that of one.
#[test]
fn attempts_and_events_that_are_over_leave_nothing_in_the_folder() {
    let world = World::new();
    let config = world.first(json!({"maxAttempts": 9}));
    for round in 0..3 {
        let feed = world.open(&config);
        world
            .emulator
            .publish((0..100).map(|number| numbered(100 * round + number)));
        for number in 0..100 {
            assert_eq!(number_of(&feed.must_next_and_ack()), 100 * round + number);
        }
    }
    let kept = world
        .database()
        .query_row("SELECT count(*) FROM kept", [], |row| row.get::<_, u32>(0));
    let tried = world
        .database()
        .query_row("SELECT count(*) FROM events WHERE standing = 0", [], |row| {
            row.get::<_, u32>(0)
        });
    assert_eq!((kept, tried), (Ok(0), Ok(0)));
}
