//! A graceful end: nothing more is handed out, and what the bot holds is waited for.

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::folder::Folder;
use common::*;
use datafeed_emulator::{Emulator, Endpoint, Fault, Outcome, Settings};
use serde_json::json;

const WAIT: i32 = PATIENCE.as_millis() as i32;

/// What a read that is abandoned at close may have taken is not what these tests are about.
fn slow() -> Settings {
    Settings {
        abandoned_reads_take: false,
        ..Settings::default()
    }
}

/// A feed with so many events, of which each is a batch of its own.
fn feed_with(emulator: &Emulator, events: usize) -> Feed {
    let feed = open_and_wait(emulator, &config(emulator, json!({"nackDelay": 0})));
    emulator.publish((0..events).map(numbered));
    feed
}

fn one_by_one() -> Settings {
    Settings { batch: 1..=1, ..slow() }
}

/// Drains, and checks that it was not the end of its time that ended it.
fn drain(feed: &Feed) -> i32 {
    let started = Instant::now();
    let status = feed.drain(WAIT);
    assert!(started.elapsed() < PATIENCE, "nobody woke it");
    status
}

/// Waits until the feed was told to hand out nothing more.
fn until_it_drains(feed: &Feed) {
    assert_eq!(feed.next(WAIT), Err(DATAFEED_CLOSED));
}

#[test]
fn workers_finish_and_their_acknowledgements_are_written() {
    let emulator = emulator(one_by_one());
    let feed = feed_with(&emulator, 9);
    thread::scope(|scope| {
        // The loop that every worker has.
        let workers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut done = 0;
                    loop {
                        match feed.next(-1) {
                            Ok(event) => assert_eq!(feed.ack(event.delivery), DATAFEED_OK),
                            Err(status) => return (status, done),
                        }
                        done += 1;
                    }
                })
            })
            .collect();
        assert!(emulator.wait_until(PATIENCE, |books| books.handed_out >= 3));
        assert_eq!(drain(&feed), DATAFEED_OK);
        let mut done = 0;
        for worker in workers {
            let (status, events) = worker.join().unwrap();
            assert_eq!(status, DATAFEED_CLOSED);
            done += events;
        }
        // Those were acknowledged and no others: the rest is there for the next reader.
        assert!(emulator.wait_until(PATIENCE, |books| books.acknowledged == done));
    });
    assert_eq!(feed.stats()["state"], "CLOSED");
    assert_eq!(feed.drain(WAIT), DATAFEED_CLOSED);
}

#[test]
fn acknowledgements_go_out_while_others_are_waited_for_and_a_refusal_ends_it() {
    // The first acknowledgement may have to wait for the end of a read that is under way.
    let emulator = emulator(Settings {
        batch: 1..=1,
        ..quick()
    });
    let feed = feed_with(&emulator, 2);
    let first = feed.must_next();
    let second = feed.must_next();
    thread::scope(|scope| {
        let drain = scope.spawn(|| drain(&feed));
        until_it_drains(&feed);
        assert_eq!(feed.ack(first.delivery), DATAFEED_OK);
        assert!(emulator.wait_until(PATIENCE, |books| books.acknowledged == 1));
        assert_eq!(feed.attempt(second.delivery), Ok(1));
        assert_eq!(feed.nack(second.delivery), DATAFEED_OK);
        assert_eq!(drain.join().unwrap(), DATAFEED_OK);
    });
    assert_eq!(emulator.books().acknowledged, 1);
}

#[test]
fn the_time_of_a_drain_is_over_and_the_feed_is_closed() {
    let emulator = emulator(one_by_one());
    for timeout in [0, 10] {
        let feed = feed_with(&emulator, 1);
        let held = feed.must_next();
        assert_eq!(feed.drain(timeout), DATAFEED_TIMEOUT);
        assert_eq!(feed.stats()["state"], "CLOSED");
        assert_eq!(feed.ack(held.delivery), DATAFEED_CLOSED);
    }
}

#[test]
fn of_two_drains_one_closes() {
    let emulator = emulator(one_by_one());
    let feed = feed_with(&emulator, 1);
    let held = feed.must_next();
    thread::scope(|scope| {
        let drains = [scope.spawn(|| feed.drain(-1)), scope.spawn(|| drain(&feed))];
        until_it_drains(&feed);
        assert_eq!(feed.ack(held.delivery), DATAFEED_OK);
        let mut answers = drains.map(|drain| drain.join().unwrap());
        answers.sort_unstable();
        assert_eq!(answers, [DATAFEED_OK, DATAFEED_CLOSED]);
    });
}

