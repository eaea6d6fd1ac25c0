//! The session at the service: its tokens, whoever needs them, and how they are come by.
//!
//! The poller logs in, and so may a caller whose own request was answered 401. Each uses what the other has brought.

mod authenticator;
mod renewal;

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(crate) use authenticator::{Authenticator, LoggedIn, Refused};
pub(crate) use renewal::{NotRenewed, Setback};

use crate::config::Config;
use crate::error::Error;
use crate::net::Cutoff;
use crate::protocol::{Account, Tokens};

/// The tokens in use. It outlives the feed, and gives up what is large or secret at its end.
pub(crate) struct Session {
    inner: Mutex<Inner>,
    changed: Condvar,
}

struct Inner {
    tokens: Option<Tokens>,
    /// Counts the tokens that have been set.
    generation: u64,
    /// What a renewal needs, until the end.
    config: Option<Arc<Config>>,
    /// Whether the agent delivers keys to a session alone, once it was asked.
    delivers_keys: bool,
    /// Who the bot is, once the pod has said so.
    account: Option<Account>,
    /// Seconds by which the service's clock is ahead of this machine's, if login tokens must allow for it.
    clock_offset: i64,
    /// Whether the poller is logging in at this moment.
    poller_logs_in: bool,
    /// Ends the waiting of the caller that is renewing the session.
    renewing: Option<Arc<Cutoff>>,
    end: Option<End>,
}

/// Why there will be no other tokens.
#[derive(Debug, Clone)]
pub(crate) enum End {
    Closed,
    Failed(Error),
}

/// What is to be done by someone who needs other tokens than the ones that were refused.
enum Claim {
    /// There are others by now.
    Newer,
    /// Log in, and tell the outcome.
    Renew(Renewing),
    /// Try again later: there is no descriptor for it.
    NoDescriptor(io::Error),
}

/// The right and the duty to renew the session. One caller has it at a time.
struct Renewing {
    config: Arc<Config>,
    cutoff: Arc<Cutoff>,
    delivers_keys: bool,
    clock_offset: i64,
}

impl Session {
    pub(crate) fn new(config: Arc<Config>) -> Session {
        Session {
            inner: Mutex::new(Inner {
                tokens: None,
                generation: 0,
                config: Some(config),
                delivers_keys: false,
                account: None,
                clock_offset: 0,
                poller_logs_in: false,
                renewing: None,
                end: None,
            }),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tokens(&self) -> Option<Tokens> {
        self.lock().tokens.clone()
    }

    /// Who the bot is, as far as the pod has said so.
    pub(crate) fn account(&self) -> Option<Account> {
        self.lock().account.clone()
    }

    /// The tokens, if they are others than those of this generation.
    pub(crate) fn newer_than(&self, generation: u64) -> Option<(u64, Tokens)> {
        let inner = self.lock();
        if inner.generation == generation {
            return None;
        }
        Some((inner.generation, inner.tokens.clone()?))
    }

    /// These are used from now on. Answers their generation.
    pub(crate) fn set(&self, tokens: Tokens) -> u64 {
        self.set_in(self.lock(), tokens)
    }

    fn set_in(&self, mut inner: MutexGuard<'_, Inner>, tokens: Tokens) -> u64 {
        if inner.end.is_none() {
            inner.tokens = Some(tokens);
        }
        inner.generation += 1;
        self.changed.notify_all();
        inner.generation
    }

    /// The same, unless others have been set since that generation. Answers the generation in use.
    pub(crate) fn replace(&self, generation: u64, tokens: Tokens) -> u64 {
        let inner = self.lock();
        if inner.generation != generation {
            return generation;
        }
        self.set_in(inner, tokens)
    }

    pub(crate) fn set_delivers_keys(&self, delivers: bool) {
        self.lock().delivers_keys = delivers;
    }

    pub(crate) fn set_clock_offset(&self, offset: i64) {
        self.lock().clock_offset = offset;
    }

    /// Callers wait while the poller logs in, which may be what they want.
    pub(crate) fn poller_logs_in(&self, does: bool) {
        self.lock().poller_logs_in = does;
        self.changed.notify_all();
    }

    pub(crate) fn set_account(&self, account: Account) {
        self.lock().account = Some(account);
    }

    /// There will be no other tokens. Whoever waits for some is woken, and after a close the ones there are, are gone.
    pub(crate) fn end(&self, end: End) {
        let mut inner = self.lock();
        if matches!(end, End::Closed) {
            inner.tokens = None;
        }
        if !matches!(inner.end, Some(End::Closed)) {
            inner.end = Some(end);
        }
        inner.config = None;
        if let Some(cutoff) = inner.renewing.take() {
            cutoff.cut();
        }
        self.changed.notify_all();
    }

    /// Waits until there are other tokens than the refused one's, or until it is this caller's turn to get some.
    fn claim(&self, refused: &str, deadline: Option<Instant>) -> Result<Claim, NotRenewed> {
        let mut inner = self.lock();
        loop {
            match &inner.end {
                Some(End::Closed) => return Err(NotRenewed::Closed),
                Some(End::Failed(error)) => return Err(NotRenewed::Failed(error.clone())),
                None => {}
            }
            let wanted = match &inner.tokens {
                Some(tokens) if !tokens.include(refused) => return Ok(Claim::Newer),
                Some(_) => inner.renewing.is_none() && !inner.poller_logs_in,
                // The poller is about to log in for the first time.
                None => false,
            };
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(NotRenewed::Timeout);
            }
            if wanted && let Some(config) = inner.config.clone() {
                let cutoff = match Cutoff::new() {
                    Ok(cutoff) => Arc::new(cutoff),
                    Err(error) => return Ok(Claim::NoDescriptor(error)),
                };
                if let Some(left) = left {
                    cutoff.end_after(left);
                }
                inner.renewing = Some(Arc::clone(&cutoff));
                return Ok(Claim::Renew(Renewing {
                    config,
                    cutoff,
                    delivers_keys: inner.delivers_keys,
                    clock_offset: inner.clock_offset,
                }));
            }
            inner = self.wait(inner, deadline)?;
        }
    }

    fn wait<'a>(
        &self,
        inner: MutexGuard<'a, Inner>,
        until: Option<Instant>,
    ) -> Result<MutexGuard<'a, Inner>, NotRenewed> {
        let Some(until) = until else {
            return Ok(self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner));
        };
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(NotRenewed::Timeout);
        }
        let (inner, _) = self
            .changed
            .wait_timeout(inner, left)
            .unwrap_or_else(PoisonError::into_inner);
        Ok(inner)
    }

    /// The caller that was renewing has done, or has failed.
    fn renewed(&self) {
        self.lock().renewing = None;
        self.changed.notify_all();
    }

    /// Sleeps for so long, at most until the deadline, unless the tokens change or the feed ends.
    fn rest(&self, span: Duration, deadline: Option<Instant>) {
        let mut inner = self.lock();
        let generation = inner.generation;
        let end = Instant::now() + span;
        let end = deadline.map_or(end, |deadline| deadline.min(end));
        while inner.generation == generation && inner.end.is_none() {
            match self.wait(inner, Some(end)) {
                Ok(locked) => inner = locked,
                Err(_) => return,
            }
        }
    }
}
