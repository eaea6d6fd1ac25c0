//! What the bot can rely on, through the C interface, against the emulator's books.

mod common;

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use common::reads::{count_reads, is_read};
use common::*;
use datafeed_emulator::{Endpoint, Layout, Order, Outcome, Settings, chat};
use serde_json::json;

/// Everything is acknowledged at the service, and stays so for longer than a lease lasts.
#[track_caller]
fn all_acknowledged(emulator: &datafeed_emulator::Emulator, count: u64) {
    assert!(
        emulator.wait_until(PATIENCE, |books| books.acknowledged == count),
        "{:?}",
        emulator.books()
    );
    emulator.advance(Duration::from_secs(31));
    let books = emulator.books();
    assert_eq!(
        (books.acknowledged, books.queued, books.leased),
        (count, 0, 0),
        "{books:?}"
    );
}

fn ten_thousand_events(layout: Layout) {
    let emulator = emulator(Settings {
        batch: 1..=500,
        layout,
        ..quick()
    });
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    let mut generator = chat::Generator::new(7);
    let published: Vec<String> = (0..10_000).map(|_| generator.event()).collect();
    emulator.publish(published.clone());
    for expected in &published {
        assert_eq!(feed.must_next_and_ack(), *expected);
    }
    all_acknowledged(&emulator, 10_000);
    let books = emulator.books();
    assert_eq!(
        books.redelivered, 0,
        "one thread that acknowledges at once is never late"
    );
    assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT));
    // The last confirmation is the answer to a read, which comes when the long poll is over.
    while feed.stats()["confirmed"] != 10_000 {
        assert_eq!(feed.next(50), Err(DATAFEED_TIMEOUT));
    }
    let stats = feed.stats();
    for (name, expected) in [
        ("handedOut", 10_000),
        ("acknowledged", 10_000),
        ("held", 0),
        ("redelivered", 0),
    ] {
        assert_eq!(stats[name], expected, "{name} in {stats:#}");
    }
}

#[test]
fn ten_thousand_events_arrive_once_in_order_and_unchanged() {
    ten_thousand_events(Layout::Compact);
}

#[test]
fn ten_thousand_events_arrive_however_the_answers_are_laid_out() {
    ten_thousand_events(Layout::Varied);
}

#[test]
fn eight_workers_that_acknowledge_out_of_order_get_nothing_twice() {
    const EVENTS: usize = 10_000;
    let emulator = emulator(Settings {
        batch: 1..=500,
        order: Order::Shuffled,
        visibility_timeout: Duration::from_secs(2),
        ..quick()
    });
    let settings = json!({"visibilityTimeout": 2000, "maxUnacknowledged": 20_000});
    let feed = open_and_wait(&emulator, &config(&emulator, settings));
    emulator.publish((0..EVENTS).map(numbered));
    let seen: Mutex<HashMap<usize, u32>> = Mutex::default();
    let acknowledged = AtomicUsize::new(0);
    thread::scope(|scope| {
        for worker in 0..8u64 {
            let (feed, seen, acknowledged) = (&feed, &seen, &acknowledged);
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(worker);
                // Events that this worker is busy with, and until when.
                let mut busy: Vec<(std::time::Instant, u64)> = Vec::new();
                while acknowledged.load(Ordering::SeqCst) < EVENTS {
                    match feed.next(5) {
                        Ok(event) => {
                            *seen.lock().unwrap().entry(number_of(&event.text)).or_default() += 1;
                            let work = Duration::from_millis(random.u64(0..=200));
                            busy.push((std::time::Instant::now() + work, event.delivery));
                        }
                        Err(status) => assert_eq!(status, DATAFEED_TIMEOUT),
                    }
                    busy.retain(|(until, delivery)| {
                        let working = std::time::Instant::now() < *until;
                        if !working {
                            assert_eq!(feed.ack(*delivery), DATAFEED_OK);
                            acknowledged.fetch_add(1, Ordering::SeqCst);
                        }
                        working
                    });
                }
            });
        }
    });
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen.len(), EVENTS);
    assert!(seen.values().all(|times| *times == 1), "something came twice");
    assert!(
        emulator.wait_until(PATIENCE, |books| books.acknowledged == EVENTS as u64),
        "{:?}",
        emulator.books()
    );
    // Longer than a lease: what was not acknowledged would come again.
    feed.advance(Duration::from_secs(3));
    emulator.advance(Duration::from_secs(3));
    let books = emulator.books();
    assert_eq!(
        (books.acknowledged, books.queued, books.leased),
        (EVENTS as u64, 0, 0),
        "{books:?}"
    );
    assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT));
}

