//! The handles that the threads share, and the services behind them.

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use datafeed_emulator::{Emulator, Settings};
use serde_json::{Value, json};

use crate::feed::{Feed, Kind};

/// A configuration in which nothing is wrong but that nobody is there.
pub const CONFIG: &str = concat!(
    r#"{"scheme":"http","host":"127.0.0.1","port":9,"bot":{"username":"bot","privateKey":{"path":""#,
    env!("CARGO_MANIFEST_DIR"),
    r#"/../tests/data/keys/rsa-pkcs8.pem"}}}"#
);

/// Runs after which everything is made anew: an emulator keeps books of every event for ever.
const RUNS: usize = 2000;

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_secs(8);

/// The text of an event, some of them long.
pub fn event(number: usize) -> String {
    format!("{{\"n\":{number},\"text\":\"{}\"}}", "x".repeat(number * 7 % 300))
}

/// What the threads see.
pub struct Pool {
    pub explicit: Arc<Feed>,
    pub implicit: Arc<Feed>,
    pub failed: Arc<Feed>,
    pub closed: Arc<Feed>,
    emulator: Emulator,
    refusing: Emulator,
}

impl Pool {
    fn new() -> Pool {
        let emulator = Emulator::start(Settings {
            poll: Duration::from_millis(500),
            batch: 1..=3,
            // Or the read that a closed feed has left would take what is published for the next one.
            abandoned_reads_take: false,
            ..Settings::default()
        })
        .expect("an emulator");
        let refusing = Emulator::start(Settings::default()).expect("an emulator");
        refusing.reject_logins(true);
        let closed = open_explicit(&emulator);
        closed.close();
        Pool {
            explicit: open_explicit(&emulator),
            implicit: open_implicit(&emulator),
            failed: open_failed(&refusing),
            closed,
            emulator,
            refusing,
        }
    }

    pub fn publish(&self, count: usize) {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let first = NEXT.fetch_add(count, Ordering::SeqCst);
        self.emulator.publish((first..first + count).map(event));
    }

    /// A pointer that is no handle and never was.
    pub fn nothing(&self, which: u8) -> Arc<Feed> {
        static SOMETHING: u64 = 0;
        let pointer = match which % 6 {
            0 => ptr::null_mut(),
            1 => ptr::without_provenance_mut(1),
            2 => ptr::without_provenance_mut(usize::MAX),
            3 => ptr::from_ref(&SOMETHING).cast_mut().cast(),
            4 => self.explicit.handle.wrapping_byte_add(1),
            _ => self.explicit.handle.wrapping_byte_sub(1),
        };
        Arc::new(Feed::new(pointer, Kind::Nothing))
    }

    fn feeds(&self) -> [&Arc<Feed>; 4] {
        [&self.explicit, &self.implicit, &self.failed, &self.closed]
    }

    pub fn interrupt_all(&self) {
        self.feeds().iter().for_each(|feed| feed.interrupt());
    }

    pub fn close_all(&self) {
        self.feeds().iter().for_each(|feed| feed.close());
    }
}

fn open_explicit(emulator: &Emulator) -> Arc<Feed> {
    let settings = json!({"tag": "explicit"});
    let feed = open(emulator, settings, "explicit", Kind::Explicit, 20);
    wait_until(&feed, has_feed);
    feed
}

fn open_implicit(emulator: &Emulator) -> Arc<Feed> {
    let settings = json!({"tag": "implicit"});
    let feed = open(emulator, settings, "implicit", Kind::Implicit, 0);
    wait_until(&feed, has_feed);
    feed
}

fn open_failed(refusing: &Emulator) -> Arc<Feed> {
    let feed = open(refusing, json!({}), "explicit", Kind::Failed, 0);
    wait_until(&feed, |stats| stats["state"] == "FAILED");
    feed
}

fn open(emulator: &Emulator, datafeed: Value, ack: &str, kind: Kind, close_timeout: u64) -> Arc<Feed> {
    static OPENED: AtomicUsize = AtomicUsize::new(0);
    let opened = OPENED.fetch_add(1, Ordering::SeqCst);
    let mut config = emulator.config();
    config["datafeed"] = datafeed;
    config["ack"] = json!(ack);
    config["nackDelay"] = json!(1);
    config["closeTimeout"] = json!(close_timeout);
    config["retry"] = json!({"initialIntervalMillis": 1, "maxIntervalMillis": 5});
    Arc::new(Feed::open(&config, kind, opened < 64 || opened % 512 < 3))
}

/// The pool from one run to the next: feeds that a run has closed are replaced.
pub struct World {
    pool: Pool,
    runs: usize,
}

impl World {
    pub fn new() -> World {
        World {
            pool: Pool::new(),
            runs: 0,
        }
    }

    /// The pool as every run finds it: only one feed is closed, nothing is held, and events are there.
    pub fn pool(&mut self) -> &Pool {
        self.runs += 1;
        if self.runs.is_multiple_of(RUNS) {
            self.pool.close_all();
            self.pool = Pool::new();
        }
        let Pool {
            explicit,
            implicit,
            failed,
            closed,
            emulator,
            refusing,
        } = &mut self.pool;
        if explicit.is_closed() {
            *closed = std::mem::replace(explicit, open_explicit(emulator));
        }
        if implicit.is_closed() {
            *implicit = open_implicit(emulator);
        }
        if failed.is_closed() {
            *failed = open_failed(refusing);
        }
        self.pool.publish(3);
        wait_until(&self.pool.explicit, |stats| stats["queued"] != 0);
        &self.pool
    }

    /// After a run: everything is given back.
    pub fn clean_up(&mut self) {
        let Pool { explicit, implicit, .. } = &self.pool;
        for feed in [explicit, implicit] {
            feed.give_all_back();
            feed.empty();
        }
        self.pool.closed.give_all_back();
        self.pool.failed.give_all_back();
    }
}

fn has_feed(stats: &Value) -> bool {
    !stats["feedId"].is_null()
}

fn wait_until(feed: &Feed, condition: impl Fn(&Value) -> bool) {
    let end = Instant::now() + PATIENCE;
    loop {
        let stats = feed.stats(false).expect("statistics");
        if condition(&stats) {
            return;
        }
        assert!(Instant::now() < end, "in vain: {stats}");
        thread::sleep(Duration::from_micros(100));
    }
}
