//! The thread behind a feed: logs in, finds the feed, reads it as the ledger wants, and deals with every trouble.

mod backoff;
mod search;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::clock::wall_clock_millis;
use crate::config::{Config, LoginKey};
use crate::error::{Code, Error};
use crate::ledger::{Arrival, Plan, Purpose, ReadFailure, Received};
use crate::log::Level;
use crate::net::{Cutoff, FailureKind};
use crate::policy::{Action, History, Operation, decide};
use crate::protocol::{AgentApi, KeyManagerApi, PodApi, ReadAnswer, Tokens, Trouble, TroubleKind, login_token};
use crate::shared::{Doing, Phase, Shared};
use backoff::BackOff;
use search::Search;

/// A read that finds nothing takes as long as the service's long poll. Where it does not, the next one waits a little.
const PACE: Duration = Duration::from_millis(100);

pub(crate) struct Poller {
    shared: Arc<Shared>,
    username: String,
    key: LoginKey,
    cutoff: Arc<Cutoff>,
    close_timeout: Duration,
    pod: PodApi,
    key_manager: KeyManagerApi,
    agent: AgentApi,
    logged_in: bool,
    history: History,
    search: Search,
    backoff: BackOff,
}

/// The feed is closing or has failed.
struct Stopped;

impl Poller {
    /// Starts the thread.
    pub(crate) fn start(config: Config, cutoff: Arc<Cutoff>, shared: &Arc<Shared>) -> Result<JoinHandle<()>, Error> {
        let agent = AgentApi::new(&config, &cutoff)?;
        let _ = shared.progress.set(Arc::clone(agent.progress()));
        let poller = Poller {
            pod: PodApi::new(&config.pod, &cutoff)?,
            key_manager: KeyManagerApi::new(&config.key_manager, &cutoff)?,
            agent,
            username: config.username,
            key: config.key,
            cutoff,
            close_timeout: config.close_timeout,
            logged_in: false,
            history: History::default(),
            search: Search::default(),
            backoff: BackOff::new(&config.retry),
            shared: Arc::clone(shared),
        };
        thread::Builder::new()
            .name("datafeed".into())
            .spawn(move || poller.run())
            .map_err(|error: io::Error| {
                Error::new(
                    Code::Internal,
                    format!("the feed's thread could not be started: {error}"),
                )
            })
    }

    fn run(self) {
        let shared = Arc::clone(&self.shared);
        if catch_unwind(AssertUnwindSafe(|| self.poll_until_stopped())).is_err() {
            let message = "the library's poller panicked; this is a fault in the library, please report it";
            shared.fail(Error::new(Code::Internal, message));
        }
        shared.ended.store(true, Ordering::SeqCst);
        shared.ending.notify_all();
    }

    fn poll_until_stopped(mut self) {
        while self.step().is_ok() {}
        if matches!(self.shared.lock().phase, Phase::Closed) {
            self.write_acknowledgements();
        }
    }

    /// One thing after the other: tokens, a feed, a read.
    fn step(&mut self) -> Result<(), Stopped> {
        if !self.logged_in {
            self.log_in()
        } else if let Some(feed) = self.search.feed_to_read() {
            self.read(&feed)
        } else {
            self.find_feed()
        }
    }

    fn set_doing(&self, doing: Doing) {
        self.shared.lock().watch.doing = doing;
    }

    fn log_in(&mut self) -> Result<(), Stopped> {
        self.set_doing(Doing::LoggingIn);
        let login_token = match login_token(&self.username, &self.key) {
            Ok(token) => token,
            Err(error) => {
                self.shared.fail(error);
                return Err(Stopped);
            }
        };
        let tokens = self.pod.session_token(&login_token).and_then(|session| {
            let key_manager = self.key_manager.key_manager_token(&login_token)?;
            Ok(Tokens { session, key_manager })
        });
        let tokens = match tokens {
            Ok(tokens) => tokens,
            Err(trouble) => return self.deal_with(Operation::Login, &trouble),
        };
        self.agent.use_tokens(&tokens);
        self.logged_in = true;
        self.history.logged_in = true;
        let mut state = self.shared.lock();
        state.tokens = Some(tokens);
        state.watch.logins += 1;
        drop(state);
        self.shared.info(
            "logged in",
            json!({"username": self.username, "pod": self.shared.urls.pod}),
        );
        Ok(())
    }

    fn read(&mut self, feed: &str) -> Result<(), Stopped> {
        let Some((ack_id, purpose)) = self.next_read()? else {
            return Ok(());
        };
        let started = Instant::now();
        let answer = self.agent.read(feed, &ack_id);
        match answer {
            Ok(answer) => {
                self.succeeded();
                self.search.feed_was_read();
                let nothing = self.take_in(answer, purpose) == Received::default();
                let pace = PACE.saturating_sub(started.elapsed());
                if nothing && !pace.is_zero() {
                    self.rest(pace)
                } else {
                    Ok(())
                }
            }
            Err(trouble) => {
                self.note_failed_read(&trouble, &ack_id);
                if trouble.kind == TroubleKind::Status(400) {
                    self.search.suspect(!ack_id.is_empty(), self.shared.clock.now());
                }
                self.deal_with(Operation::Read, &trouble)
            }
        }
    }

