//! Where an answer begins and ends: status lines, headers, lengths and chunks.

use std::sync::{Arc, Barrier};

use serde_json::json;

use crate::common::DATAFEED_OK;
use crate::common::raw::Endpoint;
use crate::common::raw::answer::{Answer, response, send, silence};
use crate::wire::{Wire, batch, raw};

const EVENT: &str = r#"{"id":"framed"}"#;

/// An answer whose head has these lines and whose body is a batch with one event.
fn with_lines(lines: &str) -> Answer {
    raw(&format!("HTTP/1.1 200 OK\n{lines}"), batch(&[EVENT]))
}

fn length() -> usize {
    batch(&[EVENT]).len()
}

fn chunked(chunks: &str) -> Answer {
    raw("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n", chunks)
}

/// The batch in two chunks, without what ends them.
fn two_chunks() -> String {
    let body = batch(&[EVENT]);
    let (first, second) = body.split_at(10);
    format!("{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n", first.len(), second.len())
}

#[test]
fn lengths_that_are_none_are_refused() {
    let wire = Wire::new();
    let length = length();
    for value in [
        "-5",
        "+5",
        "0x10",
        "5 5",
        "5.0",
        "five",
        "",
        "18446744073709551616",
        "99999999999999999999999",
    ] {
        let answer = with_lines(&format!("Content-Length: {value}\n"));
        wire.refuses(value, answer, "RESPONSE_INVALID", &["content-length"]);
    }
    let two = format!("Content-Length: {length}\nContent-Length: {}\n", length + 1);
    wire.refuses("two lengths", with_lines(&two), "RESPONSE_INVALID", &["content-length"]);
    let list = format!("Content-Length: {length}, {}\n", length - 1);
    wire.refuses(
        "a list of lengths",
        with_lines(&list),
        "RESPONSE_INVALID",
        &["content-length"],
    );
}

#[test]
fn odd_ways_to_say_the_right_length_are_understood() {
    let wire = Wire::new();
    let length = length();
    for lines in [
        format!("Content-Length:    {length}   \n"),
        format!("Content-Length: {length}\nContent-Length: {length}\n"),
        format!("content-length: 000{length}\n"),
    ] {
        wire.accepts(&lines, with_lines(&lines), &[EVENT]);
    }
}

#[test]
fn a_body_shorter_than_its_length_is_no_answer() {
    let wire = Wire::new();
    let answer = with_lines(&format!("Content-Length: {}\n", length() + 1)).close();
    wire.refuses("one byte less", answer, "NETWORK", &["broke"]);
}

