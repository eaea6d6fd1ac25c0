//! The bridge: Datafeed 1 served from Datafeed 2.

mod common;

use std::time::Duration;

use common::{Client, LONG, start};
use datafeed_emulator::{Emulator, Endpoint, Outcome, V1Books};
use serde_json::json;

fn bridged() -> Emulator {
    start(|settings| settings.bridge = true)
}

#[test]
fn what_was_read_is_acknowledged_by_the_next_read() {
    let emulator = bridged();
    let client = Client::of(&emulator);
    let feed = client.create_v1();
    assert_eq!(feed.split('-').count(), 5, "{feed}");
    emulator.publish(["1", "2", "3"]);
    assert_eq!(client.read_v1(&feed, "?limit=2").json(), json!([1, 2]));
    assert_eq!(emulator.books().leased, 2);
    assert_eq!(client.take_v1(&feed), [json!(3)]);
    assert_eq!((emulator.books().acknowledged, emulator.books().leased), (2, 1));
    let empty = client.read_v1(&feed, "");
    assert_eq!((empty.status, &*empty.text), (204, ""));
    assert_eq!(emulator.books().acknowledged, 3);
    assert_eq!(emulator.v1_books(), V1Books::default());
}

#[test]
fn without_a_next_read_it_comes_back() {
    let emulator = bridged();
    let client = Client::of(&emulator);
    let feed = client.create_v1();
    emulator.publish(["1"]);
    client.take_v1(&feed);
    emulator.advance(Duration::from_secs(31));
    assert_eq!(client.take_v1(&feed), [json!(1)]);
    assert_eq!(emulator.books().redelivered, 1);
}

#[test]
fn there_is_no_limit_to_unread_events() {
    let emulator = bridged();
    let client = Client::of(&emulator);
    let feed = client.create_v1();
    emulator.publish((0..1000).map(|number| number.to_string()));
    let counts: Vec<usize> = (0..10).map(|_| client.take_v1(&feed).len()).collect();
    assert_eq!(counts, [100; 10]);
}

#[test]
fn its_feed_is_one_of_datafeed_2() {
    let emulator = start(|settings| {
        settings.bridge = true;
        settings.max_feeds = 1;
    });
    let client = Client::of(&emulator);
    let feed = client.create_v1();
    let listed = client.list().remove(0)["id"].as_str().unwrap().to_owned();
    assert_eq!(client.send("POST", "/agent/v4/datafeed/create", "").status, 503);
    // The move from one to the other.
    emulator.publish(["1"]);
    assert_eq!(client.take(&listed, "").0, [json!(1)]);
    assert_eq!(client.read(&feed, "").status, 400);
    assert_eq!(client.read_v1(&listed, "").status, 400);
    emulator.advance(Duration::from_secs(1801));
    let gone = client.read_v1(&feed, "");
    assert_eq!(gone.status, 400);
    assert_eq!(gone.message(), "Could not find a datafeed with the provided id");
}

#[test]
fn a_client_that_left_a_waiting_read_loses_nothing() {
    let emulator = start(|settings| {
        settings.bridge = true;
        settings.poll = LONG;
    });
    let client = Client::of(&emulator);
    let feed = client.create_v1();
    let reading = client.begin(&format!("GET {}", common::v1_path(&feed)));
    let read_is = |outcome| {
        emulator.wait_for_requests(LONG, |log| {
            let last = log.last().unwrap();
            last.endpoint == Some(Endpoint::V1Read) && last.outcome == outcome
        })
    };
    assert!(read_is(Outcome::Waiting));
    drop(reading);
    assert!(read_is(Outcome::Abandoned));
    emulator.publish(["1"]);
    assert_eq!(client.take_v1(&feed), [json!(1)]);
    assert_eq!(emulator.books().handed_out, 1);
}

#[test]
fn a_feed_stays_what_it_was_created_as() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let native = client.create_v1();
    emulator.change_settings(|settings| settings.bridge = true);
    let bridged = client.create_v1();
    let firehose = client.create_v1_of("firehose");
    emulator.change_settings(|settings| settings.bridge = false);
    emulator.publish(["1"]);
    assert_eq!(client.take_v1(&native), client.take_v1(&bridged));
    let ids: Vec<String> = emulator.v1_feeds().into_iter().map(|feed| feed.id).collect();
    assert_eq!(ids, [native, firehose]);
}
