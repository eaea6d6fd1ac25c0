//! One row: an endpoint answers with a status once, and what the feed is to make of it.

use std::fmt;

use datafeed_emulator::{BOT_USER_ID, Endpoint, FaultAction};
use serde_json::{Value, json};

use super::common::*;
use super::world::{Kind, World};

#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub endpoint: Endpoint,
    pub status: u16,
    pub kind: Kind,
    pub when: When,
    pub then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The first time that it is asked.
    First,
    /// When an event has arrived.
    Later,
}

/// What the feed does. The first text of each is the row of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing: it is no trouble.
    Nothing,
    /// It says so with these words, does this about it, and goes on with the same feed.
    GoesOn(&'static str, &'static str, &'static str),
    /// The feed that is read is gone, and another is made.
    MakesAnother(&'static str),
    /// It stops for good, with this code and these words.
    Fails(&'static str, &'static str, &'static str),
}

/// A row on one of the ways to the service.
#[derive(Debug, Clone, Copy)]
pub struct Try {
    pub row: Row,
    pub tls: bool,
}

impl fmt::Display for Try {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row {
            endpoint,
            status,
            kind,
            when,
            ..
        } = self.row;
        let way = if self.tls { "over TLS" } else { "in plain" };
        write!(formatter, "{endpoint:?} {status} {when:?}, {kind:?}, {way}")
    }
}

impl Try {
    /// What of these rows there is to try.
    pub fn each(rows: impl IntoIterator<Item = Row>) -> Vec<Try> {
        let both = |row| [false, true].map(|tls| Try { row, tls });
        rows.into_iter().flat_map(both).collect()
    }

    pub fn run(&self) {
        let usual = FaultAction::Status {
            status: self.row.status,
            body: None,
            retry_after: None,
        };
        self.run_with(usual, |_| {});
    }

    /// With this in place of the usual answer of that status, and a further look at the line that tells of it.
    pub fn run_with(&self, answer: FaultAction, look: impl Fn(&Value)) {
        let world = World::new(self.row.kind, self.tls);
        let mut events = 0;
        let feed = match self.row.when {
            When::First => {
                world.fail_once(self.row.endpoint, answer);
                Feed::open(&world.config)
            }
            When::Later => {
                let feed = Feed::open(&world.config);
                world.wait_for_a_read();
                world.check_an_event_arrives(&feed, &mut events);
                world.fail_once(self.row.endpoint, answer);
                world.bring_about(self.row.endpoint, &feed);
                feed
            }
        };
        match self.row.then {
            Then::Nothing => {
                world.wait_for_answer(self.row.endpoint, self.row.status);
                assert_eq!(feed.error(), None);
            }
            Then::GoesOn(rule, action, words) => look(&self.check_going_on(&world, &feed, rule, action, words)),
            Then::MakesAnother(rule) => {
                let line = self.wait_for_line(&feed, rule);
                assert_eq!(
                    (&line["level"], &line["action"]),
                    (&json!("error"), &json!("CREATE")),
                    "{line}"
                );
                let line = feed.wait_for_log("created a feed");
                assert_eq!(line["feedId"], feed.stats()["feedId"]);
                assert_eq!(feed.stats()["feedsCreated"], 2);
                assert_eq!(feed.error().expect("a loss")["code"], "FEED_GONE");
            }
            Then::Fails(rule, code, words) => return self.check_failure(&world, &feed, rule, code, words),
        }
        self.wait_for_a_feed(&world, &feed);
        self.check_account(&world, &feed, &mut events);
        world.check_an_event_arrives(&feed, &mut events);
        if let Then::Nothing | Then::GoesOn(..) = self.row.then {
            world.check_books(&feed, events, self.costs_the_feed());
        }
    }

    /// Whether the feed had to go for the endpoint to be asked again.
    fn costs_the_feed(&self) -> bool {
        use Endpoint::{Create, FirehoseCreate, List, V1Create};
        self.row.when == When::Later && matches!(self.row.endpoint, List | Create | V1Create | FirehoseCreate)
    }

    fn wait_for_line(&self, feed: &Feed, rule: &str) -> Value {
        loop {
            let line = feed.wait_for_rule(rule);
            if line["httpStatus"] == self.row.status || line["code"] == "RESPONSE_INVALID" {
                return line;
            }
        }
    }

    fn check_going_on(&self, world: &World, feed: &Feed, rule: &str, action: &str, words: &str) -> Value {
        let line = self.wait_for_line(feed, rule);
        assert_eq!(line["action"], action, "{line}");
        // What helps at once is not told as trouble, unless it is one of several in a row.
        let helps = matches!(action, "LOG_IN" | "LOOK_FOR_FEED") && !self.costs_the_feed();
        assert_eq!(line["level"], if helps { "info" } else { "warn" }, "{line}");
        let waits = !helps && action != "GO_ON";
        assert_eq!(line["retryInMillis"].is_u64(), waits, "{line}");
        let message = line["message"].as_str().expect("a message");
        assert!(message.contains(words), "{message}");
        world.check_traced(&line);
        if waits {
            let error = feed.error().expect("the trouble");
            assert_eq!(error["retryable"], true, "{error}");
        }
        line
    }

    fn check_failure(&self, world: &World, feed: &Feed, rule: &str, code: &str, words: &str) {
        assert_eq!(feed.next(-1), Err(DATAFEED_FAILED));
        let line = feed.wait_for_rule(rule);
        assert_eq!(
            (&line["level"], &line["action"]),
            (&json!("error"), &json!("FAIL")),
            "{line}"
        );
        world.check_traced(&line);
        let error = feed.error().expect("the reason");
        assert_eq!(
            (&error["code"], &error["retryable"]),
            (&json!(code), &json!(false)),
            "{error}"
        );
        assert_eq!(error["httpStatus"], self.row.status);
        let message = error["message"].as_str().expect("a message");
        assert!(
            message.contains(words) && message.contains("://127.0.0.1:"),
            "{message}"
        );
        assert_eq!(line["message"], message);
        assert_eq!(feed.stats()["state"], "FAILED");
    }

    /// There is one to publish to, the one that is read.
    fn wait_for_a_feed(&self, world: &World, feed: &Feed) {
        if self.row.when == When::First {
            world.wait_for_a_read();
        } else if self.costs_the_feed() {
            feed.wait_for_log("created a feed");
            assert_eq!(feed.stats()["feedsCreated"], 2);
        }
    }

    /// Whether the bot's own events are known: by its id or, where the pod does not tell that, by its name.
    fn check_account(&self, world: &World, feed: &Feed, events: &mut usize) {
        let hidden = matches!(self.row.then, Then::GoesOn("account-hidden", ..));
        let known = if hidden { Value::Null } else { json!(BOT_USER_ID) };
        assert_eq!(feed.session().expect("a session")["userId"], known);
        let user = if hidden {
            json!({"username": "emulator-bot"})
        } else {
            json!({"userId": BOT_USER_ID, "username": "someone.else"})
        };
        let own = json!({"type": "MESSAGESENT", "id": "own", "initiator": {"user": user}});
        world.emulator.publish([own.to_string()]);
        *events += 1;
    }
}
