//! A feed and a server that answers it as a test likes, with the checks that every hostile answer has to pass.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::cell::Cell;

use serde_json::{Value, json};

use crate::common::raw::answer::{Answer, response, send};
use crate::common::raw::{Endpoint, KEY_MANAGER_TOKEN, RawServer, SESSION_TOKEN};
use crate::common::*;

/// Longer than any message has a reason to be.
const LONGEST_MESSAGE: usize = 800;

pub struct Wire {
    // Closed before the server goes.
    pub feed: Feed,
    pub server: RawServer,
    published: Cell<usize>,
}

impl Wire {
    pub fn new() -> Wire {
        Wire::with(json!({}))
    }

    pub fn with(settings: Value) -> Wire {
        Wire::prepared(settings, |_| {})
    }

    /// The server is prepared before the feed comes.
    pub fn prepared(settings: Value, prepare: impl FnOnce(&RawServer)) -> Wire {
        let server = RawServer::start();
        prepare(&server);
        let mut config = server.config();
        for (name, value) in settings.as_object().into_iter().flatten() {
            config[name] = value.clone();
        }
        Wire {
            feed: Feed::open(&config),
            server,
            published: Cell::new(0),
        }
    }

    /// An event published now arrives, and its acknowledgement reaches the service.
    #[track_caller]
    pub fn works(&self) {
        let number = self.published.replace(self.published.get() + 1);
        self.server.publish(numbered(number));
        assert_eq!(self.feed.must_next_and_ack(), numbered(number));
        assert!(self.server.wait_for_every_ack(), "{:#}", self.feed.stats());
    }

    /// Reads answered like this are refused with this code and words, each once, and the feed goes on.
    #[track_caller]
    pub fn refuses(&self, what: &str, answer: Answer, code: &str, words: &[&str]) {
        let before = self.retries();
        for _ in 0..2 {
            self.server.script(Endpoint::Read, answer.clone());
        }
        self.tells(what, code, words);
        self.works();
        // A connection that breaks before the answer is tried once more in silence, so two answers may be one trouble.
        let retries = self.retries() - before;
        assert!((1..=2).contains(&retries), "{what}: {retries} retries");
        self.keeps_secrets(what);
    }

    /// A read answered like this brings these events, which can be acknowledged, and is no trouble.
    #[track_caller]
    pub fn accepts(&self, what: &str, answer: Answer, events: &[&str]) {
        let before = self.retries();
        self.server.script(Endpoint::Read, answer);
        for event in events {
            assert_eq!(self.feed.must_next_and_ack(), *event, "{what}");
        }
        if !events.is_empty() {
            assert!(self.server.wait_for_ack(ACK_ID), "{what}: {:#}", self.feed.stats());
        }
        self.works();
        assert_eq!(self.retries(), before, "{what}: {:?}", self.feed.error());
    }

    /// The next trouble in the log, and the error object, have this code and these words, and name the host.
    #[track_caller]
    pub fn tells(&self, what: &str, code: &str, words: &[&str]) -> String {
        let line = loop {
            let line = self.feed.next_log(PATIENCE.as_millis() as i32);
            let line = line.unwrap_or_else(|status| panic!("{what}: no trouble was told, but status {status}"));
            if line["code"].is_string() {
                break line;
            }
        };
        let error = self.feed.error().expect("what is in the log is in the error");
        for told in [&line, &error] {
            let message = told["message"].as_str().expect("a message");
            assert_eq!(told["code"], code, "{what}: {told}");
            assert!(message.contains(&self.server.url()), "{what}: {message}");
            for word in words {
                assert!(message.contains(word), "{what}: {word:?} is not in {message}");
            }
            assert!(!message.contains(char::is_control), "{what}: {message:?}");
            assert!(message.len() < LONGEST_MESSAGE, "{what}: {message}");
        }
        line["message"].as_str().expect("a message").to_owned()
    }

    /// Takes what is left in the log: no token is in it, nor anywhere else.
    #[track_caller]
    pub fn keeps_secrets(&self, what: &str) {
        let mut told: Vec<Value> = vec![self.feed.stats()];
        told.extend(self.feed.error());
        while let Ok(line) = self.feed.next_log(0) {
            told.push(line);
        }
        let told = Value::from(told).to_string();
        for secret in [SESSION_TOKEN, KEY_MANAGER_TOKEN] {
            assert!(!told.contains(secret), "{what}: {told}");
        }
    }

    fn retries(&self) -> u64 {
        self.feed.stats()["retries"].as_u64().expect("a number")
    }
}

/// The ackId of batches that scripts answer with.
pub const ACK_ID: &str = "scripted";

/// A body as a read should bring.
pub fn batch(events: &[&str]) -> String {
    format!(r#"{{"events":[{}],"ackId":"{ACK_ID}"}}"#, events.join(","))
}

/// A whole answer with this body.
pub fn ok(body: impl AsRef<[u8]>) -> Answer {
    send(response("200 OK", "Content-Type: application/json\r\n", body))
}

/// A head with these lines, and bytes after it.
pub fn raw(head: &str, body: impl AsRef<[u8]>) -> Answer {
    send([head.replace('\n', "\r\n").as_bytes(), b"\r\n", body.as_ref()].concat())
}
