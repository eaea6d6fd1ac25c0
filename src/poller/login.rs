//! Logging in, also where this machine's clock is wrong, and keeping the session good.

use std::time::Duration;

use serde_json::json;

use super::{Poller, Stopped};
use crate::clock::{Moment, wall_clock_millis};
use crate::error::{Code, Error};
use crate::log::Level;
use crate::policy::{Action, Operation, Situation};
use crate::protocol::{Answer, Tokens, Trouble};
use crate::session::Refused;
use crate::shared::Doing;

/// When a common JWT that could not be renewed is tried again, as long as it is good.
const JWT_LATER: Duration = Duration::from_secs(5);

impl Poller {
    pub(super) fn log_in(&mut self) -> Result<(), Stopped> {
        self.set_doing(Doing::LoggingIn);
        let headers = self.authenticator.read_headers();
        self.tell_of_old_headers(headers);
        self.shared.session.poller_logs_in(true);
        let answer = self.authenticator.log_in(|| {
            let delivers = self.agent.info()?.value.delivers_keys();
            self.shared.session.set_delivers_keys(delivers);
            Ok(delivers)
        });
        if answer.is_err() {
            self.shared.session.poller_logs_in(false);
        }
        let logged_in = match answer {
            Ok(logged_in) => logged_in,
            Err(Refused::Broken(error)) => {
                self.shared.fail(error);
                return Err(Stopped);
            }
            Err(Refused::Trouble {
                operation,
                trouble,
                clocks_apart,
            }) => {
                let situation = Situation {
                    clocks_apart,
                    ..self.situation
                };
                return self.deal_with(operation, &trouble, situation);
            }
        };
        if let Some(trouble) = &logged_in.without_info {
            let situation = Situation {
                key_manager_did: true,
                ..self.situation
            };
            self.deal_with(Operation::Info, trouble, situation)?;
        }
        self.logged_in = true;
        self.situation.logged_in_before = true;
        self.shared.lock().watch.logins += 1;
        let details = json!({
            "username": self.shared.username,
            "pod": self.shared.urls.pod,
            "keyManager": logged_in.tokens.key_manager.is_some().then_some(&self.shared.urls.key_manager),
            "traceId": logged_in.trace_id,
            "keyManagerTraceId": logged_in.key_manager_trace_id,
        });
        self.generation = self.shared.session.set(logged_in.tokens.clone());
        self.shared.session.poller_logs_in(false);
        self.shared.info("logged in", details);
        self.use_tokens(&logged_in.tokens);
        Ok(())
    }

    /// Another thread may have renewed the session.
    pub(super) fn take_new_tokens(&mut self) {
        if let Some((generation, tokens)) = self.shared.session.newer_than(self.generation) {
            self.generation = generation;
            self.logged_in = true;
            self.use_tokens(&tokens);
        }
    }

    fn use_tokens(&mut self, tokens: &Tokens) {
        let headers = self.agent.use_tokens(tokens);
        self.tell_of_old_headers(headers);
        self.tokens = Some(tokens.clone());
    }

    /// A file with a header's value may be away for a moment, as files that are replaced are.
    fn tell_of_old_headers(&self, headers: Result<(), Error>) {
        if let Err(error) = headers {
            let error = error.advised("the header keeps the value that it had").retryable();
            self.shared.remember_trouble(&error);
            self.shared.log.write(Level::Warn, error.message(), error.details());
        }
    }

    /// Whether it has to be found out who the bot is, to know its own events, and to tell the bot.
    pub(super) fn needs_account(&self) -> bool {
        !self.account_is_known
    }

