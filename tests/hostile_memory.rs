//! What an answer may cost: the memory of this process, in which the server makes its answers as it sends them.
#![cfg(target_os = "linux")]

mod common;
#[path = "hostile/cost.rs"]
mod cost;
#[path = "hostile/wire.rs"]
mod wire;

use std::sync::{Mutex, PoisonError};

use common::DATAFEED_OK;
use common::raw::Endpoint;
use common::raw::answer::{Answer, send};
use cost::{MEGABYTE, costs_at_most};
use serde_json::json;
use wire::{ACK_ID, Wire};

/// The memory is the process': one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// An answer of so many times this, in each of the ways to say where a body ends.
fn endings(block: &str, times: usize) -> [(&'static str, Answer); 3] {
    let head = "HTTP/1.1 200 OK\r\n";
    let length = block.len() * times;
    let chunk = format!("{:x}\r\n{block}\r\n", block.len());
    [
        (
            "a length",
            send(format!("{head}Content-Length: {length}\r\n\r\n")).repeat(block, times),
        ),
        (
            "chunks",
            send(format!("{head}Transfer-Encoding: chunked\r\n\r\n"))
                .repeat(chunk, times)
                .send("0\r\n\r\n"),
        ),
        (
            "the end of the connection",
            send(format!("{head}\r\n")).repeat(block, times).close(),
        ),
    ]
}

#[test]
fn a_body_above_the_limit_costs_no_more_than_the_limit_twice() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for (limit, settings) in [
        (64 * MEGABYTE, json!({})),
        (MEGABYTE, json!({"maxResponseBytes": MEGABYTE})),
    ] {
        let wire = Wire::with(settings);
        wire.works();
        for (what, answer) in endings(&" ".repeat(1000), 100_000) {
            let what = format!("100 MB by {what} of at most {limit}");
            costs_at_most(2 * limit + 4 * MEGABYTE, &what, || {
                let told = format!("larger than {limit} bytes");
                wire.refuses(&what, answer, "RESPONSE_TOO_LARGE", &[&told, "maxResponseBytes"]);
            });
        }
    }
}

/// A batch of so many of these.
fn many(event: &str, times: usize) -> Answer {
    let (start, end) = (r#"{"events":["#, format!(r#"{event}],"ackId":"{ACK_ID}"}}"#));
    let length = start.len() + (event.len() + 1) * (times - 1) + end.len();
    send(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{start}"))
        .repeat(format!("{event},"), times - 1)
        .send(end)
}

#[test]
fn a_million_events_cost_a_few_hundred_bytes_each() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let wire = Wire::new();
    wire.works();
    costs_at_most(500 * MEGABYTE, "a million events", || {
        wire.server.script(Endpoint::Read, many("{}", 1_000_000));
        for _ in 0..1_000_000 {
            let event = wire.feed.must_next();
            assert_eq!(event.text, "{}");
            assert_eq!(wire.feed.ack(event.delivery), DATAFEED_OK);
        }
    });
}

#[test]
fn more_than_a_million_events_are_refused() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let wire = Wire::new();
    wire.works();
    costs_at_most(100 * MEGABYTE, "one event too many", || {
        wire.refuses(
            "one too many",
            many("{}", 1_000_001),
            "RESPONSE_INVALID",
            &["at most 1,000,000 events"],
        );
    });
}

#[test]
fn elements_that_are_no_events_cost_their_bytes() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let wire = Wire::new();
    wire.works();
    costs_at_most(150 * MEGABYTE, "twelve million nulls", || {
        wire.server.script(Endpoint::Read, many("null", 12_000_000));
        assert!(wire.server.wait_for_ack(ACK_ID));
        wire.works();
    });
}

#[test]
fn lists_and_refusals_cost_a_few_times_their_bytes() {
    // 60 MB of numbers: as values they would be a gigabyte.
    let numbers = |status: &str, start: &str| {
        let (times, end) = (30_000_000, "0]}");
        let length = start.len() + 2 * times + end.len();
        send(format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{start}"))
            .repeat("0,", times)
            .send(end)
    };
    for (what, endpoint, answer, code) in [
        (
            "a list",
            Endpoint::List,
            numbers("200 OK", "[{}, "),
            "RESPONSE_TOO_LARGE",
        ),
        (
            "a refused list",
            Endpoint::List,
            numbers("500 Oops", "{\"message\":["),
            "SERVICE_ERROR",
        ),
        (
            "a refused read",
            Endpoint::Read,
            numbers("500 Oops", "{\"message\":["),
            "SERVICE_ERROR",
        ),
        (
            "a created feed",
            Endpoint::Create,
            numbers("200 OK", "{\"id\":["),
            "RESPONSE_TOO_LARGE",
        ),
    ] {
        costs_at_most(4 * 64 * MEGABYTE, what, || {
            let wire = Wire::prepared(json!({}), |server| {
                server.have_no_feed();
                server.script(endpoint, answer);
            });
            wire.tells(what, code, &[]);
            wire.works();
        });
    }
}
