//! Rows for what goes wrong with a node of the agent, and with its answers.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use datafeed_emulator::{Endpoint, FaultAction, Outcome};
use serde_json::{Value, json};

use super::common::*;
use super::{balanced, brisk, check_retried, fault, meets_on_read};

/// An agent of two nodes, the first at this port; the feed moves on to the second, which works.
#[track_caller]
fn moves_on_from(rule: &str, first: Value, code: &str) {
    let emulator = emulator(brisk());
    let mut settings = config(&emulator, json!({}));
    let second = json!({"host": "127.0.0.1", "port": emulator.port(), "scheme": "http"});
    settings["agent"] = json!({"loadBalancing": {"mode": "roundRobin", "nodes": [first, second]}});
    let feed = Feed::open(&settings);
    let line = feed.wait_for_rule(rule);
    assert_eq!(
        (&line["level"], &line["action"]),
        (&json!("warn"), &json!("NEXT_NODE")),
        "{line}"
    );
    assert_eq!(line["code"], code, "{line}");
    assert_eq!(feed.wait_for_log("created a feed")["agent"], emulator.url());
    assert_eq!(feed.stats()["agentUrl"], emulator.url());
    works(&emulator, &feed, 0);
    balanced(&emulator, 1);
}

/// A server that answers every connection with these bytes.
fn raw_server(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer);
        }
    });
    port
}

pub fn node_out_of_reach() {
    moves_on_from(
        "node-out-of-reach",
        json!({"host": "nowhere.invalid", "scheme": "https"}),
        "NETWORK",
    );
    let closed = TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("an address")
        .port();
    moves_on_from(
        "node-out-of-reach",
        json!({"host": "127.0.0.1", "port": closed}),
        "NETWORK",
    );
    // No TLS there, and TLS that breaks off.
    for answer in [b"HTTP/1.1 400 Bad Request\r\n\r\n".as_slice(), b"", b"\x16\x03\x03\x00"] {
        let node = json!({"host": "127.0.0.1", "port": raw_server(answer), "scheme": "https"});
        moves_on_from("node-out-of-reach", node, "NETWORK");
    }
}

pub fn node_lost() {
    for trouble in [
        FaultAction::Reset { after_bytes: 0 },
        FaultAction::Reset { after_bytes: 50 },
        FaultAction::Reset { after_bytes: 150 },
    ] {
        meets_on_read("node-lost", "BACK_OFF", "NETWORK", json!({}), trouble);
    }
    let impatient = json!({"readTimeout": 700});
    meets_on_read("node-lost", "BACK_OFF", "TIMEOUT", impatient.clone(), FaultAction::Hang);
    let stall = FaultAction::Stall { after_bytes: 150 };
    meets_on_read("node-lost", "BACK_OFF", "TIMEOUT", impatient, stall);
    moves_on_from(
        "node-lost",
        json!({"host": "127.0.0.1", "port": raw_server(b"")}),
        "NETWORK",
    );
}

pub fn node_timed_out() {
    let line = meets_on_read("node-timed-out", "BACK_OFF", "SERVICE_ERROR", json!({}), status(408));
    assert_eq!(line["httpStatus"], 408);
    let timed_out = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n";
    let node = json!({"host": "127.0.0.1", "port": raw_server(timed_out)});
    moves_on_from("node-timed-out", node, "SERVICE_ERROR");
}

pub fn node_in_trouble() {
    for trouble in [500, 501, 502, 503, 504, 520, 599] {
        let line = meets_on_read(
            "node-in-trouble",
            "BACK_OFF",
            "SERVICE_ERROR",
            json!({}),
            status(trouble),
        );
        assert_eq!(line["httpStatus"], trouble);
    }
    let unavailable = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    let node = json!({"host": "127.0.0.1", "port": raw_server(unavailable)});
    moves_on_from("node-in-trouble", node, "SERVICE_ERROR");
}

pub fn answer_unreadable() {
    let node = json!({"host": "127.0.0.1", "port": raw_server(b"SSH-2.0-OpenSSH_9.2\r\n")});
    moves_on_from("answer-unreadable", node, "RESPONSE_INVALID");
    let large = body(200, &format!("{{\"events\":[{{\"a\":\"{}\"}}]}}", "x".repeat(10_000)));
    let settings = json!({"maxResponseBytes": 4096});
    meets_on_read("answer-unreadable", "BACK_OFF", "RESPONSE_TOO_LARGE", settings, large);
}

pub fn answer_malformed() {
    for malformed in [
        body(200, ""),
        body(200, "{\"events\":[{\"a\":"),
        body(200, "[]"),
        body(200, "<html><title>Sign in</title>"),
    ] {
        meets_on_read("answer-malformed", "BACK_OFF", "RESPONSE_INVALID", json!({}), malformed);
    }
    let page = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>";
    let node = json!({"host": "127.0.0.1", "port": raw_server(page)});
    moves_on_from("answer-malformed", node, "RESPONSE_INVALID");
}

pub fn anything_else() {
    for (trouble, code) in [
        (302, "SERVICE_ERROR"),
        (403, "FORBIDDEN"),
        (404, "SERVICE_ERROR"),
        (409, "SERVICE_ERROR"),
        (418, "SERVICE_ERROR"),
    ] {
        let line = meets_on_read("anything-else", "BACK_OFF", code, json!({}), status(trouble));
        assert_eq!(line["httpStatus"], trouble);
    }
    // A list and a creation that are refused as bad requests are no reason to make or lose a feed.
    let emulator = emulator(brisk());
    fault(&emulator, Endpoint::List, 2, status(400));
    fault(&emulator, Endpoint::Create, 2, status(400));
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    check_retried(&emulator, &feed.wait_for_rule("anything-else"), "BACK_OFF");
    works(&emulator, &feed, 0);
    balanced(&emulator, 1);
    assert_eq!(emulator.feeds().len(), 1);
    let ended = |requests: &[datafeed_emulator::RequestLog]| {
        requests
            .iter()
            .filter(|request| request.outcome == Outcome::Answered && request.status == Some(400))
            .count()
            == 4
    };
    assert!(emulator.wait_for_requests(PATIENCE, ended));
}
