//! One feed at a time has a folder.

use serde_json::{Value, json};

use super::common::*;
use super::world::World;

#[track_caller]
fn is_in_use(error: &Value, world: &World, by: &str) {
    assert_eq!(error["code"], "STATE_IN_USE", "{error}");
    assert_eq!(
        (&error["field"], &error["retryable"]),
        (&json!("stateDir"), &json!(false))
    );
    assert_eq!(error["file"], json!(world.state_dir()));
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains(&format!("is in use by {by}")), "{message}");
}

#[test]
fn a_second_feed_of_the_process_is_told_who_has_the_folder() {
    let world = World::new();
    let config = world.second(json!({}));
    let feed = Feed::open(&config);
    let (status, error) = Feed::try_open(&config.to_string()).expect_err("it is in use");
    assert_eq!(status, DATAFEED_INVALID_ARGUMENT);
    is_in_use(&error, &world, "another feed of this process");
    feed.close_at_once();
    Feed::open(&config);
}

#[test]
fn another_process_is_told_who_has_the_folder_until_it_is_killed() {
    let world = World::new();
    let config = world.second(json!({}));
    let bot = world.begin(&config);
    let (_, error) = Feed::try_open(&config.to_string()).expect_err("it is in use");
    is_in_use(&error, &world, &format!("process {} (", bot.id()));
    bot.kill();
    let feed = Feed::open(&config);
    let (_, error) = world.try_begin(&config);
    is_in_use(&error, &world, &format!("process {} (", std::process::id()));
    feed.close_at_once();
    world.begin(&config);
}

/// What a process that was refused has looked at is as it was.
#[test]
fn a_feed_that_was_refused_does_no_harm_to_the_one_that_has_the_folder() {
    let world = World::new();
    let config = world.second(json!({}));
    let mut bot = world.start(&config);
    world.emulator.publish((0..2).map(numbered));
    let done = bot.must_next_and_ack();
    for _ in 0..3 {
        Feed::try_open(&config.to_string()).expect_err("it is in use");
    }
    bot.kill();
    let feed = world.open(&config);
    world.deliver_again();
    assert_ne!(feed.must_next_and_ack(), done);
}
