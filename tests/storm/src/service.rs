//! The service of a row: an emulator with two agents, a proxy before each, and what was published.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use datafeed_emulator::{Emulator, FeedInfo, Settings, V1FeedInfo};
use serde_json::{Value, json};

use crate::event::{self, wall};
use crate::evidence;
use crate::instance::PROCESS;
use crate::judge::Evidence;
use crate::proxy::{Damage, Proxy};
use crate::row::{Row, Version};
use crate::schedule::AGENTS;

/// How long the service hides what it has handed out.
pub const VISIBILITY: Duration = Duration::from_secs(5);
/// How long a read waits for events.
const POLL: Duration = Duration::from_secs(1);
/// A feed that is not read for so long is nobody's.
const READ_LATELY: Duration = Duration::from_millis(2500);
/// How many events may wait in a feed before the next are published. A feed of Datafeed 1 holds 250.
const ROOM: u64 = 150;
/// Longer than anything that goes wrong lasts.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often to look whether something has come about.
const GLANCE: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub struct Service {
    row: Row,
    pub emulator: Emulator,
    proxies: Vec<Proxy>,
    rng: fastrand::Rng,
    /// When each event was published, by number; the first is nobody's.
    published: Vec<u64>,
    /// When the clock jumped so far that every feed of Datafeed 2 died.
    deaths: Vec<u64>,
}

impl Service {
    /// # Errors
    /// When there are no ports or threads left.
    pub fn start(row: Row, seed: u64) -> io::Result<Service> {
        let emulator = Emulator::start(Settings {
            agents: AGENTS,
            poll: POLL,
            visibility_timeout: VISIBILITY,
            session_ttl: Duration::from_secs(3600),
            batch: 1..=100,
            seed,
            ..Settings::default()
        })?;
        let mut proxies = Vec::new();
        for url in emulator.agent_urls() {
            let address = url.trim_start_matches("http://").parse().map_err(io::Error::other)?;
            proxies.push(Proxy::start(address)?);
        }
        Ok(Service {
            row,
            emulator,
            proxies,
            rng: fastrand::Rng::with_seed(seed),
            published: vec![0],
            deaths: Vec::new(),
        })
    }

    /// What a bot that keeps its files in this folder connects with.
    pub fn config(&self, folder: &Path) -> Value {
        let node = |proxy: &Proxy| json!({"host": "127.0.0.1", "port": proxy.port()});
        let nodes: Vec<Value> = self.proxies.iter().map(node).collect();
        let version = match self.row.version {
            Version::V1 => "v1",
            Version::V2 => "v2",
        };
        let mut config = self.emulator.config();
        config["port"] = nodes[0]["port"].clone();
        config["agent"] = json!({"loadBalancing": {"nodes": nodes}});
        config["datafeed"] = json!({"version": version, "idFilePath": id_file(folder)});
        config["retry"] = json!({"initialIntervalMillis": 5, "maxIntervalMillis": 100});
        config["connectionTimeout"] = json!(3000);
        config["readTimeout"] = json!(3000);
        config["visibilityTimeout"] = json!(VISIBILITY.as_millis());
        config["nackDelay"] = json!(100);
        // Which process it is that reads, for the service's books.
        config["defaultHeaders"] = json!({"X-Reader": format!("${{{PROCESS}}}")});
        if self.row.state_dir {
            config["stateDir"] = json!(folder.join("state"));
        }
        config
    }

    /// Waits until there are so many feeds.
    ///
    /// # Errors
    /// When there never are.
    pub fn wait_for_feeds(&self, count: usize) -> Result<(), String> {
        wait(PATIENCE, || self.feeds().len() >= count)
            .then_some(())
            .ok_or_else(|| format!("there were never {count} feeds"))
    }

    /// Waits until so many feeds have been read: from then on the bots know of them, whatever becomes of their processes.
    ///
    /// # Errors
    /// When they never are.
    pub fn wait_for_reads(&self, count: usize) -> Result<(), String> {
        let read = || self.feeds().iter().filter(|feed| feed.read > feed.created).count();
        wait(PATIENCE, || read() >= count)
            .then_some(())
            .ok_or_else(|| format!("{count} feeds were never read"))
    }

