//! What happens between making a feed and reading one.

use std::time::Duration;

use datafeed_emulator::{Emulator, Endpoint, Fault, FaultAction, RequestLog, Settings};
use serde_json::json;

use super::common::*;
use super::scene::count;

const FIVE_SECONDS: Duration = Duration::from_secs(5);

fn fault(emulator: &Emulator, endpoint: Endpoint, action: FaultAction) {
    emulator.fault(Fault {
        endpoint,
        times: 1,
        action,
        after: false,
    });
}

/// The endpoints of the feed's life, in the order of the requests.
fn asked(log: &[RequestLog]) -> Vec<(Endpoint, Option<u16>)> {
    let of_feeds = [Endpoint::List, Endpoint::Create, Endpoint::Read, Endpoint::Delete];
    let asked = log
        .iter()
        .filter_map(|request| Some((request.endpoint?, request.status)));
    asked.filter(|(endpoint, _)| of_feeds.contains(endpoint)).collect()
}

#[test]
fn one_instance_alone_asks_for_one_list_more() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    works(&emulator, &feed, 0);
    let asked = asked(&emulator.requests());
    let (list, create) = ((Endpoint::List, Some(200)), (Endpoint::Create, Some(201)));
    assert_eq!(asked[..3], [list, create, list]);
    assert!(asked[3..].iter().all(|(endpoint, _)| *endpoint == Endpoint::Read));
}

#[test]
fn no_trouble_makes_a_second_feed_or_reads_too_soon() {
    for trouble in [
        status(401),
        status(403),
        status(429),
        status(503),
        body(200, "<html>"),
        FaultAction::Reset { after_bytes: 0 },
        FaultAction::Truncate { after_bytes: 60 },
    ] {
        let emulator = emulator(quick());
        // The first list goes well.
        fault(&emulator, Endpoint::List, FaultAction::Delay(Duration::ZERO));
        for _ in 0..3 {
            fault(&emulator, Endpoint::List, trouble.clone());
        }
        // And the first that comes after it is stale.
        fault(&emulator, Endpoint::List, body(200, "[]"));
        let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
        works(&emulator, &feed, 0);
        let log = emulator.requests();
        assert_eq!(count(&log, Endpoint::Create, 201), 1, "{trouble:?}");
        let first_read = log.iter().position(|request| request.endpoint == Some(Endpoint::Read));
        let before = &log[..first_read.expect("a read")];
        let lists = before.iter().filter(|request| request.endpoint == Some(Endpoint::List));
        assert_eq!(lists.count(), 1 + 3 + 1 + 1, "{trouble:?}: {before:#?}");
        assert_eq!(feed.stats()["feedsCreated"], 1);
    }
}

#[test]
fn an_expired_session_is_renewed_while_it_settles() {
    let emulator = emulator(quick());
    fault(&emulator, Endpoint::Create, FaultAction::Hold);
    let feed = Feed::open(&config(&emulator, json!({})));
    let creating = |log: &[RequestLog]| log.iter().any(|request| request.endpoint == Some(Endpoint::Create));
    assert!(emulator.wait_for_requests(PATIENCE, creating));
    fault(&emulator, Endpoint::List, FaultAction::Hold);
    emulator.release();
    let listing = |log: &[RequestLog]| log.last().is_some_and(|last| last.endpoint == Some(Endpoint::List));
    assert!(emulator.wait_for_requests(PATIENCE, |log| creating(log) && listing(log)));
    emulator.expire_sessions();
    emulator.release();
    feed.wait_for_rule("session-expired");
    works(&emulator, &feed, 0);
    assert_eq!(emulator.feeds().len(), 1);
    assert_eq!(feed.stats()["logins"], 2);
}

/// A bot of this emulator is closed when it waits in its request of this number to this endpoint, or after that one.
#[track_caller]
fn closes(prepare: impl Fn(&Emulator), endpoint: Endpoint, number: usize) {
    let emulator = emulator(Settings::default());
    prepare(&emulator);
    // A close that has to wait for the poller waits longer than it may here.
    let feed = Feed::open(&config(&emulator, json!({"closeTimeout": 60_000})));
    let waiting =
        |log: &[RequestLog]| log.iter().filter(|request| request.endpoint == Some(endpoint)).count() == number;
    assert!(emulator.wait_for_requests(PATIENCE, waiting));
    feed.close_at_once();
    assert_eq!(feed.error(), None, "a close is no trouble");
    assert_eq!(feed.stats()["feedsCreated"], 1);
}

#[test]
fn close_cuts_a_list_that_is_not_answered() {
    let hang = |emulator: &Emulator| {
        fault(emulator, Endpoint::List, FaultAction::Delay(Duration::ZERO));
        fault(emulator, Endpoint::List, FaultAction::Hang);
    };
    closes(hang, Endpoint::List, 2);
}

#[test]
fn close_cuts_the_wait_for_another_list() {
    let stale =
        |emulator: &Emulator| emulator.change_settings(|settings| settings.list_stale = FIVE_SECONDS..=FIVE_SECONDS);
    closes(stale, Endpoint::List, 2);
    // The longest wait there is.
    let undated = |emulator: &Emulator| emulator.change_settings(|settings| settings.created_at = false);
    closes(undated, Endpoint::List, 2);
}

#[test]
fn close_cuts_a_deletion() {
    let outdone = |emulator: &Emulator| {
        fault(emulator, Endpoint::List, body(200, "[]"));
        fault(emulator, Endpoint::Delete, FaultAction::Hang);
        emulator.create_feed(None);
        emulator.advance(Duration::from_secs(1));
    };
    closes(outdone, Endpoint::Delete, 1);
}
