//! The common JWT is renewed before its end, whatever the feed is at.

use std::time::Duration;

use datafeed_emulator::{Emulator, Endpoint, Settings};
use serde_json::{Value, json};

use super::common::*;

fn short_lived() -> (Emulator, Value) {
    let emulator = emulator(Settings {
        common_jwt: true,
        common_jwt_ttl: Duration::from_secs(3),
        ..quick()
    });
    let config = config(
        &emulator,
        json!({"commonJwt": {"enabled": true}, "maxUnacknowledged": 1}),
    );
    (emulator, config)
}

fn renewals(emulator: &Emulator, count: usize) -> bool {
    emulator.wait_for_requests(PATIENCE, |requests| {
        let jwts = requests
            .iter()
            .filter(|request| request.endpoint == Some(Endpoint::CommonJwt));
        jwts.count() > count
    })
}

fn nothing_was_refused(emulator: &Emulator) {
    let requests = emulator.requests();
    let refused: Vec<_> = requests.iter().filter(|request| request.status == Some(401)).collect();
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn while_it_reads() {
    let (emulator, config) = short_lived();
    let feed = open_and_wait(&emulator, &config);
    for number in 0..3 {
        assert!(renewals(&emulator, number));
        works(&emulator, &feed, number);
    }
    nothing_was_refused(&emulator);
    assert_eq!(feed.stats()["logins"], 1);
}

#[test]
fn while_it_waits_for_the_bot() {
    let (emulator, config) = short_lived();
    let feed = open_and_wait(&emulator, &config);
    emulator.publish([numbered(0)]);
    let held = feed.must_next();
    feed.wait_for_log("reading waits for the bot");
    let before = feed.session().expect("a session")["authorizationToken"].clone();
    assert!(
        before.as_str().is_some_and(|token| token.starts_with("Bearer ")),
        "{before}"
    );
    feed.wait_for_log("renewed the common JWT");
    assert_ne!(feed.session().expect("a session")["authorizationToken"], before);
    assert_eq!(feed.ack(held.delivery), DATAFEED_OK);
    works(&emulator, &feed, 1);
    nothing_was_refused(&emulator);
}
