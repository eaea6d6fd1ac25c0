//! Doing what the policy says after a failure, and telling of it.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::{Poller, Stopped};
use crate::clock::wall_clock_millis;
use crate::error::Error;
use crate::log::Level;
use crate::policy::{Action, Operation, Outcome, Row, Situation, decide};
use crate::protocol::Trouble;
use crate::shared::Doing;

const ADVICE_OTHER_POD: &str = "the login works, but the agent does not accept its tokens: check that agent.host and \
                                pod.host (or host) are of the same pod";

impl Poller {
    pub(super) fn succeeded(&mut self) {
        self.situation.served_before = true;
        if self.backoff.failures() > 0 {
            let details = json!({"failures": self.backoff.failures(), "agent": self.agent.url()});
            self.shared.info("the trouble is over", details);
            self.backoff.reset();
        }
    }

    pub(super) fn row_after(&self, operation: Operation, trouble: &Trouble, situation: &Situation) -> &'static Row {
        decide(operation, Outcome::Failed(trouble.kind), situation)
    }

    pub(super) fn deal_with(
        &mut self,
        operation: Operation,
        trouble: &Trouble,
        situation: Situation,
    ) -> Result<(), Stopped> {
        let mut error = trouble.to_error();
        let row = self.row_after(operation, trouble, &situation);
        let mut action = row.action;
        match action {
            Action::Stop => return Err(Stopped),
            Action::Fail(advice) => return self.give_up(error.finally(advice), row.rule, action),
            Action::LogIn => {
                self.logged_in = false;
                if !self.situation.served_before && self.backoff.failures() > 0 {
                    error = error.advised(ADVICE_OTHER_POD);
                }
            }
            Action::SetClock => error = self.set_clock(trouble),
            Action::NextNode if !self.move_on() => action = Action::BackOff,
            Action::Create if operation == Operation::ReadFirst => self.lose_first(trouble, row),
            Action::GoOn => {
                let details = with_rule(&error, row.rule, action);
                self.shared.remember_trouble(&error);
                self.shared.log.write(Level::Warn, error.message(), details);
                return Ok(());
            }
            // Of these the search knows already, or they do not follow a failure.
            Action::LookForFeed | Action::LookAgain | Action::Adopt | Action::Create => {}
            Action::Settle | Action::Keep | Action::Yield => {}
            Action::NextNode | Action::BackOff => {}
        }
        let mut details = with_rule(&error, row.rule, action);
        let is_told = action == Action::Create;
        let passing = matches!(
            action,
            Action::LogIn | Action::LookForFeed | Action::SetClock | Action::Create
        );
        if passing && self.backoff.failures() == 0 {
            // The first renewal, and the first look, are made at once; should they not help, the next ones wait.
            self.backoff.count();
            let level = if action == Action::SetClock {
                self.shared.remember_trouble(&error);
                Level::Warn
            } else {
                Level::Info
            };
            if !is_told {
                self.shared.log.write(level, error.message(), details);
            }
            return Ok(());
        }
        self.shared.remember_trouble(&error);
        if self.backoff.is_exhausted() {
            self.shared.log.write(Level::Warn, error.message(), details);
            let advice = if self.is_datahose {
                "gave up after as many failures in a row as datahose.retry.maxAttempts allows"
            } else {
                "gave up after as many failures in a row as datafeed.retry.maxAttempts allows"
            };
            return self.give_up(error.finally(advice), row.rule, Action::Fail(advice));
        }
        let wait = self.backoff.next(trouble.retry_after);
        details["retryInMillis"] = json!(wait.as_millis() as u64);
        self.shared.log.write(Level::Warn, error.message(), details);
        self.rest(wait)
    }

    fn give_up(&self, error: Error, rule: &str, action: Action) -> Result<(), Stopped> {
        let mut more = Map::new();
        more.insert("rule".into(), json!(rule));
        more.insert("action".into(), json!(action.as_str()));
        self.shared.fail_with(error, more);
        Err(Stopped)
    }

    /// Goes to the agent's next node. Answers whether there is one.
    pub(super) fn move_on(&mut self) -> bool {
        if !self.agent.move_on() {
            return false;
        }
        let url = self.agent.url();
        self.shared.lock().watch.agent_url = url.to_owned();
        self.shared
            .info("moving on to another node of the agent", json!({"agent": url}));
        true
    }

    /// Sleeps through a back-off, unless the feed is closed.
    pub(super) fn rest(&self, wait: Duration) -> Result<(), Stopped> {
        let mut state = self.shared.lock();
        state.watch.doing = Doing::BackingOff;
        state.watch.retry_at = Some(wall_clock_millis() + wait.as_millis() as u64);
        drop(state);
        self.pause(wait)
    }

    /// Sleeps for so long, unless the feed is closed.
    pub(super) fn pause(&self, wait: Duration) -> Result<(), Stopped> {
        let end = Instant::now() + wait;
        loop {
            let ticket = self.shared.handover.poller_ticket();
            if !self.shared.is_running() {
                return Err(Stopped);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let left = self.shared.chores().map_or(left, |chore| chore.min(left));
            self.shared.handover.poller_sleep(ticket, Some(left));
        }
    }
}

/// What a log line tells of an error beside its message, with the policy's row and what it says.
pub(super) fn with_rule(error: &Error, rule: &str, action: Action) -> Value {
    let mut details = error.details();
    details["rule"] = json!(rule);
    details["action"] = json!(action.as_str());
    details
}
