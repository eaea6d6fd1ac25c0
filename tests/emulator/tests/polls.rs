//! The long poll: what ends it, who gets what comes, and what becomes of a read without its client.

mod common;

use std::time::{Duration, Instant};

use common::{Client, LONG, start};
use datafeed_emulator::{Emulator, Endpoint, Outcome};
use serde_json::Value;

fn values(range: std::ops::RangeInclusive<u32>) -> Vec<Value> {
    range.map(Value::from).collect()
}

/// Waits until so many reads have been seen, each with its effect.
fn reads_waiting(emulator: &Emulator, count: usize) {
    assert!(emulator.wait_for_requests(LONG, |log| {
        let reads = log.iter().filter(|r| r.endpoint == Some(Endpoint::Read));
        reads.count() == count
    }));
}

#[test]
fn a_read_waits_for_the_first_event() {
    let emulator = start(|settings| settings.poll = LONG);
    let client = Client::of(&emulator);
    let feed = client.create();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| client.take(&feed, "").0);
        reads_waiting(&emulator, 1);
        emulator.publish(["1"]);
        assert_eq!(reading.join().unwrap(), values(1..=1));
    });
}

#[test]
fn moving_the_clock_ends_a_poll_and_brings_events_back() {
    let emulator = start(|settings| {
        settings.poll = Duration::from_secs(300);
        settings.visibility_timeout = Duration::from_secs(100);
    });
    let client = Client::of(&emulator);
    let feed = client.create();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        emulator.publish(["1"]);
        client.take(&feed, "");
        let reading = scope.spawn(|| client.take(&feed, "").0);
        reads_waiting(&emulator, 2);
        emulator.advance(Duration::from_secs(100));
        assert_eq!(reading.join().unwrap(), values(1..=1));
        // It was handed out just now, so the poll time is over before it comes back again.
        emulator.change_settings(|settings| settings.poll = Duration::from_secs(50));
        let reading = scope.spawn(|| client.take(&feed, "").0);
        reads_waiting(&emulator, 3);
        emulator.advance(Duration::from_secs(50));
        assert!(reading.join().unwrap().is_empty());
    });
    assert!(begun.elapsed() < LONG);
}

#[test]
fn one_event_wakes_one_of_two_waiting_readers() {
    let emulator = start(|settings| settings.poll = LONG);
    let client = Client::of(&emulator);
    let feed = client.create();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2).map(|_| scope.spawn(|| client.take(&feed, "").0.len())).collect();
        reads_waiting(&emulator, 2);
        emulator.publish(["1"]);
        assert!(emulator.wait_until(LONG, |books| books.handed_out == 1));
        emulator.publish(["2"]);
        let counts: Vec<_> = readers.into_iter().map(|r| r.join().unwrap()).collect();
        assert_eq!(counts, [1, 1]);
    });
}

#[test]
fn a_waiting_read_learns_at_once_that_its_feed_is_gone() {
    let emulator = start(|settings| settings.poll = LONG);
    let client = Client::of(&emulator);
    let feed = client.create();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| client.read(&feed, "").status);
        reads_waiting(&emulator, 1);
        emulator.remove_feeds();
        assert_eq!(reading.join().unwrap(), 400);
    });
}

#[test]
fn an_abandoned_read_takes_events_or_not() {
    for takes in [true, false] {
        let emulator = start(|settings| {
            settings.poll = LONG;
            settings.abandoned_reads_take = takes;
        });
        let client = Client::of(&emulator);
        let feed = client.create();
        let reading = client.begin_read(&feed);
        reads_waiting(&emulator, 1);
        drop(reading);
        assert!(emulator.wait_for_requests(LONG, |log| { log.last().unwrap().outcome == Outcome::Abandoned }));
        emulator.publish(["1"]);
        if takes {
            assert!(emulator.wait_until(LONG, |books| books.leased == 1));
            emulator.advance(Duration::from_secs(30));
        }
        assert_eq!(client.take(&feed, "").0, values(1..=1));
        assert_eq!(emulator.books().redelivered, u64::from(takes));
    }
}

#[test]
fn waiting_for_what_does_not_come_ends_in_time() {
    let emulator = start(|_| ());
    let soon = Duration::from_millis(20);
    assert!(!emulator.wait_until(soon, |books| books.published > 0));
    assert!(!emulator.wait_for_requests(soon, |log| !log.is_empty()));
}

#[test]
fn leases_lapse_by_themselves() {
    let emulator = start(|settings| settings.visibility_timeout = Duration::from_millis(60));
    let client = Client::of(&emulator);
    let feed = client.create();
    emulator.publish(["1"]);
    client.take(&feed, "");
    assert!(emulator.wait_until(LONG, |books| books.queued == 1));
    emulator.change_settings(|settings| {
        settings.poll = LONG;
    });
    client.take(&feed, "");
    // The next read waits for the lease to end, not for the poll time.
    assert_eq!(client.take(&feed, "").0, values(1..=1));
}
