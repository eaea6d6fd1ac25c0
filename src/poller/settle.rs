//! Which feed to read after one was made: several instances that find none at once make one each, and here they agree.
//!
//! A list is a snapshot that may be some seconds old. One that holds the feed that was just made is at least as new as
//! that feed, so it holds every older one as well: whoever takes the oldest of such a list takes the same as the others.
//! Until such a list came, the feed is not read. So the one who made a later feed can delete it: nobody takes a feed
//! from a list that holds an older one, and whatever goes into the later feed goes into the older one too.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Poller, Stopped};
use crate::clock::Moment;
use crate::log::Level;
use crate::net::FailureKind;
use crate::policy::{Action, Listed, Operation, Outcome, decide};
use crate::protocol::{Answer, FeedId, TroubleKind};

/// How old a list is at most.
const LAG: Duration = Duration::from_secs(5);

/// After this, every list holds each feed that was made because a list did not show ours yet: those follow ours by a lag
/// and the time of a request, and lists lag behind them as well.
const ALL_LISTED: Duration = LAG.saturating_mul(2).saturating_add(Duration::from_secs(1));

/// A feed that was just made, and is not read yet.
#[derive(Debug)]
pub(super) struct Made {
    feed: FeedId,
    at: Moment,
    /// What the log tells of it once it is read.
    details: Value,
    /// How long to wait before the next list.
    pause: Duration,
    /// The log has told that it takes more than one list.
    told: bool,
}

impl Made {
    pub(super) fn new(feed: FeedId, at: Moment, details: Value) -> Made {
        Made {
            feed,
            at,
            details,
            // Long enough for what others are making in this moment, and not the same for all of them.
            pause: jittered(100..=300),
            told: false,
        }
    }

    fn is_in(&self, feeds: &[FeedId]) -> bool {
        feeds.iter().any(|feed| feed.id == self.feed.id)
    }

    /// What a list says about it, the oldest feed first. `waited`: every list is new enough by now.
    fn listed(&self, feeds: &[FeedId], waited: bool) -> Listed {
        // Without dates the order is that of the ids, which says nothing before all of them are there.
        let ordered = waited || feeds.iter().all(FeedId::has_date);
        match feeds.first() {
            Some(oldest) if ordered && oldest.id == self.feed.id => Listed::Oldest,
            Some(_) if ordered && self.is_in(feeds) => Listed::Older,
            _ if waited => Listed::Unlisted,
            _ => Listed::Undecided,
        }
    }

    /// When to look again, at this age.
    fn look_again_after(&mut self, feeds: &[FeedId], age: Duration) {
        self.pause = if self.is_in(feeds) {
            ALL_LISTED.saturating_sub(age) + jittered(0..=200)
        } else {
            jittered(500..=1000)
        };
    }
}

impl Poller {
    /// Looks whether the feed that was made is the one to read.
    pub(super) fn settle(&mut self, mut made: Made) -> Result<(), Stopped> {
        self.pause(made.pause)?;
        let Answer {
            value: mut feeds,
            trace_id,
        } = match self.agent.list() {
            Ok(answer) => answer,
            Err(trouble) => {
                self.search.made = Some(made);
                return self.deal_with(Operation::List, &trouble, self.situation);
            }
        };
        feeds.retain(|feed| !self.search.has_given_up(feed));
        let age = self.shared.clock.now().since(made.at);
        let listed = made.listed(&feeds, age >= ALL_LISTED);
        let row = decide(Operation::List, Outcome::Listed(listed), &self.situation);
        match row.action {
            Action::Settle => {
                if !std::mem::replace(&mut made.told, true) {
                    let message =
                        "the list does not tell yet whether the feed that was made is the oldest; looking again";
                    self.shared.info(message, self.found(&made.feed.id, &trace_id, row));
                }
                made.look_again_after(&feeds, age);
                self.search.made = Some(made);
            }
            Action::Yield => {
                // The row is for a list with an older feed.
                let oldest = feeds.swap_remove(0);
                let mut details = self.found(&oldest.id, &trace_id, row);
                details["madeFeedId"] = json!(made.feed.id);
                let message = "reading the feed that was made before this one, which is deleted unread";
                self.adopt(oldest, message, details);
                self.delete_unread(&made.feed);
            }
            _ => {
                if listed == Listed::Unlisted {
                    let message = "the feed that was made is in no list; reading it all the same";
                    let details = self.found(&made.feed.id, &trace_id, row);
                    self.shared.log.write(Level::Warn, message, details);
                }
                self.adopt(made.feed, "created a feed", made.details);
            }
        }
        Ok(())
    }

    /// Nobody has read it. If it stays, the service drops it after 30 minutes.
    fn delete_unread(&self, feed: &FeedId) {
        match self.agent.delete(&feed.id) {
            Err(trouble) if trouble.kind != TroubleKind::Network(FailureKind::Cut) => {
                let error = trouble.to_error();
                let message = format!(
                    "{}; it goes by itself when nobody has read it for 30 minutes",
                    error.message()
                );
                let mut details = error.details();
                details["feedId"] = json!(feed.id);
                self.shared.log.write(Level::Info, message, details);
            }
            _ => {}
        }
    }
}

fn jittered(millis: std::ops::RangeInclusive<u64>) -> Duration {
    Duration::from_millis(fastrand::u64(millis))
}
