//! Faults at random: a stubborn client still gets everything, and the books tell what it went through.

mod common;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use common::{Answer, Client, LONG, login_token, read_path, start};
use datafeed_emulator::{ChaosBooks, Emulator, Endpoint, Fault, FaultAction, RequestLog};
use serde_json::{Value, json};

/// Knows nothing but to begin again.
struct Stubborn<'a> {
    client: Client,
    emulator: &'a Emulator,
    deadline: Instant,
}

impl Stubborn<'_> {
    fn of(emulator: &Emulator) -> Stubborn<'_> {
        Stubborn {
            client: Client::stranger(emulator),
            emulator,
            deadline: Instant::now() + LONG,
        }
    }

    /// A whole answer of this status that is JSON.
    fn get(&self, method: &str, path: &str, body: &str, status: u16) -> Option<Value> {
        assert!(Instant::now() < self.deadline, "{:?}", self.emulator.chaos());
        let answer = self.client.try_send(method, path, body).ok()?;
        (answer.status == status).then_some(())?;
        serde_json::from_str(&answer.text).ok()
    }

    fn log_in(&mut self) -> Option<()> {
        let body = json!({"token": login_token("emulator-bot", 240)}).to_string();
        let token = |service| {
            let path = format!("/{service}/pubkey/authenticate");
            Some(self.get("POST", &path, &body, 200)?["token"].as_str()?.to_owned())
        };
        (self.client.session, self.client.key_manager) = (token("login")?, token("relay")?);
        Some(())
    }

    fn find(&self) -> Option<String> {
        let feeds = self.get("GET", "/agent/v5/datafeeds", "", 200)?;
        if let Some(feed) = feeds.as_array()?.first() {
            return Some(feed["id"].as_str()?.to_owned());
        }
        let feed = self.get("POST", "/agent/v5/datafeeds", "{}", 201)?;
        Some(feed["id"].as_str()?.to_owned())
    }

    /// Reads until it is hindered.
    fn read(&self, seen: &mut HashSet<u64>) -> Option<()> {
        let feed = self.find()?;
        let mut ack_id = String::new();
        loop {
            let body = json!({ "ackId": ack_id }).to_string();
            let answer = self.get("POST", &read_path(&feed), &body, 200)?;
            ack_id = answer["ackId"].as_str()?.to_owned();
            seen.extend(answer["events"].as_array()?.iter().filter_map(Value::as_u64));
        }
    }
}

fn all_that_happened(emulator: &Emulator) -> ChaosBooks {
    let books = emulator.chaos();
    assert_eq!(books.kinds.values().sum::<u64>(), books.hit);
    assert!(books.after <= books.hit && books.hit <= books.requests);
    books
}

fn set_chaos(client: &Client, per_hundred: u32) -> Answer {
    let body = json!({"chaos": per_hundred, "chaosPauseMillis": 1}).to_string();
    client.send("POST", "/emulator/settings", &body)
}

#[test]
fn a_stubborn_client_gets_everything() {
    for seed in 1..=3 {
        let emulator = start(|settings| {
            settings.seed = seed;
            settings.chaos = 40.0;
            settings.chaos_pause = Duration::from_millis(5);
            settings.poll = Duration::from_millis(2);
            settings.visibility_timeout = Duration::from_millis(100);
            settings.batch = 1..=3;
        });
        emulator.create_feed(None);
        emulator.publish((0..60).map(|number: u64| number.to_string()));
        let mut client = Stubborn::of(&emulator);
        let mut seen = HashSet::new();
        while emulator.books().acknowledged < 60 {
            let _hindered = client.log_in().and_then(|()| client.read(&mut seen));
        }
        assert_eq!(seen, (0..60).collect());
        let books = emulator.books();
        assert_eq!((books.routed, books.removed_unacknowledged), (60, 0));
        assert!(all_that_happened(&emulator).hit > 10);
        // Nothing told it that it is not known before it had read.
        let log = emulator.requests();
        let read = |entry: &RequestLog| entry.endpoint == Some(Endpoint::Read) && entry.status == Some(200);
        let first = log.iter().position(read).unwrap();
        let mut before = log[..first].iter().filter_map(|entry| entry.status);
        assert!(before.all(|status| !matches!(status, 400 | 401 | 403)));
    }
}

#[test]
fn it_is_switched_on_and_off_while_it_runs() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let list = || {
        client
            .try_send("GET", "/agent/v5/datafeeds", "")
            .map(|answer| answer.status)
    };
    assert_eq!((list().unwrap(), emulator.chaos()), (200, ChaosBooks::default()));
    assert_eq!(set_chaos(&client, 100).json()["chaos"], 100.0);
    while all_that_happened(&emulator).kinds.len() < 13 {
        let _ = list();
    }
    let books = all_that_happened(&emulator);
    assert_eq!(books.hit, books.requests);
    assert_eq!(client.send("GET", "/emulator/chaos", "").json(), json!(books));
    // What it does not hit works all the time.
    for _ in 0..20 {
        assert_eq!(client.send("GET", "/agent/v3/health", "").status, 200);
    }
    set_chaos(&client, 0);
    assert_eq!(list().unwrap(), 200);
    assert_eq!(emulator.chaos(), books);
}

#[test]
fn a_fault_that_waits_comes_first() {
    let emulator = start(|settings| settings.chaos = 100.0);
    emulator.fault(Fault {
        endpoint: Endpoint::List,
        times: 5,
        action: FaultAction::Status {
            status: 418,
            body: None,
            retry_after: None,
        },
        after: false,
    });
    let client = Client::stranger(&emulator);
    for _ in 0..5 {
        assert_eq!(client.send("GET", "/agent/v5/datafeeds", "").status, 418);
    }
    assert_eq!(emulator.chaos(), ChaosBooks::default());
}

#[test]
fn sessions_may_expire_once_a_read_has_worked() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let feed = client.create();
    client.take(&feed, "");
    set_chaos(&client, 100);
    while !all_that_happened(&emulator).kinds.contains_key("expireSessions") {
        let _ = client.try_send("GET", "/agent/v5/datafeeds", "");
    }
    set_chaos(&client, 0);
    assert_eq!(client.read(&feed, "").status, 401);
    assert_eq!(emulator.feeds().len(), 1);
}
