//! Listing, creating and deleting feeds, and paths in general.

mod common;

use std::time::Duration;

use common::{Client, start};
use serde_json::json;

#[test]
fn a_feed_is_created_listed_and_deleted() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    assert!(client.list().is_empty());
    let answer = client.send("POST", "/agent/v5/datafeeds", r#"{"includeInvisible":true}"#);
    assert_eq!(answer.status, 201);
    let feed = answer.json();
    assert_eq!(feed["type"], "fanout");
    let id = feed["id"].as_str().unwrap();
    let (key, rest) = id.split_at(32);
    assert!(key.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    assert!(rest == "_f" || rest == "_f_f8001", "{id}");
    assert_eq!(client.list(), std::slice::from_ref(&feed));
    let path = format!("/agent/v5/datafeeds/{id}");
    assert_eq!(client.send("DELETE", &path, "").status, 204);
    assert!(client.list().is_empty());
    let again = client.send("DELETE", &path, "");
    assert_eq!(again.status, 400);
    assert_eq!(again.message(), "Could not find a datafeed with the provided id");
}

#[test]
fn ids_come_in_both_forms() {
    let emulator = start(|_| ());
    let ids: Vec<String> = (0..20).map(|_| emulator.create_feed(None)).collect();
    assert!(ids.iter().any(|id| id.ends_with("_f")));
    assert!(ids.iter().any(|id| id.ends_with("_f_f8001")));
}

#[test]
fn tags_filter_the_list_exactly() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let create = |body: &str| {
        let answer = client.send("POST", "/agent/v5/datafeeds", body);
        answer.json()["id"].as_str().unwrap().to_owned()
    };
    let ids = |query: &str| -> Vec<String> {
        let answer = client.send("GET", &format!("/agent/v5/datafeeds{query}"), "");
        let list = answer.json();
        let ids = list.as_array().unwrap().iter();
        ids.map(|feed| feed["id"].as_str().unwrap().to_owned()).collect()
    };
    let bare = create("{}");
    let one = create(r#"{"tag":"one"}"#);
    let odd = create(r#"{"tag":"a b&ü"}"#);
    assert_eq!(ids(""), [&*bare, &one, &odd]);
    assert_eq!(ids("?tag=one"), [&*one]);
    assert_eq!(ids("?tag=on"), [""; 0]);
    assert_eq!(ids("?tag=a%20b%26%C3%BC"), [&*odd]);

    let (fits, long) = ("ü".repeat(100), "x".repeat(101));
    let body = |tag: &str| json!({ "tag": tag }).to_string();
    let post = |tag| client.send("POST", "/agent/v5/datafeeds", &body(tag)).status;
    assert_eq!(post(&fits), 201);
    assert_eq!(post(&long), 400);
    let path = format!("/agent/v5/datafeeds?tag={long}");
    assert_eq!(client.send("GET", &path, "").status, 400);
}

#[test]
fn the_twenty_first_feed_is_refused() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    emulator.add_foreign_feed("6f2e_p_be940", "datahose", None);
    let feeds: Vec<String> = (0..20).map(|_| client.create()).collect();
    let answer = client.send("POST", "/agent/v5/datafeeds", "{}");
    assert_eq!((answer.status, &answer.json()["code"]), (403, &json!(403)));
    client.send("DELETE", &format!("/agent/v5/datafeeds/{}", feeds[7]), "");
    client.create();
}

#[test]
fn clients_are_told_the_real_time_of_a_creation() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let before = common::wall_seconds() * 1000;
    emulator.advance(Duration::from_secs(3600));
    let created = client.send("POST", "/agent/v5/datafeeds", "{}").json();
    for feed in [&created, &client.list()[0]] {
        let at = feed["createdAt"].as_u64().unwrap();
        assert!((before..before + 600_000).contains(&at), "{at}");
    }
}

#[test]
fn created_at_can_be_left_out() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    client.create();
    assert!(client.list()[0]["createdAt"].is_u64());
    emulator.change_settings(|settings| settings.created_at = false);
    assert!(client.list()[0].get("createdAt").is_none());
    let created = client.send("POST", "/agent/v5/datafeeds", "{}").json();
    assert!(created.get("createdAt").is_none());
}

