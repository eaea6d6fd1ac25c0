//! Reading: bytes -> batch -> ledger -> bot.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Poller, Stopped};
use crate::batch::Batch;
use crate::clock::{Moment, wall_clock_millis};
use crate::ledger::{Arrival, Plan, Purpose, ReadFailure, Received};
use crate::log::Level;
use crate::net::FailureKind;
use crate::policy::Operation;
use crate::protocol::{Answer, Trouble, TroubleKind};
use crate::shared::Doing;
use crate::sync::Queue;

/// A read that finds nothing takes as long as the service's long poll. Where it does not, the next one waits a little.
const PACE: Duration = Duration::from_millis(100);

/// How often it is told at most that the bot is behind.
const SELDOM: Duration = Duration::from_secs(60);

/// What was told of a bot that is behind.
#[derive(Default)]
pub(super) struct Told {
    full: bool,
    at: Option<Moment>,
}

impl Poller {
    pub(super) fn read(&mut self, feed: &str) -> Result<(), Stopped> {
        let Some((ack_id, purpose)) = self.next_read()? else {
            return Ok(());
        };
        let started = Instant::now();
        match self.ask_for_events(feed, &ack_id) {
            Ok(answer) => {
                self.succeeded();
                self.search.feed_was_read();
                if let Some(first) = &mut self.first {
                    first.was_read();
                }
                let nothing = self.take_in(answer, purpose) == Received::default();
                let pace = PACE.saturating_sub(started.elapsed());
                if nothing && !pace.is_zero() {
                    self.pause(pace)
                } else {
                    Ok(())
                }
            }
            Err(trouble) => {
                self.note_failed_read(&trouble, &ack_id);
                let operation = self.read_operation();
                if operation == Operation::Read && trouble.kind == TroubleKind::Status(400) {
                    self.search.suspect(!ack_id.is_empty(), self.shared.clock.now());
                }
                let mut situation = self.situation;
                if let Some(first) = &mut self.first {
                    let gone = first.node_is_gone(&trouble, self.shared.clock.now());
                    situation.node_is_gone = gone && self.agent.has_other_nodes();
                }
                self.deal_with(operation, &trouble, situation)
            }
        }
    }

    /// The long poll, of whichever stream.
    pub(super) fn ask_for_events(&self, feed: &str, ack_id: &str) -> Result<Answer<Batch>, Trouble> {
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

    /// Sleeps until the ledger wants a read; nothing: look again.
    fn next_read(&mut self) -> Result<Option<(String, Purpose)>, Stopped> {
        let handover = &self.shared.handover;
        let ticket = handover.poller_ticket();
        let mut state = self.shared.lock();
        if state.is_over() {
            return Err(Stopped);
        }
        let now = self.shared.clock.now();
        let full = state.ledger.is_full();
        match state.ledger.plan_read(now) {
            Plan::Read { ack_id, purpose } => {
                state.ledger.read_started(purpose, now);
                // Under the lock, so that a close never takes the exchange before for this one.
                self.cutoff.request_begins();
                state.watch.doing = Doing::Reading;
                drop(state);
                self.tell_whether_full(full);
                Ok(Some((ack_id, purpose)))
            }
            Plan::Wait(until) => {
                state.watch.doing = Doing::WaitingForBot;
                drop(state);
                let next_line = self.tell_whether_full(full);
                let next_chore = self.shared.wake_postponed();
                let wait = [Some(until.since(now)), next_chore, next_line, self.jwt_due_in(now)]
                    .into_iter()
                    .flatten()
                    .min();
                self.shared.handover.poller_sleep(ticket, wait);
                Ok(None)
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

    fn take_in(&self, answer: Answer<Batch>, purpose: Purpose) -> Received {
        let batch = Arc::new(answer.value);
        let mut state = self.shared.lock();
        let now = self.shared.clock.now();
        let arrival = Arrival {
            ack_id: batch.ack_id(),
            events: batch.events(),
            left_out: batch.left_out(),
        };
        let received = state.ledger.read_answered(arrival, now);
        let at = wall_clock_millis();
        state.watch.last_read_at = Some(at);
        state.watch.filtered += batch.filtered() as u64;
        if received.new > 0 {
            state.watch.last_event_at = Some(at);
        }
        self.shared.handover.announce(state, received.new);
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
