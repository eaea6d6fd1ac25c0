//! The feeds of Datafeed 1 and of its firehose. An event is gone once it was handed out, and a feed that nobody reads fills up and expires.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::books::{V1Books, V1EventBook, V1FeedInfo};
use crate::clock::{Millis, wall};

/// What a feed is of. An id of one is unknown to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum V1Stream {
    /// What the bot may see.
    Datafeed,
    /// Everything in the pod.
    Firehose,
}

#[derive(Debug)]
pub struct Feeds {
    living: Vec<Feed>,
    /// For the books.
    expired: Vec<Feed>,
    rng: fastrand::Rng,
}

#[derive(Debug)]
pub struct Feed {
    id: String,
    stream: V1Stream,
    /// Which agent has made it.
    agent: usize,
    created: Millis,
    /// The same in real time.
    made: Millis,
    last_read: Millis,
    /// How many events may wait to be read.
    capacity: usize,
    /// Events by their position in `fates`.
    waiting: VecDeque<(usize, Arc<str>)>,
    /// The number of the first event that it got. Those that follow came one by one.
    first: Option<u64>,
    /// Of every event that it ever got, in which hand-out it went.
    fates: Vec<Option<u32>>,
    hand_outs: Vec<HandOut>,
    /// In real time.
    expired: Option<Millis>,
    /// How many reads are under way.
    readers: usize,
    books: V1Books,
}

#[derive(Debug)]
struct HandOut {
    /// In real time.
    at: Millis,
    events: u64,
    lost: bool,
    /// Who has read it, by its own word.
    reader: Option<String>,
}

/// What a read gets.
#[derive(Debug)]
pub struct Taken {
    pub events: Vec<Arc<str>>,
    /// Which of the feed's hand-outs this is.
    pub hand_out: usize,
}

impl Feeds {
    pub fn new(seed: u64) -> Self {
        Feeds {
            living: Vec::new(),
            expired: Vec::new(),
            rng: fastrand::Rng::with_seed(seed ^ 0xdf01),
        }
    }

    pub fn create(&mut self, stream: V1Stream, agent: usize, capacity: usize, now: Millis) -> String {
        let id = uuid(&mut self.rng);
        self.living.push(Feed {
            id: id.clone(),
            stream,
            agent,
            created: now,
            made: wall(),
            last_read: now,
            capacity,
            waiting: VecDeque::new(),
            first: None,
            fates: Vec::new(),
            hand_outs: Vec::new(),
            expired: None,
            readers: 0,
            books: V1Books::default(),
        });
        id
    }

    pub fn count(&self) -> usize {
        self.living.len()
    }

    pub fn get(&mut self, stream: V1Stream, agent: usize, id: &str) -> Option<&mut Feed> {
        self.living
            .iter_mut()
            .find(|feed| feed.id == id && feed.stream == stream && feed.agent == agent)
    }

    /// Whether a feed was there to get it. One that has no room for it expires, and everything in it is gone.
    pub fn publish(&mut self, sequence: u64, event: &Arc<str>) -> bool {
        for feed in &mut self.living {
            feed.first.get_or_insert(sequence);
            feed.waiting.push_back((feed.fates.len(), event.clone()));
            feed.fates.push(None);
            feed.books.routed += 1;
        }
        let routed = !self.living.is_empty();
        self.expire(|feed| feed.waiting.len() > feed.capacity);
        routed
    }

    pub fn expire_all(&mut self) {
        self.expire(|_| true);
    }

    /// The feeds of one agent.
    pub fn expire_of(&mut self, agent: usize) {
        self.expire(|feed| feed.agent == agent);
    }

    fn expire(&mut self, expires: impl Fn(&Feed) -> bool) {
        let (expiring, living) = std::mem::take(&mut self.living)
            .into_iter()
            .partition::<Vec<_>, _>(expires);
        self.living = living;
        for mut feed in expiring {
            feed.expired = Some(wall());
            feed.books.expired = std::mem::take(&mut feed.waiting).len() as u64;
            self.expired.push(feed);
        }
    }