#[test]
fn foreign_entries_stand_in_the_list_and_are_no_feeds() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    emulator.add_foreign_feed("6f2e_p_be940", "datahose", Some("t"));
    assert_eq!(client.list()[0]["id"], "6f2e_p_be940");
    assert_eq!(client.list()[0]["type"], "datahose");
    assert_eq!(client.read("6f2e_p_be940", "").status, 400);
    emulator.publish(["{}"]);
    assert_eq!(emulator.books().unrouted, 1);
    emulator.advance(Duration::from_secs(3600));
    assert!(emulator.feeds()[0].foreign);
    emulator.remove_feeds();
    assert_eq!(emulator.feeds().len(), 1);
}

#[test]
fn feeds_of_others_on_the_account_can_be_adopted() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let id = emulator.create_feed(Some("mine"));
    emulator.publish([r#"{"a":1}"#]);
    assert_eq!(client.list()[0]["id"], id);
    assert_eq!(client.take(&id, "").0, [json!({"a": 1})]);
}

#[test]
fn everything_also_works_under_a_context() {
    let emulator = start(|settings| settings.context = "/my-context".into());
    assert!(emulator.url().ends_with("/my-context"));
    assert_eq!(emulator.config()["context"], "/my-context");
    let client = Client::of(&emulator);
    let feed = client.create();
    assert_eq!(client.read(&feed, "").status, 200);
    assert_eq!(client.send("GET", "/agent/v3/health", "").json()["status"], "UP");
    let bare = Client {
        url: format!("http://127.0.0.1:{}", emulator.port()),
        ..Client::stranger(&emulator)
    };
    assert_eq!(bare.send("GET", "/agent/v3/health", "").status, 404);
    assert_eq!(bare.send("GET", "/my-contextx/agent/v3/health", "").status, 404);
    assert_eq!(bare.send("GET", "/emulator/books", "").status, 200);
}

#[test]
fn wrong_paths_methods_and_bodies_are_refused() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let feed = client.create();
    for path in [
        "/",
        "/agent",
        "/agent/v5/datafeeds/",
        "/agent/v6/datafeeds",
        "//agent/v5/datafeeds",
    ] {
        let answer = client.send("GET", path, "");
        assert_eq!((answer.status, &answer.json()["code"]), (404, &json!(404)), "{path}");
    }
    let answer = client.send("DELETE", "/agent/v5/datafeeds", "");
    assert_eq!(answer.status, 405);
    assert_eq!(answer.headers["allow"], "GET, POST");
    assert_eq!(client.send("GET", &common::read_path(&feed), "").status, 405);
    for body in ["[]", "{", "7", r#"{"ackId":7}"#, r#"{"updatePresence":"yes"}"#] {
        let answer = client.send("POST", &common::read_path(&feed), body);
        assert_eq!(answer.status, 400, "{body}");
    }
    let answer = client.send("POST", "/agent/v5/datafeeds", r#"{"tag":7}"#);
    assert!(answer.message().starts_with("tag: "), "{answer:?}");
    let plain = client
        .agent
        .post(format!("{}/agent/v5/datafeeds", client.url))
        .header("sessionToken", &client.session)
        .header("keyManagerToken", &client.key_manager)
        .header("Content-Type", "text/plain")
        .send("{}");
    assert_eq!(plain.unwrap().status(), 415);
}

#[test]
fn the_agent_tells_its_version_to_anyone() {
    let emulator = start(|settings| settings.agent_version = "Agent-25.8.1".into());
    let info = Client::stranger(&emulator).send("GET", "/agent/v1/info", "").json();
    assert_eq!(info["version"], "Agent-25.8.1");
    assert_eq!(info["serverFqdn"], emulator.url());
}

#[test]
fn a_dropped_emulator_frees_its_port_and_ends_its_connections() {
    let emulator = start(|settings| settings.poll = common::LONG);
    let client = Client::of(&emulator);
    let feed = client.create();
    let reading = client.begin_read(&feed);
    assert!(emulator.wait_for_requests(common::LONG, |log| log.len() == 4));
    let port = emulator.port();
    drop(emulator);
    let (text, _) = common::drain(reading);
    assert_eq!(text, "");
    let again = start(|settings| settings.port = port);
    assert_eq!(again.port(), port);
}
