//! Which feed to read: ours if there is one, a new one if not, and what to make of a feed that answers 400.
//!
//! A 400 on read has two meanings: the feed is gone, or the ackId was not accepted. So it is looked before anything is
//! done, and a queue that may hold events is never thrown away.

use std::time::Duration;

use serde_json::json;

use super::{Poller, Stopped};
use crate::clock::Moment;
use crate::error::{Code, Error};
use crate::policy::Operation;
use crate::shared::Doing;

/// How long a feed that is listed may answer 400 before another is made.
const PATIENCE: Duration = Duration::from_secs(60);

/// Lists may lag behind: how long to wait before a feed that is not listed is looked for once more.
const SECOND_LOOK: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Search {
    feed: Option<String>,
    /// Set while the feed's existence is in doubt.
    doubt: Option<Doubt>,
    /// Since the feed was last read: the refusals of reads that acknowledged nothing, where no ackId can be at fault.
    refusals: Option<Refusals>,
}

#[derive(Debug)]
struct Refusals {
    first: Moment,
    latest: Moment,
    count: u32,
}

#[derive(Debug)]
struct Doubt {
    /// Lists that did not have the feed.
    absent: u32,
}

impl Search {
    /// The feed, if there is one and nothing is wrong with it.
    pub(super) fn feed_to_read(&self) -> Option<String> {
        match self.doubt {
            None => self.feed.clone(),
            Some(_) => None,
        }
    }

    pub(super) fn feed_was_read(&mut self) {
        self.refusals = None;
    }

    /// The feed answered 400 to a read that did or did not carry an ackId.
    pub(super) fn suspect(&mut self, carried_ack_id: bool, now: Moment) {
        if !carried_ack_id {
            let refusals = self.refusals.get_or_insert(Refusals {
                first: now,
                latest: now,
                count: 0,
            });
            refusals.latest = now;
            refusals.count += 1;
        }
        self.doubt = Some(Doubt { absent: 0 });
    }
}

impl Poller {
    pub(super) fn find_feed(&mut self) -> Result<(), Stopped> {
        self.set_doing(Doing::FindingFeed);
        let listed = match self.agent.list() {
            Ok(listed) => listed,
            // A list that failed proves nothing.
            Err(trouble) => return self.deal_with(Operation::List, &trouble),
        };
        let Some(current) = self.search.feed.clone() else {
            return match listed.first() {
                Some(feed) => self.adopt(feed.id.clone(), "reading the feed that exists"),
                None => self.create(),
            };
        };
        if listed.iter().any(|feed| feed.id == current) {
            return self.trust_again(current);
        }
        let doubt = self.search.doubt.get_or_insert(Doubt { absent: 0 });
        doubt.absent += 1;
        if doubt.absent == 1 {
            return self.rest(SECOND_LOOK);
        }
        self.tell_loss(format!(
            "the feed {current} no longer exists at the agent; events may have been missed"
        ));
        match listed.first() {
            Some(feed) => self.adopt(feed.id.clone(), "reading another feed of this account"),
            None => self.create(),
        }
    }

    /// The feed is listed, so it was the ackId that was refused; the ledger has dropped it. A feed that keeps refusing
    /// is left alone, not deleted: it may hold events.
    fn trust_again(&mut self, current: String) -> Result<(), Stopped> {
        let refusals = self.search.refusals.as_ref();
        if refusals.is_some_and(|refusals| refusals.count > 2 && refusals.latest.since(refusals.first) >= PATIENCE) {
            self.tell_loss(format!(
                "the feed {current} exists but has refused every read for a minute; making another, events may be missed"
            ));
            return self.create();
        }
        self.search.doubt = None;
        Ok(())
    }

    fn create(&mut self) -> Result<(), Stopped> {
        match self.agent.create() {
            Ok(feed) => {
                self.shared.lock().watch.feeds_created += 1;
                self.adopt(feed.id, "created a feed")
            }
            Err(trouble) => self.deal_with(Operation::Create, &trouble),
        }
    }

    fn adopt(&mut self, feed: String, how: &str) -> Result<(), Stopped> {
        let now = self.shared.clock.now();
        let replaced = self.search.feed.is_some();
        let mut state = self.shared.lock();
        if replaced {
            state.ledger.feed_replaced(now);
        }
        state.watch.feed_id = Some(feed.clone());
        drop(state);
        self.shared
            .info(how, json!({"feedId": feed, "agent": self.shared.urls.agent}));
        self.search = Search {
            feed: Some(feed),
            ..Search::default()
        };
        self.history.served = true;
        Ok(())
    }

    fn tell_loss(&self, message: String) {
        self.note_trouble(&Error::new(Code::FeedGone, message).retryable());
    }
}
