//! Where events may have been missed, and telling the bot so.
//!
//! It is told by an event of the library's own, in its place: after what came before the gap, before what comes after it.

use std::time::Duration;

use serde_json::json;

use super::Poller;
use crate::batch::EventText;
use crate::clock::{Moment, wall_clock_millis};
use crate::log::Level;
use crate::protocol::{Trouble, TroubleKind};
use crate::store::Place;

/// Why events may have been missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// With Datafeed 1: the answer to a read was lost on its way, and with it what it held.
    AnswerLost,
    /// The agent no longer had the feed: nobody read it for long, or more events waited than it holds.
    FeedGone,
    /// The feed refused every read, and another one is read.
    FeedRefused,
    /// With Datafeed 1: the feed's node has been out of reach for long, and another one's feed is read.
    NodeGone,
    /// The state store was damaged, and is set aside.
    StateLost,
}

impl Reason {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Reason::AnswerLost => "ANSWER_LOST",
            Reason::FeedGone => "FEED_GONE",
            Reason::FeedRefused => "FEED_REFUSED",
            Reason::NodeGone => "NODE_GONE",
            Reason::StateLost => "STATE_LOST",
        }
    }
}

/// How long the service may go on with a read that was left, and take events for it.
const LONG_POLL: Duration = Duration::from_secs(30);

/// What is known of what has come.
pub(super) struct Gaps {
    wanted: bool,
    visibility_timeout: Duration,
    /// The feed that was read last, by this process or one before.
    feed: Option<String>,
    /// Everything published before this has come, in milliseconds since 1970; none: that is not known.
    caught_up: Option<u64>,
    /// A read that was lost may have taken events, which are invisible until then.
    unsure_until: Moment,
    open: Option<Gap>,
    /// What was stored before was damaged, which the bot was not told yet.
    state_lost: bool,
    /// With Datafeed 1: a read is under way, or its answer was lost, and what it holds is not told as a gap.
    pub(super) reading: bool,
}

/// A gap that is not told yet.
struct Gap {
    reason: Reason,
    from: Option<u64>,
}

impl Gaps {
    /// `place`: where a process before was.
    pub(super) fn new(wanted: bool, visibility_timeout: Duration, place: Place) -> Gaps {
        let Place { mark, lost, .. } = place;
        let mut gaps = Gaps {
            wanted,
            visibility_timeout,
            feed: mark.feed,
            caught_up: mark.done_until,
            // The process before may have left a read.
            unsure_until: Moment::default() + LONG_POLL + visibility_timeout,
            open: None,
            state_lost: lost.is_some(),
            reading: mark.reading,
        };
        if mark.reading {
            gaps.open(Reason::AnswerLost);
        }
        if lost.is_some() {
            gaps.open(Reason::StateLost);
        }
        gaps
    }

    /// Events may have been missed since the latest that is known to have come.
    pub(super) fn open(&mut self, reason: Reason) {
        let from = match &self.open {
            Some(gap) => gap.from,
            None => self.caught_up,
        };
        self.open = Some(Gap { reason, from });
    }

    pub(super) fn caught_up(&self) -> Option<u64> {
        self.caught_up
    }

    pub(super) fn state_lost(&self) -> bool {
        self.state_lost
    }

    pub(super) fn feed(&self) -> Option<&str> {
        self.feed.as_deref()
    }

    /// A read brought nothing. `started_at` is the same moment on the wall clock, in milliseconds.
    pub(super) fn found_nothing(&mut self, started: Moment, started_at: u64) {
        if started >= self.unsure_until {
            self.caught_up = self.caught_up.max(Some(started_at));
        }
    }

    /// With Datafeed 1, which keeps the order: this came, and everything before it. `now` is in milliseconds, too: whatever
    /// an event says, it is not of the future.
    pub(super) fn came(&mut self, published_at: u64, now: u64) {
        self.caught_up = self.caught_up.max(Some(published_at.min(now)));
    }

    /// The feed was not lost after all.
    pub(super) fn nothing_was_missed(&mut self) {
        self.open = None;
    }

    /// With Datafeed 1: from now on the end of the process loses nothing, unless a read was lost already.
    pub(super) fn no_read_is_under_way(&mut self) {
        self.reading &= self.open.is_some();
    }

