//! Hostile answers to everything that goes before the first read.

use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::common::raw::Endpoint;
use crate::common::raw::answer::{Answer, response, send, silence};
use crate::wire::{Wire, ok};

const BEFORE_READING: [(Endpoint, &str); 4] = [
    (Endpoint::PodLogin, "logging in to the pod"),
    (Endpoint::KeyManagerLogin, "logging in to the key manager"),
    (Endpoint::List, "listing the feeds"),
    (Endpoint::Create, "creating a feed"),
];

/// Answered like this, each of the endpoints is asked again, and then everything works.
#[track_caller]
fn refused_everywhere(what: &str, answer: &Answer, code: &str, words: &[&str]) {
    for (endpoint, doing) in BEFORE_READING {
        let what = format!("{what}, {doing}");
        let wire = Wire::prepared(json!({"maxResponseBytes": 1 << 20}), |server| {
            server.have_no_feed();
            server.script(endpoint, answer.clone());
            server.script(endpoint, answer.clone());
        });
        for _ in 0..2 {
            let message = wire.tells(&what, code, words);
            assert!(message.contains(doing), "{message}");
        }
        wire.works();
        assert_eq!(wire.feed.stats()["retries"], 2, "{what}");
        wire.keeps_secrets(&what);
    }
}

#[test]
fn answers_that_are_no_http_are_refused() {
    refused_everywhere(
        "garbage",
        &send("\u{1}\u{2}\u{3}\r\n\r\n").close(),
        "RESPONSE_INVALID",
        &["http"],
    );
    let lengths = send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab");
    refused_everywhere("two lengths", &lengths, "RESPONSE_INVALID", &["content-length"]);
}

#[test]
fn answers_that_are_not_what_was_asked_for_are_refused() {
    for body in [
        "",
        "null",
        "7",
        "{\"token\":7,\"id\":7}",
        "{\"token\":\"\",\"id\":\"\"}",
        "{\"token\":\"a\\nb\",\"id\":null}",
        "[",
        "<html></html>",
        &"[".repeat(10_000),
        &"{\"a\":".repeat(10_000),
    ] {
        refused_everywhere(body, &ok(body), "RESPONSE_INVALID", &["cannot be used"]);
    }
    refused_everywhere(
        "no text",
        &ok(b"{\"token\":\"\xc0\xaf\"}"),
        "RESPONSE_INVALID",
        &["cannot be used"],
    );
}

#[test]
fn lists_of_anything_else_hold_no_feed() {
    let others =
        r#"[null,7,"a_f",[],{},{"id":7},{"id":""},{"id":"a b_f"},{"id":"a_p"},{"id":"a_f","type":"datahose"}]"#;
    let wire = Wire::prepared(json!({}), |server| {
        server.have_no_feed();
        server.script(Endpoint::List, ok(others));
    });
    wire.works();
    assert_eq!(wire.server.requests(Endpoint::Create), 1);
}

#[test]
fn answers_larger_than_the_limit_are_refused() {
    let endless = || send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").repeat("4\r\n    \r\n", 1 << 24);
    refused_everywhere(
        "chunks",
        &endless(),
        "RESPONSE_TOO_LARGE",
        &["larger than 1048576 bytes"],
    );
    let whole = silence().send(response("200 OK", "", " ".repeat((1 << 20) + 1)));
    refused_everywhere("a byte too many", &whole, "RESPONSE_TOO_LARGE", &["larger than"]);
}

#[test]
fn connections_that_break_are_told() {
    for answer in [
        silence().close(),
        silence().reset(),
        send("HTTP/1.1 200 OK\r\nA").half_close(),
    ] {
        refused_everywhere("broken", &answer, "NETWORK", &["broke"]);
    }
}

/// A refusal dated an hour ago, and one dated in a far future: the feed goes on with the service's time.
#[test]
fn a_clock_that_is_ahead_is_allowed_for_too() {
    for (endpoint, date, ahead) in [
        (
            Endpoint::PodLogin,
            SystemTime::now() - Duration::from_secs(3600),
            "ahead of",
        ),
        (
            Endpoint::KeyManagerLogin,
            SystemTime::now() - Duration::from_secs(3600),
            "ahead of",
        ),
        (
            Endpoint::PodLogin,
            SystemTime::now() + Duration::from_secs(3_000_000_000),
            "behind",
        ),
    ] {
        let header = format!("Date: {}\r\n", httpdate::fmt_http_date(date));
        let wire = Wire::prepared(json!({}), |server| {
            server.script(endpoint, send(response("401 Unauthorized", &header, "{}")));
        });
        wire.tells("a clock", "CLOCKS_APART", &[ahead, "set this machine's clock right"]);
        wire.works();
        let offset = wire.feed.stats()["clockOffsetSeconds"].as_i64().expect("a number");
        assert!(offset.abs() > 3590, "{offset}");
    }
}
