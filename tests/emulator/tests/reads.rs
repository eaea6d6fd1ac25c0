//! Reading: acknowledgements, leases, whose events are whose, and the log.

mod common;

use std::time::Duration;

use common::{Client, start};
use datafeed_emulator::{EmptyRead, Endpoint, Order, StaleAck};
use serde_json::{Value, json};

fn numbers(range: std::ops::RangeInclusive<u32>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

fn values(range: std::ops::RangeInclusive<u32>) -> Vec<Value> {
    range.map(Value::from).collect()
}

#[test]
fn an_ack_id_removes_what_came_with_it() {
    let emulator = start(|settings| settings.batch = 2..=2);
    let client = Client::of(&emulator);
    let feed = client.create();
    emulator.publish(numbers(1..=3));
    let (events, ack) = client.take(&feed, "");
    assert_eq!(events, values(1..=2));
    let (events, ack) = client.take(&feed, &ack);
    assert_eq!(events, values(3..=3));
    let (events, _) = client.take(&feed, &ack);
    assert!(events.is_empty());
    emulator.advance(Duration::from_secs(31));
    assert!(client.take(&feed, "").0.is_empty());
    let books = emulator.books();
    assert_eq!((books.published, books.handed_out), (3, 3));
    assert_eq!((books.acknowledged, books.redelivered), (3, 0));
    assert!(
        emulator
            .event_books()
            .iter()
            .all(|e| e.acknowledged && e.handed_out == 1)
    );
}

#[test]
fn what_is_not_acknowledged_comes_back_in_front() {
    let emulator = start(|settings| settings.batch = 2..=2);
    let client = Client::of(&emulator);
    let feed = client.create();
    emulator.publish(numbers(1..=3));
    assert_eq!(client.take(&feed, "").0, values(1..=2));
    emulator.advance(Duration::from_secs(29));
    assert_eq!(client.take(&feed, "").0, values(3..=3));
    emulator.advance(Duration::from_secs(2));
    assert_eq!(emulator.books().queued, 2);
    assert_eq!(client.take(&feed, "").0, values(1..=2));
    assert_eq!(emulator.books().redelivered, 2);
}

#[test]
fn an_older_lease_that_is_alive_can_still_be_acknowledged() {
    let emulator = start(|settings| settings.batch = 1..=1);
    let client = Client::of(&emulator);
    let feed = client.create();
    emulator.publish(numbers(1..=2));
    let (_, first) = client.take(&feed, "");
    let (_, _second) = client.take(&feed, "");
    client.take(&feed, &first);
    let books = emulator.books();
    assert_eq!((books.acknowledged, books.leased), (1, 1));
    assert!(emulator.event_books()[0].acknowledged);
}

#[test]
fn ack_ids_absent_null_and_empty_are_none_and_nonsense_is_refused() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let feed = client.create();
    let path = common::read_path(&feed);
    for body in ["", "{}", r#"{"ackId":null}"#, r#"{"ackId":""}"#] {
        assert_eq!(client.send("POST", &path, body).status, 200, "{body}");
    }
    emulator.publish(["1"]);
    let answer = client.read(&feed, "nonsense");
    assert_eq!(answer.status, 400);
    assert!(answer.message().contains("ackId"));
    assert_eq!(emulator.books().handed_out, 0);
    let log = emulator.requests();
    let sent: Vec<_> = log.iter().rev().take(3).map(|r| r.ack_id.as_deref()).collect();
    assert_eq!(sent, [Some("nonsense"), Some(""), None]);
}

#[test]
fn a_stale_ack_id_is_ignored_or_refused() {
    for (setting, status) in [(StaleAck::Ignore, 200), (StaleAck::BadRequest, 400)] {
        let emulator = start(|settings| settings.stale_ack = setting);
        let client = Client::of(&emulator);
        let feed = client.create();
        emulator.publish(["1"]);
        let (_, lapsed) = client.take(&feed, "");
        emulator.advance(Duration::from_secs(31));
        assert_eq!(client.read(&feed, &lapsed).status, status);
        emulator.advance(Duration::from_secs(31));
        let (_, used) = client.take(&feed, "");
        assert_eq!(client.read(&feed, &used).status, 200);
        assert_eq!(client.read(&feed, &used).status, status);
        assert_eq!(emulator.books().acknowledged, 1);
    }
}

#[test]
fn events_are_handed_out_byte_for_byte() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let feed = client.create();
    let events = [
        "{ \"b\" : 1.0e5 ,\"a\":9007199254740993 }",
        r#"{"é":"\u00e9\/\ud83d\ude00","dup":1,"dup":2}"#,
        "[1, 2]",
    ];
    emulator.publish(events);
    let text = client.read(&feed, "").text;
    let start = format!("{{\"events\":[{}],\"ackId\":\"", events.join(","));
    assert!(text.starts_with(&start), "{text}");
}

