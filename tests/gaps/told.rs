//! A gap event among the bot's other events.

use serde_json::json;

use super::common::*;
use super::world::{Gap, World, gap};

/// A feed that is to tell of a gap.
fn with_gap(world: &World, more: serde_json::Value) -> Feed {
    let feed = world.open(&world.second(more));
    world.emulator.remove_feeds();
    feed
}

#[test]
fn gap_events_can_be_turned_off() {
    let world = World::new();
    let feed = with_gap(&world, json!({"gapEvents": false}));
    feed.wait_for_log("no longer exists");
    feed.wait_for_log("created a feed");
    world.next_is(&feed, 0);
}

#[test]
fn a_gap_event_can_be_refused_like_any_other() {
    let world = World::new();
    let feed = with_gap(
        &world,
        json!({"nackDelay": 0, "maxAttempts": 2, "stateDir": world.folder.path("state")}),
    );
    let first = feed.must_next();
    assert_eq!(feed.attempt(first.delivery), Ok(1));
    assert_eq!(feed.nack(first.delivery), DATAFEED_OK);
    let second = feed.must_next();
    assert_eq!((&second.text, feed.attempt(second.delivery)), (&first.text, Ok(2)));
    assert_eq!(feed.nack(second.delivery), DATAFEED_OK);
    let letters = feed.dead_letters(0).expect("a list");
    assert_eq!(letters[0]["event"]["type"], "DATAFEEDGAP");
    world.next_is(&feed, 0);
}

#[test]
fn a_gap_event_passes_the_filters() {
    let world = World::new();
    let feed = with_gap(&world, json!({"eventTypes": ["ROOMCREATED"]}));
    gap(&feed);
    feed.close_at_once();
}

/// Nothing of it goes to the service, and what comes with it is acknowledged as ever.
#[test]
fn a_gap_event_that_is_held_holds_up_nothing() {
    let world = World::new();
    let feed = with_gap(&world, json!({}));
    let held = feed.must_next();
    for number in 0..3 {
        world.next_is(&feed, number);
    }
    assert!(world.emulator.wait_until(PATIENCE, |books| books.acknowledged == 3));
    Gap::of(&held.text);
    assert_eq!(feed.ack(held.delivery), DATAFEED_OK);
}