/// In one piece with the answer: what arrives later may be the answer to the next request, as far as anyone can tell.
#[test]
fn what_comes_after_an_answer_answers_nothing() {
    let wire = Wire::new();
    let more = response("200 OK", "", batch(&[r#"{"id":"smuggled"}"#]));
    let length = length();
    let whole = format!("{}0\r\n\r\n", two_chunks());
    for (what, lines, body) in [
        ("a length", format!("Content-Length: {length}\n"), &batch(&[EVENT])),
        ("chunks", "Transfer-Encoding: chunked\n".to_owned(), &whole),
        (
            "chunks and a length that contradicts them",
            "Transfer-Encoding: chunked\nContent-Length: 5\n".to_owned(),
            &whole,
        ),
    ] {
        for more in [&more[..], b"garbage", b"\0"] {
            let answer = raw(&format!("HTTP/1.1 200 OK\n{lines}"), [body.as_bytes(), more].concat());
            wire.accepts(what, answer, &[EVENT]);
        }
    }
    let nothing = raw("HTTP/1.1 204 No Content\nContent-Length: 5\n", &more);
    wire.accepts("a 204 with a body", nothing, &[]);
}

/// The bot holds an event, so nothing is asked for, and yet something comes.
#[test]
fn what_comes_between_two_requests_answers_nothing() {
    let wire = Wire::new();
    let more = response("200 OK", "", batch(&[r#"{"id":"smuggled"}"#]));
    for unasked in [&more[..], b"HTTP/1.1 408 Request Timeout\r\n\r\n", b"garbage"] {
        let turn = Arc::new(Barrier::new(2));
        let answer = send(response("200 OK", "", batch(&[EVENT])))
            .meet(&turn)
            .send(unasked)
            .meet(&turn);
        wire.server.script(Endpoint::Read, answer);
        let event = wire.feed.must_next();
        turn.wait();
        turn.wait();
        assert_eq!(wire.feed.ack(event.delivery), DATAFEED_OK);
        wire.works();
    }
    assert_eq!(wire.feed.stats()["retries"], 0);
}

#[test]
fn chunks_are_understood() {
    let wire = Wire::new();
    let chunks = two_chunks();
    for (what, rest) in [
        ("an end", "0\r\n\r\n".to_owned()),
        ("a long zero", "00000\r\n\r\n".to_owned()),
        ("an extension", "0;a=b\r\n\r\n".to_owned()),
        ("trailers", "0\r\nA: b\r\nC: d\r\n\r\n".to_owned()),
        ("many trailers", format!("0\r\n{}\r\n", "A: b\r\n".repeat(100_000))),
    ] {
        wire.accepts(what, chunked(&(chunks.clone() + &rest)), &[EVENT]);
    }
}

#[test]
fn damaged_chunks_are_refused() {
    let wire = Wire::new();
    let chunks = two_chunks();
    for (what, body) in [
        ("no size", "\r\nabc".to_owned()),
        ("letters for a size", "xyz\r\nabc\r\n0\r\n\r\n".to_owned()),
        ("a negative size", "-3\r\nabc\r\n0\r\n\r\n".to_owned()),
        (
            "a size of 17 digits",
            "fffffffffffffffff\r\nabc\r\n0\r\n\r\n".to_owned(),
        ),
        ("a size of 100 digits", format!("{}\r\n", "0".repeat(100))),
        ("no end of line after a chunk", "3\r\nabcdef\r\n0\r\n\r\n".to_owned()),
        ("bytes that are no text", "\u{1}\u{2}\u{80}\r\n".to_owned()),
    ] {
        wire.refuses(what, chunked(&body).close(), "RESPONSE_INVALID", &["chunk"]);
    }
    for (what, body) in [
        ("a cut before the last chunk", chunks.clone()),
        ("a cut within the last chunk", chunks[..chunks.len() - 5].to_owned()),
        (
            "a chunk of every size there is",
            format!("{}ffffffffffffffff\r\nabc", chunks),
        ),
    ] {
        wire.refuses(what, chunked(&body).close(), "NETWORK", &["broke"]);
    }
}

#[test]
fn an_answer_that_is_no_http_is_refused() {
    let wire = Wire::new();
    for (what, bytes) in [
        ("a body without a head", batch(&[EVENT]).into_bytes()),
        ("binary", (0..=255).cycle().skip(128).take(5000).collect()),
        ("a TLS alert", b"\x15\x03\x03\x00\x02\x02\x28".to_vec()),
        ("an SSH banner", b"SSH-2.0-OpenSSH_9.6\r\n".to_vec()),
        (
            "HTTP/2 frames",
            b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01\0\0\0\x05\0\xff\xff\xff".to_vec(),
        ),
        ("HTTP/2 in words", b"HTTP/2.0 200 OK\r\n\r\n".to_vec()),
        ("a status of words", b"HTTP/1.1 fine OK\r\n\r\n".to_vec()),
        ("a status below 100", b"HTTP/1.1 099 OK\r\n\r\n".to_vec()),
        ("a status of four digits", b"HTTP/1.1 2000 OK\r\n\r\n".to_vec()),
        ("a header without a name", b"HTTP/1.1 200 OK\r\n: x\r\n\r\n".to_vec()),
        ("a NUL in a header", b"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n".to_vec()),
    ] {
        wire.refuses(what, send(bytes).close(), "RESPONSE_INVALID", &["http"]);
    }
}

#[test]
fn what_goes_before_the_answer_is_passed_over() {
    let wire = Wire::new();
    let answer = || response("200 OK", "", batch(&[EVENT]));
    for (what, before, times) in [
        ("continue", "HTTP/1.1 100 Continue\r\n\r\n", 1),
        ("processing", "HTTP/1.1 102 Processing\r\n\r\n", 1),
        (
            "early hints",
            "HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n",
            1,
        ),
        (
            "continue with a header",
            "HTTP/1.1 100 Continue\r\nDate: now\r\n\r\n",
            1,
        ),
        ("a thousand", "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n", 1000),
    ] {
        wire.accepts(what, silence().repeat(before, times).send(answer()), &[EVENT]);
    }
    // An answer may come while the request is still sent.
    wire.accepts("an early answer", send(answer()).before_body().close(), &[EVENT]);
}

#[test]
fn answers_that_never_begin_end_with_the_timeout() {
    let wire = Wire::with(json!({"readTimeout": 1000}));
    let interim = silence().repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 1 << 40);
    wire.refuses("early hints for ever", interim, "TIMEOUT", &["no answer in time"]);
}

#[test]
fn old_versions_are_understood() {
    let wire = Wire::new();
    let body = batch(&[EVENT]);
    let length = body.len();
    for (what, head, closed) in [
        ("closed", "HTTP/1.0 200 OK\n".to_owned(), true),
        (
            "a length, closed",
            format!("HTTP/1.0 200 OK\nContent-Length: {length}\n"),
            true,
        ),
        (
            "kept",
            format!("HTTP/1.0 200 OK\nContent-Length: {length}\nConnection: keep-alive\n"),
            false,
        ),
        ("1.1, closed", "HTTP/1.1 200 OK\nConnection: close\n".to_owned(), true),
    ] {
        let answer = raw(&head, &body);
        wire.accepts(what, if closed { answer.close() } else { answer }, &[EVENT]);
    }
}

#[test]
fn statuses_that_no_read_has_are_told() {
    let wire = Wire::new();
    for (status, answer) in [
        (
            "101",
            raw(
                "HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\n",
                "\u{1}",
            ),
        ),
        ("205", raw("HTTP/1.1 205 Reset Content\nContent-Length: 0\n", "")),
        ("304", raw("HTTP/1.1 304 Not Modified\nETag: \"a\"\n", "")),
        ("999", raw("HTTP/1.1 999 What\nContent-Length: 0\n", "")),
    ] {
        wire.refuses(status, answer, "SERVICE_ERROR", &[status]);
    }
}
