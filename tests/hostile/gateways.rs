//! What gateways and proxies put in the place of an answer: pages, redirects, other encodings.

use crate::common::raw::{Endpoint, SESSION_TOKEN};
use std::net::TcpListener;

use crate::common::raw::answer::{response, send};
use crate::wire::{Wire, batch, ok};

const EVENT: &str = r#"{"id":"served"}"#;

#[test]
fn the_content_type_does_not_matter_where_the_content_is_right() {
    let wire = Wire::new();
    for header in [
        "Content-Type: text/plain\r\n",
        "Content-Type: text/html\r\n",
        "Content-Type: application/json; charset=utf-8\r\n",
        "Content-Type: nonsense\r\n",
        "Content-Encoding: identity\r\n",
        "",
    ] {
        let answer = send(response("200 OK", header, batch(&[EVENT])));
        wire.accepts(header, answer, &[EVENT]);
    }
}

#[test]
fn what_a_service_says_is_told_without_what_must_not_be() {
    let wire = Wire::new();
    for (status, code) in [
        ("500 Oops", "SERVICE_ERROR"),
        ("429 Slow", "RATE_LIMITED"),
        ("503 Busy", "SERVICE_ERROR"),
    ] {
        let long = "word ".repeat(10_000);
        let body = format!("{{\"message\":\"\\u0007said\\n{SESSION_TOKEN} {long}\"}}");
        wire.refuses(status, send(response(status, "", body)), code, &["said", "[secret]"]);
    }
}

#[test]
fn waits_that_a_service_asks_for_are_bounded_and_garbage_is_none() {
    let wire = Wire::new();
    for value in [
        "18446744073709551615",
        "99999999999999999999",
        "-1",
        "soon",
        "Fri, 31 Dec 9999 23:59:59 GMT",
    ] {
        let header = format!("Retry-After: {value}\r\n");
        wire.refuses(
            value,
            send(response("503 Busy", &header, "")),
            "SERVICE_ERROR",
            &["503"],
        );
    }
}

#[test]
fn nothing_is_uncompressed_that_was_not_asked_for() {
    let wire = Wire::new();
    // The first bytes of what would be gigabytes of zeros; none of it is ever looked into.
    let bomb =
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xec\xc1\x01\x0d\x00\x00\x00\xc2\xa0\xf7\x4f\x6d\x0e\x37\xa0\x00";
    for encoding in ["gzip", "deflate", "br"] {
        let header = format!("Content-Encoding: {encoding}\r\n");
        let answer = send(response("200 OK", &header, bomb));
        wire.refuses(encoding, answer, "RESPONSE_INVALID", &["reading the feed"]);
    }
    wire.accepts("plain again", ok(batch(&[EVENT])), &[EVENT]);
}

#[test]
fn a_redirect_is_never_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a port");
    elsewhere.set_nonblocking(true).expect("a listener");
    let other = elsewhere.local_addr().expect("an address");
    let wire = Wire::new();
    for status in ["301", "302", "303", "307", "308"] {
        for location in [
            &format!("http://{other}/login?token={SESSION_TOKEN}")[..],
            "/other",
            "file:///etc/passwd",
            "",
        ] {
            let header = format!("Location: {location}\r\n");
            wire.refuses(
                location,
                send(response(status, &header, "")),
                "SERVICE_ERROR",
                &[status],
            );
        }
    }
    assert!(elsewhere.accept().is_err(), "a redirect was followed");
    assert_eq!(wire.server.requests(Endpoint::PodLogin), 1);
}

#[test]
fn a_page_in_the_place_of_an_answer_is_refused() {
    let wire = Wire::new();
    let page = format!("<!DOCTYPE html><html><head><title>{SESSION_TOKEN}</title></head><body>No</body></html>");
    for (status, code) in [
        ("200", "RESPONSE_INVALID"),
        ("502", "SERVICE_ERROR"),
        ("503", "SERVICE_ERROR"),
    ] {
        let answer = send(response(status, "Content-Type: text/html\r\n", &page));
        wire.refuses(status, answer, code, &["reading the feed"]);
    }
}