#[test]
fn an_event_held_for_ten_minutes_comes_once_and_holds_up_nobody() {
    let emulator = emulator(Settings {
        batch: 10..=10,
        ..quick()
    });
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    emulator.publish((0..3).map(numbered));
    let held = feed.must_next();
    assert_eq!(number_of(&held.text), 0);
    let mut next = 3;
    for expected in 1..3 {
        assert_eq!(number_of(&feed.must_next_and_ack()), expected);
    }
    // Ten minutes under traffic, in steps shorter than a lease.
    for _ in 0..60 {
        emulator.publish((next..next + 5).map(numbered));
        for expected in next..next + 5 {
            assert_eq!(number_of(&feed.must_next_and_ack()), expected);
        }
        next += 5;
        let stock = emulator.books();
        // What is redelivered together with the held event cannot be acknowledged: at most the rest of its batch.
        assert!(
            stock.leased + stock.queued <= 30,
            "the unacknowledged stock grows: {stock:?}"
        );
        feed.advance(Duration::from_secs(10));
        emulator.advance(Duration::from_secs(10));
    }
    assert_eq!(feed.stats()["held"], 1);
    assert!(
        feed.stats()["redelivered"].as_u64().unwrap() >= 15,
        "it was redelivered all the time"
    );
    let before = count_reads(&emulator.requests());
    assert_eq!(feed.ack(held.delivery), DATAFEED_OK);
    // An answer that is on its way while the clocks move has taken a visibility timeout, and what comes again right after it
    // looks like other events. So the read that the acknowledgement called for is to be over, and the next one to wait.
    assert!(emulator.wait_for_requests(PATIENCE, |requests| {
        let last = requests.iter().rfind(|request| is_read(request));
        count_reads(requests) > before + 2 && last.is_some_and(|read| read.outcome == Outcome::Waiting)
    }));
    feed.advance(Duration::from_secs(31));
    emulator.advance(Duration::from_secs(31));
    assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT));
    assert!(
        emulator.wait_until(PATIENCE, |books| books.acknowledged == next as u64),
        "{:?} of {next}; {:#}",
        emulator.books(),
        feed.stats()
    );
}

#[test]
fn one_refused_event_of_ten_returns_alone() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({"nackDelay": 20})));
    emulator.publish((0..10).map(numbered));
    let batch: Vec<Received> = (0..10).map(|_| feed.must_next()).collect();
    for event in &batch {
        assert_eq!(feed.attempt(event.delivery), Ok(1));
        if number_of(&event.text) == 3 {
            assert_eq!(feed.nack(event.delivery), DATAFEED_OK);
        } else {
            assert_eq!(feed.ack(event.delivery), DATAFEED_OK);
        }
    }
    let again = feed.must_next();
    assert_eq!(again.text, batch[3].text);
    assert_ne!(again.delivery, batch[3].delivery);
    assert_eq!(feed.attempt(again.delivery), Ok(2));
    assert_eq!(feed.attempt(batch[3].delivery), Err(DATAFEED_INVALID_ARGUMENT));
    assert_eq!(feed.ack(again.delivery), DATAFEED_OK);
    all_acknowledged(&emulator, 10);
    assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT));
}

