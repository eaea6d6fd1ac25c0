//! One way in which it may happen, from the start to what the instances share in the end.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use datafeed_emulator::{Emulator, Endpoint, Fault, FaultAction, Outcome, RequestLog, Settings};
use serde_json::{Value, json};

use super::common::*;

pub const INSTANCES: usize = 3;

/// When the instances look for a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// There has been none yet.
    AtTheStart,
    /// The one that they read is gone.
    ItVanishes,
}

/// When they make feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Making {
    /// When every instance was told that there is none.
    Together,
    /// As the lists want it.
    AsItComes,
    /// One makes a feed two seconds after the other, as far apart as lists that are five seconds late allow.
    FarApart,
}

#[derive(Debug)]
pub struct Scene {
    pub when: When,
    /// How stale lists are.
    pub lists: RangeInclusive<Duration>,
    pub making: Making,
    /// How exact the dates in lists are, if there are any.
    pub dates: Option<Duration>,
    pub seed: u64,
}

impl fmt::Display for Scene {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self:?}")
    }
}

impl Scene {
    pub fn play(&self) {
        let emulator = emulator(Settings {
            list_stale: self.lists.clone(),
            created_at: self.dates.is_some(),
            created_at_step: self.dates.unwrap_or(Duration::from_millis(1)),
            seed: self.seed,
            ..one_by_one()
        });
        let vanished = match self.when {
            When::AtTheStart => None,
            When::ItVanishes => Some(emulator.create_feed(None)),
        };
        // Old enough to be in every list.
        emulator.advance(Duration::from_secs(60));
        if self.making == Making::Together {
            hold_creates(&emulator);
        }
        let mut feeds = Vec::new();
        for instance in 1..=INSTANCES {
            feeds.push(Feed::open(&config(&emulator, json!({}))));
            if self.making == Making::FarApart {
                wait_for_creates(&emulator, instance);
                emulator.advance(Duration::from_secs(2));
            }
        }
        if let Some(vanished) = &vanished {
            assert_eq!(agreed(&emulator, &feeds), *vanished);
            emulator.remove_feeds();
        }
        if self.making == Making::Together {
            create_together(&emulator);
            wait_for_creates(&emulator, INSTANCES);
        } else {
            wait_for_creates(&emulator, 1);
            outlive_this_millisecond();
        }
        // It goes into the oldest feed, and into whatever else is there.
        emulator.publish([numbered(0)]);
        if vanished.is_some() {
            let told = feeds.iter().map(Feed::must_next_and_ack);
            assert!(told.into_iter().all(|event| event.contains("DATAFEEDGAP")));
        }
        let read = agreed(&emulator, &feeds);
        check_requests(&emulator, &read, vanished.as_deref());
        let events = share(&emulator, &feeds);
        lose_one(&emulator, feeds, events);
    }
}

fn wait_for_creates(emulator: &Emulator, made: usize) {
    assert!(emulator.wait_for_requests(PATIENCE, |log| count(log, Endpoint::Create, 201) >= made));
}

/// Two feeds of one millisecond look equally old, and the one that is read may be the later one. What is published after
/// that millisecond is in both of them.
fn outlive_this_millisecond() {
    let millisecond = || UNIX_EPOCH.elapsed().expect("a date after 1970").as_millis();
    let now = millisecond();
    while millisecond() == now {
        thread::yield_now();
    }
}

/// Each read takes one event, so that all who read get some; and it ends with its client.
pub fn one_by_one() -> Settings {
    Settings {
        batch: 1..=1,
        abandoned_reads_take: false,
        ..quick()
    }
}

pub fn hold_creates(emulator: &Emulator) {
    emulator.fault(Fault {
        endpoint: Endpoint::Create,
        times: INSTANCES as u32,
        action: FaultAction::Hold,
        after: false,
    });
}

/// Each has been told that there is no feed; now each makes one.
pub fn create_together(emulator: &Emulator) {
    let all = |log: &[RequestLog]| {
        let creates = log.iter().filter(|request| request.endpoint == Some(Endpoint::Create));
        creates.filter(|create| create.outcome == Outcome::Waiting).count() == INSTANCES
    };
    assert!(emulator.wait_for_requests(PATIENCE, all), "{:#?}", emulator.requests());
    emulator.release();
}

pub fn count(log: &[RequestLog], endpoint: Endpoint, status: u16) -> usize {
    let of_endpoint = log.iter().filter(|request| request.endpoint == Some(endpoint));
    of_endpoint.filter(|request| request.status == Some(status)).count()
}

