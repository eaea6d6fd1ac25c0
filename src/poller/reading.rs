//! Reading: bytes -> batch -> ledger -> bot.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::gap::{Reason, may_have_lost};
use super::{Next, Poller, Stopped};
use crate::batch::Batch;
use crate::clock::{Clock, Moment, wall_clock_millis};
use crate::ledger::{Arrival, Plan, Purpose, ReadFailure, Received};
use crate::log::Level;
use crate::net::FailureKind;
use crate::policy::Operation;
use crate::protocol::{AgentApi, Answer, Asked, Trouble, TroubleKind};
use crate::shared::{Doing, TRY_AGAIN};
use crate::sync::Queue;

/// A read that finds nothing takes as long as the service's long poll. Where it does not, the next one waits a little.
const PACE: Duration = Duration::from_millis(100);

/// How often it is told at most that the bot is behind.
const SELDOM: Duration = Duration::from_secs(60);

/// When a read began, by every clock.
#[derive(Debug, Clone, Copy)]
struct Start {
    instant: Instant,
    moment: Moment,
    /// Milliseconds since 1970.
    at: u64,
}

impl Start {
    fn now(clock: &Clock) -> Start {
        Start {
            instant: Instant::now(),
            moment: clock.now(),
            at: wall_clock_millis(),
        }
    }
}

/// A read whose answer is not dealt with yet.
pub(super) struct UnderWay {
    exchange: Exchange,
    ack_id: String,
    purpose: Purpose,
    started: Start,
}

#[expect(clippy::large_enum_variant, reason = "nearly every one is the large one")]
enum Exchange {
    Asked(Asked),
    /// What became of it is the thread's business.
    Failed(Trouble),
}

/// What the ledger wants.
enum Wanted {
    Read { ack_id: String, purpose: Purpose },
    Not(Next),
}

/// Whether a read was begun.
pub(super) enum Begun {
    UnderWay,
    Not(Next),
}

impl UnderWay {
    /// Waits for the answer; nothing: a consumer has to leave.
    pub(super) fn go_on(&mut self, agent: &AgentApi) -> Option<Result<Answer<Batch>, Trouble>> {
        match &mut self.exchange {
            Exchange::Asked(asked) => agent.go_on(asked),
            Exchange::Failed(_) => None,
        }
    }

    pub(super) fn is_sent(&self) -> bool {
        matches!(&self.exchange, Exchange::Asked(asked) if asked.is_sent())
    }

    pub(super) fn has_failed(&self) -> bool {
        matches!(self.exchange, Exchange::Failed(_))
    }

    pub(super) fn failed_with(self, trouble: Trouble) -> UnderWay {
        UnderWay {
            exchange: Exchange::Failed(trouble),
            ..self
        }
    }
}

/// What was told of a bot that is behind.
#[derive(Default)]
pub(super) struct Told {
    full: bool,
    at: Option<Moment>,
}

impl Poller {
    /// Reads if the ledger wants it.
    pub(super) fn read(&mut self, feed: &str) -> Result<Next, Stopped> {
        match self.begin_read(feed)? {
            Begun::UnderWay => self.finish_read(),
            Begun::Not(next) => Ok(next),
        }
    }

    /// Has a read under way, if the ledger wants one.
    pub(super) fn begin_read(&mut self, feed: &str) -> Result<Begun, Stopped> {
        let (ack_id, purpose) = match self.next_read()? {
            Wanted::Read { ack_id, purpose } => (ack_id, purpose),
            Wanted::Not(next) => return Ok(Begun::Not(next)),
        };
        let started = Start::now(&self.shared.clock);
        let exchange = match self.ask_for_events(feed, &ack_id) {
            Ok(asked) => Exchange::Asked(asked),
            Err(trouble) => Exchange::Failed(trouble),
        };
        self.under_way = Some(UnderWay {
            exchange,
            ack_id,
            purpose,
            started,
        });
        Ok(Begun::UnderWay)
    }

