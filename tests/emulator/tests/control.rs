//! The control interface over HTTP.

mod common;

use common::{Client, LONG, login_token, start};
use datafeed_emulator::{Books, Endpoint, Fault, FaultAction, Outcome, RequestLog};
use serde_json::{Value, json};

fn post(client: &Client, path: &str, body: Value) -> common::Answer {
    client.send("POST", path, &body.to_string())
}

#[test]
fn events_keep_their_bytes() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let feed = client.create();
    let body = "[ {\"a\" : 1.0} ,\n{\"a\":\"\\u00e9\"} ]";
    let books = client.send("POST", "/emulator/events", body).json();
    assert_eq!((&books["published"], &books["queued"]), (&json!(2), &json!(2)));
    let text = client.read(&feed, "").text;
    assert!(text.starts_with(r#"{"events":[{"a" : 1.0},{"a":"\u00e9"}],"#), "{text}");
    let event_books = client.send("GET", "/emulator/events", "").json();
    assert_eq!(event_books, json!(emulator.event_books()));
    assert_eq!(event_books[1]["sequence"], 2);
    assert_eq!(event_books[1]["handedOut"], 1);
}

#[test]
fn the_books_feeds_requests_and_configuration_can_be_read() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    client.create();
    post(&client, "/emulator/chat", json!({"count": 5}));
    let books: Books = serde_json::from_str(&client.send("GET", "/emulator/books", "").text).unwrap();
    assert_eq!(books, emulator.books());
    assert_eq!(books.queued, 5);
    let feeds = client.send("GET", "/emulator/feeds", "").json();
    assert_eq!(feeds, json!(emulator.feeds()));
    assert_eq!(feeds[0]["books"]["queued"], 5);
    let log = client.send("GET", "/emulator/requests", "").json();
    assert_eq!(log, json!(emulator.requests()));
    assert_eq!(log[2]["endpoint"], "create");
    assert_eq!(log.as_array().unwrap().len(), 3);
    let config = client.send("GET", "/emulator/config", "").json();
    assert_eq!(config, emulator.config());
}

#[test]
fn feeds_can_be_added_and_removed() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let own = post(&client, "/emulator/feeds", json!({"tag": "mine"}));
    assert_eq!(own.status, 201);
    let foreign = json!({"id": "6f2e_p_be940", "type": "datahose"});
    assert_eq!(post(&client, "/emulator/feeds", foreign).status, 201);
    let feeds = emulator.feeds();
    assert_eq!(own.json()["id"], feeds[0].id);
    assert_eq!(feeds[0].tag.as_deref(), Some("mine"));
    assert!(feeds[1].foreign);
    assert_eq!(client.send("DELETE", "/emulator/feeds", "").status, 204);
    assert_eq!(client.list().len(), 1);
}

#[test]
fn clock_sessions_and_logins_can_be_moved() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let feed = client.create();
    emulator.publish(["1"]);
    client.take(&feed, "");
    let before = emulator.feeds()[0].last_read_ms;
    let now = post(&client, "/emulator/clock", json!({"advanceMillis": 31_000})).json();
    assert!(now["nowMillis"].as_u64().unwrap() >= before + 31_000);
    assert_eq!(emulator.books().queued, 1);
    assert_eq!(client.send("POST", "/emulator/sessions/expire", "").status, 204);
    assert_eq!(client.read(&feed, "").status, 401);
    let token = login_token("emulator-bot", 60);
    assert_eq!(post(&client, "/emulator/logins", json!({"reject": true})).status, 204);
    assert_eq!(client.log_in_with("login", &token).status, 401);
    post(&client, "/emulator/logins", json!({"reject": false}));
    assert_eq!(client.log_in_with("login", &token).status, 200);
}

