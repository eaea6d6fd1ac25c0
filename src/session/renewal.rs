//! Renewing the session on the thread of a caller whose own request was answered 401.
//!
//! Not on the poller's: that one waits in a long poll, and to leave it would cost events a visibility timeout of delay,
//! and with Datafeed 1 the events themselves.

use std::io;
use std::time::{Duration, Instant};

use super::{Authenticator, Claim, LoggedIn, Refused, Renewing, Session};
use crate::error::{Code, Error};

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

impl Session {
    /// Waits until the tokens in use are others than the refused one's, and logs in if nobody else does. `on_login` is
    /// told of each login, `on_trouble` of each failure, which is followed by another try.
    pub(crate) fn renew(
        &self,
        refused: &str,
        timeout: Option<Duration>,
        on_login: impl Fn(&LoggedIn),
        on_trouble: impl Fn(&Error),
    ) -> Result<(), NotRenewed> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut rest = FIRST_REST;
        loop {
            let trouble = match self.claim(refused, deadline)? {
                Claim::Newer => return Ok(()),
                Claim::NoDescriptor(error) => no_descriptor(&error),
                Claim::Renew(renewing) => {
                    let _done = Done(self);
                    match renewing.log_in() {
                        Ok(logged_in) => {
                            on_login(&logged_in);
                            self.set(logged_in.tokens);
                            continue;
                        }
                        // The time is over, or the feed is closing: the next claim knows which.
                        Err(_) if renewing.cutoff.is_over() => continue,
                        Err(error) => error,
                    }
                }
            };
            on_trouble(&trouble);
            self.rest(rest, deadline);
            rest = (rest * 2).min(LONGEST_REST);
        }
    }
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
    fn log_in(&self) -> Result<LoggedIn, Error> {
        let mut authenticator = Authenticator::new(&self.config, &self.cutoff)?;
        authenticator.clock_offset = self.clock_offset;
        authenticator
            .log_in(|| Ok(self.delivers_keys))
            .map_err(|refused| match refused {
                Refused::Trouble { trouble, .. } => trouble.to_error(),
                Refused::Broken(error) => error,
            })
    }
}
