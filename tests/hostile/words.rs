//! What is told of an answer: the words that a person needs to mend it.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::common::raw::answer::{response, send, silence};
use crate::common::raw::{Endpoint, FEED, SESSION_TOKEN};
use crate::wire::{self, Wire, batch, ok, raw};

#[test]
fn heads_without_end_are_refused() {
    let wire = Wire::new();
    let head = "HTTP/1.1 200 OK\r\n";
    for (what, answer) in [
        (
            "a status line of a megabyte",
            send("HTTP/1.1 200 ").repeat("a", 1 << 20),
        ),
        (
            "a header of ten megabytes",
            send(head).send("A: ").repeat("a", 10 << 20),
        ),
        ("a name of ten megabytes", send(head).repeat("a", 10 << 20)),
        ("a million headers", send(head).repeat("A: b\r\n", 1_000_000)),
        ("empty lines", silence().repeat("\r\n", 1_000_000)),
    ] {
        wire.refuses(what, answer.hold(), "RESPONSE_INVALID", &["header"]);
    }
}

#[test]
fn a_connection_that_ends_within_a_chunk_size_is_a_broken_one() {
    let wire = Wire::new();
    for begun in ["1", "10\r"] {
        let answer = raw("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n", begun).close();
        wire.refuses(begun, answer, "NETWORK", &["broke"]);
    }
}

#[test]
fn chunk_sizes_without_end_are_named() {
    let wire = Wire::new();
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (what, answer) in [
        (
            "an extension of a megabyte",
            send(head).send("3;").repeat("a", 1 << 20).send("\r\nabc\r\n0\r\n\r\n"),
        ),
        (
            "an extension that never ends",
            send(head).send("3;").repeat("a", 1 << 20).hold(),
        ),
        (
            "a trailer of a megabyte",
            send(head).send("0\r\nA: ").repeat("a", 1 << 20).hold(),
        ),
    ] {
        wire.refuses(what, answer, "RESPONSE_INVALID", &["chunk"]);
    }
}

/// Without waiting for any of the body: it may not come.
#[test]
fn lengths_above_the_limit_are_refused_at_once() {
    let wire = Wire::new();
    for length in [(64 << 20) + 1, 999_999_999_999_999_999, 1u64 << 63] {
        let answer = raw(&format!("HTTP/1.1 200 OK\nContent-Length: {length}\n"), "0123456789").hold();
        wire.refuses(
            "a length",
            answer,
            "RESPONSE_TOO_LARGE",
            &["maxResponseBytes", &length.to_string()],
        );
    }
}

#[test]
fn an_encoding_that_was_not_asked_for_is_named() {
    let wire = Wire::new();
    for encoding in ["gzip", "deflate", "br"] {
        let header = format!("Content-Encoding: {encoding}\r\n");
        let answer = send(response(
            "200 OK",
            &header,
            b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\xec\xc1\x01",
        ));
        wire.refuses(encoding, answer, "RESPONSE_INVALID", &["Content-Encoding", encoding]);
    }
}

#[test]
fn a_redirect_is_never_followed_and_says_where_it_leads() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a port");
    elsewhere.set_nonblocking(true).expect("a listener");
    let other = elsewhere.local_addr().expect("an address").to_string();
    let wire = Wire::new();
    let own = wire.server.url();
    for status in ["301", "302", "303", "307", "308"] {
        for (location, told) in [
            (
                format!("http://{other}/login?next=hidden-query#{SESSION_TOKEN}"),
                &*other,
            ),
            (format!("http://user:{SESSION_TOKEN}@{other}/"), &*other),
            (format!("//{other}/agent"), &*other),
            (format!("{own}/elsewhere?hidden-query"), &*own),
            ("/elsewhere?hidden-query".to_owned(), "/elsewhere"),
            ("file:///etc/passwd".to_owned(), "file:"),
        ] {
            let header = format!("Location: {location}\r\n");
            let answer = send(response(status, &header, ""));
            wire.refuses(
                &location,
                answer,
                "SERVICE_ERROR",
                &[status, "redirect", told, "agent.host"],
            );
            let told = wire.feed.error().unwrap_or_default().to_string();
            assert!(!told.contains("hidden-query"), "{told}");
        }
    }
    assert!(elsewhere.accept().is_err(), "a redirect was followed");
}

#[test]
fn a_page_in_the_place_of_an_answer_is_told_by_its_title() {
    let wire = Wire::new();
    let page =
        |title: &str| format!("<!DOCTYPE html>\n<html><head><title>{title}</title></head><body>No</body></html>");
    for (status, code) in [
        ("200", "RESPONSE_INVALID"),
        ("502", "SERVICE_ERROR"),
        ("503", "SERVICE_ERROR"),
    ] {
        let html = |page: &str| send(response(status, "Content-Type: text/html\r\n", page));
        wire.refuses(status, html(&page("Bad\n\u{7}Gateway")), code, &["HTML", "Bad Gateway"]);
        wire.refuses(
            "a long title",
            html(&page(&"Bad ".repeat(10_000))),
            code,
            &["HTML", "Bad Bad"],
        );
        wire.refuses("a secret in it", html(&page(SESSION_TOKEN)), code, &["HTML"]);
        wire.refuses("no title", html("<html>no"), code, &["HTML"]);
    }
}