#[test]
fn faults_are_json() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let list = || client.send("GET", "/agent/v5/datafeeds", "");
    let one = json!({"endpoint": "list", "action": {"status": {"status": 429, "retryAfter": "1"}}});
    assert_eq!(post(&client, "/emulator/faults", one).status, 204);
    assert_eq!(list().headers["retry-after"], "1");
    let several = json!([
        {"endpoint": "list", "times": 2, "action": {"delayMillis": 1}},
        {"endpoint": "list", "action": {"body": {"status": 200, "contentType": "text/plain", "body": "hi"}}},
        {"endpoint": "list", "action": {"body": {"status": 200, "contentType": "text/plain", "body": [104, 111]}}},
        {"endpoint": "list", "after": true, "action": {"truncate": {"afterBytes": 0}}},
        {"endpoint": "list", "action": {"reset": {"afterBytes": 0}}},
        {"endpoint": "list", "action": {"lateReset": {"afterBytes": 1, "afterMillis": 1}}},
        {"endpoint": "list", "after": true, "action": {"drip": {"afterBytes": 100, "everyMillis": 1}}},
        {"endpoint": "list", "action": {"stall": {"afterBytes": 100}}},
        {"endpoint": "list", "action": "hang"},
    ]);
    assert_eq!(post(&client, "/emulator/faults", several).status, 204);
    assert_eq!(
        [list().text, list().text, list().text, list().text],
        ["[]", "[]", "hi", "ho"]
    );
    for _ in ["truncated", "reset", "reset late"] {
        assert!(client.try_send("GET", "/agent/v5/datafeeds", "").is_err());
    }
    assert_eq!(list().text, "[]");
    assert_eq!(client.send("DELETE", "/emulator/faults", "").status, 204);
    assert_eq!(list().status, 200);
}

#[test]
fn what_is_held_is_released() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let held = json!({"endpoint": "create", "action": "hold"});
    assert_eq!(post(&client, "/emulator/faults", held).status, 204);
    std::thread::scope(|scope| {
        let creating = scope.spawn(|| client.create());
        let waiting = |log: &[RequestLog]| log.last().is_some_and(|last| last.outcome == Outcome::Waiting);
        assert!(emulator.wait_for_requests(LONG, waiting));
        assert_eq!(client.send("POST", "/emulator/faults/release", "").status, 204);
        assert_eq!(creating.join().unwrap(), emulator.feeds()[0].id);
    });
}

#[test]
fn a_fault_goes_to_json_and_back() {
    for action in [
        FaultAction::Status {
            status: 500,
            body: None,
            retry_after: Some("1".into()),
        },
        FaultAction::Delay(std::time::Duration::from_millis(7)),
        FaultAction::Reset { after_bytes: 3 },
        FaultAction::Truncate { after_bytes: 4 },
        FaultAction::Body {
            status: 200,
            content_type: "a/b".into(),
            body: vec![255, 0],
        },
        FaultAction::Stall { after_bytes: 5 },
        FaultAction::LateReset {
            after_bytes: 6,
            after_millis: 8,
        },
        FaultAction::Drip {
            after_bytes: 9,
            every_millis: 10,
        },
        FaultAction::Hang,
        FaultAction::Hold,
    ] {
        let fault = Fault {
            endpoint: Endpoint::Read,
            times: 3,
            action,
            after: true,
        };
        let text = serde_json::to_string(&fault).unwrap();
        assert_eq!(serde_json::from_str::<Fault>(&text).unwrap(), fault, "{text}");
    }
}

#[test]
fn settings_change_while_it_runs() {
    let emulator = start(|settings| settings.poll = LONG);
    let client = Client::of(&emulator);
    let changes = json!({
        "pollMillis": 0, "visibilityTimeoutMillis": 5, "feedTtlMillis": 6000, "sessionTtlMillis": 7,
        "maxFeeds": 3, "batchMin": 2, "batchMax": 4, "order": "shuffled", "emptyRead": "noContent",
        "staleAck": "badRequest", "abandonedReadsTake": false, "layout": "varied", "createdAt": false,
        "createdAtStepMillis": 15, "listStaleMinMillis": 16, "listStaleMaxMillis": 17,
        "requireKeyManagerToken": false, "loginsFollowClock": true, "agentVersion": "Agent-25.8.1",
        "chaos": 0.0, "chaosPauseMillis": 9, "v1MaxFeeds": 11, "v1Capacity": 12,
        "firehoseCapacity": 13, "datahoseEntitled": false, "bridge": true, "simplifiedKeyDelivery": true,
        "commonJwt": false, "commonJwtTtlMillis": 14,
        "serverFqdn": "https://agent.example.com",
    });
    let answer = post(&client, "/emulator/settings", changes.clone());
    assert_eq!((answer.status, answer.json()), (200, changes.clone()));
    assert_eq!(client.send("GET", "/emulator/settings", "").json(), changes);
    let settings = emulator.settings();
    assert_eq!(settings.batch, 2..=4);
    assert_eq!(settings.username, "emulator-bot");
    let feed = client.create();
    assert_eq!(client.read(&feed, "").status, 204);
    post(&client, "/emulator/settings", json!({"batchMax": 1}));
    assert_eq!(emulator.settings().batch, 1..=1);
    post(&client, "/emulator/settings", json!({"batchMin": 9}));
    assert_eq!(emulator.settings().batch, 9..=9);
    assert_eq!(
        emulator.settings().server_fqdn.as_deref(),
        Some("https://agent.example.com")
    );
    let usual = post(&client, "/emulator/settings", json!({"serverFqdn": null}));
    assert_eq!(usual.json()["serverFqdn"], json!(null));
    assert_eq!(emulator.settings().server_fqdn, None);
}