    /// Waits until events that are published are read soon, and a moment if nobody reads.
    ///
    /// # Errors
    /// When feeds are read and events stay there.
    pub fn wait_for_room(&self) -> Result<(), String> {
        wait(READ_LATELY, || !self.read_lately().is_empty());
        wait(PATIENCE, || self.read_lately().iter().all(|feed| feed.queued < ROOM))
            .then_some(())
            .ok_or_else(|| format!("events are not read: {:?}", self.feeds()))
    }

    /// Whether the service has nothing left to hand out, or to take back, of what somebody reads.
    pub fn is_empty(&self) -> bool {
        self.read_lately().iter().all(|feed| feed.queued + feed.leased == 0)
    }

    fn read_lately(&self) -> Vec<Feed> {
        let since = self.emulator.now_ms().saturating_sub(READ_LATELY.as_millis() as u64);
        let mut feeds = self.feeds();
        feeds.retain(|feed| feed.read > since);
        feeds
    }

    fn feeds(&self) -> Vec<Feed> {
        match self.row.version {
            Version::V1 => self.emulator.v1_feeds().into_iter().map(Feed::from).collect(),
            Version::V2 => self.emulator.feeds().into_iter().map(Feed::from).collect(),
        }
    }

    /// Publishes so many events.
    pub fn publish(&mut self, count: u32) {
        let mut events = Vec::new();
        for _ in 0..count {
            let timestamp = wall();
            events.push(event::publish(self.count() + 1, timestamp, &mut self.rng));
            self.published.push(timestamp);
        }
        self.emulator.publish(events);
    }

    /// How many events were published.
    pub fn count(&self) -> u32 {
        u32::try_from(self.published.len() - 1).unwrap_or(u32::MAX)
    }

    pub fn damage(&self, agent: usize, damage: Damage) {
        self.proxies[agent].damage(damage);
    }

    /// Moves the clock, when that makes nothing look the same that is not: nothing may have been handed out lately, since
    /// an event that comes again sooner than any service delivers again counts as another one. Whether it could be done.
    pub fn jump(&mut self, by: Duration) -> bool {
        let quiet = VISIBILITY / 2 + Duration::from_millis(200);
        let mut seen = (self.emulator.books().handed_out, Instant::now());
        let quiet = wait(PATIENCE, || {
            let now = self.emulator.books().handed_out;
            if now != seen.0 {
                seen = (now, Instant::now());
            }
            seen.1.elapsed() >= quiet
        });
        if quiet {
            self.emulator.advance(by);
            if by >= self.emulator.settings().feed_ttl {
                self.deaths.push(wall());
            }
        }
        quiet
    }

    /// Nothing goes wrong any more: how much was still to come.
    pub fn calm(&self) -> u64 {
        let mended: usize = self.proxies.iter().map(Proxy::mend).sum();
        let waiting = self.emulator.waiting_faults();
        self.emulator.clear_faults();
        waiting + mended as u64
    }

    /// What the service knows, for accounts that have read these feeds of Datafeed 1.
    pub fn evidence(&self, feeds_of_accounts: &[BTreeSet<String>]) -> Evidence {
        match self.row.version {
            Version::V2 => {
                let books = self.emulator.event_books();
                evidence::of_v2(&self.published, &self.deaths, &books, feeds_of_accounts.len())
            }
            Version::V1 => evidence::of_v1(&self.published, &self.emulator.v1_event_books(), feeds_of_accounts),
        }
    }
}

/// A feed of either version. Times are on the service's clock.
#[derive(Debug)]
struct Feed {
    created: u64,
    /// The last read, or the creation when there was none.
    read: u64,
    queued: u64,
    leased: u64,
}

impl From<FeedInfo> for Feed {
    fn from(feed: FeedInfo) -> Feed {
        Feed {
            created: feed.created_at_ms,
            read: feed.last_read_ms,
            queued: feed.books.queued,
            leased: feed.books.leased,
        }
    }
}

impl From<V1FeedInfo> for Feed {
    fn from(feed: V1FeedInfo) -> Feed {
        Feed {
            created: feed.created_at_ms,
            read: feed.last_read_ms,
            queued: feed.books.queued,
            leased: 0,
        }
    }
}

/// Where a bot with this folder keeps the id of its feed of Datafeed 1.
pub fn id_file(folder: &Path) -> std::path::PathBuf {
    folder.join("datafeed.id")
}

/// Looks until it is so. Whether it came about in time.
pub fn wait(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    while !condition() {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(GLANCE);
    }
    true
}