#[test]
fn a_close_ends_a_drain_and_an_interruption_does_not() {
    let emulator = emulator(one_by_one());
    let feed = feed_with(&emulator, 1);
    let held = feed.must_next();
    thread::scope(|scope| {
        let drain = scope.spawn(|| feed.drain(-1));
        until_it_drains(&feed);
        assert_eq!(feed.interrupt(), DATAFEED_OK);
        assert_eq!(feed.next(0), Err(DATAFEED_CLOSED));
        assert_eq!(feed.attempt(held.delivery), Ok(1));
        assert_eq!(feed.close(), DATAFEED_OK);
        assert_eq!(drain.join().unwrap(), DATAFEED_CLOSED);
    });
}

#[test]
fn a_feed_that_failed_can_be_drained() {
    let emulator = emulator(quick());
    let settings = json!({"datafeed": {"retry": {"maxAttempts": 1}}});
    let feed = open_and_wait(&emulator, &config(&emulator, settings));
    emulator.publish([numbered(0)]);
    let held = feed.must_next();
    emulator.fault(Fault {
        endpoint: Endpoint::Read,
        times: 1,
        action: status(503),
        after: false,
    });
    assert_eq!(feed.next(WAIT), Err(DATAFEED_FAILED));
    thread::scope(|scope| {
        let drain = scope.spawn(|| drain(&feed));
        while feed.next(0) != Err(DATAFEED_CLOSED) {
            thread::yield_now();
        }
        assert_eq!(feed.ack(held.delivery), DATAFEED_OK);
        assert_eq!(drain.join().unwrap(), DATAFEED_OK);
    });
    assert_eq!(feed.error().expect("the cause")["code"], "SERVICE_ERROR");
}

#[test]
fn a_drain_shows_at_the_descriptor() {
    let emulator = emulator(one_by_one());
    let feed = feed_with(&emulator, 1);
    let held = feed.must_next();
    assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT));
    assert!(!feed.readable(Duration::ZERO));
    thread::scope(|scope| {
        let drain = scope.spawn(|| drain(&feed));
        assert!(feed.readable(PATIENCE));
        assert_eq!(feed.next(0), Err(DATAFEED_CLOSED));
        assert_eq!(feed.ack(held.delivery), DATAFEED_OK);
        assert_eq!(drain.join().unwrap(), DATAFEED_OK);
    });
}

#[test]
fn implicit_acknowledgement_settles_the_last_event() {
    let emulator = emulator(one_by_one());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({"ack": "implicit"})));
    emulator.publish([numbered(0)]);
    feed.must_next();
    thread::scope(|scope| {
        let drain = scope.spawn(|| drain(&feed));
        until_it_drains(&feed);
        assert_eq!(drain.join().unwrap(), DATAFEED_OK);
    });
    assert!(emulator.wait_until(PATIENCE, |books| books.acknowledged == 1));
}

/// The service has forgotten it, so it would be lost.
#[test]
fn with_datafeed_1_everything_received_is_handed_out_first() {
    let emulator = emulator(slow());
    let folder = Folder::new();
    let mut config = config(&emulator, json!({"nackDelay": 0}));
    config["datafeed"] = json!({"version": "v1", "idFilePath": folder.as_ref()});
    let feed = Feed::open(&config);
    let reading = emulator.wait_for_requests(PATIENCE, |requests| {
        let mut requests = requests.iter();
        requests.any(|request| request.endpoint == Some(Endpoint::V1Read) && request.outcome == Outcome::Waiting)
    });
    assert!(reading);
    emulator.publish((0..5).map(numbered));
    assert!(emulator.wait_until_v1(PATIENCE, |books| books.handed_out == 5));
    let held = feed.must_next();
    thread::scope(|scope| {
        let drain = scope.spawn(|| drain(&feed));
        let worker = scope.spawn(|| {
            let mut numbers = Vec::new();
            loop {
                match feed.next(-1) {
                    Ok(event) if event.json()["n"] == 4 && feed.attempt(event.delivery) == Ok(1) => {
                        assert_eq!(feed.nack(event.delivery), DATAFEED_OK);
                    }
                    Ok(event) => {
                        numbers.push(number_of(&event.text));
                        assert_eq!(feed.ack(event.delivery), DATAFEED_OK);
                        if numbers.len() == 4 {
                            assert_eq!(feed.ack(held.delivery), DATAFEED_OK);
                        }
                    }
                    Err(status) => return (status, numbers),
                }
            }
        });
        assert_eq!(drain.join().unwrap(), DATAFEED_OK);
        assert_eq!(worker.join().unwrap(), (DATAFEED_CLOSED, vec![1, 2, 3, 4]));
    });
    assert_eq!(feed.stats()["acknowledged"], 5);
}
