//! With Datafeed 1, which forgets what it has handed out, events are in the folder before the bot sees them.

use std::collections::HashSet;
use std::ops::Range;

use serde_json::{Value, json};

use super::common::process::Bot;
use super::common::*;
use super::world::{World, until};

/// Publishes events, and waits until they are in the folder.
#[track_caller]
fn publish(world: &World, bot: &mut Bot, numbers: Range<usize>) {
    let queued = |bot: &mut Bot| bot.call("stats", &Value::Null)["queued"].as_u64().expect("a number");
    let all = queued(bot) + numbers.len() as u64;
    world.emulator.publish(numbers.map(numbered));
    until("the events are queued", || queued(bot) == all);
}

#[track_caller]
fn receive(bot: &mut Bot, count: usize) -> Vec<usize> {
    (0..count).map(|_| number_of(&bot.must_next_and_ack())).collect()
}

#[test]
fn what_was_not_acknowledged_comes_back_in_order_after_a_kill() {
    let world = World::new();
    let config = world.first(json!({}));
    let mut bot = world.start(&config);
    publish(&world, &mut bot, 0..10);
    assert_eq!(receive(&mut bot, 3), [0, 1, 2]);
    let (held, done) = (bot.must_next(), bot.must_next());
    assert_eq!(bot.ack(done.delivery), DATAFEED_OK);
    assert_eq!(number_of(&held.text), 3);
    bot.kill();
    // The service knows nothing of them any more.
    assert_eq!(world.emulator.v1_books().queued, 0);
    let mut bot = world.start(&config);
    publish(&world, &mut bot, 10..12);
    assert_eq!(receive(&mut bot, 8), [3, 5, 6, 7, 8, 9, 10, 11]);
}

/// Killed by the first event it sees: were that one not in the folder yet, it would be lost.
#[test]
fn an_event_is_stored_before_it_is_handed_out() {
    let world = World::new();
    let config = world.first(json!({}));
    for round in 0..20 {
        let mut bot = world.start(&config);
        world.emulator.publish([numbered(round)]);
        let came: Vec<usize> = (0..=round).map(|_| number_of(&bot.must_next().text)).collect();
        assert_eq!(came, (0..=round).collect::<Vec<_>>());
        bot.kill();
    }
    let feed = world.open(&config);
    let came: Vec<usize> = (0..20).map(|_| number_of(&feed.must_next_and_ack())).collect();
    assert_eq!(came, (0..20).collect::<Vec<_>>());
}

#[test]
fn a_bot_that_is_killed_at_work_again_and_again_misses_nothing_and_does_nothing_twice() {
    let world = World::new();
    let config = world.first(json!({}));
    let mut rng = fastrand::Rng::with_seed(11);
    let mut done = HashSet::new();
    let rounds = 15;
    for round in 0..rounds {
        let mut bot = world.start(&config);
        publish(&world, &mut bot, 100 * round..100 * (round + 1));
        for text in bot.work_and_be_killed(rng.usize(1..60)) {
            assert!(done.insert(number_of(&text)), "{text} came again in round {round}");
        }
    }
    let feed = world.open(&config);
    let all = 100 * rounds;
    world.emulator.publish([numbered(all)]);
    loop {
        let number = number_of(&feed.must_next_and_ack());
        assert!(done.insert(number), "{number} came again at the end");
        if number == all {
            break;
        }
    }
    // One of each process may have been acknowledged without anybody having heard of it.
    assert!(done.len() + rounds > all, "{} of {all} came", done.len());
}

#[test]
fn a_refused_event_comes_back_after_a_kill() {
    let world = World::new();
    let config = world.first(json!({}));
    let mut bot = world.start(&config);
    publish(&world, &mut bot, 0..2);
    let refused = bot.must_next();
    assert_eq!(bot.call("nack", &json!(refused.delivery)), DATAFEED_OK);
    bot.kill();
    let mut bot = world.start(&config);
    assert_eq!(receive(&mut bot, 2), [0, 1]);
}

/// One word in the configuration is changed.
#[test]
fn what_datafeed_1_has_handed_over_comes_back_with_datafeed_2() {
    let world = World::new();
    let mut config = world.first(json!({}));
    let mut bot = world.start(&config);
    publish(&world, &mut bot, 0..5);
    assert_eq!(receive(&mut bot, 2), [0, 1]);
    bot.kill();
    config["datafeed"]["version"] = json!("v2");
    let mut bot = world.begin(&config);
    assert_eq!(receive(&mut bot, 1), [2]);
    bot.kill();
    let feed = Feed::open(&config);
    feed.wait_for_log("a feed");
    world.emulator.publish([numbered(5)]);
    let came: Vec<usize> = (0..3).map(|_| number_of(&feed.must_next_and_ack())).collect();
    assert_eq!(came, [3, 4, 5]);
    assert!(world.emulator.wait_until(PATIENCE, |books| books.acknowledged == 1));
    feed.close_at_once();
    assert_eq!(world.open(&config).stats()["queued"], 0);
}

#[test]
fn close_says_nothing_of_lost_events_when_none_are() {
    let world = World::new();
    let config = world.first(json!({}));
    let feed = world.open(&config);
    world.emulator.publish((0..3).map(numbered));
    feed.must_next();
    feed.close_at_once();
    while let Ok(line) = feed.next_log(0) {
        assert_ne!(line["level"], "warn", "{line}");
    }
}
