//! Events that are refused: how long they rest, and where they are after too many attempts.

use std::time::Duration;

use serde_json::{Value, json};

use super::common::*;
use super::disk;
use super::world::{World, until};

/// The next event, refused.
#[track_caller]
fn refuse(feed: &Feed) -> String {
    let event = feed.must_next();
    assert_eq!(feed.nack(event.delivery), DATAFEED_OK);
    event.text
}

/// A feed whose bot has refused so many events once too often, and the configuration.
#[track_caller]
fn with_letters(world: &World, count: usize) -> (Feed, Value) {
    let config = world.second(json!({"maxAttempts": 1}));
    let feed = world.open(&config);
    world.emulator.publish((0..count).map(numbered));
    for _ in 0..count {
        refuse(&feed);
    }
    assert_eq!(feed.stats()["deadLetters"], count);
    (feed, config)
}

/// Of all pages.
#[track_caller]
fn all_letters(feed: &Feed) -> Vec<Value> {
    let mut letters = Vec::new();
    loop {
        let after = letters.last().map_or(0, id_of);
        let page = feed.dead_letters(after).expect("a page");
        if page.is_empty() {
            return letters;
        }
        assert!(page.len() <= 100);
        letters.extend(page);
    }
}

fn id_of(letter: &Value) -> u64 {
    letter["id"].as_u64().expect("an id")
}

#[test]
fn the_rest_of_a_refused_event_doubles_up_to_five_minutes() {
    let world = World::new();
    let config = config(&world.emulator, json!({"nackDelay": 100_000}));
    let feed = world.open(&config);
    world.emulator.publish([numbered(0)]);
    let mut event = feed.must_next();
    for (seconds, attempt) in [(100, 2), (200, 3), (300, 4), (300, 5)] {
        assert_eq!(feed.nack(event.delivery), DATAFEED_OK);
        feed.advance(Duration::from_secs(seconds - 20));
        assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT), "before {seconds} s");
        feed.advance(Duration::from_secs(20));
        event = feed.must_next();
        assert_eq!(feed.attempt(event.delivery), Ok(attempt));
    }
}

#[test]
fn after_the_last_attempt_an_event_is_set_aside_and_is_done_for_the_service() {
    let world = World::new();
    let feed = world.open(&world.second(json!({"maxAttempts": 3, "nackDelay": 0})));
    world.emulator.publish([numbered(0), numbered(1)]);
    let mut attempts = Vec::new();
    while attempts.len() < 3 {
        let event = feed.must_next();
        if number_of(&event.text) == 1 {
            assert_eq!(feed.ack(event.delivery), DATAFEED_OK);
            continue;
        }
        attempts.push(feed.attempt(event.delivery).expect("it is held"));
        assert_eq!(feed.nack(event.delivery), DATAFEED_OK);
    }
    assert_eq!(attempts, [1, 2, 3]);
    feed.wait_for_log("refused maxAttempts times, and is set aside");
    assert!(world.emulator.wait_until(PATIENCE, |books| books.acknowledged == 2));
    let stats = feed.stats();
    assert_eq!((&stats["setAside"], &stats["deadLetters"]), (&json!(1), &json!(1)));
    let letters = feed.dead_letters(0).expect("a list");
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert_eq!(letter["attempts"], 3);
    let event: Value = serde_json::from_str(&numbered(0)).expect("JSON");
    assert_eq!(letter["event"], event);
    let at = letter["at"].as_u64().expect("a time");
    assert!(at.abs_diff(now()) < PATIENCE.as_millis() as u64, "{at}");
}

/// Nobody asks for another event, so it is for its sake alone that the service is told.
#[test]
fn the_service_is_told_when_the_last_of_a_batch_is_set_aside() {
    let world = World::new();
    let feed = world.open(&world.second(json!({"maxAttempts": 1})));
    world.emulator.publish([numbered(0), numbered(1)]);
    let held = [feed.must_next(), feed.must_next()];
    until("nothing is read", || feed.stats()["state"] == "WAITING_FOR_BOT");
    assert_eq!(feed.ack(held[0].delivery), DATAFEED_OK);
    assert_eq!(feed.nack(held[1].delivery), DATAFEED_OK);
    assert!(world.emulator.wait_until(PATIENCE, |books| books.acknowledged == 2));
}

