//! Datafeed 1: the feed whose id is kept in a file, at the node that made it.

use serde_json::json;

use super::{Poller, Stopped};
use crate::config::Datafeed1;
use crate::error::{Code, Error};
use crate::id_file::{IdFile, Kept};
use crate::log::Level;
use crate::policy::Operation;
use crate::protocol::{Answer, Trouble};

/// The feed, if there is one, and where its id is kept.
pub(super) struct First {
    pub(super) settings: Datafeed1,
    file: IdFile,
    pub(super) feed: Option<String>,
    /// The file was looked into.
    looked: bool,
}

impl First {
    pub(super) fn new(settings: Datafeed1, file: IdFile) -> First {
        First {
            settings,
            file,
            feed: None,
            looked: false,
        }
    }
}

impl Poller {
    /// Takes up the feed that is kept, or makes one.
    pub(super) fn find_first(&mut self, first: &mut First) -> Result<(), Stopped> {
        if !std::mem::replace(&mut first.looked, true)
            && let Some(feed) = self.kept_feed(first)
        {
            self.read_from_now_on(first, feed, "reading the feed that is kept");
            return Ok(());
        }
        if self.agent.needs_node() {
            return self.find_node();
        }
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
                        .with_trace_id(trace_id)
                        .retryable();
                    self.shared.remember_trouble(&error);
                    self.shared.log.write(Level::Error, error.message(), error.details());
                }
                self.read_from_now_on(first, feed, "created a feed");
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

    fn read_from_now_on(&mut self, first: &mut First, feed: String, how: &str) {
        let details = json!({
            "feedId": feed,
            "agent": self.agent.url(),
            "file": first.file.path().display().to_string(),
        });
        self.shared.lock().watch.feed_id = Some(feed.clone());
        self.shared.info(how, details);
        first.feed = Some(feed);
    }

    /// The feed has expired: it was not read for long, or more events came than it holds.
    pub(super) fn lose_first(&mut self, trouble: &Trouble) {
        let Some(feed) = self.first.as_mut().and_then(|first| first.feed.take()) else {
            return;
        };
        let message = format!(
            "the feed {feed} no longer exists at the agent ({}); another is made, and events may have been missed",
            trouble.to_error().message()
        );
        let error = Error::new(Code::FeedGone, message)
            .with_status(400)
            .with_trace_id(trouble.trace_id())
            .retryable();
        self.shared.remember_trouble(&error);
        let mut details = error.details();
        details["feedId"] = json!(feed);
        self.shared.log.write(Level::Error, error.message(), details);
    }
}