    /// Sleeps until the ledger wants a read; nothing: look again.
    fn next_read(&self) -> Result<Option<(String, Purpose)>, Stopped> {
        let ticket = self.shared.poller.ticket();
        let mut state = self.shared.lock();
        if !matches!(state.phase, Phase::Running) {
            return Err(Stopped);
        }
        let now = self.shared.clock.now();
        match state.ledger.plan_read(now) {
            Plan::Read { ack_id, purpose } => {
                state.ledger.read_started(purpose, now);
                // Under the lock, so that a close never takes the exchange before for this one.
                self.agent.progress().start();
                state.watch.doing = Doing::Reading;
                Ok(Some((ack_id, purpose)))
            }
            Plan::Wait(until) => {
                state.watch.doing = Doing::WaitingForBot;
                drop(state);
                let next_chore = self.shared.wake_postponed();
                let wait = until.since(now);
                let wait = next_chore.map_or(wait, |chore| chore.min(wait));
                self.shared.poller.sleep(ticket, Some(wait));
                Ok(None)
            }
        }
    }

    /// bytes -> batch -> ledger -> bot.
    fn take_in(&self, answer: ReadAnswer, purpose: Purpose) -> Received {
        let batch = Arc::new(answer.batch);
        let mut state = self.shared.lock();
        let now = self.shared.clock.now();
        let arrival = Arrival {
            ack_id: batch.ack_id(),
            events: batch.events(),
        };
        let received = state.ledger.read_answered(arrival, now);
        let at = wall_clock_millis();
        state.watch.last_read_at = Some(at);
        if received.new > 0 {
            state.watch.last_event_at = Some(at);
        }
        self.shared.show_on_fd(&mut state);
        drop(state);
        if received.new > 0 {
            self.shared.consumers.notify(received.new);
        }
        if batch.skipped() > 0 {
            let details = json!({"elements": batch.skipped(), "traceId": answer.trace_id});
            let message = "the agent sent elements that are no events; they are acknowledged and skipped";
            self.shared.log.write(Level::Warn, message, details);
        }
        if purpose == Purpose::KeepAlive {
            let message = "the bot is behind, so this read only kept the feed alive; its events will come again";
            self.shared
                .log
                .write(Level::Warn, message, json!({ "events": received.left }));
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

    fn succeeded(&mut self) {
        self.history.served = true;
        if self.backoff.failures() > 0 {
            let message = "the trouble is over";
            self.shared
                .info(message, json!({ "failures": self.backoff.failures() }));
            self.backoff.reset();
        }
    }

    fn deal_with(&mut self, operation: Operation, trouble: &Trouble) -> Result<(), Stopped> {
        let error = trouble.to_error();
        let action = decide(operation, trouble.kind, self.history);
        match action {
            Action::Stop => return Err(Stopped),
            Action::Fail(advice) => {
                self.shared.fail(error.finally(advice));
                return Err(Stopped);
            }
            Action::LogIn => self.logged_in = false,
            // The search knows of the refusal.
            Action::LookForFeed | Action::BackOff => {}
        }
        if action != Action::BackOff && self.backoff.failures() == 0 {
            // The first renewal, and the first look, are made at once; should they not help, the next ones wait.
            self.backoff.count();
            self.shared.info(error.message(), error.details());
            return Ok(());
        }
        self.note_trouble(&error);
        if self.backoff.is_exhausted() {
            let advice = "gave up after as many failures in a row as datafeed.retry.maxAttempts allows";
            self.shared.fail(error.finally(advice));
            return Err(Stopped);
        }
        let wait = self.backoff.next(trouble.retry_after);
        self.rest(wait)
    }

    fn note_trouble(&self, error: &Error) {
        let mut state = self.shared.lock();
        state.watch.retries += 1;
        state.watch.latest_trouble = Some((wall_clock_millis(), error.clone()));
        drop(state);
        self.shared.log.write(Level::Warn, error.message(), error.details());
    }

    /// Sleeps through a back-off, unless the feed is closed.
    fn rest(&self, wait: Duration) -> Result<(), Stopped> {
        self.set_doing(Doing::BackingOff);
        let end = Instant::now() + wait;
        loop {
            let ticket = self.shared.poller.ticket();
            if !self.shared.is_running() {
                return Err(Stopped);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let left = self.shared.wake_postponed().map_or(left, |chore| chore.min(left));
            self.shared.poller.sleep(ticket, Some(left));
        }
    }

    /// At close: sends the acknowledgements that no read has carried, oldest first. The service confirms nothing, so
    /// each request is left alone for a moment after it was sent; its answer, a long poll's, is not waited for.
    fn write_acknowledgements(&mut self) {
        let Some(feed) = self.search.feed_to_read().filter(|_| self.logged_in) else {
            return;
        };
        let end = Instant::now() + self.close_timeout;
        let unwritten = self.shared.lock().ledger.unwritten(self.shared.clock.now());
        let mut missed = 0;
        for ack_id in &unwritten {
            self.agent.progress().start();
            self.cutoff.let_send_until(end, None);
            // Cut short, as a rule: what counts is that it was sent.
            let _ = self.agent.read(&feed, ack_id);
            missed += usize::from(self.agent.progress().sent_for().is_none());
        }
        if missed > 0 {
            let message = "closeTimeout was over before every acknowledgement was written; their events come again";
            self.shared
                .log
                .write(Level::Warn, message, json!({ "batches": missed }));
        }
    }
}
