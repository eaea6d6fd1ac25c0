//! Which feed to read: ours if there is one, a new one if not, and what to make of a feed that answers 400.
//!
//! A 400 on read has two meanings: the feed is gone, or the ackId was not accepted. So it is looked before anything is
//! done, and a queue that may hold events is never thrown away.

use std::time::Duration;

use serde_json::{Value, json};

use super::gap::Reason;
use super::settle::Made;
use super::trouble::with_rule;
use super::{Poller, Stopped};
use crate::clock::Moment;
use crate::error::{Code, Error};
use crate::log::Level;
use crate::policy::{Action, Listed, Operation, Outcome, Row, Situation, decide};
use crate::protocol::{Answer, FeedId};

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
    /// A feed that was just made, until it is settled whether it is the one to read.
    pub(super) made: Option<Made>,
}

#[derive(Debug)]
struct Refusals {
    first: Moment,
    latest: Moment,
    count: u32,
}

#[derive(Debug, Default)]
struct Doubt {
    /// Lists that did not have the feed.
    absent: u32,
    /// The log has told that the feed is given up.
    told: bool,
}

impl Search {
    /// The feed, if there is one, nothing is wrong with it, and no other was made in its place.
    pub(super) fn feed_to_read(&self) -> Option<String> {
        match (&self.doubt, &self.made) {
            (None, None) => self.feed.clone(),
            _ => None,
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
        self.doubt = Some(Doubt::default());
    }
}

impl Search {
    /// Whether the feed has refused every read for long enough.
    fn has_lost_patience(&self) -> bool {
        let refusals = self.refusals.as_ref();
        refusals.is_some_and(|refusals| refusals.count > 2 && refusals.latest.since(refusals.first) >= PATIENCE)
    }

    /// Whether this is the feed that has refused every read, though it is listed.
    pub(super) fn has_given_up(&self, feed: &FeedId) -> bool {
        self.has_lost_patience() && self.feed.as_ref() == Some(&feed.id)
    }

    /// The feed is missing from a list. Whether that is the first time.
    fn missed(&mut self) -> bool {
        let doubt = self.doubt.get_or_insert_default();
        doubt.absent += 1;
        doubt.absent == 1
    }
}

impl Poller {
    /// Looks for the feed to read in the list of this account's.
    pub(super) fn find_listed(&mut self) -> Result<(), Stopped> {
        if let Some(made) = self.search.made.take() {
            return self.settle(made);
        }
        let answer = match self.agent.list() {
            Ok(answer) => answer,
            // A list that failed proves nothing.
            Err(trouble) => return self.deal_with(Operation::List, &trouble, self.situation),
        };
        let Answer { value: feeds, trace_id } = answer;
        let current = self.search.feed.clone();
        let listed = match (&current, feeds.first()) {
            (Some(current), _) if feeds.iter().any(|feed| feed.id == *current) => Listed::Current,
            (_, Some(_)) => Listed::Another,
            (_, None) => Listed::Nothing,
        };
        let situation = Situation {
            missed_once: current.is_some() && listed != Listed::Current && self.search.missed(),
            refused_for_a_minute: self.search.has_lost_patience(),
            ..self.situation
        };
        let row = decide(Operation::List, Outcome::Listed(listed), &situation);
        let details = self.found(current.as_deref().unwrap_or_default(), &trace_id, row);
        match row.action {
            Action::GoOn => {
                let message = "the feed exists, so it was the ackId that was refused; it is dropped";
                self.shared.info(message, details);
                self.search.doubt = None;
                Ok(())
            }
            Action::LookAgain => {
                let message = "the feed is missing from the list; looking once more";
                self.shared.info(message, details);
                self.pause(SECOND_LOOK)
            }
            action => {
                self.tell_loss(listed, &trace_id, row);
                match feeds.into_iter().next() {
                    Some(feed) if action == Action::Adopt => {
                        let details = self.found(&feed.id, &trace_id, row);
                        self.adopt(feed, "reading the feed that exists", details);
                        Ok(())
                    }
                    _ => self.create(row),
                }
            }
        }
    }

    /// The feed that was read is given up. Told once, however long it takes to find or make another.
    fn tell_loss(&mut self, listed: Listed, trace_id: &str, row: &Row) {
        let (Some(feed), doubt) = (&self.search.feed, self.search.doubt.get_or_insert_default()) else {
            return;
        };
        if std::mem::replace(&mut doubt.told, true) {
            return;
        }
        self.gaps.open(match listed {
            Listed::Current => Reason::FeedRefused,
            _ => Reason::FeedGone,
        });
        let message = match listed {
            Listed::Current => format!(
                "the feed {feed} exists but has refused every read for a minute; making another, events may be missed"
            ),
            _ => {
                format!("the feed {feed} no longer exists at the agent; events may have been missed")
            }
        };
        let error = Error::new(Code::FeedGone, message).with_trace_id(trace_id).retryable();
        let mut details = with_rule(&error, row.rule, row.action);
        details["feedId"] = json!(feed);
        self.shared.remember_trouble(&error);
        self.shared.log.write(Level::Error, error.message(), details);
    }

    /// What a log line tells of a decision about a feed.
    pub(super) fn found(&self, feed: &str, trace_id: &str, row: &Row) -> Value {
        json!({
            "feedId": feed,
            "agent": self.agent.url(),
            "traceId": trace_id,
            "rule": row.rule,
            "action": row.action.as_str(),
        })
    }

    fn create(&mut self, row: &Row) -> Result<(), Stopped> {
        match self.agent.create() {
            Ok(Answer { value: feed, trace_id }) => {
                self.shared.lock().watch.feeds_created += 1;
                self.situation.served_before = true;
                let details = self.found(&feed.id, &trace_id, row);
                self.search.made = Some(Made::new(feed, self.shared.clock.now(), details));
                Ok(())
            }
            Err(trouble) => self.deal_with(Operation::Create, &trouble, self.situation),
        }
    }

    pub(super) fn adopt(&mut self, feed: FeedId, how: &str, mut details: Value) {
        let now = self.shared.clock.now();
        let replaced = self.search.feed.is_some();
        if let Some(old) = &self.search.feed {
            details["replacedFeedId"] = json!(old);
        }
        let mut state = self.shared.lock();
        if replaced {
            state.ledger.feed_replaced(now);
        }
        state.watch.feed_id = Some(feed.id.clone());
        drop(state);
        self.shared.info(how, details);
        self.reads_feed(&feed.id, feed.created_at);
        self.search = Search {
            feed: Some(feed.id),
            ..Search::default()
        };
        self.situation.served_before = true;
    }
}
