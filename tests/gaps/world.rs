//! A service whose events tell when they were published, and what a gap says.

use std::ops::RangeInclusive;
use std::time::{Duration, SystemTime};

use datafeed_emulator::{Emulator, Endpoint, Fault, FaultAction, Outcome, Settings};
use serde_json::{Value, json};

use super::common::folder::Folder;
use super::common::process::Bot;
use super::common::reads::{count_reads, is_read, once_reading, wait_for_read_after};
use super::common::*;

pub struct World {
    pub emulator: Emulator,
    pub folder: Folder,
}

/// What a gap event says.
#[derive(Debug)]
pub struct Gap {
    pub text: String,
    pub reason: String,
    pub from: Option<u64>,
    pub to: u64,
}

/// Milliseconds since 1970.
pub fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().expect("a time").as_millis() as u64
}

/// Until the clock shows another time, so that what is before and what is after can be told apart.
pub fn another_millisecond() -> u64 {
    let before = now();
    while now() == before {
        std::hint::spin_loop();
    }
    now()
}

impl Gap {
    #[track_caller]
    pub fn of(text: &str) -> Gap {
        let event: Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(event["type"], "DATAFEEDGAP", "{event:#}");
        let gap = &event["payload"]["datafeedGap"];
        let to = gap["to"].as_u64().expect("a time");
        assert!(event["id"].is_string() && event["timestamp"] == to, "{event:#}");
        Gap {
            text: text.to_owned(),
            reason: gap["reason"].as_str().expect("a reason").to_owned(),
            from: gap["from"].as_u64(),
            to,
        }
    }

    /// What was published in this time may be missing, and it is told for this reason.
    #[track_caller]
    pub fn covers(&self, time: RangeInclusive<u64>, reason: &str) {
        assert_eq!(self.reason, reason, "{self:?}");
        assert!(self.from.is_none_or(|from| from <= *time.start()), "{self:?} {time:?}");
        assert!(self.to >= *time.end(), "{self:?} {time:?}");
    }

    /// It is not longer than that.
    #[track_caller]
    pub fn is_within(&self, time: RangeInclusive<u64>) {
        assert!(self.from.is_some_and(|from| from >= *time.start()), "{self:?} {time:?}");
        assert!(self.to <= *time.end(), "{self:?} {time:?}");
    }
}

impl World {
    pub fn new() -> World {
        World::with(quick())
    }

    pub fn with(settings: Settings) -> World {
        World {
            emulator: emulator(settings),
            folder: Folder::new(),
        }
    }

    pub fn second(&self, more: Value) -> Value {
        config(&self.emulator, more)
    }

    pub fn first(&self, more: Value) -> Value {
        let mut config = config(&self.emulator, more);
        config["datafeed"] = json!({"version": "v1", "idFilePath": self.folder.path("datafeed.id")});
        config
    }

    /// With a folder for the state.
    pub fn stored(&self, mut config: Value) -> Value {
        config["stateDir"] = json!(self.folder.path("state"));
        config
    }

    /// A feed that has read, and has not been told of a gap.
    #[track_caller]
    pub fn open(&self, config: &Value) -> Feed {
        once_reading(&self.emulator, || Feed::open(config))
    }

    #[track_caller]
    pub fn start(&self, config: &Value) -> Bot {
        once_reading(&self.emulator, || self.begin(config))
    }

    /// A bot in a process of its own, which may have something to do before it reads.
    #[track_caller]
    pub fn begin(&self, config: &Value) -> Bot {
        Bot::start("restarts::a_gap_is_told_until_it_is_acknowledged", config)
    }

    pub fn reads(&self) -> usize {
        count_reads(&self.emulator.requests())
    }

    #[track_caller]
    pub fn wait_for_read_after(&self, before: usize) {
        wait_for_read_after(&self.emulator, before);
    }

    /// Until a read waits for an event.
    #[track_caller]
    pub fn until_it_is_read(&self) {
        let waiting = self.emulator.wait_for_requests(PATIENCE, |requests| {
            let last = requests.iter().rfind(|request| is_read(request));
            last.is_some_and(|read| read.outcome == Outcome::Waiting)
        });
        assert!(waiting, "nothing is read");
    }

    /// Publishes an event that says when; answers that time.
    pub fn publish(&self, number: usize) -> u64 {
        let at = another_millisecond();
        let event = json!({"id": format!("event-{number}"), "type": "MESSAGESENT", "timestamp": at, "n": number});
        self.emulator.publish([event.to_string()]);
        at
    }

    /// Publishes one, and checks that nothing is told before it.
    #[track_caller]
    pub fn next_is(&self, feed: &Feed, number: usize) -> u64 {
        let time = self.publish(number);
        assert_eq!(number_of(&feed.must_next_and_ack()), number);
        time
    }

    pub fn fault(&self, endpoint: Endpoint, action: FaultAction, after: bool) {
        self.emulator.fault(Fault {
            endpoint,
            times: 1,
            action,
            after,
        });
    }

    /// More than the service waits for a reader.
    pub fn outlive(&self) {
        self.emulator.advance(Duration::from_secs(31 * 60));
    }
}

#[track_caller]
pub fn gap(feed: &Feed) -> Gap {
    Gap::of(&feed.must_next_and_ack())
}
