//! Datafeed 1 and its firehose: what is read, and when.

use std::collections::BTreeSet;
use std::time::Duration;

use datafeed_emulator::{Emulator, Endpoint, Outcome, Settings};
use serde_json::{Value, json};

use super::common::*;
use super::folder::Folder;

/// A configuration of Datafeed 1 whose id is kept in this folder.
pub fn first(emulator: &Emulator, folder: &Folder, more: Value) -> Value {
    let mut config = config(emulator, more);
    config["datafeed"]["version"] = json!("v1");
    config["datafeed"]["idFilePath"] = json!(folder.path());
    config
}

/// Opens a feed and waits until it reads at this endpoint.
#[track_caller]
pub fn open_and_read(emulator: &Emulator, config: &Value, endpoint: Endpoint) -> Feed {
    let before = emulator.requests().len();
    let feed = Feed::open(config);
    let reading = emulator.wait_for_requests(PATIENCE, |requests| {
        let mut new = requests.iter().skip(before);
        new.any(|request| request.endpoint == Some(endpoint))
    });
    assert!(reading, "the feed never read: {:#}", feed.stats());
    feed
}

/// Closes, and waits until the service has seen that the reader is gone: what it hands to one that has left is lost.
#[track_caller]
pub fn leave(emulator: &Emulator, feed: &Feed) {
    feed.close_at_once();
    let gone = emulator.wait_for_requests(PATIENCE, |requests| {
        requests.iter().all(|request| request.outcome != Outcome::Waiting)
    });
    assert!(gone, "the reader is still there");
}

/// Receives so many events and acknowledges each.
#[track_caller]
pub fn receive(feed: &Feed, count: usize) -> Vec<usize> {
    (0..count).map(|_| number_of(&feed.must_next_and_ack())).collect()
}

#[test]
fn every_event_arrives_once_and_in_order() {
    let emulator = emulator(Settings {
        batch: 1..=7,
        ..quick()
    });
    let folder = Folder::new();
    let feed = open_and_read(&emulator, &first(&emulator, &folder, json!({})), Endpoint::V1Read);
    emulator.publish((0..200).map(numbered));
    assert_eq!(receive(&feed, 200), (0..200).collect::<Vec<_>>());
    // A read without events is answered 204, and an empty list is the same.
    emulator.fault(datafeed_emulator::Fault {
        endpoint: Endpoint::V1Read,
        times: 1,
        action: body(200, "[]"),
        after: false,
    });
    works(&emulator, &feed, 200);
    let stats = feed.stats();
    assert_eq!(
        (&stats["redelivered"], &stats["retries"]),
        (&json!(0), &json!(0)),
        "{stats:#}"
    );
    let books = emulator.v1_books();
    assert_eq!((books.handed_out, books.concurrent_reads), (201, 0), "{books:?}");
}

#[test]
fn a_refused_event_comes_again_although_the_service_has_forgotten_it() {
    let emulator = emulator(quick());
    let folder = Folder::new();
    let config = first(&emulator, &folder, json!({"nackDelay": 0}));
    let feed = open_and_read(&emulator, &config, Endpoint::V1Read);
    emulator.publish([numbered(0), numbered(1)]);
    let refused = feed.must_next();
    assert_eq!(feed.nack(refused.delivery), DATAFEED_OK);
    let numbers: BTreeSet<usize> = receive(&feed, 2).into_iter().collect();
    assert_eq!(numbers, BTreeSet::from([0, 1]));
}

