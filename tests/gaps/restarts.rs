//! With `stateDir` a process tells what happened while there was none.

use datafeed_emulator::{Endpoint, FaultAction, Settings};
use serde_json::json;

use super::common::process::was_a_bot;
use super::common::*;
use super::world::{Gap, World, another_millisecond, gap, now};

/// Also the test that every bot in a process of its own begins with.
#[test]
fn a_gap_is_told_until_it_is_acknowledged() {
    if was_a_bot() {
        return;
    }
    let world = World::new();
    let config = world.stored(world.second(json!({})));
    world.open(&config).close_at_once();
    world.emulator.remove_feeds();
    let mut told = None;
    for _ in 0..3 {
        let mut bot = world.begin(&config);
        let gap = Gap::of(&bot.must_next().text);
        assert_eq!(*told.get_or_insert(gap.text.clone()), gap.text);
        bot.kill();
    }
    let mut bot = world.begin(&config);
    assert_eq!(Some(bot.must_next_and_ack()), told);
    bot.kill();
    let feed = world.open(&config);
    world.next_is(&feed, 0);
}

#[test]
fn a_feed_that_went_while_there_was_no_process() {
    for killed in [false, true] {
        for outlived in [false, true] {
            let world = World::new();
            let config = world.stored(world.second(json!({})));
            let begin = now();
            let mut bot = world.start(&config);
            world.publish(0);
            bot.must_next_and_ack();
            if killed {
                bot.kill();
            } else {
                assert_eq!(bot.call("close", &json!(null)), DATAFEED_OK);
                drop(bot);
            }
            let lost = world.publish(1);
            if outlived {
                world.outlive();
            } else {
                world.emulator.remove_feeds();
            }
            let feed = Feed::open(&config);
            let gap = gap(&feed);
            gap.covers(lost..=lost, "FEED_GONE");
            assert!(gap.from.is_none_or(|from| from >= begin) && gap.to <= now(), "{gap:?}");
            world.next_is(&feed, 2);
        }
    }
}

/// Nobody knows what the service did with a read that was left, and what it had handed out is gone.
#[test]
fn a_read_of_datafeed_1_that_was_left() {
    for killed in [false, true] {
        let world = World::new();
        let config = world.stored(world.first(json!({})));
        let mut before = now();
        let mut bot = world.start(&config);
        let came = world.publish(0);
        bot.must_next_and_ack();
        let reads = world.reads();
        world.wait_for_read_after(reads);
        let left = another_millisecond();
        if killed {
            bot.kill();
        } else {
            assert_eq!(bot.call("close", &json!(null)), DATAFEED_OK);
            drop(bot);
            // One that is killed may not have stored its place in the latest second.
            before = came;
        }
        let feed = world.open(&config);
        let gap = gap(&feed);
        gap.covers(left..=left, "ANSWER_LOST");
        gap.is_within(before..=now());
        feed.close_at_once();
    }
}

/// What is lost with a process that is killed while the answer is on its way.
#[test]
fn an_answer_of_datafeed_1_that_was_on_its_way_to_a_process_that_was_killed() {
    let world = World::with(Settings::default());
    let config = world.stored(world.first(json!({})));
    let before = now();
    let mut bot = world.start(&config);
    let reads = world.reads();
    world.fault(Endpoint::V1Read, FaultAction::Stall { after_bytes: 20 }, true);
    world.publish(0);
    bot.must_next_and_ack();
    world.wait_for_read_after(reads);
    let lost = world.publish(1);
    assert!(world.emulator.wait_until_v1(PATIENCE, |books| books.handed_out == 2));
    bot.kill();
    assert!(world.emulator.wait_until_v1(PATIENCE, |books| books.lost == 1));
    let feed = world.open(&config);
    // The read that ends the doubt is a long one.
    world.publish(2);
    let gap = gap(&feed);
    gap.covers(lost..=lost, "ANSWER_LOST");
    gap.is_within(before..=now());
    assert_eq!(number_of(&feed.must_next_and_ack()), 2);
}

#[test]
fn an_end_while_nothing_was_read_is_no_gap() {
    for killed in [false, true] {
        let world = World::new();
        let config = world.stored(world.first(json!({"maxUnacknowledged": 1})));
        let mut bot = world.start(&config);
        world.publish(0);
        bot.must_next();
        // It is told when the folder knows.
        bot.call("log", &json!("reading waits for the bot"));
        if killed {
            bot.kill();
        } else {
            assert_eq!(bot.call("close", &json!(null)), DATAFEED_OK);
            drop(bot);
        }
        let feed = Feed::open(&config);
        assert_eq!(number_of(&feed.must_next_and_ack()), 0);
        world.next_is(&feed, 1);
    }
}

#[test]
fn a_restart_with_datafeed_2_is_no_gap() {
    let world = World::new();
    let config = world.stored(world.second(json!({})));
    for number in 0..3 {
        let mut bot = world.start(&config);
        world.publish(number);
        assert_eq!(number_of(&bot.must_next_and_ack()), number);
        bot.kill();
        world.emulator.advance(std::time::Duration::from_secs(61));
    }
    let feed = world.open(&config);
    world.next_is(&feed, 3);
}

/// Without a folder nobody knows that there was a process before.
#[test]
fn without_a_folder_a_process_begins_anew() {
    let world = World::new();
    for config in [world.first(json!({})), world.second(json!({}))] {
        let feed = world.open(&config);
        world.next_is(&feed, 0);
        feed.close_at_once();
        world.emulator.remove_feeds();
        let feed = world.open(&config);
        // With Datafeed 1 the file still has the feed's id, so this is told.
        if config["datafeed"]["version"] == "v1" {
            assert_eq!(gap(&feed).reason, "FEED_GONE");
        }
        feed.wait_for_log("created a feed");
        world.next_is(&feed, 1);
    }
}
