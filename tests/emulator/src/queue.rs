//! One Datafeed 2 queue: events, leases and ackIds. It knows no clock, no network and no other feed.
//!
//! An event leaves it in two ways only: by the ackId of a lease that is alive, or with the whole queue.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::books::{Books, EventBook};
use crate::clock::Millis;
use crate::settings::Order;

#[derive(Debug)]
pub struct Queue {
    /// What its ackIds begin with.
    key: String,
    /// Every event it ever got, by position.
    records: Vec<Record>,
    /// Events waiting, by position, so that those that come back stand in front again.
    waiting: BTreeMap<usize, Arc<str>>,
    leases: BTreeMap<u64, Lease>,
    last_lease: u64,
    books: Books,
}

#[derive(Debug)]
struct Record {
    sequence: u64,
    handed_out: u32,
    acknowledged: bool,
    removed: bool,
}

#[derive(Debug)]
struct Lease {
    until: Millis,
    events: Vec<(usize, Arc<str>)>,
}

/// What a read gets.
#[derive(Debug)]
pub struct Batch {
    pub events: Vec<Arc<str>>,
    pub ack_id: String,
}

/// What an ackId turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ack {
    /// It named a lease that was alive.
    Live,
    /// It has the right form and names no lease that is alive: lapsed, already used, or of another feed.
    Stale,
    /// No emulator made it.
    Malformed,
}

impl Queue {
    /// `key` is eight or more hexadecimal digits, different for each queue.
    pub fn new(key: &str) -> Self {
        Queue {
            key: key.to_owned(),
            records: Vec::new(),
            waiting: BTreeMap::new(),
            leases: BTreeMap::new(),
            last_lease: 0,
            books: Books::default(),
        }
    }

    pub fn push(&mut self, sequence: u64, event: Arc<str>) {
        self.waiting.insert(self.records.len(), event);
        self.records.push(Record {
            sequence,
            handed_out: 0,
            acknowledged: false,
            removed: false,
        });
        self.books.routed += 1;
        self.books.queued += 1;
    }

    /// Ends the leases whose time is over. Whether there was one.
    pub fn lapse(&mut self, now: Millis) -> bool {
        let over: Vec<u64> = self
            .leases
            .iter()
            .filter(|(_, lease)| lease.until <= now)
            .map(|(number, _)| *number)
            .collect();
        for number in &over {
            let lease = self.leases.remove(number).expect("it was just there");
            self.books.leased -= lease.events.len() as u64;
            self.books.queued += lease.events.len() as u64;
            self.waiting.extend(lease.events);
        }
        !over.is_empty()
    }

    /// What an ackId is, without using it.
    pub fn judge(&self, ack_id: &str) -> Ack {
        match parse(ack_id) {
            None => Ack::Malformed,
            Some((key, lease)) if key == self.key && self.leases.contains_key(&lease) => Ack::Live,
            Some(_) => Ack::Stale,
        }
    }

    /// Removes the events of the lease that an ackId names, when it is alive.
    pub fn acknowledge(&mut self, ack_id: &str) -> Ack {
        let judged = self.judge(ack_id);
        if judged != Ack::Live {
            return judged;
        }
        let lease = parse(ack_id).and_then(|(_, lease)| self.leases.remove(&lease));
        for (position, _) in lease.into_iter().flat_map(|lease| lease.events) {
            self.records[position].acknowledged = true;
            self.books.leased -= 1;
            self.books.acknowledged += 1;
        }
        Ack::Live
    }

    /// Hands out up to `most` waiting events, leased until `until`. An empty batch has an ackId too.
    pub fn take(&mut self, most: usize, until: Millis, order: Order, rng: &mut fastrand::Rng) -> Batch {
        let positions = self.choose(most, order, rng);
        let mut leased = Vec::with_capacity(positions.len());
        for position in positions {
            let event = self.waiting.remove(&position).expect("it was chosen from here");
            let record = &mut self.records[position];
            self.books.redelivered += u64::from(record.handed_out > 0);
            record.handed_out += 1;
            leased.push((position, event));
        }
        let count = leased.len() as u64;
        self.books.handed_out += count;
        self.books.queued -= count;
        self.books.leased += count;
        self.last_lease += 1;
        let events = leased.iter().map(|(_, event)| event.clone()).collect();
        let lease = Lease { until, events: leased };
        self.leases.insert(self.last_lease, lease);
        Batch {
            events,
            ack_id: format!("{}:{:08x}", self.key, self.last_lease),
        }
    }

    fn choose(&self, most: usize, order: Order, rng: &mut fastrand::Rng) -> Vec<usize> {
        match order {
            Order::Fifo => self.waiting.keys().copied().take(most).collect(),
            Order::Shuffled => {
                let mut positions: Vec<usize> = self.waiting.keys().copied().collect();
                rng.shuffle(&mut positions);
                positions.truncate(most);
                positions
            }
        }
    }

    /// Whether a read would get events now.
    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// When the next lease ends.
    pub fn next_lapse(&self) -> Option<Millis> {
        self.leases.values().map(|lease| lease.until).min()
    }

    /// Drops everything that was not acknowledged.
    pub fn drop_all(&mut self) {
        let leased = std::mem::take(&mut self.leases)
            .into_values()
            .flat_map(|lease| lease.events);
        let gone = std::mem::take(&mut self.waiting).into_iter().chain(leased);
        for (position, _) in gone {
            self.records[position].removed = true;
            self.books.removed_unacknowledged += 1;
        }
        self.books.queued = 0;
        self.books.leased = 0;
    }

    pub fn books(&self) -> Books {
        self.books
    }

    /// What happened to each event, in the order they came.
    pub fn event_books<'a>(&'a self, feed: &'a str) -> impl Iterator<Item = EventBook> + 'a {
        self.records.iter().map(move |record| EventBook {
            feed: feed.to_owned(),
            sequence: record.sequence,
            handed_out: record.handed_out,
            acknowledged: record.acknowledged,
            removed: record.removed,
        })
    }
}

/// An ackId is the queue's key, a colon, and eight or more hexadecimal digits.
fn parse(ack_id: &str) -> Option<(&str, u64)> {
    let (key, lease) = ack_id.split_once(':')?;
    let hex = |text: &str| text.len() >= 8 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if !hex(key) || !hex(lease) {
        return None;
    }
    Some((key, u64::from_str_radix(lease, 16).ok()?))
}

#[cfg(test)]
mod tests;
