//! The datahose: the same calls, another endpoint.

use std::time::Duration;

use datafeed_emulator::{Emulator, Endpoint, Settings, StaleAck};
use serde_json::{Value, json};

use super::common::*;
use super::first::{open_and_read, receive};

fn datahose(emulator: &Emulator, more: Value) -> Value {
    let mut config = config(emulator, more);
    if config["datahose"].is_null() {
        config["datahose"] = json!({"tag": "desk", "eventTypes": ["MESSAGESENT", "ROOMCREATED"]});
    }
    config
}

fn of_type(number: usize, kind: &str) -> String {
    json!({"id": format!("hose-{number}"), "type": kind, "n": number}).to_string()
}

#[test]
fn events_of_the_types_asked_for_arrive_once_and_are_acknowledged() {
    let emulator = emulator(Settings {
        batch: 1..=9,
        abandoned_reads_take: false,
        ..quick()
    });
    // The section alone chooses it, as does the word.
    for more in [json!({}), json!({"stream": "datahose", "datafeed": {"version": "v2"}})] {
        let feed = open_and_read(&emulator, &datahose(&emulator, more), Endpoint::DatahoseRead);
        let kinds = ["MESSAGESENT", "SHAREDPOST", "ROOMCREATED", "USERJOINEDROOM"];
        emulator.publish((0..100).map(|number| of_type(number, kinds[number % 4])));
        let expected: Vec<usize> = (0..100).filter(|number| number % 2 == 0).collect();
        assert_eq!(receive(&feed, 50), expected);
        let stats = feed.stats();
        assert_eq!(
            (&stats["stream"], &stats["tag"]),
            (&json!("datahose"), &json!("desk")),
            "{stats:#}"
        );
        feed.close();
        assert!(emulator.wait_until(PATIENCE, |books| books.acknowledged % 50 == 0 && books.leased == 0));
        assert_eq!(emulator.books().redelivered, 0);
    }
    let requests = emulator.requests();
    let none = |endpoint| requests.iter().all(|request| request.endpoint != Some(endpoint));
    assert!(
        none(Endpoint::List) && none(Endpoint::Create),
        "there is nothing to make"
    );
}

#[test]
fn instances_share_it_and_what_one_leaves_the_other_gets() {
    let emulator = emulator(Settings {
        visibility_timeout: Duration::from_millis(1500),
        ..quick()
    });
    let config = datahose(&emulator, json!({"visibilityTimeout": 1500}));
    let one = open_and_read(&emulator, &config, Endpoint::DatahoseRead);
    emulator.publish([of_type(0, "MESSAGESENT")]);
    let left = one.must_next();
    one.close();
    let two = open_and_read(&emulator, &config, Endpoint::DatahoseRead);
    assert_eq!(number_of(&two.must_next_and_ack()), 0);
    assert_eq!(one.ack(left.delivery), DATAFEED_CLOSED);
}

#[test]
fn an_ack_id_that_is_refused_is_dropped() {
    let emulator = emulator(Settings {
        stale_ack: StaleAck::BadRequest,
        visibility_timeout: Duration::from_millis(300),
        ..quick()
    });
    let config = datahose(&emulator, json!({"visibilityTimeout": 3_600_000}));
    let feed = open_and_read(&emulator, &config, Endpoint::DatahoseRead);
    emulator.publish([of_type(0, "MESSAGESENT")]);
    let held = feed.must_next();
    emulator.advance(Duration::from_secs(1));
    feed.advance(Duration::from_secs(10));
    assert_eq!(feed.ack(held.delivery), DATAFEED_OK);
    let line = feed.wait_for_rule("anything-else");
    assert_eq!(line["httpStatus"], 400, "{line}");
    // It comes again, is recognised, and its new ackId is taken.
    assert!(emulator.wait_until(PATIENCE, |books| books.acknowledged == 1));
    emulator.publish([of_type(1, "MESSAGESENT")]);
    assert_eq!(number_of(&feed.must_next_and_ack()), 1);
    assert_eq!(feed.stats()["redelivered"], 1);
}

#[test]
fn without_event_types_it_is_refused_at_once() {
    let emulator = emulator(quick());
    for section in [
        json!({"tag": "desk"}),
        json!({"eventTypes": []}),
        json!({"eventTypes": null, "scopes": []}),
    ] {
        let config = datahose(&emulator, json!({"datahose": section}));
        let (status, error) = Feed::try_open(&config.to_string()).expect_err("it is incomplete");
        assert_eq!(status, DATAFEED_INVALID_ARGUMENT);
        assert_eq!(
            (&error["code"], &error["field"]),
            (&json!("CONFIG_INVALID"), &json!("datahose.eventTypes"))
        );
    }
}