#[test]
fn waiting_needs_no_sleep() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let wait = |query: &str| client.send("GET", &format!("/emulator/wait?{query}"), "");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| wait("books=published&atLeast=2&timeoutMillis=20000"));
        emulator.publish(["1"]);
        emulator.publish(["2"]);
        let answer = waiting.join().unwrap();
        assert_eq!((answer.status, &answer.json()["published"]), (200, &json!(2)));
    });
    assert_eq!(wait("books=published").status, 200);
    let late = wait("books=acknowledged&timeoutMillis=10");
    assert_eq!((late.status, &late.json()["acknowledged"]), (408, &json!(0)));
}

#[test]
fn bad_input_is_named() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    for (path, body, named) in [
        ("events", "{}", "array"),
        ("events", "[1,", "array"),
        ("chat", "{}", "count"),
        ("chat", r#"{"count":"x"}"#, "count: "),
        ("feeds", r#"{"tag":1}"#, "tag: "),
        ("feeds", r#"{"type":"datahose"}"#, "type: "),
        ("clock", r#"{"advance":1}"#, "advance"),
        ("clock", r#"{"advanceMillis":-1}"#, "advanceMillis: "),
        ("logins", r#"{"reject":1}"#, "reject: "),
        ("faults", r#"{"endpoint":"nowhere","action":"hang"}"#, "endpoint: "),
        ("faults", r#"{"endpoint":"list","action":{"reset":{}}}"#, "afterBytes"),
        (
            "faults",
            r#"[{"endpoint":"list","action":{"status":{"status":99}}}]"#,
            "status: ",
        ),
        (
            "faults",
            r#"{"endpoint":"list","action":{"status":{"status":503,"retryAfter":"\n"}}}"#,
            "retryAfter: ",
        ),
        ("settings", r#"{"order":"sideways"}"#, "order: "),
        ("settings", r#"{"port":1}"#, "port"),
        ("settings", r#"{"batchMax":0}"#, "batch: "),
        ("settings", r#"{"batchMin":3,"batchMax":2}"#, "batch: "),
        ("settings", r#"{"createdAtStepMillis":0}"#, "created_at_step: "),
        (
            "settings",
            r#"{"listStaleMinMillis":3,"listStaleMaxMillis":2}"#,
            "list_stale: ",
        ),
        ("settings", r#"{"chaos":100.5}"#, "chaos: "),
        ("settings", r#"{"serverFqdn":1}"#, "serverFqdn: "),
        ("settings", "", ""),
    ] {
        let answer = client.send("POST", &format!("/emulator/{path}"), body);
        if body.is_empty() {
            assert_eq!(answer.status, 200);
            continue;
        }
        assert_eq!(answer.status, 400, "{path} {body}");
        assert!(answer.message().contains(named), "{named}: {answer:?}");
    }
    for (query, named) in [
        ("", "books: "),
        ("books=gold", "gold"),
        ("books=queued&atLeast=x", "atLeast: "),
        ("books=queued&until=1", "until: "),
    ] {
        let answer = client.send("GET", &format!("/emulator/wait?{query}"), "");
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.message().contains(named), "{answer:?}");
    }
    assert_eq!(client.send("GET", "/emulator/nowhere", "").status, 404);
    let answer = client.send("DELETE", "/emulator/books", "");
    assert_eq!(
        (answer.status, &answer.headers["allow"]),
        (405, &"GET".parse().unwrap())
    );
}
