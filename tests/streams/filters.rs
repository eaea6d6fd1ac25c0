//! What the bot does not want to see is acknowledged on the way.

use datafeed_emulator::{BOT_USER_ID, EVENT_TYPES, Emulator};
use serde_json::{Value, json};

use super::common::*;

fn event(number: usize, kind: &str, user: i64) -> String {
    json!({
        "id": format!("filter-{number}"), "type": kind, "n": number,
        "initiator": {"user": {"userId": user, "username": "somebody"}},
    })
    .to_string()
}

#[track_caller]
fn filtered(emulator: &Emulator, feed: &Feed, count: u64) {
    assert!(emulator.wait_until(PATIENCE, |books| books.acknowledged == books.routed
        && books.leased == 0));
    let stats = feed.stats();
    assert_eq!(
        (&stats["filtered"], &stats["queued"]),
        (&json!(count), &json!(0)),
        "{stats:#}"
    );
}

#[test]
fn only_the_types_that_are_asked_for_are_handed_out() {
    let emulator = emulator(quick());
    let settings = json!({"eventTypes": ["ROOMCREATED", "messagesent"]});
    let feed = open_and_wait(&emulator, &config(&emulator, settings));
    emulator.publish(
        EVENT_TYPES
            .iter()
            .zip(0..)
            .map(|((kind, _), number)| event(number, kind, 1)),
    );
    emulator.publish([
        event(17, "BRANDNEW", 1),
        "{\"n\":18}".to_owned(),
        event(19, "MESSAGESENT", 1),
    ]);
    let mut kinds = Vec::new();
    for _ in 0..3 {
        let event: Value = serde_json::from_str(&feed.must_next_and_ack()).expect("JSON");
        kinds.push(event["type"].as_str().expect("a type").to_owned());
    }
    kinds.sort();
    assert_eq!(kinds, ["MESSAGESENT", "MESSAGESENT", "ROOMCREATED"]);
    filtered(&emulator, &feed, 17);
    assert_eq!(feed.stats()["handedOut"], 3);
}

#[test]
fn every_type_passes_unchanged_also_an_unknown_one() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    let mut sent: Vec<String> = EVENT_TYPES
        .iter()
        .zip(0..)
        .map(|((kind, _), n)| event(n, kind, 1))
        .collect();
    sent.push("{ \"type\" : \"BRAND_NEW\",\"n\":17, \"odd\":[1.50,\"\\u00e9\"] }".to_owned());
    emulator.publish(sent.clone());
    for expected in &sent {
        assert_eq!(feed.must_next_and_ack(), *expected);
    }
    filtered(&emulator, &feed, 0);
}

#[test]
fn the_bot_s_own_events_are_left_out_unless_it_wants_them() {
    for (settings, sees) in [(json!({}), false), (json!({"ignoreOwn": false}), true)] {
        let emulator = emulator(quick());
        let feed = open_and_wait(&emulator, &config(&emulator, settings));
        let own = event(0, "MESSAGESENT", BOT_USER_ID);
        emulator.publish([own.clone(), event(1, "MESSAGESENT", BOT_USER_ID + 1)]);
        if sees {
            assert_eq!(feed.must_next_and_ack(), own);
        }
        assert_eq!(number_of(&feed.must_next_and_ack()), 1);
        filtered(&emulator, &feed, u64::from(!sees));
        assert_eq!(feed.session().expect("a session")["userId"], BOT_USER_ID);
    }
}

#[test]
fn a_bot_does_not_hear_its_own_answer() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    let session = feed.session().expect("a session");
    let token = |name: &str| session[name].as_str().expect("a token").to_owned();
    let body = "--x\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n<messageML>hi</messageML>\r\n--x--\r\n";
    let url = format!("{}/agent/v4/stream/abc/message/create", token("agentUrl"));
    let answer = ureq::post(&url)
        .header("sessionToken", token("sessionToken"))
        .header("keyManagerToken", token("keyManagerToken"))
        .header("Content-Type", "multipart/form-data; boundary=x")
        .send(body)
        .expect("the answer was taken");
    assert_eq!(answer.status().as_u16(), 200);
    filtered_echo(&emulator, &feed);
    works(&emulator, &feed, 0);
}

#[track_caller]
fn filtered_echo(emulator: &Emulator, feed: &Feed) {
    assert!(
        emulator.wait_until(PATIENCE, |books| books.acknowledged == 1),
        "{:?}",
        emulator.books()
    );
    assert_eq!(feed.stats()["filtered"], 1);
}
