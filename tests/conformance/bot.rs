//! A bot that does what a step says, and checks what it says.

use std::collections::HashMap;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use datafeed::{Config, Datafeed, Error, Event, NoEvent, NoLetter, NotAcknowledged, NotDrained};
use datafeed_emulator::{Emulator, Settings};
use serde_json::{Value, json};

use crate::folder::Folder;

/// How long is waited for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

const TEMPLATE: &str = include_str!("event.json");

pub struct Bot {
    emulator: Emulator,
    folder: Folder,
    feed: Option<Datafeed>,
    /// By name: the text of what was published, its latest delivery, and the dead letter that it is.
    published: HashMap<String, String>,
    deliveries: HashMap<String, Delivery>,
    letters: HashMap<String, u64>,
    waiter: Option<JoinHandle<Result<Event, NoEvent>>>,
    drain: Option<JoinHandle<Result<(), NotDrained>>>,
}

struct Delivery {
    number: u64,
    attempt: u32,
}

impl Bot {
    pub fn new() -> Bot {
        Bot {
            emulator: Emulator::start(Settings {
                poll: Duration::from_millis(200),
                ..Settings::default()
            })
            .expect("an emulator"),
            folder: Folder::new(),
            feed: None,
            published: HashMap::new(),
            deliveries: HashMap::new(),
            letters: HashMap::new(),
            waiter: None,
            drain: None,
        }
    }

    pub fn step(&mut self, step: &str) {
        let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
        let words: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
        match (verb, words.as_slice()) {
            ("open", _) => {
                self.feed = Some(self.open(rest).expect("it opens"));
                // Each feed counts from 1.
                self.deliveries.values_mut().for_each(|delivery| delivery.number = 0);
            }
            ("refused", [code, field, ..]) => {
                let error = self
                    .open(rest.splitn(3, ' ').last().expect("members"))
                    .expect_err("an error");
                assert_eq!((error.code().as_str(), error.field()), (*code, Some(*field)));
            }
            ("reading", []) => self.until(|bot| bot.feed().stats()["state"] == "READING"),
            ("publish", names) => names.iter().for_each(|name| self.publish(name, "hello", "1")),
            ("publish-text", [name, ..]) => {
                let text = rest.split_once(' ').expect("a text").1;
                self.publish(name, text, "1");
            }
            ("publish-user", [name, user]) => self.publish(name, "hello", user),
            ("publish-large", [name, bytes]) => self.publish(name, &"x".repeat(number(bytes)), "1"),
            ("next", [name]) => self.next(name, 1),
            ("next", [name, attempt]) => self.next(name, number(attempt) as u32),
            ("gap", [reason]) => self.gap(reason),
            ("nothing", [millis, outcome]) => {
                let timeout = Duration::from_millis(number(millis) as u64);
                let begun = Instant::now();
                let no_event = self.feed().next_event(Some(timeout)).expect_err("no event");
                assert_eq!(outcome_of(&no_event), *outcome);
                assert!(no_event != NoEvent::Timeout || begun.elapsed() >= timeout, "too early");
            }
            ("wait", []) => {
                let feed = self.feed().clone();
                self.waiter = Some(thread::spawn(move || feed.next_event(None)));
            }
            ("waiter", [outcome]) => match finished(self.waiter.take()) {
                Ok(event) => self.took(outcome, 1, &event),
                Err(no_event) => assert_eq!(outcome_of(&no_event), *outcome),
            },
            ("interrupt", []) => self.feed().interrupt(),
            ("ack", [name, outcome @ ..]) => settled(self.feed().ack(self.deliveries[*name].number), outcome),
            ("nack", [name, outcome @ ..]) => settled(self.feed().nack(self.deliveries[*name].number), outcome),
            ("letters", names) => self.letters(names),
            ("resubmit", [name, outcome @ ..]) => taken_out(self.feed().resubmit(self.letters[*name]), outcome),
            ("discard", [name, outcome @ ..]) => taken_out(self.feed().discard(self.letters[*name]), outcome),
            ("drain", [millis, outcome]) => {
                let timeout = Duration::from_millis(number(millis) as u64);
                assert_eq!(end_of(self.feed().drain(Some(timeout))), *outcome);
            }
            ("drain-begin", [millis]) => {
                let (feed, timeout) = (self.feed().clone(), Duration::from_millis(number(millis) as u64));
                self.drain = Some(thread::spawn(move || feed.drain(Some(timeout))));
            }
            ("drained", [outcome]) => assert_eq!(end_of(finished(self.drain.take())), *outcome),
            ("close", []) => {
                // A second time is harmless, and says that it is one.
                let _ = self.feed().close();
                assert!(self.feed().close().is_err());
            }
            ("service", _) => self.control("POST", "settings", rest),
            ("fault", [endpoint, status, times]) => {
                let action = json!({"status": {"status": number(status)}});
                let fault = json!({"endpoint": endpoint, "action": action, "times": number(times)});
                self.control("POST", "faults", &fault.to_string());
            }
            ("error", [code, status]) => {
                let error = self.feed().error().expect("there was trouble");
                let status = Some(number(status) as u16);
                assert_eq!((error.code().as_str(), error.http_status()), (*code, status));
            }
            ("log", _) => loop {
                let line = self.feed().next_log(Some(PATIENCE)).expect("the line comes");
                if line.message.contains(rest) {
                    break;
                }
            },
            ("stats", [name, value]) => assert_eq!(self.feed().stats()[name], number(value)),
            ("session", []) => {
                self.until(|bot| !bot.session()["sessionToken"].is_null());
                assert_eq!(ask_agent(&self.session()), 200);
            }
            ("renew", []) => {
                let before = self.session()["sessionToken"].clone();
                let refused = before.as_str().expect("a token");
                self.emulator.expire_sessions();
                assert_eq!(ask_agent(&self.session()), 401);
                let session = self
                    .feed()
                    .renew_session(refused, Some(PATIENCE))
                    .expect("another session");
                assert_ne!(session["sessionToken"], before);
                assert_eq!(ask_agent(&session), 200);
            }
            ("books", [name, count]) => {
                let path = format!(
                    "wait?books={name}&atLeast={count}&timeoutMillis={}",
                    PATIENCE.as_millis()
                );
                self.control("GET", &path, "");
            }
            _ => panic!("a step that this runner does not know: {step:?}"),
        }
    }

