//! A service, a folder for the state, and bots that come one after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use datafeed_emulator::{Emulator, Settings};
use serde_json::{Value, json};

use super::common::folder::Folder;
use super::common::process::Bot;
use super::common::reads::{count_reads, once_reading, wait_for_read_after};
use super::common::*;

/// The test that a bot of its own begins in.
const ENTRY: &str = "crash::what_was_acknowledged_survives_a_kill";

pub struct World {
    pub emulator: Emulator,
    pub folder: Folder,
}

impl World {
    /// What a read may have taken whose reader is gone is not what most tests are about.
    pub fn new() -> World {
        World::with(Settings {
            abandoned_reads_take: false,
            ..quick()
        })
    }

    pub fn with(settings: Settings) -> World {
        World {
            emulator: emulator(settings),
            folder: Folder::new(),
        }
    }

    pub fn state_dir(&self) -> PathBuf {
        self.folder.path("state")
    }

    /// Of Datafeed 2. What may have been missed is another test's business: see `tests/gaps.rs`.
    pub fn second(&self, more: Value) -> Value {
        let mut settings = json!({"stateDir": self.state_dir(), "gapEvents": false});
        for (name, value) in more.as_object().into_iter().flatten() {
            settings[name] = value.clone();
        }
        config(&self.emulator, settings)
    }

    /// Of Datafeed 1.
    pub fn first(&self, more: Value) -> Value {
        let mut config = self.second(more);
        config["datafeed"] = json!({"version": "v1", "idFilePath": self.folder.path("datafeed.id")});
        config
    }

    /// A feed that reads.
    #[track_caller]
    pub fn open(&self, config: &Value) -> Feed {
        once_reading(&self.emulator, || Feed::open(config))
    }

    /// A bot in a process of its own, whose feed reads.
    #[track_caller]
    pub fn start(&self, config: &Value) -> Bot {
        once_reading(&self.emulator, || self.begin(config))
    }

    /// One that may not read.
    #[track_caller]
    pub fn begin(&self, config: &Value) -> Bot {
        Bot::start(ENTRY, config)
    }

    #[track_caller]
    pub fn try_begin(&self, config: &Value) -> (Bot, Value) {
        Bot::try_start(ENTRY, config)
    }

    pub fn reads(&self) -> usize {
        count_reads(&self.emulator.requests())
    }

    #[track_caller]
    pub fn wait_for_read_after(&self, before: usize) {
        wait_for_read_after(&self.emulator, before);
    }

    /// Lets the service deliver again what was not acknowledged to it, also what a reader that is gone may have taken.
    pub fn deliver_again(&self) {
        self.emulator.advance(Duration::from_secs(61));
    }

    /// Waits until the service has confirmed the acknowledgement of so many events.
    #[track_caller]
    pub fn wait_for_confirmed(feed: &Feed, count: u64) {
        until("it is confirmed", || feed.stats()["confirmed"] == count);
    }

    /// One event, with which the feed looks at the time.
    #[track_caller]
    pub fn publish_and_receive(&self, feed: &Feed, number: usize) {
        self.emulator.publish([numbered(number)]);
        assert_eq!(number_of(&feed.must_next_and_ack()), number);
    }

    /// What is in the folder, when no feed has it.
    pub fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.state_dir().join("state.db")).expect("the database")
    }

    /// The files of the database, by their names. An empty log is as good as none.
    pub fn state(&self) -> BTreeMap<String, Vec<u8>> {
        let files = fs::read_dir(self.state_dir()).expect("the folder");
        let named = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
        let ours = named.filter(|name| name.starts_with("state.db") && !name.contains("damaged"));
        let read = ours.map(|name| {
            let bytes = fs::read(self.state_dir().join(&name)).expect("a file");
            (name, bytes)
        });
        read.filter(|(name, bytes)| !(name.ends_with("-wal") && bytes.is_empty()))
            .collect()
    }

    /// Everything that comes until this event does, each acknowledged.
    #[track_caller]
    pub fn receive_until(&self, feed: &Feed, last: usize) -> BTreeSet<usize> {
        let mut came = BTreeSet::new();
        loop {
            let number = number_of(&feed.must_next_and_ack());
            assert!(came.insert(number), "{number} came twice");
            if number == last {
                return came;
            }
        }
    }
}

/// Waits for a condition that nobody tells of.
#[track_caller]
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < end, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