#[test]
fn a_read_without_events_is_a_list_or_no_content() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let feed = client.create();
    let (events, ack) = client.take(&feed, "");
    assert!(events.is_empty());
    emulator.change_settings(|settings| {
        settings.empty_read = EmptyRead::NoContent;
        settings.stale_ack = StaleAck::BadRequest;
    });
    let answer = client.read(&feed, &ack);
    assert_eq!((answer.status, &*answer.text), (204, ""));
}

#[test]
fn competing_readers_share_and_different_feeds_get_everything() {
    let emulator = start(|settings| settings.batch = 5..=5);
    let client = Client::of(&emulator);
    let (shared, own) = (client.create(), client.create());
    emulator.publish(numbers(1..=10));
    let mut seen: Vec<u64> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2).map(|_| scope.spawn(|| client.take(&shared, "").0)).collect();
        let read = readers.into_iter().flat_map(|reader| reader.join().unwrap());
        read.map(|event| event.as_u64().unwrap()).collect()
    });
    seen.sort_unstable();
    assert_eq!(seen, (1..=10).collect::<Vec<_>>());
    assert_eq!(client.take(&own, "").0, values(1..=5));
    assert_eq!(client.take(&own, "").0, values(6..=10));
    let books = emulator.books();
    assert_eq!((books.published, books.routed, books.handed_out), (10, 20, 20));
    for feed in emulator.feeds() {
        assert_eq!(feed.books.leased, 10);
    }
}

#[test]
fn a_feed_gets_what_is_published_after_its_creation() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    emulator.publish(["1"]);
    let feed = client.create();
    emulator.publish(["2"]);
    assert_eq!(client.take(&feed, "").0, values(2..=2));
    let books = emulator.books();
    assert_eq!((books.published, books.unrouted, books.routed), (2, 1, 1));
}

#[test]
fn a_feed_that_nobody_reads_dies() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let feed = client.create();
    emulator.publish(numbers(1..=2));
    emulator.advance(Duration::from_secs(29 * 60));
    client.take(&feed, "");
    emulator.advance(Duration::from_secs(29 * 60));
    assert_eq!(client.list().len(), 1);
    emulator.advance(Duration::from_secs(61));
    assert!(client.list().is_empty());
    let answer = client.read(&feed, "");
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json(),
        json!({"code": 400, "message": "Could not find a datafeed with the provided id"})
    );
    assert_eq!(emulator.books().removed_unacknowledged, 2);
    assert!(emulator.event_books().iter().all(|event| event.removed));
}

#[test]
fn a_shuffled_feed_is_the_same_for_the_same_seed() {
    let read = |seed| {
        let emulator = start(|settings| {
            settings.order = Order::Shuffled;
            settings.seed = seed;
        });
        let client = Client::of(&emulator);
        let feed = client.create();
        emulator.publish(numbers(1..=30));
        client.take(&feed, "").0
    };
    assert_eq!(read(1), read(1));
    assert_ne!(read(1), read(2));
    assert_ne!(read(1), values(1..=30));
}

#[test]
fn varied_batches_and_layouts_keep_every_event() {
    let emulator = start(|settings| {
        settings.batch = 1..=7;
        settings.layout = datafeed_emulator::Layout::Varied;
    });
    let client = Client::of(&emulator);
    let feed = client.create();
    let event = r#"{ "deep":[ {"ackId":"]}"} ] }"#;
    emulator.publish(vec![event; 200]);
    let (mut count, mut ack, mut texts) = (0, String::new(), String::new());
    while count < 200 {
        let answer = client.read(&feed, &ack);
        let body = answer.json();
        let events = body["events"].as_array().unwrap();
        count += events.iter().filter(|event| !event.is_null()).count();
        ack = body["ackId"].as_str().unwrap().to_owned();
        assert_eq!(
            answer.text.matches(event).count(),
            events.iter().filter(|e| !e.is_null()).count()
        );
        texts.push_str(&answer.text);
    }
    assert!(texts.contains("null") && texts.contains("\"nested\"") && texts.contains("größe"));
}

#[test]
fn the_log_tells_what_was_asked_and_no_secrets() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let url = format!("{}/agent/v5/datafeeds?tag=x", client.url);
    let request = client.agent.get(&url).header("X-Trace-Id", "abc123");
    request.call().unwrap();
    let log = emulator.requests();
    let last = log.last().unwrap();
    assert_eq!(last.path, "/agent/v5/datafeeds?tag=x");
    assert_eq!((last.sequence, last.status), (3, Some(401)));
    assert_eq!(last.trace_id.as_deref(), Some("abc123"));
    assert_eq!(last.endpoint, Some(Endpoint::List));
    assert_eq!(log[0].endpoint, Some(Endpoint::SessionLogin));
    let told = serde_json::to_string(&log).unwrap();
    assert!(!told.contains(&client.session) && !told.contains(&client.key_manager));
}