    pub(super) fn find_account(&mut self) -> Result<(), Stopped> {
        self.set_doing(Doing::LoggingIn);
        let Some(tokens) = self.tokens.clone() else {
            self.logged_in = false;
            return Ok(());
        };
        let account = match self.authenticator.account(&tokens) {
            Ok(Answer { value: account, .. }) => Some(account),
            Err(trouble) => {
                let row = self.row_after(Operation::Account, &trouble, &self.situation);
                // Nothing has to wait for it where the bot's own events are wanted.
                let goes_on = row.action == Action::GoOn || (!self.ignore_own && row.action == Action::BackOff);
                if !goes_on {
                    return self.deal_with(Operation::Account, &trouble, self.situation);
                }
                let advice = match (self.ignore_own, &self.shared.username) {
                    (false, _) => "datafeed_session cannot tell the bot's own id",
                    (true, Some(_)) => "the bot's own events are known by bot.username only",
                    (true, None) => "the bot's own events are not known, and are handed out: set bot.username",
                };
                let error = trouble.to_error().advised(advice);
                let details = super::trouble::with_rule(&error, row.rule, Action::GoOn);
                self.shared.log.write(Level::Warn, error.message(), details);
                None
            }
        };
        self.account_is_known = true;
        let id = account.as_ref().and_then(|account| account.id);
        let said = account.as_ref().and_then(|account| account.username.as_deref());
        if self.ignore_own {
            self.agent.ignore_own(id, said.or(self.shared.username.as_deref()));
        }
        if let Some(account) = account {
            self.shared.session.set_account(account);
        }
        Ok(())
    }

    /// Whether it is time for another common JWT.
    pub(super) fn jwt_is_due(&self) -> bool {
        self.jwt_due_in(self.shared.clock.now())
            .is_some_and(|left| left.is_zero())
    }

    /// How long until then. The bot may want it although nothing is to be read.
    pub(super) fn jwt_due_in(&self, now: Moment) -> Option<Duration> {
        let jwt = self.tokens.as_ref()?.common_jwt.as_ref()?;
        Some(jwt.renew_at.since(now))
    }

    pub(super) fn renew_jwt(&mut self) -> Result<(), Stopped> {
        let Some(tokens) = self.tokens.clone() else {
            self.logged_in = false;
            return Ok(());
        };
        match self.authenticator.renew_jwt(&tokens) {
            Ok((tokens, trace_id)) => {
                let details = json!({"pod": self.shared.urls.pod, "traceId": trace_id});
                let generation = self.shared.session.replace(self.generation, tokens.clone());
                if generation == self.generation {
                    // The bot has renewed the session meanwhile, and this was for the old one.
                    return Ok(());
                }
                self.generation = generation;
                self.shared.info("renewed the common JWT", details);
                self.use_tokens(&tokens);
                Ok(())
            }
            Err(trouble) => {
                let now = self.shared.clock.now();
                let mut situation = self.situation;
                if let Some(jwt) = self.tokens.as_mut().and_then(|tokens| tokens.common_jwt.as_mut()) {
                    situation.jwt_is_good = now < jwt.expires;
                    jwt.renew_at = now + JWT_LATER;
                }
                self.deal_with(Operation::Jwt, &trouble, situation)
            }
        }
    }

    /// A login token lives five minutes, so a clock that is further off makes every login fail, with words that blame the
    /// key. The service's own clock is as good, and it is what the token is judged by.
    /// Answers the error that names it.
    pub(super) fn set_clock(&mut self, trouble: &Trouble) -> Error {
        let now = (wall_clock_millis() / 1000) as i64;
        let offset = trouble.service_seconds.unwrap_or(now) - now;
        self.authenticator.clock_offset = offset;
        self.shared.session.set_clock_offset(offset);
        self.shared.lock().watch.clock_offset = offset;
        let direction = if offset > 0 { "behind" } else { "ahead of" };
        let message = format!(
            "this machine's clock is {} s {direction} that of the service, which refused the login ({}); login tokens \
             are dated by the service's clock from now on: set this machine's clock right",
            offset.abs(),
            trouble.to_error().message()
        );
        Error::new(Code::ClocksApart, message)
            .with_trace_id(trouble.trace_id())
            .retryable()
    }
}
