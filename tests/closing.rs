//! Stopping: at once, from any thread, and with the last acknowledgements written.

mod common;

use std::thread;
use std::time::Duration;

use common::*;
use datafeed_emulator::{Endpoint, Fault, FaultAction, Outcome, Settings};
use serde_json::json;

/// An emulator with the service's own long poll: a close that waited for it would be told by the test's length, and
/// one that waits for nothing is not measured here.
///
/// What a read that is abandoned at close may have taken is not what these tests are about.
fn slow() -> Settings {
    Settings {
        abandoned_reads_take: false,
        ..Settings::default()
    }
}

#[test]
fn the_last_acknowledgement_is_written_at_close() {
    let emulator = emulator(slow());
    for round in 1..=20 {
        let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
        emulator.publish([numbered(round)]);
        assert_eq!(number_of(&feed.must_next_and_ack()), round);
        assert_eq!(feed.close(), DATAFEED_OK);
        assert!(
            emulator.wait_until(PATIENCE, |books| books.acknowledged == round as u64),
            "round {round}: {:?}",
            emulator.books()
        );
    }
    assert_eq!(emulator.books().redelivered, 0);
}

#[test]
fn acknowledgements_of_several_batches_are_written_past_a_read_in_flight() {
    let emulator = emulator(Settings { batch: 1..=1, ..slow() });
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    emulator.publish((0..4).map(numbered));
    // Each event is a batch of its own, and all are held: every further read is one that carries nothing.
    let held: Vec<Received> = (0..4).map(|_| feed.must_next()).collect();
    assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT));
    let in_flight = emulator.wait_for_requests(PATIENCE, |requests| {
        let last = requests
            .iter()
            .rfind(|request| request.endpoint == Some(Endpoint::Read));
        last.is_some_and(|read| read.outcome == Outcome::Waiting && read.ack_id.as_deref() == Some(""))
    });
    assert!(in_flight);
    for event in held.iter().rev() {
        assert_eq!(feed.ack(event.delivery), DATAFEED_OK);
    }
    assert_eq!(feed.close(), DATAFEED_OK);
    assert!(
        emulator.wait_until(PATIENCE, |books| books.acknowledged == 4),
        "{:?}",
        emulator.books()
    );
}

/// The read that would have carried the acknowledgement is what the feed fails with.
#[test]
fn a_feed_that_fails_writes_what_was_acknowledged_before() {
    let emulator = emulator(quick());
    let feed = open_and_wait(
        &emulator,
        &config(&emulator, json!({"datafeed": {"retry": {"maxAttempts": 1}}})),
    );
    emulator.publish([numbered(0)]);
    let event = feed.must_next();
    assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT));
    let in_flight = emulator.wait_for_requests(PATIENCE, |requests| {
        let last = requests
            .iter()
            .rfind(|request| request.endpoint == Some(Endpoint::Read));
        last.is_some_and(|read| read.outcome == Outcome::Waiting && read.ack_id.as_deref() == Some(""))
    });
    assert!(in_flight);
    emulator.fault(Fault {
        endpoint: Endpoint::Read,
        times: 1,
        action: status(503),
        after: false,
    });
    assert_eq!(feed.ack(event.delivery), DATAFEED_OK);
    assert_eq!(feed.next(-1), Err(DATAFEED_FAILED));
    assert!(
        emulator.wait_until(PATIENCE, |books| books.acknowledged == 1),
        "{:?}",
        emulator.books()
    );
}

#[test]
fn what_is_not_acknowledged_is_not_lost_at_close() {
    let emulator = emulator(slow());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    emulator.publish((0..3).map(numbered));
    feed.must_next_and_ack();
    assert_eq!(feed.close(), DATAFEED_OK);
    let successor = Feed::open(&config(&emulator, json!({})));
    emulator.advance(Duration::from_secs(31));
    let mut again: Vec<usize> = (0..3).map(|_| number_of(&successor.must_next_and_ack())).collect();
    again.sort_unstable();
    assert_eq!(
        again,
        [0, 1, 2],
        "the batch was not complete, so the service delivers it again"
    );
    assert!(emulator.wait_until(PATIENCE, |books| books.acknowledged == 3));
}