    /// With Datafeed 2: the answer to a read was lost, and the service may have taken events for it.
    pub(super) fn read_was_left(&mut self, now: Moment) {
        self.unsure_until = now + LONG_POLL + self.visibility_timeout;
    }
}

/// Whether events may have been lost with a read of Datafeed 1 that failed so: the service forgets them when it begins to
/// answer, and a gateway may tell another status than it did.
pub(super) fn may_have_lost(trouble: &Trouble) -> bool {
    match trouble.kind {
        TroubleKind::Status(status) => status == 408 || status >= 500,
        TroubleKind::Network(_) | TroubleKind::Malformed => trouble.may_be_handled,
    }
}

impl Poller {
    /// This feed is read from now on. `since`: when it was made, if that is known; nothing older can be in it.
    pub(super) fn reads_feed(&mut self, feed: &str, since: Option<u64>) {
        let before = self.gaps.feed.replace(feed.to_owned());
        let told_by_the_next_answer = |gap: &Gap| gap.reason == Reason::AnswerLost;
        match before {
            None => self.gaps.caught_up = since,
            Some(before) if before != feed && self.gaps.open.as_ref().is_none_or(told_by_the_next_answer) => {
                self.gaps.open(Reason::FeedGone);
            }
            Some(_) => {}
        }
        if !self.gaps.open.as_ref().is_none_or(told_by_the_next_answer) {
            self.tell_gap(wall_clock_millis());
        }
        self.store();
    }

    /// Tells the gap that is open, if one is: nothing is missed that was published after `to`, in milliseconds since 1970.
    pub(super) fn tell_gap(&mut self, to: u64) {
        let Some(Gap { reason, from }) = self.gaps.open.take() else {
            return;
        };
        self.gaps.state_lost = false;
        // Clocks differ, and are set.
        let to = to.max(from.unwrap_or_default());
        self.gaps.caught_up = Some(to);
        let mut gap = json!({"from": from, "to": to, "reason": reason.as_str()});
        self.shared
            .log
            .write(Level::Warn, "events may have been missed", gap.clone());
        if !self.gaps.wanted {
            return;
        }
        gap["feedId"] = json!(self.gaps.feed);
        let event = json!({
            "id": format!("datafeed-gap-{to}-{:08x}", fastrand::u32(..)),
            "timestamp": to,
            "type": "DATAFEEDGAP",
            "payload": {"datafeedGap": gap},
        });
        let mut state = self.shared.lock();
        state.ledger.tell(EventText::of_own(event.to_string()));
        self.shared.handover.announce(state, 1);
        self.store();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VISIBILITY: Duration = Duration::from_secs(30);

    fn gaps() -> Gaps {
        Gaps::new(true, VISIBILITY, Place::default())
    }

    #[test]
    fn a_read_that_finds_nothing_tells_only_when_no_other_read_can_have_taken_something() {
        let mut gaps = gaps();
        gaps.found_nothing(Moment(59_999), 1);
        assert_eq!(gaps.caught_up(), None, "a process before may have left a read");
        gaps.found_nothing(Moment(60_000), 2);
        assert_eq!(gaps.caught_up(), Some(2));
        gaps.read_was_left(Moment(100_000));
        gaps.found_nothing(Moment(159_999), 3);
        assert_eq!(gaps.caught_up(), Some(2));
        gaps.found_nothing(Moment(160_000), 4);
        assert_eq!(gaps.caught_up(), Some(4));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_take_back_what_has_come() {
        let mut gaps = gaps();
        gaps.came(1000, 5000);
        gaps.came(900, 5000);
        gaps.found_nothing(Moment(70_000), 800);
        assert_eq!(gaps.caught_up(), Some(1000));
        gaps.came(u64::MAX, 5000);
        assert_eq!(gaps.caught_up(), Some(5000));
    }

    #[test]
    fn a_gap_that_grows_begins_where_it_began() {
        let mut gaps = gaps();
        gaps.came(1000, 5000);
        gaps.open(Reason::AnswerLost);
        gaps.came(2000, 5000);
        gaps.open(Reason::FeedGone);
        let gap = gaps.open.expect("a gap");
        assert_eq!((gap.reason, gap.from), (Reason::FeedGone, Some(1000)));
    }
}