fn now() -> u64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("a time");
    since.as_millis() as u64
}

#[test]
fn attempts_are_counted_over_restarts() {
    for first in [true, false] {
        let world = World::new();
        let settings = json!({"maxAttempts": 3, "nackDelay": 0});
        let config = if first {
            world.first(settings)
        } else {
            world.second(settings)
        };
        let feed = world.open(&config);
        world.emulator.publish([numbered(0)]);
        refuse(&feed);
        let event = feed.must_next();
        assert_eq!(feed.attempt(event.delivery), Ok(2));
        feed.close_at_once();
        let feed = Feed::open(&config);
        feed.wait_for_log("reading the feed");
        world.deliver_again();
        let event = feed.must_next();
        assert_eq!(feed.attempt(event.delivery), Ok(3));
        assert_eq!(feed.nack(event.delivery), DATAFEED_OK);
        assert_eq!(feed.dead_letters(0).expect("a list")[0]["attempts"], 3);
    }
}

/// Not one bot has lived to refuse it.
#[test]
fn an_event_that_ends_the_process_each_time_is_set_aside() {
    for first in [true, false] {
        let world = World::new();
        let settings = json!({"maxAttempts": 3});
        let config = if first {
            world.first(settings)
        } else {
            world.second(settings)
        };
        let mut bot = world.start(&config);
        world.emulator.publish([numbered(0)]);
        for attempt in 1..=3 {
            let event = bot.must_next();
            assert_eq!(bot.call("attempt", &json!(event.delivery)), attempt);
            bot.kill();
            bot = world.begin(&config);
            world.deliver_again();
        }
        bot.call("log", &json!("by processes before this one, and are set aside"));
        bot.kill();
        let feed = Feed::open(&config);
        feed.wait_for_log("reading the feed");
        until("it is listed", || {
            feed.dead_letters(0).is_ok_and(|letters| letters.len() == 1)
        });
        assert_eq!(all_letters(&feed)[0]["attempts"], 3);
        world.deliver_again();
        world.emulator.publish([numbered(1)]);
        assert_eq!(number_of(&feed.must_next_and_ack()), 1);
    }
}

#[test]
fn letters_are_listed_page_by_page_over_restarts_too() {
    let world = World::new();
    let (feed, config) = with_letters(&world, 250);
    let letters = all_letters(&feed);
    let numbers: Vec<_> = letters
        .iter()
        .map(|letter| number_of(&letter["event"].to_string()))
        .collect();
    assert_eq!(numbers, (0..250).collect::<Vec<_>>());
    assert!(letters.is_sorted_by_key(id_of));
    assert_eq!(feed.dead_letters(u64::MAX), Ok(Vec::new()));
    feed.close_at_once();
    assert_eq!(feed.dead_letters(0), Err(DATAFEED_CLOSED));
    let again = world.open(&config);
    assert_eq!(again.stats()["deadLetters"], 250);
    assert_eq!(all_letters(&again), letters);
}

#[test]
fn a_resubmitted_event_is_handed_out_as_if_it_were_new() {
    let world = World::new();
    let (feed, config) = with_letters(&world, 2);
    let ids: Vec<_> = all_letters(&feed).iter().map(id_of).collect();
    assert_eq!(feed.resubmit(ids[0]), DATAFEED_OK);
    assert_eq!(feed.resubmit(ids[0]), DATAFEED_INVALID_ARGUMENT, "it is none any more");
    assert_eq!(all_letters(&feed).len(), 1);
    let event = feed.must_next();
    assert_eq!((number_of(&event.text), feed.attempt(event.delivery)), (0, Ok(1)));
    // It is in the folder until it is done with, and with one attempt that was it.
    feed.close_at_once();
    let feed = Feed::open(&config);
    let letters = all_letters(&feed);
    assert_eq!(letters.len(), 2);
    assert!(id_of(&letters[1]) > ids[1], "an id is never used again");
    assert_eq!(feed.resubmit(id_of(&letters[1])), DATAFEED_OK);
    assert_eq!(number_of(&feed.must_next_and_ack()), 0);
    feed.close_at_once();
    let feed = Feed::open(&config);
    assert_eq!(all_letters(&feed).len(), 1);
    assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT));
}