    fn feed(&self) -> &Datafeed {
        self.feed.as_ref().expect("a feed was opened")
    }

    fn session(&self) -> Value {
        self.feed().session().expect("a session")
    }

    fn open(&self, members: &str) -> Result<Datafeed, Error> {
        let mut config = self.emulator.config();
        config["nackDelay"] = json!(10);
        if !members.is_empty() {
            let folder = self.folder.as_ref().to_str().expect("a name");
            let members: Value = serde_json::from_str(&members.replace("@FOLDER@", folder)).expect("an object");
            for (name, value) in members.as_object().expect("an object") {
                config[name] = value.clone();
            }
        }
        Datafeed::open(Config::parse(&config.to_string())?)
    }

    fn until(&self, condition: impl Fn(&Bot) -> bool) {
        let start = Instant::now();
        while !condition(self) {
            assert!(start.elapsed() < PATIENCE, "it did not happen in time");
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn publish(&mut self, name: &str, text: &str, user: &str) {
        let event = TEMPLATE
            .trim_end()
            .replace("@NAME@", name)
            .replace("@USER@", user)
            .replace("@TEXT@", text);
        self.emulator.publish([event.clone()]);
        self.published.insert(name.to_owned(), event);
    }

    fn next(&mut self, name: &str, attempt: u32) {
        let event = self.feed().next_event(Some(PATIENCE)).expect("an event");
        self.took(name, attempt, &event);
    }

    fn took(&mut self, name: &str, attempt: u32, event: &Event) {
        assert!(event.json() == self.published[name], "another event: {event:?}");
        assert_eq!(event.attempt(), attempt);
        let number = event.delivery();
        let latest = self.deliveries.insert(name.to_owned(), Delivery { number, attempt });
        assert!(latest.is_none_or(|latest| latest.number < number), "numbers count up");
    }

    fn gap(&mut self, reason: &str) {
        let event = self.feed().next_event(Some(PATIENCE)).expect("an event");
        let told: Value = serde_json::from_str(event.json()).expect("an object");
        let gap = &told["payload"]["datafeedGap"];
        assert_eq!((&told["type"], &gap["reason"]), (&json!("DATAFEEDGAP"), &json!(reason)));
        assert!(gap["from"].as_u64().expect("a time") <= gap["to"].as_u64().expect("a time"));
        assert_eq!(gap["to"], told["timestamp"]);
        assert_eq!(gap["feedId"], self.feed().stats()["feedId"]);
        self.published.insert("gap".to_owned(), event.json().to_owned());
        self.took("gap", 1, &event);
    }

    fn letters(&mut self, names: &[&str]) {
        let letters = self.feed().dead_letters(0).expect("a list");
        assert_eq!(letters.len(), names.len(), "{letters:?}");
        for (letter, name) in letters.iter().zip(names) {
            assert_eq!(letter.json(), self.published[*name]);
            assert_eq!(letter.attempts(), self.deliveries[*name].attempt);
            self.letters.insert((*name).to_owned(), letter.id());
        }
    }

    fn control(&self, method: &str, path: &str, body: &str) {
        let url = format!("{}/{path}", self.emulator.control_url());
        let answer = match method {
            "GET" => http().get(&url).call(),
            _ => http().post(&url).content_type("application/json").send(body),
        };
        let status = answer.expect("the emulator answers").status();
        assert!(status.is_success(), "{method} {path}: {status}");
    }
}

/// No proxy of the environment stands between a test and the loopback.
fn http() -> ureq::Agent {
    let config = ureq::Agent::config_builder().proxy(None).http_status_as_error(false);
    config.build().into()
}

/// The status of a request of the bot's own.
fn ask_agent(session: &Value) -> u16 {
    let text = |name: &str| session[name].as_str().expect("a text").to_owned();
    http()
        .get(format!("{}/agent/v5/datafeeds", text("agentUrl")))
        .header("sessionToken", text("sessionToken"))
        .header("keyManagerToken", text("keyManagerToken"))
        .call()
        .expect("the agent answers")
        .status()
        .as_u16()
}

fn number(word: &str) -> usize {
    word.parse().expect("a number")
}

fn outcome_of(no_event: &NoEvent) -> &'static str {
    match no_event {
        NoEvent::Timeout => "timeout",
        NoEvent::Interrupted => "interrupted",
        NoEvent::Closed => "closed",
        NoEvent::Failed(_) => "failed",
        NoEvent::SecondConsumer => "second consumer",
    }
}

fn settled(result: Result<(), NotAcknowledged>, outcome: &[&str]) {
    let found: &[&str] = match result {
        Ok(()) => &[],
        Err(NotAcknowledged::UnknownDelivery) => &["invalid"],
        Err(NotAcknowledged::NotStored) => &["not stored"],
        Err(NotAcknowledged::Closed) => &["closed"],
    };
    assert_eq!(found, outcome);
}

fn taken_out(result: Result<(), NoLetter>, outcome: &[&str]) {
    let found: &[&str] = match result {
        Ok(()) => &[],
        Err(NoLetter::Unknown) => &["invalid"],
        Err(NoLetter::Closed) => &["closed"],
        Err(NoLetter::NotStored | NoLetter::Failed(_)) => &["not stored"],
    };
    assert_eq!(found, outcome);
}

fn end_of(result: Result<(), NotDrained>) -> &'static str {
    match result {
        Ok(()) => "done",
        Err(NotDrained::Timeout) => "timeout",
        Err(NotDrained::Closed) => "closed",
    }
}

/// What the thread has come to.
fn finished<T>(thread: Option<JoinHandle<T>>) -> T {
    let thread = thread.expect("a thread was begun");
    let start = Instant::now();
    while !thread.is_finished() {
        assert!(start.elapsed() < PATIENCE, "the thread still waits");
        thread::sleep(Duration::from_millis(2));
    }
    thread.join().expect("no panic")
}
