//! A process that is killed, with Datafeed 2.

use std::collections::{BTreeSet, HashSet};

use serde_json::json;

use super::common::process::was_a_bot;
use super::common::*;
use super::world::{World, until};

/// Also the test that every bot in a process of its own begins with.
#[test]
fn what_was_acknowledged_survives_a_kill() {
    if was_a_bot() {
        return;
    }
    let world = World::with(quick());
    let config = world.second(json!({}));
    let mut done = BTreeSet::new();
    let mut bot = world.start(&config);
    world.emulator.publish((0..30).map(numbered));
    for _ in 0..30 {
        assert!(done.insert(number_of(&bot.must_next_and_ack())), "it came again");
        // At once: the service has been told nothing, since the batch is not whole.
        bot.kill();
        world.deliver_again();
        bot = world.start(&config);
    }
    bot.kill();
    world.deliver_again();
    let feed = world.open(&config);
    world.emulator.publish([numbered(30)]);
    assert_eq!(world.receive_until(&feed, 30), BTreeSet::from([30]));
    assert!(world.emulator.wait_until(PATIENCE, |books| books.acknowledged == 31));
}

#[test]
fn a_bot_that_is_killed_at_work_again_and_again_does_nothing_twice() {
    let world = World::with(quick());
    let config = world.second(json!({}));
    let mut done = HashSet::new();
    let mut rng = fastrand::Rng::with_seed(7);
    let mut bot = world.start(&config);
    let rounds = 15;
    for round in 0..rounds {
        world
            .emulator
            .publish((0..100).map(|number| numbered(100 * round + number)));
        for text in bot.work_and_be_killed(rng.usize(1..40)) {
            assert!(done.insert(number_of(&text)), "{text} came again in round {round}");
        }
        world.deliver_again();
        bot = world.start(&config);
    }
    bot.kill();
    world.deliver_again();
    let feed = world.open(&config);
    until("the service knows that everything is done", || {
        while let Ok(event) = feed.next(0) {
            assert_eq!(feed.ack(event.delivery), DATAFEED_OK);
            assert!(done.insert(number_of(&event.text)), "{} came again", event.text);
        }
        world.emulator.books().acknowledged == 100 * rounds as u64
    });
    // One of each process may have been acknowledged without anybody having heard of it.
    assert!(done.len() + rounds >= 100 * rounds, "{} came", done.len());
}

#[test]
fn what_was_held_or_refused_comes_again_after_a_kill() {
    let world = World::with(quick());
    let config = world.second(json!({}));
    let mut bot = world.start(&config);
    world.emulator.publish((0..3).map(numbered));
    bot.must_next_and_ack();
    let refused = bot.must_next();
    assert_eq!(bot.call("nack", &json!(refused.delivery)), DATAFEED_OK);
    let held = bot.must_next();
    bot.kill();
    world.deliver_again();
    let feed = world.open(&config);
    let came = BTreeSet::from([0, 1].map(|_| feed.must_next_and_ack()));
    assert_eq!(came, BTreeSet::from([refused.text, held.text]));
}