/// Waits until there is one feed, and each instance reads it. Its id.
pub fn agreed(emulator: &Emulator, feeds: &[Feed]) -> String {
    let agree = |log: &[RequestLog]| {
        let [left] = &emulator.feeds()[..] else { return false };
        log.iter().any(|request| is_read_of(request, &left.id))
            && feeds.iter().map(Feed::stats).all(|stats| {
                let reads = ["READING", "WAITING_FOR_BOT"]
                    .map(Value::from)
                    .contains(&stats["state"]);
                reads && stats["feedId"] == left.id.as_str()
            })
    };
    let states = || feeds.iter().map(|feed| feed.stats().to_string()).collect::<Vec<_>>();
    let agreed = emulator.wait_for_requests(PATIENCE, agree);
    assert!(agreed, "{:#?} {:#?}", emulator.feeds(), states());
    emulator.feeds()[0].id.clone()
}

fn is_read_of(request: &RequestLog, feed: &str) -> bool {
    request.endpoint == Some(Endpoint::Read) && request.path.contains(feed)
}

/// Whatever else was made is deleted, and nobody has ever read it.
fn check_requests(emulator: &Emulator, read: &str, vanished: Option<&str>) {
    let log = emulator.requests();
    let reads = log.iter().filter(|request| request.endpoint == Some(Endpoint::Read));
    let read_at_all: BTreeSet<&str> = reads.filter_map(|read| read.path.split('/').nth(4)).collect();
    assert_eq!(read_at_all, vanished.into_iter().chain([read]).collect());
    let (made, dropped) = (count(&log, Endpoint::Create, 201), count(&log, Endpoint::Delete, 204));
    assert_eq!(dropped, made - 1);
    assert!(emulator.feeds()[0].last_read_ms >= emulator.feeds()[0].created_at_ms);
}

/// Each gets some of what is published, and nothing comes twice. How many events there are now.
fn share(emulator: &Emulator, feeds: &[Feed]) -> usize {
    const ROUND: usize = 30;
    let mut events = 1;
    let mut got = vec![Vec::new(); feeds.len()];
    while events == 1 || got.iter().any(Vec::is_empty) {
        assert!(events < 40 * ROUND, "one gets nothing: {got:?}");
        emulator.publish((events..events + ROUND).map(numbered));
        events += ROUND;
        got = consume(
            feeds,
            got,
            |got| got.iter().map(Vec::len).sum::<usize>() >= events,
            |_| (),
        );
    }
    let mut all = got.concat();
    all.sort_unstable();
    assert_eq!(all, (0..events).collect::<Vec<_>>());
    events
}

/// One ends with an event in its hands. The others get it.
fn lose_one(emulator: &Emulator, mut feeds: Vec<Feed>, events: usize) {
    let lost = feeds.pop().expect("a feed");
    emulator.publish((events..events + 30).map(numbered));
    lost.must_next();
    drop(lost);
    get_all(emulator, &feeds, events..events + 30);
}

/// The instances get all of these, also what another had in its hands.
pub fn get_all(emulator: &Emulator, feeds: &[Feed], events: std::ops::Range<usize>) {
    let all: BTreeSet<usize> = events.collect();
    let has_all = |got: &[Vec<usize>]| all.is_subset(&got.concat().into_iter().collect());
    let got = vec![Vec::new(); feeds.len()];
    consume(feeds, got, has_all, |done| {
        while !done.load(Ordering::SeqCst) {
            emulator.advance(Duration::from_secs(31));
            emulator.wait_until(Duration::from_secs(1), |_| done.load(Ordering::SeqCst));
        }
    });
}

/// Each instance acknowledges what it gets, until together they have got enough.
fn consume(
    feeds: &[Feed],
    got: Vec<Vec<usize>>,
    enough: impl Fn(&[Vec<usize>]) -> bool + Sync,
    meanwhile: impl Fn(&AtomicBool),
) -> Vec<Vec<usize>> {
    let started = Instant::now();
    let (got, done) = (Mutex::new(got), AtomicBool::new(false));
    thread::scope(|scope| {
        for (instance, feed) in feeds.iter().enumerate() {
            let (got, done, enough) = (&got, &done, &enough);
            scope.spawn(move || {
                while !done.load(Ordering::SeqCst) {
                    let Ok(event) = feed.next(50) else {
                        assert!(started.elapsed() < PATIENCE, "{:?}", got.lock());
                        continue;
                    };
                    assert_eq!(feed.ack(event.delivery), DATAFEED_OK);
                    let mut got = got.lock().expect("what they have got");
                    got[instance].push(number_of(&event.text));
                    done.fetch_or(enough(&got), Ordering::SeqCst);
                }
            });
        }
        meanwhile(&done);
    });
    got.into_inner().expect("what they have got")
}
