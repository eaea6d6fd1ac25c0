//! The Datafeed 2 feeds of the account, and its datahoses: which exist, and what goes into each.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::books::{Books, EventBook, FeedInfo};
use crate::clock::{Millis, millis, wall};
use crate::queue::Queue;

#[derive(Debug)]
pub struct Feeds {
    living: Vec<Feed>,
    /// Feeds that died or were deleted, for the books and for lists that are stale.
    dead: Vec<Dead>,
    published: u64,
    unrouted: u64,
    rng: fastrand::Rng,
}

#[derive(Debug)]
struct Dead {
    feed: Feed,
    died: Millis,
}

#[derive(Debug)]
pub struct Feed {
    pub id: String,
    pub kind: String,
    pub tag: Option<String>,
    pub created: Millis,
    /// The same in real time.
    pub made: Millis,
    last_read: Millis,
    /// `None`: everything goes into it. Only a datahose has one.
    filter: Option<Filter>,
    /// `None`: it only stands in the list.
    queue: Option<Queue>,
}

/// What a datahose asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Filter {
    event_types: Vec<String>,
    scopes: Vec<String>,
}

impl Filter {
    /// In whatever order, and however often, something is asked for.
    pub fn new(mut event_types: Vec<String>, mut scopes: Vec<String>) -> Filter {
        for list in [&mut event_types, &mut scopes] {
            list.sort();
            list.dedup();
        }
        Filter { event_types, scopes }
    }

    /// Events say nothing of scopes, so those only tell one datahose from another.
    fn asks_for(&self, event: &str) -> bool {
        #[derive(Deserialize)]
        struct Typed {
            #[serde(rename = "type")]
            kind: String,
        }
        let typed: Result<Typed, _> = serde_json::from_str(event);
        typed.is_ok_and(|typed| self.event_types.contains(&typed.kind))
    }
}

impl Feed {
    fn is_datafeed(&self) -> bool {
        self.queue.is_some() && self.filter.is_none()
    }
}

impl Feeds {
    pub fn new(seed: u64) -> Self {
        Feeds {
            living: Vec::new(),
            dead: Vec::new(),
            published: 0,
            unrouted: 0,
            rng: fastrand::Rng::with_seed(seed),
        }
    }

    pub fn create(&mut self, tag: Option<String>, now: Millis) -> String {
        let key = format!("{:016x}{:016x}", self.rng.u64(..), self.rng.u64(..));
        let pod = if self.rng.bool() { "" } else { "_f8001" };
        let id = format!("{key}_f{pod}");
        self.living.push(Feed {
            id: id.clone(),
            kind: "fanout".into(),
            tag,
            created: now,
            made: wall(),
            last_read: now,
            filter: None,
            queue: Some(Queue::new(&key)),
        });
        id
    }

    /// The datahose of this tag and filter, which is made when it is first asked for.
    pub fn datahose(&mut self, tag: String, filter: Filter, now: Millis) -> String {
        let tag = Some(tag);
        let known = self
            .living
            .iter()
            .find(|feed| feed.tag == tag && feed.filter.as_ref() == Some(&filter));
        if let Some(feed) = known {
            return feed.id.clone();
        }
        let key = format!("{:016x}{:016x}", self.rng.u64(..), self.rng.u64(..));
        let id = format!("{key}_p_be940");
        self.living.push(Feed {
            id: id.clone(),
            kind: "datahose".into(),
            tag,
            created: now,
            made: wall(),
            last_read: now,
            filter: Some(filter),
            queue: Some(Queue::new(&key)),
        });
        id
    }

    pub fn add_foreign(&mut self, id: &str, kind: &str, tag: Option<String>, now: Millis) {
        self.living.push(Feed {
            id: id.into(),
            kind: kind.into(),
            tag,
            created: now,
            made: wall(),
            last_read: now,
            filter: None,
            queue: None,
        });
    }

    /// Every entry that the list had at this time, oldest first.
    pub fn list(&self, at: Millis) -> Vec<&Feed> {
        let dead = self.dead.iter().filter(|dead| dead.died > at).map(|dead| &dead.feed);
        let mut listed: Vec<&Feed> = dead.chain(&self.living).filter(|feed| feed.created <= at).collect();
        listed.sort_by_key(|feed| feed.created);
        listed
    }

    pub fn get(&self, id: &str) -> Option<&Feed> {
        self.living.iter().find(|feed| feed.id == id)
    }

    /// How many count against the limit.
    pub fn count(&self) -> usize {
        self.living.iter().filter(|feed| feed.is_datafeed()).count()
    }