#[test]
fn not_reading_for_forty_minutes_loses_nothing() {
    let emulator = emulator(Settings {
        batch: 5..=5,
        ..quick()
    });
    let feed = open_and_wait(&emulator, &config(&emulator, json!({"maxUnacknowledged": 5})));
    emulator.publish((0..20).map(numbered));
    let first = feed.must_next();
    // The bot does nothing. Without a read for 30 minutes the service would drop the feed with 15 events in it.
    for minute in 1..=8 {
        let reads = count_reads(&emulator.requests());
        feed.advance(Duration::from_secs(301));
        emulator.advance(Duration::from_secs(301));
        if minute % 2 == 0 {
            let alive = emulator.wait_for_requests(PATIENCE, |requests| {
                requests
                    .iter()
                    .filter(|request| request.endpoint == Some(Endpoint::Read))
                    .count()
                    > reads
            });
            assert!(alive, "no keep-alive read");
            feed.wait_for_log("kept the feed alive");
        }
    }
    assert_eq!(emulator.feeds().len(), 1);
    assert_eq!(emulator.books().removed_unacknowledged, 0);
    assert_eq!(feed.ack(first.delivery), DATAFEED_OK);
    let mut numbers = vec![number_of(&first.text)];
    while numbers.len() < 20 {
        match feed.next(100) {
            Ok(event) => {
                numbers.push(number_of(&event.text));
                assert_eq!(feed.ack(event.delivery), DATAFEED_OK);
            }
            // What keep-alive reads left behind comes back after the visibility timeout.
            Err(status) => {
                assert_eq!(status, DATAFEED_TIMEOUT);
                feed.advance(Duration::from_secs(31));
                emulator.advance(Duration::from_secs(31));
            }
        }
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
    assert!(feed.stats()["keepAliveReads"].as_u64().unwrap() >= 3);
}

#[test]
fn asking_for_the_next_acknowledges_the_one_before_when_so_configured() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({"ack": "implicit"})));
    emulator.publish((0..3).map(numbered));
    for expected in 0..3 {
        assert_eq!(number_of(&feed.must_next().text), expected);
        assert_eq!(feed.stats()["acknowledged"], expected);
    }
    assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT));
    all_acknowledged(&emulator, 3);
}

#[test]
fn implicit_acknowledgement_lets_the_bot_refuse_and_admits_one_consumer() {
    let emulator = emulator(quick());
    let settings = json!({"ack": "implicit", "nackDelay": 1});
    let feed = open_and_wait(&emulator, &config(&emulator, settings));
    emulator.publish([numbered(0)]);
    let event = feed.must_next();
    assert_eq!(feed.nack(event.delivery), DATAFEED_OK);
    assert_eq!(feed.must_next().text, event.text);
    thread::scope(|scope| {
        // Whoever of the two comes second is refused.
        let waiting = scope.spawn(|| {
            loop {
                match feed.next(-1) {
                    Err(DATAFEED_INVALID_ARGUMENT) => {}
                    other => return other,
                }
            }
        });
        // The other thread is in the call as soon as this one is refused.
        loop {
            match feed.next(0) {
                Err(DATAFEED_INVALID_ARGUMENT) => break,
                other => assert_eq!(other, Err(DATAFEED_TIMEOUT)),
            }
        }
        feed.close();
        assert_eq!(waiting.join().unwrap(), Err(DATAFEED_CLOSED));
    });
}

#[test]
fn with_implicit_acknowledgement_closed_is_closed() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({"ack": "implicit"})));
    emulator.publish([numbered(0)]);
    feed.must_next();
    assert_eq!(feed.close(), DATAFEED_OK);
    for _ in 0..3 {
        assert_eq!(feed.next(-1), Err(DATAFEED_CLOSED));
    }
    assert_eq!(feed.stats()["held"], 0, "nobody can give it back any more");
}

#[test]
fn a_lent_event_is_readable_until_it_is_given_back_also_after_close() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    emulator.publish([numbered(0), numbered(1)]);
    let (mut first, mut second) = (std::ptr::null(), std::ptr::null());
    let (mut deliveries, mut length) = ([0, 0], 0);
    for (place, delivery) in [(&mut first, 0), (&mut second, 1)] {
        // SAFETY: the places are valid for the call.
        let status = unsafe {
            datafeed::ffi::event::datafeed_next_event(feed.0, 60_000, &mut deliveries[delivery], place, &mut length)
        };
        assert_eq!(status, DATAFEED_OK);
    }
    assert_eq!(feed.ack(deliveries[0]), DATAFEED_OK);
    assert_eq!(feed.close(), DATAFEED_OK);
    // SAFETY: lent until its delivery is given back, whatever happens to the feed.
    let text = unsafe { std::ffi::CStr::from_ptr(second) }.to_str().unwrap();
    assert_eq!(text, numbered(1));
    for delivery in [deliveries[1], deliveries[1], deliveries[0]] {
        assert_eq!(feed.ack(delivery), DATAFEED_CLOSED);
    }
}
