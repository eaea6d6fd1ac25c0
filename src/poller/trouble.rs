//! Doing what the policy says after a failure, and telling of it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Poller, Stopped};
use crate::clock::wall_clock_millis;
use crate::error::Error;
use crate::log::Level;
use crate::policy::{Action, Operation, Outcome, Situation, decide};
use crate::protocol::Trouble;
use crate::shared::Doing;

impl Poller {
    pub(super) fn succeeded(&mut self) {
        self.situation.served_before = true;
        if self.backoff.failures() > 0 {
            let details = json!({"failures": self.backoff.failures(), "agent": self.agent.url()});
            self.shared.info("the trouble is over", details);
            self.backoff.reset();
        }
    }

    pub(super) fn deal_with(
        &mut self,
        operation: Operation,
        trouble: &Trouble,
        situation: Situation,
    ) -> Result<(), Stopped> {
        let error = trouble.to_error();
        let row = decide(operation, Outcome::Failed(trouble.kind), &situation);
        match row.action {
            Action::Stop => return Err(Stopped),
            Action::Fail(advice) => {
                self.shared.fail(error.finally(advice));
                return Err(Stopped);
            }
            Action::LogIn => self.logged_in = false,
            Action::SetClock => self.set_clock(trouble),
            Action::NextNode => self.move_on(),
            // Of these the search knows already, or they do not follow a failure.
            Action::LookForFeed | Action::LookAgain | Action::Adopt | Action::Create | Action::GoOn => {}
            Action::BackOff => {}
        }
        let passing = matches!(row.action, Action::LogIn | Action::LookForFeed | Action::SetClock);
        if passing && self.backoff.failures() == 0 {
            // The first renewal, and the first look, are made at once; should they not help, the next ones wait.
            self.backoff.count();
            if row.action != Action::SetClock {
                self.shared
                    .info(error.message(), with_rule(&error, row.rule, row.action));
            }
            return Ok(());
        }
        if self.backoff.is_exhausted() {
            self.note_trouble(&error, row.rule);
            let advice = "gave up after as many failures in a row as datafeed.retry.maxAttempts allows";
            self.shared.fail(error.finally(advice));
            return Err(Stopped);
        }
        let wait = self.backoff.next(trouble.retry_after);
        self.remember_trouble(&error);
        let mut details = with_rule(&error, row.rule, row.action);
        details["retryInMillis"] = json!(wait.as_millis() as u64);
        self.shared.log.write(Level::Warn, error.message(), details);
        self.rest(wait)
    }

    fn move_on(&mut self) {
        if !self.agent.move_on() {
            return;
        }
        let url = self.agent.url();
        self.shared.lock().watch.agent_url = url.to_owned();
        self.shared
            .info("moving on to another node of the agent", json!({"agent": url}));
    }

    /// Tells of a trouble that is dealt with at once.
    pub(super) fn note_trouble(&self, error: &Error, rule: &str) {
        self.remember_trouble(error);
        let mut details = error.details();
        details["rule"] = json!(rule);
        self.shared.log.write(Level::Warn, error.message(), details);
    }

    fn remember_trouble(&self, error: &Error) {
        let mut state = self.shared.lock();
        *state.watch.retries.entry(error.code().as_str()).or_default() += 1;
        state.watch.latest_trouble = Some((wall_clock_millis(), error.clone()));
    }

    /// Sleeps through a back-off, unless the feed is closed.
    pub(super) fn rest(&self, wait: Duration) -> Result<(), Stopped> {
        let mut state = self.shared.lock();
        state.watch.doing = Doing::BackingOff;
        state.watch.retry_at = Some(wall_clock_millis() + wait.as_millis() as u64);
        drop(state);
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
            let left = self.shared.wake_postponed().map_or(left, |chore| chore.min(left));
            self.shared.handover.poller_sleep(ticket, Some(left));
        }
    }
}

/// What a log line tells of an error beside its message, with the policy's row and what it says.
fn with_rule(error: &Error, rule: &str, action: Action) -> Value {
    let mut details = error.details();
    details["rule"] = json!(rule);
    details["action"] = json!(action.as_str());
    details
}
