//! The feeds of Datafeed 1 and of its firehose. An event is gone once it was handed out, and a feed that nobody reads fills up and expires.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::books::{V1Books, V1FeedInfo};
use crate::clock::Millis;

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
    /// Of the feeds that have expired.
    expired: V1Books,
    rng: fastrand::Rng,
}

#[derive(Debug)]
pub struct Feed {
    id: String,
    stream: V1Stream,
    created: Millis,
    /// How many events may wait to be read.
    capacity: usize,
    waiting: VecDeque<Arc<str>>,
    /// How many reads are under way.
    readers: usize,
    books: V1Books,
}

impl Feeds {
    pub fn new(seed: u64) -> Self {
        Feeds {
            living: Vec::new(),
            expired: V1Books::default(),
            rng: fastrand::Rng::with_seed(seed ^ 0xdf01),
        }
    }

    pub fn create(&mut self, stream: V1Stream, capacity: usize, now: Millis) -> String {
        let id = uuid(&mut self.rng);
        self.living.push(Feed {
            id: id.clone(),
            stream,
            created: now,
            capacity,
            waiting: VecDeque::new(),
            readers: 0,
            books: V1Books::default(),
        });
        id
    }

    pub fn count(&self) -> usize {
        self.living.len()
    }

    pub fn get(&mut self, stream: V1Stream, id: &str) -> Option<&mut Feed> {
        self.living
            .iter_mut()
            .find(|feed| feed.id == id && feed.stream == stream)
    }

    /// Whether a feed was there to get it. One that has no room for it expires, and everything in it is gone.
    pub fn publish(&mut self, event: &Arc<str>) -> bool {
        for feed in &mut self.living {
            feed.books.routed += 1;
            feed.waiting.push_back(event.clone());
        }
        let routed = !self.living.is_empty();
        self.expire(|feed| feed.waiting.len() > feed.capacity);
        routed
    }

    pub fn expire_all(&mut self) {
        self.expire(|_| true);
    }

    fn expire(&mut self, expires: impl Fn(&Feed) -> bool) {
        let (expiring, living) = std::mem::take(&mut self.living)
            .into_iter()
            .partition::<Vec<_>, _>(expires);
        self.living = living;
        for feed in expiring {
            self.expired += feed.books;
            self.expired.expired += feed.waiting.len() as u64;
        }
    }

    /// Notes that so many events were handed out in an answer that did not go out whole.
    pub fn lose(&mut self, id: &str, count: u64) {
        let books = match self.living.iter_mut().find(|feed| feed.id == id) {
            Some(feed) => &mut feed.books,
            None => &mut self.expired,
        };
        books.lost += count;
    }

    pub fn books(&self) -> V1Books {
        let mut books = self.expired;
        for feed in &self.living {
            books += feed.books();
        }
        books
    }

    /// Those that have not expired, oldest first.
    pub fn infos(&self) -> Vec<V1FeedInfo> {
        let info = |feed: &Feed| V1FeedInfo {
            id: feed.id.clone(),
            stream: feed.stream,
            created_at_ms: feed.created,
            books: feed.books(),
        };
        self.living.iter().map(info).collect()
    }
}

impl Feed {
    fn books(&self) -> V1Books {
        V1Books {
            queued: self.waiting.len() as u64,
            ..self.books
        }
    }

    pub fn begin_read(&mut self) {
        self.books.concurrent_reads += u64::from(self.readers > 0);
        self.readers += 1;
    }

    pub fn end_read(&mut self) {
        self.readers -= 1;
    }

    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Hands out up to `most` events, for good. Readers get them in turn: one of two takes every other event.
    pub fn take(&mut self, most: usize) -> Vec<Arc<str>> {
        let turns = self.readers.max(1);
        let mut taken = Vec::new();
        let mut left = VecDeque::new();
        for (position, event) in std::mem::take(&mut self.waiting).into_iter().enumerate() {
            match position.is_multiple_of(turns) && taken.len() < most {
                true => taken.push(event),
                false => left.push_back(event),
            }
        }
        self.waiting = left;
        self.books.handed_out += taken.len() as u64;
        taken
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
