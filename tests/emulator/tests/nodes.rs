//! Several emulators: apart, and as the agent nodes of one pod.

mod common;

use std::time::Duration;

use common::{Client, login_token, start};
use datafeed_emulator::keys::KeyPair;
use datafeed_emulator::{Emulator, Settings};
use serde_json::json;

/// One more node of the same pod, whose reads end soon.
fn node_of(emulator: &Emulator, change: impl FnOnce(&mut Settings)) -> Emulator {
    let mut settings = Settings {
        poll: Duration::from_millis(50),
        ..Settings::default()
    };
    change(&mut settings);
    emulator.start_node_of(settings).expect("the node starts")
}

/// The same client, talking to another emulator.
fn at(emulator: &Emulator, client: &Client) -> Client {
    Client {
        session: client.session.clone(),
        key_manager: client.key_manager.clone(),
        authorization: client.authorization.clone(),
        ..Client::stranger(emulator)
    }
}

fn list(client: &Client) -> u16 {
    client.send("GET", "/agent/v5/datafeeds", "").status
}

#[test]
fn emulators_of_one_process_take_one_key_and_no_token_of_each_other() {
    let [one, other] = [start(|_| ()), start(|_| ())];
    assert_eq!(one.config()["bot"], other.config()["bot"]);
    let [mine, theirs] = [Client::of(&one), Client::of(&other)];
    assert_eq!((list(&mine), list(&theirs)), (200, 200));
    assert_eq!((list(&at(&other, &mine)), list(&at(&one, &theirs))), (401, 401));
    one.advance(Duration::from_secs(15 * 24 * 60 * 60));
    assert_eq!((list(&mine), list(&theirs)), (401, 200));
}

#[test]
fn nodes_of_one_pod_take_each_others_tokens() {
    let one = start(|settings| settings.common_jwt = true);
    let other = node_of(&one, |settings| settings.common_jwt = true);
    for (home, away) in [(&one, &other), (&other, &one)] {
        let mut client = Client::of(home);
        let login = client.log_in_with("login", &login_token("emulator-bot", 240)).json();
        client.authorization = login["authorizationToken"].as_str().unwrap().to_owned();
        let guest = at(away, &client);
        assert_eq!((list(&client), list(&guest)), (200, 200));
        assert_eq!(guest.send("GET", "/pod/v2/sessioninfo", "").status, 200);
        assert_eq!(guest.send("POST", "/login/idm/tokens", "").status, 200);
    }
}

#[test]
fn a_node_has_feeds_and_books_of_its_own() {
    let one = start(|_| ());
    let other = node_of(&one, |_| ());
    let client = Client::of(&one);
    let guest = at(&other, &client);
    let (feed, feed_v1) = (client.create(), client.create_v1());
    assert!(guest.list().is_empty());
    assert_ne!((guest.create(), guest.create_v1()), (feed.clone(), feed_v1.clone()));
    // What another node has made is unknown.
    assert_eq!(guest.read(&feed, "").status, 400);
    assert_eq!(guest.read_v1(&feed_v1, "").status, 400);
    one.publish(["1"]);
    assert_eq!((one.books().published, other.books().published), (1, 0));
    assert_eq!((one.v1_books().routed, other.v1_books().routed), (1, 0));
    assert_eq!(client.take(&feed, "").0, [json!(1)]);
    assert_eq!((one.requests().len(), other.requests().len()), (5, 5));
    other.remove_feeds();
    assert_eq!(one.feeds().len(), 1);
}

#[test]
fn sessions_and_clocks_of_one_pod_go_together() {
    let one = start(|settings| settings.session_ttl = Duration::from_secs(600));
    one.advance(Duration::from_secs(100_000));
    let other = node_of(&one, |_| ());
    let mut client = Client::of(&one);
    let guest = at(&other, &client);
    guest.create();
    other.advance(Duration::from_secs(599));
    assert_eq!((list(&client), list(&guest)), (200, 200));
    let clock = client.send("POST", "/emulator/clock", r#"{"advanceMillis":2000}"#);
    let now = clock.json()["nowMillis"].as_u64().unwrap();
    assert!(now >= other.feeds()[0].created_at_ms + 601_000);
    assert_eq!((list(&client), list(&guest)), (401, 401));
    client.log_in();
    let guest = at(&other, &client);
    assert_eq!(list(&guest), 200);
    other.expire_sessions();
    assert_eq!((list(&client), list(&guest)), (401, 401));
    other.reject_logins(true);
    let token = login_token("emulator-bot", 240);
    assert_eq!(client.log_in_with("login", &token).status, 401);
}

#[test]
fn a_node_knows_the_bot_of_its_pod_and_outlives_the_first() {
    let pair = KeyPair::generate();
    let one = start(|settings| {
        settings.username = "a-bot".into();
        settings.public_key_pem = Some(pair.public_key_pem().to_owned());
    });
    let other = node_of(&one, |settings| settings.username = "somebody".into());
    assert_eq!(other.config()["bot"], json!({"username": "a-bot"}));
    let token = pair.token(&json!({"sub": "a-bot", "exp": common::wall_seconds() + 60}));
    let client = Client::stranger(&other);
    drop(one);
    assert_eq!(client.log_in_with("login", &token).status, 200);
    let third = node_of(&other, |_| ());
    assert_eq!(Client::stranger(&third).log_in_with("relay", &token).status, 200);
    assert!(
        other
            .start_node_of(Settings {
                context: "x".into(),
                ..Settings::default()
            })
            .is_err()
    );
}
