//! Datafeed 1: the feed whose id is kept in a file, at the node that made it.

use std::time::Duration;

use serde_json::json;

use super::gap::Reason;
use super::trouble::with_rule;
use super::{Poller, Stopped};
use crate::clock::{Moment, wall_clock_millis};
use crate::config::Datafeed1;
use crate::error::{Code, Error};
use crate::id_file::{IdFile, Kept};
use crate::log::Level;
use crate::net::FailureKind;
use crate::policy::{Operation, Row};
use crate::protocol::{Answer, Trouble, TroubleKind};

/// The feed, if there is one, and where its id is kept.
pub(super) struct First {
    pub(super) settings: Datafeed1,
    file: IdFile,
    pub(super) feed: Option<String>,
    /// The file was looked into.
    looked: bool,
    /// Since when the feed's node has been out of reach.
    out_of_reach: Option<Moment>,
    /// The feed before, if one was lost.
    replaced: Option<String>,
}

/// A feed is at one node only, so that one is waited for; but a node that was taken away never comes back.
const NODE_IS_GONE: Duration = Duration::from_secs(30 * 60);

impl First {
    pub(super) fn new(settings: Datafeed1, file: IdFile) -> First {
        First {
            settings,
            file,
            feed: None,
            looked: false,
            out_of_reach: None,
            replaced: None,
        }
    }

    pub(super) fn was_read(&mut self) {
        self.out_of_reach = None;
    }

    /// A read has failed. Whether the node has been out of reach for long.
    pub(super) fn node_is_gone(&mut self, trouble: &Trouble, now: Moment) -> bool {
        let unreachable = matches!(
            trouble.kind,
            TroubleKind::Network(FailureKind::NameUnknown | FailureKind::NotConnected)
        );
        if !unreachable {
            self.out_of_reach = None;
            return false;
        }
        now.since(*self.out_of_reach.get_or_insert(now)) >= NODE_IS_GONE
    }
}

impl Poller {
    /// Takes up the feed that is kept, or makes one.
    pub(super) fn find_first(&mut self, first: &mut First) -> Result<(), Stopped> {
        if !std::mem::replace(&mut first.looked, true)
            && let Some(feed) = self.kept_feed(first)
        {
            self.read_from_now_on(first, feed, None);
            return Ok(());
        }
        if self.agent.needs_node() {
            return self.find_node();
        }
        let asked = wall_clock_millis();
        match self.agent.create_first(&first.settings) {
            Ok(Answer { value: feed, trace_id }) => {
                self.shared.lock().watch.feeds_created += 1;
                if let Err(error) = first.file.keep(&feed, self.agent.url()) {
                    let shown = first.file.path().display();
                    let message = format!(
                        "the id of the new feed cannot be kept in {shown}: {error}; after a restart another feed is made, \
                         and what this one holds is lost"
                    );
                    let error = Error::new(Code::FileInvalid, message)
                        .with_file(shown.to_string())
                        .with_trace_id(trace_id.as_str())
                        .retryable();
                    self.shared.remember_trouble(&error);
                    self.shared.log.write(Level::Error, error.message(), error.details());
                }
                self.read_from_now_on(first, feed, Some((&trace_id, asked)));
                Ok(())
            }
            Err(trouble) => self.deal_with(Operation::CreateFirst, &trouble, self.situation),
        }
    }

    /// The kept feed, if this agent can have made it.
    fn kept_feed(&mut self, first: &First) -> Option<String> {
        let reason = match first.file.kept() {
            Ok(None) => return None,
            Ok(Some(Kept { id, agent_url })) => match agent_url {
                None => return Some(id),
                Some(url) if self.agent.go_to(&url) => {
                    self.shared.lock().watch.agent_url = self.agent.url().to_owned();
                    return Some(id);
                }
                Some(url) => format!("is of the agent {url}, which is not configured"),
            },
            Err(reason) => reason,
        };
        let shown = first.file.path().display();
        let message =
            format!("{shown}, where the id of the feed is kept, {reason}; it is replaced, and a feed is made");
        let details = json!({"file": shown.to_string()});
        self.shared.log.write(Level::Warn, message, details);
        None
    }

    /// `made`: by the request of this trace id, at this time, if it was made now.
    fn read_from_now_on(&mut self, first: &mut First, feed: String, made: Option<(&str, u64)>) {
        let how = match made {
            Some(_) => "created a feed",
            None => "reading the feed that is kept",
        };
        let mut details = json!({
            "feedId": feed,
            "agent": self.agent.url(),
            "file": first.file.path().display().to_string(),
        });
        if let Some((trace_id, _)) = made {
            details["traceId"] = json!(trace_id);
        }
        if let Some(replaced) = first.replaced.take() {
            details["replacedFeedId"] = json!(replaced);
        }
        self.shared.lock().watch.feed_id = Some(feed.clone());
        self.shared.info(how, details);
        self.reads_feed(&feed, made.map(|(_, asked)| asked));
        first.feed = Some(feed);
    }

    /// The feed has expired: it was not read for long, or more events came than it holds. Or its node is gone.
    pub(super) fn lose_first(&mut self, trouble: &Trouble, row: &Row) {
        let Some(first) = &mut self.first else { return };
        let Some(feed) = first.feed.take() else { return };
        self.gaps.open(match trouble.kind {
            TroubleKind::Status(_) => Reason::FeedGone,
            _ => Reason::NodeGone,
        });
        first.replaced = Some(feed.clone());
        first.out_of_reach = None;
        let what = match trouble.kind {
            TroubleKind::Status(_) => "no longer exists at the agent",
            _ => "is at a node of the agent that has been out of reach for half an hour, and is given up",
        };
        let message = format!(
            "the feed {feed} {what} ({}); another is made, and events may have been missed",
            trouble.to_error().message()
        );
        let error = Error::new(Code::FeedGone, message)
            .with_trace_id(trouble.trace_id())
            .retryable();
        let error = match trouble.kind {
            TroubleKind::Status(status) => error.with_status(status),
            _ => {
                self.move_on();
                error
            }
        };
        self.shared.remember_trouble(&error);
        let mut details = with_rule(&error, row.rule, row.action);
        details["feedId"] = json!(feed);
        self.shared.log.write(Level::Error, error.message(), details);
    }
}
