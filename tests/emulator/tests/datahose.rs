//! The datahose: who shares one, what goes into it, and who is refused.

mod common;

use std::time::Duration;

use common::{Answer, Client, start};
use datafeed_emulator::{Endpoint, Fault, FaultAction};
use serde_json::{Value, json};

fn body(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = json!({"type": "datahose", "tag": "mine", "eventTypes": ["MESSAGESENT"]});
    change(&mut body);
    body
}

fn read(client: &Client, body: &Value) -> Answer {
    client.send("POST", "/agent/v5/events/read", &body.to_string())
}

/// The `n` of each event, and the ackId.
fn take(client: &Client, body: &Value) -> (Vec<u64>, String) {
    let answer = read(client, body);
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    let events = answer["events"].as_array().unwrap().iter();
    let numbers = events.map(|event| event["n"].as_u64().unwrap()).collect();
    (numbers, answer["ackId"].as_str().unwrap().to_owned())
}

fn event(kind: &str, n: u64) -> String {
    json!({"type": kind, "n": n}).to_string()
}

#[test]
fn it_hands_out_the_asked_types_until_they_are_acknowledged() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let first = body(|body| body["eventTypes"] = json!(["ROOMCREATED", "MESSAGESENT"]));
    take(&client, &first);
    emulator.publish([
        event("MESSAGESENT", 1),
        event("ROOMUPDATED", 2),
        event("ROOMCREATED", 3),
    ]);
    emulator.publish(["[]", r#"{"n":4}"#]);
    let (numbers, ack_id) = take(&client, &first);
    assert_eq!(numbers, [1, 3]);
    assert_eq!(take(&client, &first).0, [0; 0]);
    emulator.advance(Duration::from_secs(31));
    assert_eq!(take(&client, &first).0, [1, 3]);
    assert_eq!(emulator.books().acknowledged, 0);
    emulator.advance(Duration::from_secs(31));
    // The first ackId has lapsed.
    let late = body(|body| {
        body["eventTypes"] = first["eventTypes"].clone();
        body["ackId"] = json!(ack_id);
    });
    let (numbers, ack_id) = take(&client, &late);
    assert_eq!(numbers, [1, 3]);
    let next = body(|body| {
        body["eventTypes"] = first["eventTypes"].clone();
        body["ackId"] = json!(ack_id);
    });
    assert_eq!(take(&client, &next).0, [0; 0]);
    let books = emulator.books();
    assert_eq!((books.published, books.unrouted, books.acknowledged), (5, 3, 2));
}

#[test]
fn who_asks_for_the_same_shares_a_feed() {
    let emulator = start(|settings| settings.batch = 1..=1);
    let clients = [Client::of(&emulator), Client::of(&emulator)];
    let types = |types: &[&str]| body(|body| body["eventTypes"] = json!(types));
    let asked = [types(&["A", "B"]), types(&["B", "A", "B"])];
    let others = [
        types(&["A"]),
        body(|body| *body = json!({"type": "datahose", "tag": "other", "eventTypes": ["A", "B"]})),
        body(|body| *body = json!({"type": "datahose", "tag": "mine", "eventTypes": ["A", "B"], "scopes": ["x"]})),
    ];
    for body in asked.iter().chain(&others) {
        take(&clients[0], body);
    }
    assert_eq!(clients[0].list().len(), 4);
    emulator.publish([event("A", 1), event("B", 2)]);
    assert_eq!(take(&clients[0], &asked[0]).0, [1]);
    assert_eq!(take(&clients[1], &asked[1]).0, [2]);
    for other in &others {
        assert_eq!(take(&clients[0], other).0, [1]);
    }
}

#[test]
fn it_stands_in_the_list_and_is_no_datafeed() {
    let emulator = start(|settings| settings.max_feeds = 1);
    let client = Client::of(&emulator);
    take(&client, &body(|_| ()));
    let entry = client.list().remove(0);
    let id = entry["id"].as_str().unwrap();
    assert!(id.ends_with("_p_be940"), "{id}");
    assert_eq!(entry["type"], "datahose");
    assert_eq!(emulator.feeds()[0].tag.as_deref(), Some("mine"));
    assert_eq!(client.read(id, "").status, 400);
    // It does not count against the limit, and its events are not those of the datafeed.
    let feed = client.create();
    emulator.publish([event("X", 1)]);
    assert_eq!(client.take(&feed, "").0.len(), 1);
    assert_eq!(take(&client, &body(|_| ())).0, [0; 0]);
    emulator.advance(Duration::from_secs(1801));
    assert!(client.list().is_empty());
}

#[test]
fn requests_without_sense_are_refused_with_a_reason() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let refused = [
        (body(|body| body["type"] = json!("datafeed")), "type"),
        (body(|body| body["tag"] = json!("")), "tag"),
        (body(|body| body["tag"] = json!("ü".repeat(81))), "tag"),
        (json!({"type": "datahose", "eventTypes": ["A"]}), "tag"),
        (body(|body| body["eventTypes"] = json!([])), "eventTypes"),
        (json!({"type": "datahose", "tag": "mine"}), "eventTypes"),
        (body(|body| body["eventTypes"] = json!("A")), "eventTypes"),
        (body(|body| body["ackId"] = json!("nonsense")), "ackId"),
    ];
    for (body, reason) in refused {
        let answer = read(&client, &body);
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.message().contains(reason), "{body}: {answer:?}");
    }
    assert_eq!(
        read(&client, &body(|body| body["tag"] = json!("ü".repeat(80)))).status,
        200
    );
    assert_eq!(read(&Client::stranger(&emulator), &body(|_| ())).status, 401);
}

#[test]
fn an_account_without_entitlement_is_refused() {
    let emulator = start(|settings| settings.datahose_entitled = false);
    let client = Client::of(&emulator);
    let answer = read(&client, &body(|_| ()));
    assert_eq!(answer.status, 403);
    assert!(answer.message().contains("not entitled"), "{answer:?}");
    assert!(client.list().is_empty());
}

#[test]
fn a_read_can_go_wrong() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    emulator.fault(Fault {
        endpoint: Endpoint::DatahoseRead,
        times: 1,
        action: FaultAction::Reset { after_bytes: 0 },
        after: false,
    });
    assert!(
        client
            .try_send("POST", "/agent/v5/events/read", &body(|_| ()).to_string())
            .is_err()
    );
    assert_eq!(read(&client, &body(|_| ())).status, 200);
}