    /// Whether this is the id of a datafeed: something to read from, and no datahose.
    pub fn is_datafeed(&self, id: &str) -> bool {
        self.living.iter().any(|feed| feed.id == id && feed.is_datafeed())
    }

    pub fn queue(&mut self, id: &str) -> Option<&mut Queue> {
        self.living.iter_mut().find(|feed| feed.id == id)?.queue.as_mut()
    }

    /// Notes a read, which keeps the feed alive.
    pub fn touch(&mut self, id: &str, now: Millis) {
        if let Some(feed) = self.living.iter_mut().find(|feed| feed.id == id) {
            feed.last_read = now;
        }
    }

    /// The number of the event that is published next.
    pub fn next_sequence(&self) -> u64 {
        self.published + 1
    }

    /// `elsewhere`: whether a feed of another kind got it.
    pub fn publish(&mut self, event: Arc<str>, elsewhere: bool) {
        self.published += 1;
        let mut routed = elsewhere;
        for feed in &mut self.living {
            let asked_for = feed.filter.as_ref().is_none_or(|filter| filter.asks_for(&event));
            if let (true, Some(queue)) = (asked_for, &mut feed.queue) {
                queue.push(self.published, event.clone());
                routed = true;
            }
        }
        self.unrouted += u64::from(!routed);
    }

    /// Whether a feed of this id was there to be deleted.
    pub fn delete(&mut self, id: &str, now: Millis) -> bool {
        self.bury(now, |feed| feed.id == id)
    }

    /// Every feed with a queue dies.
    pub fn delete_all(&mut self, now: Millis) -> bool {
        self.bury(now, |feed| feed.queue.is_some())
    }

    /// Lets time do its work: leases lapse, feeds that nobody reads die. Whether anything changed.
    pub fn sweep(&mut self, now: Millis, ttl: Duration) -> bool {
        let ttl = millis(ttl);
        let died = self.bury(now, |feed| {
            feed.queue.is_some() && feed.last_read.saturating_add(ttl) <= now
        });
        let mut lapsed = false;
        for queue in self.living.iter_mut().filter_map(|feed| feed.queue.as_mut()) {
            lapsed |= queue.lapse(now);
        }
        died || lapsed
    }

    /// When [`sweep`](Self::sweep) will have something to do.
    pub fn next_change(&self, ttl: Duration) -> Option<Millis> {
        let ttl = millis(ttl);
        self.living
            .iter()
            .filter_map(|feed| {
                let death = feed.last_read.saturating_add(ttl);
                let lapse = feed.queue.as_ref()?.next_lapse();
                Some(lapse.map_or(death, |lapse| lapse.min(death)))
            })
            .min()
    }

    fn bury(&mut self, now: Millis, dies: impl Fn(&Feed) -> bool) -> bool {
        let before = self.living.len();
        let (dying, living) = std::mem::take(&mut self.living)
            .into_iter()
            .partition::<Vec<_>, _>(dies);
        self.living = living;
        for mut feed in dying {
            if let Some(queue) = &mut feed.queue {
                queue.drop_all();
            }
            self.dead.push(Dead { feed, died: now });
        }
        self.living.len() != before
    }

    pub fn books(&self) -> Books {
        let mut books = Books::default();
        for queue in self.dead_and_living().filter_map(|feed| feed.queue.as_ref()) {
            books += queue.books();
        }
        books.published = self.published;
        books.unrouted = self.unrouted;
        books
    }

    pub fn infos(&self) -> Vec<FeedInfo> {
        self.living
            .iter()
            .map(|feed| {
                let mut books = feed.queue.as_ref().map(Queue::books).unwrap_or_default();
                books.published = books.routed;
                FeedInfo {
                    id: feed.id.clone(),
                    kind: feed.kind.clone(),
                    tag: feed.tag.clone(),
                    created_at_ms: feed.created,
                    last_read_ms: feed.last_read,
                    foreign: feed.queue.is_none(),
                    books,
                }
            })
            .collect()
    }

    /// Of every feed that ever was: the dead first.
    pub fn event_books(&self) -> Vec<EventBook> {
        self.dead_and_living()
            .filter_map(|feed| Some(feed.queue.as_ref()?.event_books(&feed.id)))
            .flatten()
            .collect()
    }

    fn dead_and_living(&self) -> impl Iterator<Item = &Feed> {
        self.dead.iter().map(|dead| &dead.feed).chain(&self.living)
    }
}