#[test]
fn another_protocol_is_told_by_how_it_begins() {
    let wire = Wire::new();
    let banner = send("SSH-2.0-OpenSSH_9.6\r\n").close();
    wire.refuses("SSH", banner, "RESPONSE_INVALID", &["SSH-2.0-OpenSSH_9.6"]);
    let token = send(format!("{SESSION_TOKEN}\r\n")).close();
    wire.refuses("a token", token, "RESPONSE_INVALID", &["reading the feed"]);
    let alert = send(b"\x15\x03\x03\x00\x02\x02\x28").close();
    wire.refuses("TLS", alert, "RESPONSE_INVALID", &["TLS", "scheme"]);
}

/// As many as are remembered at most, and one.
#[test]
fn a_batch_of_more_events_than_are_remembered_is_acknowledged() {
    let wire = Wire::new();
    wire.server
        .script(Endpoint::Read, ok(batch(&[&("{},".repeat(100_000) + "{}")])));
    for _ in 0..100_001 {
        assert_eq!(wire.feed.must_next_and_ack(), "{}");
    }
    assert!(wire.server.wait_for_ack(wire::ACK_ID), "{:#}", wire.feed.stats());
    wire.works();
}

/// No header line of that length can be sent, and only another login brings another token.
#[test]
fn a_token_that_cannot_be_sent_is_no_token() {
    for endpoint in [Endpoint::PodLogin, Endpoint::KeyManagerLogin] {
        let wire = Wire::prepared(json!({}), |server| {
            server.script(endpoint, ok(format!(r#"{{"token":"{}"}}"#, "a".repeat(20_000))));
        });
        wire.tells("a token", "RESPONSE_INVALID", &["logging in", "token"]);
        wire.works();
    }
}

/// It would be asked for until the end of time.
#[test]
fn a_feed_that_cannot_be_asked_for_is_none() {
    for id in ["a".repeat(100_000) + "_f", "\u{1}\u{2}_f".to_owned()] {
        let id = Value::from(id);
        let wire = Wire::prepared(json!({}), |server| {
            server.script(Endpoint::List, ok(format!(r#"[{{"id":{id}}},{{"id":"{FEED}"}}]"#)));
        });
        wire.works();
        assert_eq!(wire.feed.stats()["feedId"], FEED);
        let wire = Wire::prepared(json!({}), |server| {
            server.have_no_feed();
            server.script(Endpoint::Create, ok(format!(r#"{{"id":{id}}}"#)));
        });
        wire.tells("a created feed", "RESPONSE_INVALID", &["creating a feed"]);
        wire.works();
    }
}

/// What a gateway wants to see may be a secret of its own.
#[test]
fn the_configured_headers_are_not_repeated() {
    let headers = json!({"x-api-key": "gateway-key-42", "Authorization": "Basic Z2F0ZXdheTpwYXNz"});
    let wire = Wire::with(json!({"defaultHeaders": headers}));
    for quoted in ["gateway-key-42", "Basic Z2F0ZXdheTpwYXNz", "Z2F0ZXdheTpwYXNz"] {
        for (answer, code) in [
            (
                send(response("503", "", format!("{{\"message\":\"bad {quoted}\"}}"))),
                "SERVICE_ERROR",
            ),
            (ok(format!("<title>{quoted}</title>")), "RESPONSE_INVALID"),
            (send(format!("{quoted}\r\n")).close(), "RESPONSE_INVALID"),
        ] {
            wire.refuses(quoted, answer, code, &["reading the feed"]);
            let told = format!("{:?} {}", wire.feed.error(), wire.feed.stats());
            assert!(!told.contains("gateway-key") && !told.contains("Z2F0"), "{told}");
        }
    }
}

/// What a refusal means is in its status, also when its words do not come.
#[test]
fn a_refusal_without_its_words_is_a_refusal() {
    let wire = Wire::new();
    let cut = raw("HTTP/1.1 429 Slow\nContent-Length: 100\nRetry-After: 0\n", "{\"mess").close();
    wire.refuses("a cut body", cut, "RATE_LIMITED", &["429"]);
    let reset = raw("HTTP/1.1 503 Oops\nContent-Length: 100\n", "{\"mess").close();
    wire.refuses("a cut body", reset, "SERVICE_ERROR", &["503"]);
}

/// Their limit is not a setting.
#[test]
fn a_login_above_the_limit_names_no_setting_that_is_not_its_own() {
    let wire = Wire::prepared(json!({}), |server| {
        server.script(Endpoint::PodLogin, ok(" ".repeat((1 << 20) + 1)));
    });
    let message = wire.tells("a login", "RESPONSE_TOO_LARGE", &["logging in to the pod"]);
    assert!(!message.contains("maxResponseBytes"), "{message}");
    wire.works();
}