    /// Waits for the answer to the read that is under way, and deals with it.
    pub(super) fn finish_read(&mut self) -> Result<Next, Stopped> {
        let Some(mut read) = self.under_way.take() else {
            return Ok(Next::Step);
        };
        let result = match &mut read.exchange {
            Exchange::Asked(asked) => self.agent.wait_for(asked),
            Exchange::Failed(_) => match read.exchange {
                Exchange::Failed(trouble) => return self.deal_with_failed_read(&trouble, &read.ack_id),
                Exchange::Asked(_) => return Ok(Next::Step),
            },
        };
        match result {
            Ok(answer) => {
                self.rest_until = self.take_answer(answer, &read);
                Ok(Next::Step)
            }
            Err(trouble) => self.deal_with_failed_read(&trouble, &read.ack_id),
        }
    }

    /// Answers until when the next read has to wait, if it has to.
    pub(super) fn take_answer(&mut self, answer: Answer<Batch>, read: &UnderWay) -> Option<Instant> {
        self.succeeded();
        self.was_read();
        let nothing = self.take_in(answer, read.purpose, read.started) == Received::default();
        let rest_until = read.started.instant + PACE;
        (nothing && rest_until > Instant::now()).then_some(rest_until)
    }

    fn deal_with_failed_read(&mut self, trouble: &Trouble, ack_id: &str) -> Result<Next, Stopped> {
        self.note_failed_read(trouble, ack_id);
        let operation = self.read_operation();
        if self.first.is_some() {
            if may_have_lost(trouble) {
                self.gaps.open(Reason::AnswerLost);
            }
        } else if trouble.may_be_handled || may_have_lost(trouble) {
            self.gaps.read_was_left(self.shared.clock.now());
        }
        if operation == Operation::Read && trouble.kind == TroubleKind::Status(400) {
            self.search.suspect(!ack_id.is_empty(), self.shared.clock.now());
        }
        let mut situation = self.situation;
        if let Some(first) = &mut self.first {
            let gone = first.node_is_gone(trouble, self.shared.clock.now());
            situation.node_is_gone = gone && self.agent.has_other_nodes();
        }
        self.deal_with(operation, trouble, situation)?;
        Ok(Next::Step)
    }

    /// The long poll, of whichever stream.
    pub(super) fn ask_for_events(&self, feed: &str, ack_id: &str) -> Result<Asked, Trouble> {
        if let Some(first) = &self.first {
            self.agent.read_first(&first.settings, feed)
        } else if self.is_datahose {
            self.agent.read_datahose(ack_id)
        } else {
            self.agent.read(feed, ack_id)
        }
    }

    fn read_operation(&self) -> Operation {
        if self.first.is_some() {
            Operation::ReadFirst
        } else if self.is_datahose {
            Operation::ReadDatahose
        } else {
            Operation::Read
        }
    }

    /// The read that the ledger wants, if it wants one.
    fn next_read(&mut self) -> Result<Wanted, Stopped> {
        let stored = !self.shared.lock().is_behind() || self.store();
        let handover = &self.shared.handover;
        let ticket = handover.poller_ticket();
        let mut state = self.shared.lock();
        if state.is_over() {
            return Err(Stopped);
        }
        let now = self.shared.clock.now();
        let full = state.ledger.is_full();
        match state.ledger.plan_read(now) {
            Plan::Read { .. } if self.first.is_some() && !self.gaps.reading && state.store.is_some() => {
                drop(state);
                // Should the process end before the answer is stored, the next one knows.
                self.gaps.reading = true;
                self.store();
                Ok(Wanted::Not(Next::Step))
            }
            Plan::Read { ack_id, purpose } => {
                state.ledger.read_started(purpose, now);
                // Under the lock, so that a close never takes the exchange before for this one.
                self.cutoff.request_begins();
                state.watch.doing = Doing::Reading;
                drop(state);
                self.tell_whether_full(full);
                Ok(Wanted::Read { ack_id, purpose })
            }
            Plan::Wait(until) => {
                state.watch.doing = if stored {
                    Doing::WaitingForBot
                } else {
                    Doing::WaitingForStore
                };
                drop(state);
                if self.gaps.reading {
                    self.gaps.no_read_is_under_way();
                    self.store();
                }
                let next_try = (!stored).then_some(TRY_AGAIN);
                let next_line = self.tell_whether_full(full);
                let next_chore = self.shared.wake_postponed();
                let most = [
                    Some(until.since(now)),
                    next_chore,
                    next_line,
                    next_try,
                    self.jwt_due_in(now),
                ]
                .into_iter()
                .flatten()
                .min();
                Ok(Wanted::Not(Next::Sleep { ticket, most }))
            }
        }
    }