#[test]
fn a_resubmitted_event_wakes_a_bot_that_waits() {
    let world = World::new();
    let (feed, _) = with_letters(&world, 1);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| feed.must_next_and_ack());
        assert_eq!(feed.resubmit(id_of(&all_letters(&feed)[0])), DATAFEED_OK);
        assert_eq!(number_of(&waiting.join().expect("an event")), 0);
    });
}

#[test]
fn a_discarded_event_is_gone() {
    let world = World::new();
    let (feed, config) = with_letters(&world, 2);
    let letters = all_letters(&feed);
    assert_eq!(feed.discard(id_of(&letters[0])), DATAFEED_OK);
    assert_eq!(feed.discard(id_of(&letters[0])), DATAFEED_INVALID_ARGUMENT);
    assert_eq!(feed.stats()["deadLetters"], 1);
    feed.close_at_once();
    assert_eq!(feed.discard(id_of(&letters[1])), DATAFEED_CLOSED);
    assert_eq!(feed.resubmit(id_of(&letters[1])), DATAFEED_CLOSED);
    let again = world.open(&config);
    assert_eq!(all_letters(&again), letters[1..]);
}

#[test]
fn an_id_that_no_letter_has_is_refused() {
    let world = World::new();
    let (feed, _) = with_letters(&world, 1);
    let known = id_of(&all_letters(&feed)[0]);
    for id in [0, known + 1, i64::MAX as u64, u64::MAX] {
        assert_eq!(feed.resubmit(id), DATAFEED_INVALID_ARGUMENT, "{id}");
        assert_eq!(feed.discard(id), DATAFEED_INVALID_ARGUMENT, "{id}");
    }
    assert_eq!(all_letters(&feed).len(), 1);
}

#[test]
fn without_a_folder_there_are_none() {
    let world = World::new();
    let feed = Feed::open(&config(&world.emulator, json!({})));
    assert_eq!(feed.dead_letters(0), Ok(Vec::new()));
    assert_eq!(feed.resubmit(1), DATAFEED_INVALID_ARGUMENT);
    assert_eq!(feed.discard(1), DATAFEED_INVALID_ARGUMENT);
}

#[test]
fn what_is_set_aside_on_a_full_disk_is_stored_when_there_is_room() {
    let world = World::new();
    let (feed, config) = with_letters(&world, 2);
    let before = all_letters(&feed);
    world.emulator.publish([numbered(2)]);
    let poison = feed.must_next();
    disk::is_full(&world.folder);
    assert_eq!(feed.nack(poison.delivery), DATAFEED_NOT_STORED);
    for letter in &before {
        assert_eq!(feed.resubmit(id_of(letter)), DATAFEED_NOT_STORED);
        assert_eq!(feed.discard(id_of(letter)), DATAFEED_NOT_STORED);
    }
    assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT), "nothing is done");
    disk::has_room(&world.folder);
    feed.wait_for_log("the state store takes changes again");
    until("what was set aside is listed", || all_letters(&feed).len() == 3);
    assert_eq!(all_letters(&feed)[..2], before);
    assert_eq!(feed.resubmit(id_of(&before[0])), DATAFEED_OK);
    assert_eq!(feed.discard(id_of(&before[1])), DATAFEED_OK);
    feed.close_at_once();
    let again = Feed::open(&config);
    let letters = all_letters(&again);
    assert_eq!((letters.len(), number_of(&letters[0]["event"].to_string())), (1, 2));
    assert_eq!(number_of(&again.must_next_and_ack()), 0);
}
