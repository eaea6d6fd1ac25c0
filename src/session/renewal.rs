//! Renewing the session on the thread of a caller whose own request was answered 401.
//!
//! Not on the poller's: that one waits in a long poll, and to leave it would cost events a visibility timeout of delay,
//! and with Datafeed 1 the events themselves.

use std::io;
use std::time::{Duration, Instant};

use super::{Authenticator, Claim, LoggedIn, Refused, Renewing, Session};
use crate::clock::wall_clock_millis;
use crate::error::{Code, Error};
use crate::policy::Operation;
use crate::protocol::TroubleKind;

/// Why there are no other tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotRenewed {
    Timeout,
    Closed,
    Failed(Error),
}

/// How long to wait before the next try: twice as long each time.
const FIRST_REST: Duration = Duration::from_millis(200);
const LONGEST_REST: Duration = Duration::from_secs(10);

/// Most that a service's `Retry-After` is waited for.
const LONGEST_ASKED_FOR: Duration = Duration::from_secs(300);

/// What went wrong with a try, and when the next one is.
pub(crate) struct Setback {
    pub(crate) error: Error,
    /// What was asked for, and what came of it, if a request went wrong.
    pub(crate) request: Option<(Operation, TroubleKind)>,
    pub(crate) rest: Duration,
}

impl Session {
    /// Waits until the tokens in use are others than the refused one's, and logs in if nobody else does. `on_login` is
    /// told of each login, `on_setback` of each failure, which is followed by another try.
    pub(crate) fn renew(
        &self,
        refused: &str,
        timeout: Option<Duration>,
        on_login: impl Fn(&LoggedIn),
        on_setback: impl Fn(&Setback),
    ) -> Result<(), NotRenewed> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut rest = FIRST_REST;
        loop {
            let mut setback = match self.claim(refused, deadline)? {
                Claim::Newer => return Ok(()),
                Claim::NoDescriptor(error) => Setback::of(no_descriptor(&error)),
                Claim::Renew(renewing) => {
                    let _done = Done(self);
                    match renewing.log_in() {
                        Ok((logged_in, old_headers)) => {
                            on_login(&logged_in);
                            let is_other = !logged_in.tokens.include(refused);
                            self.set(logged_in.tokens);
                            match old_headers {
                                _ if !is_other => Setback::of(same_again()),
                                Some(error) => {
                                    on_setback(&Setback::of(error));
                                    continue;
                                }
                                None => continue,
                            }
                        }
                        // The time is over, or the feed is closing: the next claim knows which.
                        Err(_) if renewing.cutoff.is_over() => continue,
                        Err(refused) => self.setback(refused),
                    }
                }
            };
            setback.rest = setback.rest.max(rest);
            on_setback(&setback);
            self.rest(setback.rest, deadline);
            rest = (rest * 2).min(LONGEST_REST);
        }
    }

    fn setback(&self, refused: Refused) -> Setback {
        match refused {
            Refused::Broken(error) => Setback::of(error),
            Refused::Trouble {
                operation,
                trouble,
                clocks_apart,
            } => {
                if clocks_apart && let Some(seconds) = trouble.service_seconds {
                    self.set_clock_offset(seconds - (wall_clock_millis() / 1000) as i64);
                }
                Setback {
                    error: trouble.to_error(),
                    request: Some((operation, trouble.kind)),
                    rest: trouble.retry_after.unwrap_or_default().min(LONGEST_ASKED_FOR),
                }
            }
        }
    }
}

impl Setback {
    fn of(error: Error) -> Setback {
        Setback {
            error,
            request: None,
            rest: Duration::ZERO,
        }
    }
}

/// A service may give out the token of a session that lives, and then it takes that token.
fn same_again() -> Error {
    let message = "the login brought the token again that was refused, so the service still takes it for good; whoever \
                   refused it may not be of the same pod";
    Error::new(Code::ServiceError, message).retryable()
}

/// While it is there, the others wait.
struct Done<'a>(&'a Session);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.renewed();
    }
}

fn no_descriptor(error: &io::Error) -> Error {
    let message = format!("no descriptor for the login could be opened: {error}");
    Error::new(Code::Internal, message)
}

impl Renewing {
    /// Also answers whose header's value could not be read again, if any.
    fn log_in(&self) -> Result<(LoggedIn, Option<Error>), Refused> {
        let mut authenticator = Authenticator::new(&self.config, &self.cutoff).map_err(Refused::Broken)?;
        authenticator.clock_offset = self.clock_offset;
        let old_headers = authenticator.read_headers().err();
        let logged_in = authenticator.log_in(|| Ok(self.delivers_keys))?;
        Ok((logged_in, old_headers))
    }
}