/// Whoever is told that the feed is closed may end the process.
#[test]
fn a_second_close_waits_until_the_first_has_written() {
    let emulator = emulator(Settings { batch: 1..=1, ..slow() });
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    emulator.publish((0..2).map(numbered));
    let held = [feed.must_next(), feed.must_next()];
    for event in &held {
        assert_eq!(feed.ack(event.delivery), DATAFEED_OK);
    }
    thread::scope(|scope| {
        let first = scope.spawn(|| feed.close());
        assert_eq!(feed.next(-1), Err(DATAFEED_CLOSED));
        assert_eq!(feed.close(), DATAFEED_CLOSED);
        let carried = emulator.requests();
        let carried = carried.iter().filter_map(|request| request.ack_id.as_deref());
        assert_eq!(carried.filter(|ack_id| !ack_id.is_empty()).count(), 2);
        assert_eq!(first.join().unwrap(), DATAFEED_OK);
    });
}

#[test]
fn eight_waiting_threads_return_closed() {
    let emulator = emulator(slow());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..8).map(|_| scope.spawn(|| feed.next(-1))).collect();
        assert_eq!(feed.close(), DATAFEED_OK);
        for thread in waiting {
            assert_eq!(thread.join().unwrap(), Err(DATAFEED_CLOSED));
        }
    });
    assert_eq!(feed.close(), DATAFEED_CLOSED);
}

#[test]
fn two_closes_at_once_are_harmless() {
    let emulator = emulator(slow());
    for _ in 0..20 {
        let feed = Feed::open(&config(&emulator, json!({})));
        let mut statuses = thread::scope(|scope| {
            let other = scope.spawn(|| feed.close());
            [feed.close(), other.join().unwrap()]
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [DATAFEED_OK, DATAFEED_CLOSED]);
    }
}

#[test]
fn close_cuts_through_whatever_the_poller_waits_for() {
    // A login that is never answered, a list, and a read; a back-off of minutes; a bot that holds everything.
    for endpoint in [
        Endpoint::SessionLogin,
        Endpoint::KeyManagerLogin,
        Endpoint::List,
        Endpoint::Create,
        Endpoint::Read,
    ] {
        let emulator = emulator(slow());
        emulator.fault(Fault {
            endpoint,
            times: 1000,
            action: FaultAction::Hang,
            after: false,
        });
        let feed = Feed::open(&config(&emulator, json!({})));
        let hanging = emulator.wait_for_requests(PATIENCE, |requests| {
            requests.iter().any(|request| request.endpoint == Some(endpoint))
        });
        assert!(hanging, "{endpoint:?}");
        feed.close_at_once();
    }
}

#[test]
fn close_cuts_a_back_off() {
    let emulator = emulator(slow());
    emulator.fault(Fault {
        endpoint: Endpoint::List,
        times: 1000,
        action: FaultAction::Status {
            status: 503,
            body: None,
            retry_after: Some("300".into()),
        },
        after: false,
    });
    let mut config = emulator.config();
    config["retry"] = json!({"maxIntervalMillis": 300_000});
    let feed = Feed::open(&config);
    feed.wait_for_log("503");
    feed.close_at_once();
    assert_eq!(feed.stats()["state"], "CLOSED");
}

#[test]
fn close_cuts_a_stalled_body() {
    let emulator = emulator(slow());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    emulator.fault(Fault {
        endpoint: Endpoint::Read,
        times: 1,
        action: FaultAction::Delay(Duration::from_secs(3600)),
        after: true,
    });
    emulator.publish([numbered(0)]);
    feed.must_next_and_ack();
    feed.close_at_once();
}

#[test]
fn interrupt_wakes_every_waiter_and_is_remembered_once() {
    let emulator = emulator(slow());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    assert_eq!(feed.interrupt(), DATAFEED_OK);
    assert_eq!(feed.next(-1), Err(DATAFEED_INTERRUPTED));
    assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT));
    thread::scope(|scope| {
        let waiting: Vec<_> = (0..4).map(|_| scope.spawn(|| feed.next(-1))).collect();
        // A thread that has not begun to wait yet may miss an interruption that others report.
        while waiting.iter().any(|thread| !thread.is_finished()) {
            feed.interrupt();
            thread::yield_now();
        }
        for thread in waiting {
            assert_eq!(thread.join().unwrap(), Err(DATAFEED_INTERRUPTED));
        }
    });
}

#[test]
fn a_feed_that_reaches_nobody_closes_at_once() {
    let mut settings = emulator(slow()).config();
    // Nobody listens there any more.
    settings["readTimeout"] = json!(60_000);
    let feed = Feed::open(&settings);
    feed.wait_for_log("no connection");
    assert_eq!(feed.error().expect("trouble")["code"], "NETWORK");
    assert_eq!(feed.error().expect("trouble")["retryable"], true);
    feed.close_at_once();
}