#[test]
fn the_service_is_read_while_the_bot_holds_events_until_it_holds_too_many() {
    let emulator = emulator(quick());
    let folder = Folder::new();
    let config = first(&emulator, &folder, json!({"maxUnacknowledged": 3}));
    let feed = open_and_read(&emulator, &config, Endpoint::V1Read);
    emulator.publish([numbered(0)]);
    let held = feed.must_next();
    // Nobody asks for an event, and still each is taken from the service, where they would be too many one day.
    for number in 1..3 {
        emulator.publish([numbered(number)]);
        let taken = emulator.wait_until_v1(PATIENCE, |books| books.handed_out == number as u64 + 1);
        assert!(taken, "{:?}", emulator.v1_books());
    }
    feed.wait_for_log("reading waits for the bot");
    // A read to keep the feed alive would lose what it brings, so there is none.
    emulator.publish([numbered(3)]);
    feed.advance(Duration::from_secs(3600));
    assert_eq!(receive(&feed, 2), [1, 2]);
    assert_eq!(receive(&feed, 1), [3]);
    assert_eq!(feed.ack(held.delivery), DATAFEED_OK);
    assert_eq!(feed.stats()["keepAliveReads"], 0);
}

#[test]
fn the_limit_is_what_the_service_is_asked_for() {
    let emulator = emulator(quick());
    let folder = Folder::new();
    let mut config = first(&emulator, &folder, json!({}));
    config["datafeed"]["limit"] = json!(2);
    let feed = open_and_read(&emulator, &config, Endpoint::V1Read);
    emulator.publish((0..5).map(numbered));
    assert_eq!(receive(&feed, 5), [0, 1, 2, 3, 4]);
    let requests = emulator.requests();
    let reads = requests
        .iter()
        .filter(|request| request.endpoint == Some(Endpoint::V1Read));
    assert!(reads.clone().count() >= 3);
    assert!(reads.into_iter().all(|read| read.path.ends_with("/read?limit=2")));
}

#[test]
fn too_many_feeds_are_explained_and_waited_for() {
    let emulator = emulator(Settings {
        v1_max_feeds: 0,
        ..quick()
    });
    let folder = Folder::new();
    let feed = Feed::open(&first(&emulator, &folder, json!({})));
    let line = feed.wait_for_rule("node-in-trouble");
    assert_eq!(line["httpStatus"], 503, "{line}");
    assert!(
        line["message"]
            .to_string()
            .contains("as many feeds of Datafeed 1 as it can"),
        "{line}"
    );
    emulator.change_settings(|settings| settings.v1_max_feeds = 1);
    feed.wait_for_log("created a feed");
    works(&emulator, &feed, 0);
}

#[test]
fn the_firehose_has_endpoints_and_a_file_of_its_own() {
    let emulator = emulator(quick());
    let folder = Folder::new();
    let mut config = first(&emulator, &folder, json!({"stream": "firehose"}));
    config["datafeed"]["version"] = Value::Null;
    let feed = open_and_read(&emulator, &config, Endpoint::FirehoseRead);
    // A datafeed beside it does not get in its way.
    let datafeed = first(&emulator, &folder, json!({}));
    let other = open_and_read(&emulator, &datafeed, Endpoint::V1Read);
    emulator.publish((0..300).map(numbered));
    assert_eq!(receive(&feed, 300), (0..300).collect::<Vec<_>>());
    assert_eq!(feed.stats()["stream"], "firehose");
    assert_eq!(other.stats()["stream"], "datafeed");
    let id = feed.stats()["feedId"].as_str().expect("an id").to_owned();
    assert!(folder.read("firehose.id").starts_with(&format!("{id}@")));
    assert!(!folder.read("datafeed.id").starts_with(&id));
}

#[test]
fn what_the_bot_has_not_acknowledged_is_told_at_close() {
    let emulator = emulator(quick());
    let folder = Folder::new();
    let feed = open_and_read(&emulator, &first(&emulator, &folder, json!({})), Endpoint::V1Read);
    emulator.publish((0..3).map(numbered));
    receive(&feed, 1);
    let held = feed.must_next();
    assert!(emulator.wait_until_v1(PATIENCE, |books| books.handed_out == 3));
    feed.close_at_once();
    let line = feed.wait_for_log("the service has forgotten them");
    assert_eq!((&line["level"], &line["events"]), (&json!("warn"), &json!(2)), "{line}");
    assert_eq!(feed.ack(held.delivery), DATAFEED_CLOSED);
}