    /// One line when the reading stops for the bot's sake, and one when it goes on; once a minute, since a bot may be at
    /// its limit with every event. Answers when it wants to be asked again about what it has not told yet.
    fn tell_whether_full(&mut self, full: bool) -> Option<Duration> {
        if full == self.told_full.full {
            return None;
        }
        let now = self.shared.clock.now();
        if let Some(at) = self.told_full.at.filter(|at| full && now.since(*at) < SELDOM) {
            return Some(SELDOM.saturating_sub(now.since(at)));
        }
        self.told_full.full = full;
        if full {
            self.told_full.at = Some(now);
            let message = "reading waits for the bot: maxUnacknowledged events are received and not acknowledged";
            let state = self.shared.lock();
            let details = json!({"held": state.ledger.held(), "queued": state.ledger.queued()});
            drop(state);
            self.shared.log.write(Level::Warn, message, details);
        } else {
            self.shared
                .info("reading goes on: the bot has acknowledged events", json!({}));
        }
        None
    }

    /// The feed is alive, and tells whether something was missed before.
    fn was_read(&mut self) {
        self.search.feed_was_read();
        if let Some(first) = &mut self.first {
            first.was_read();
        }
        if self.first.is_some() || self.is_datahose {
            // A read that was left may have taken what was published up to now.
            self.tell_gap(wall_clock_millis());
        } else {
            self.gaps.nothing_was_missed();
        }
    }

    fn take_in(&mut self, answer: Answer<Batch>, purpose: Purpose, started: Start) -> Received {
        let batch = Arc::new(answer.value);
        if self.first.is_some()
            && let Some(at) = batch.latest_timestamp()
        {
            self.gaps.came(at, wall_clock_millis());
        }
        let mut state = self.shared.lock();
        let now = self.shared.clock.now();
        let arrival = Arrival {
            ack_id: batch.ack_id(),
            events: batch.events(),
            left_out: batch.left_out(),
            published_after: self.gaps.caught_up(),
        };
        let received = state.ledger.read_answered(arrival, now);
        let at = wall_clock_millis();
        state.watch.last_read_at = Some(at);
        state.watch.filtered += batch.filtered() as u64;
        if received.new > 0 {
            state.watch.last_event_at = Some(at);
        }
        self.shared.handover.announce(state, received.new);
        if received == Received::default() {
            self.gaps.found_nothing(started.moment, started.at);
        } else if received.left > 0 {
            self.gaps.read_was_left(now);
        }
        self.store();
        self.shared.tell_set_aside(received.set_aside as u64);
        if batch.skipped() > 0 {
            let details = json!({"elements": batch.skipped(), "traceId": answer.trace_id});
            let message = "the agent sent elements that are no events; they are acknowledged and skipped";
            self.shared.log.write(Level::Warn, message, details);
        }
        if batch.too_deep() > 0 {
            let details = json!({"events": batch.too_deep(), "traceId": answer.trace_id});
            let message = "the agent sent events that are nested deeper than 512 levels, on which many a parser crashes; they \
                           are acknowledged and skipped";
            self.shared.log.write(Level::Error, message, details);
        }
        if purpose == Purpose::KeepAlive {
            let message = "the bot is behind, so this read only kept the feed alive; its events will come again";
            let details = json!({"events": received.left, "traceId": answer.trace_id});
            self.shared.log.write(Level::Warn, message, details);
        }
        received
    }

    fn note_failed_read(&self, trouble: &Trouble, ack_id: &str) {
        let failure = match trouble.kind {
            // At close: what a read has carried needs nothing more.
            TroubleKind::Network(FailureKind::Cut) if trouble.may_be_handled => return,
            TroubleKind::Status(400) if !ack_id.is_empty() => ReadFailure::AckIdRefused,
            _ if trouble.may_be_handled => ReadFailure::AnswerLost,
            _ => ReadFailure::NotHandled,
        };
        self.shared.lock().ledger.read_failed(failure);
    }
}