    /// Notes that a hand-out did not go out whole.
    pub fn lose(&mut self, id: &str, hand_out: usize) {
        let mut feeds = self.living.iter_mut().chain(&mut self.expired);
        if let Some(feed) = feeds.find(|feed| feed.id == id) {
            let hand_out = &mut feed.hand_outs[hand_out];
            hand_out.lost = true;
            feed.books.lost += hand_out.events;
        }
    }

    pub fn books(&self) -> V1Books {
        let mut books = V1Books::default();
        for feed in self.all() {
            books += feed.books();
        }
        books
    }

    /// Those that have not expired, oldest first.
    pub fn infos(&self) -> Vec<V1FeedInfo> {
        let info = |feed: &Feed| V1FeedInfo {
            id: feed.id.clone(),
            stream: feed.stream,
            agent: feed.agent,
            created_at_ms: feed.created,
            last_read_ms: feed.last_read,
            books: feed.books(),
        };
        self.living.iter().map(info).collect()
    }

    /// Of every feed that ever was: those that have expired first.
    pub fn event_books(&self) -> Vec<V1EventBook> {
        self.all().flat_map(Feed::event_books).collect()
    }

    fn all(&self) -> impl Iterator<Item = &Feed> {
        self.expired.iter().chain(&self.living)
    }
}

impl Feed {
    fn books(&self) -> V1Books {
        V1Books {
            queued: self.waiting.len() as u64,
            ..self.books
        }
    }

    fn event_books(&self) -> impl Iterator<Item = V1EventBook> {
        // Without events there is no first one, and nothing to number.
        let first = self.first.unwrap_or_default();
        self.fates.iter().enumerate().map(move |(position, fate)| {
            let hand_out = fate.map(|number| &self.hand_outs[number as usize]);
            V1EventBook {
                feed: self.id.clone(),
                feed_made_ms: self.made,
                sequence: first + position as u64,
                handed_out_ms: hand_out.map(|hand_out| hand_out.at),
                lost: hand_out.is_some_and(|hand_out| hand_out.lost),
                reader: hand_out.and_then(|hand_out| hand_out.reader.clone()),
                expired_ms: self.expired.filter(|_| hand_out.is_none()),
            }
        })
    }

    pub fn begin_read(&mut self, now: Millis) {
        self.last_read = now;
        self.books.concurrent_reads += u64::from(self.readers > 0);
        self.readers += 1;
    }

    pub fn end_read(&mut self) {
        self.readers -= 1;
    }

    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Hands out up to `most` events, for good. Readers get them in turn: one of two takes every other event. `None`: there
    /// are none. `reader` is whom the books are to name.
    pub fn take(&mut self, most: usize, reader: Option<String>) -> Option<Taken> {
        let turns = self.readers.max(1);
        let hand_out = self.hand_outs.len();
        let mut events = Vec::new();
        let mut left = VecDeque::new();
        for (turn, (position, event)) in std::mem::take(&mut self.waiting).into_iter().enumerate() {
            match turn.is_multiple_of(turns) && events.len() < most {
                true => {
                    self.fates[position] = u32::try_from(hand_out).ok();
                    events.push(event);
                }
                false => left.push_back((position, event)),
            }
        }
        self.waiting = left;
        if events.is_empty() {
            return None;
        }
        let count = events.len() as u64;
        self.books.handed_out += count;
        self.hand_outs.push(HandOut {
            at: wall(),
            events: count,
            lost: false,
            reader,
        });
        Some(Taken { events, hand_out })
    }
}

/// A random one, of version 4.
pub fn uuid(rng: &mut fastrand::Rng) -> String {
    let bits = rng.u128(..);
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        bits >> 96,
        bits >> 80 & 0xffff,
        bits >> 64 & 0xfff,
        bits >> 48 & 0x3fff | 0x8000,
        bits & 0xffff_ffff_ffff
    )
}
