//! Connections that break, stall or end at each point of an answer.

use serde_json::json;

use crate::common::raw::Endpoint;
use crate::common::raw::answer::{response, send, silence};
use crate::wire::{Wire, batch, raw};

const EVENT: &str = r#"{"id":"connected"}"#;

fn whole() -> Vec<u8> {
    response("200 OK", "Content-Type: application/json\r\n", batch(&[EVENT]))
}

/// Within the status line, at its end, within a header, at the end of the head, within the body.
fn cuts() -> [usize; 6] {
    let whole = whole();
    let head = whole.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    [0, 7, 17, 30, head + 4, whole.len() - 1]
}

#[test]
fn a_connection_that_ends_within_an_answer_is_told() {
    let wire = Wire::new();
    for at in cuts() {
        let begun = || send(&whole()[..at]);
        for (how, answer) in [
            ("closed", begun().close()),
            ("half-closed", begun().half_close()),
            ("reset", begun().reset()),
            (
                "closed before the request's body was read",
                begun().before_body().close(),
            ),
            (
                "reset before the request's body was read",
                begun().before_body().reset(),
            ),
        ] {
            wire.refuses(&format!("{how} after {at} bytes"), answer, "NETWORK", &["broke"]);
        }
    }
}

#[test]
fn a_body_that_ends_with_the_connection_has_to_be_whole() {
    let wire = Wire::new();
    let body = batch(&[EVENT]);
    let head = "HTTP/1.1 200 OK\n";
    for at in [0, 1, body.len() / 2, body.len() - 1] {
        let cut = format!("cut at {at}");
        wire.refuses(&cut, raw(head, &body[..at]).close(), "RESPONSE_INVALID", &["at byte"]);
        wire.refuses(
            &cut,
            raw(head, &body[..at]).half_close(),
            "RESPONSE_INVALID",
            &["at byte"],
        );
    }
    wire.accepts("closed", raw(head, &body).close(), &[EVENT]);
    wire.accepts("half-closed", raw(head, &body).half_close(), &[EVENT]);
}

#[test]
fn a_connection_that_ends_after_an_answer_is_no_trouble() {
    let wire = Wire::new();
    wire.accepts("closed", send(whole()).close(), &[EVENT]);
    wire.accepts("half-closed", send(whole()).half_close(), &[EVENT]);
}

#[test]
fn answers_that_trickle_are_given_up() {
    let wire = Wire::with(json!({"readTimeout": 1000}));
    let body = batch(&[EVENT]);
    for (what, answer) in [
        ("nothing", silence().hold()),
        ("a status line", send("HTTP/1.1 200 ").trickle("a")),
        ("a header", send("HTTP/1.1 200 OK\r\nA: ").trickle("a")),
        ("headers", send("HTTP/1.1 200 OK\r\n").trickle("A: b\r\n")),
        (
            "a body",
            raw("HTTP/1.1 200 OK\nContent-Length: 1000\n", &body).trickle(" "),
        ),
        ("a body without length", raw("HTTP/1.1 200 OK\n", &body).trickle(" ")),
        (
            "chunks",
            raw("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n", "").trickle("1\r\n \r\n"),
        ),
        (
            "trailers",
            raw("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n", "0\r\n").trickle("A: b\r\n"),
        ),
        (
            "half a body",
            raw("HTTP/1.1 200 OK\nContent-Length: 1000\n", &body).hold(),
        ),
    ] {
        wire.refuses(what, answer, "TIMEOUT", &["no answer in time"]);
    }
}

#[test]
fn a_login_that_trickles_is_given_up() {
    let wire = Wire::prepared(json!({"readTimeout": 1000}), |server| {
        server.script(Endpoint::PodLogin, send("HTTP/1.1 200 OK\r\n").trickle("A: b\r\n"));
    });
    wire.tells("a login", "TIMEOUT", &["logging in to the pod"]);
    wire.works();
}
