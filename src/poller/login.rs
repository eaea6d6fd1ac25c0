//! Logging in, also where this machine's clock is wrong.

use serde_json::json;

use super::{Poller, Stopped};
use crate::clock::wall_clock_millis;
use crate::error::{Code, Error};
use crate::policy::{Operation, Situation};
use crate::protocol::{LoginToken, Tokens, Trouble};
use crate::shared::Doing;

impl Poller {
    pub(super) fn log_in(&mut self) -> Result<(), Stopped> {
        self.set_doing(Doing::LoggingIn);
        let login_token = match LoginToken::sign(&self.username, &self.key, self.clock_offset) {
            Ok(token) => token,
            Err(error) => {
                self.shared.fail(error);
                return Err(Stopped);
            }
        };
        let answers = self.pod.session_token(&login_token).and_then(|session| {
            let key_manager = self.key_manager.key_manager_token(&login_token)?;
            Ok((session, key_manager))
        });
        let (session, key_manager) = match answers {
            Ok(answers) => answers,
            Err(trouble) => {
                let situation = Situation {
                    clocks_apart: trouble
                        .service_seconds
                        .is_some_and(|seconds| login_token.is_out_of_time(seconds)),
                    ..self.situation
                };
                return self.deal_with(Operation::Login, &trouble, situation);
            }
        };
        let tokens = Tokens {
            session: session.value,
            key_manager: key_manager.value,
        };
        self.agent.use_tokens(&tokens);
        self.logged_in = true;
        self.situation.logged_in_before = true;
        let mut state = self.shared.lock();
        state.tokens = Some(tokens);
        state.watch.logins += 1;
        drop(state);
        let details = json!({
            "username": self.username,
            "pod": self.shared.urls.pod,
            "keyManager": self.shared.urls.key_manager,
            "traceId": session.trace_id,
            "keyManagerTraceId": key_manager.trace_id,
        });
        self.shared.info("logged in", details);
        Ok(())
    }

    /// A login token lives five minutes, so a clock that is further off makes every login fail, with words that blame the
    /// key. The service's own clock is as good, and it is what the token is judged by.
    /// Answers the error that names it.
    pub(super) fn set_clock(&mut self, trouble: &Trouble) -> Error {
        let now = (wall_clock_millis() / 1000) as i64;
        self.clock_offset = trouble.service_seconds.unwrap_or(now) - now;
        self.shared.lock().watch.clock_offset = self.clock_offset;
        let direction = if self.clock_offset > 0 { "behind" } else { "ahead of" };
        let message = format!(
            "this machine's clock is {} s {direction} that of the service, which refused the login ({}); login tokens \
             are dated by the service's clock from now on: set this machine's clock right",
            self.clock_offset.abs(),
            trouble.to_error().message()
        );
        Error::new(Code::ClocksApart, message)
            .with_trace_id(trouble.trace_id())
            .retryable()
    }
}
