//! How one logs in: whom to ask for which token, with what.

use std::sync::Arc;

use crate::clock::Clock;
use crate::config::{Config, Credential, Login};
use crate::error::Error;
use crate::net::Cutoff;
use crate::policy::Operation;
use crate::protocol::{Account, Answer, LoginApi, LoginToken, PodApi, Tokens, Trouble, claims_key_delivery};

/// Logs in over connections of its own.
pub(crate) struct Authenticator {
    login: Login,
    api: LoginApi,
    pod: PodApi,
    clock: Clock,
    /// Seconds by which the service's clock is ahead of this machine's, if login tokens must allow for it.
    pub(crate) clock_offset: i64,
}

/// Tokens, and the trace ids of the requests that brought them.
pub(crate) struct LoggedIn {
    pub(crate) tokens: Tokens,
    pub(crate) trace_id: String,
    pub(crate) key_manager_trace_id: Option<String>,
    /// Why the agent did not say whether it delivers keys, if the key manager gave a token all the same.
    pub(crate) without_info: Option<Trouble>,
}

/// Why there are no tokens.
pub(crate) enum Refused {
    /// A request went wrong.
    Trouble {
        operation: Operation,
        trouble: Box<Trouble>,
        /// The service's clock showed that the login token is out of time.
        clocks_apart: bool,
    },
    /// It failed before any request.
    Broken(Error),
}

impl Authenticator {
    pub(crate) fn new(config: &Config, cutoff: &Arc<Cutoff>) -> Result<Authenticator, Error> {
        Ok(Authenticator {
            login: config.login.clone(),
            api: LoginApi::new(config, cutoff)?,
            pod: PodApi::new(&config.pod, cutoff)?,
            clock: config.clock.clone(),
            clock_offset: 0,
        })
    }

    /// Configured headers have their values of this moment from now on.
    ///
    /// # Errors
    ///
    /// A file with a header's value that cannot be read: the old value is kept.
    pub(crate) fn read_headers(&mut self) -> Result<(), Error> {
        let login = self.api.read_headers();
        login.and(self.pod.read_headers())
    }

    /// Asks for every token that requests to the agent need. `delivers_keys` answers whether the agent delivers keys to a
    /// session alone; it is asked only if the session may have them so.
    pub(crate) fn log_in(&self, delivers_keys: impl FnOnce() -> Result<bool, Trouble>) -> Result<LoggedIn, Refused> {
        let (login_token, operation) = match &self.login.credential {
            Credential::Key(key) => {
                let username = self.login.username.as_deref().unwrap_or_default();
                let token = LoginToken::sign(username, key, self.clock_offset).map_err(Refused::Broken)?;
                (Some(token), Operation::Login)
            }
            Credential::Certificate(_) => (None, Operation::CertificateLogin),
        };
        let login_token = login_token.as_ref();
        let refused = |trouble: Trouble| {
            let clocks_apart = login_token
                .zip(trouble.service_seconds)
                .is_some_and(|(token, seconds)| token.is_out_of_time(seconds));
            Refused::Trouble {
                operation,
                trouble: Box::new(trouble),
                clocks_apart,
            }
        };
        let session = self.api.session_token(&self.pod, login_token).map_err(refused)?;
        let simplified = match claims_key_delivery(&session.value) {
            true => delivers_keys(),
            false => Ok(false),
        };
        let mut without_info = None;
        let key_manager = match simplified {
            Ok(true) => None,
            Ok(false) => Some(self.api.key_manager_token(login_token).map_err(refused)?),
            // The key manager may give a token all the same. If not, it may not be there, and has refused nothing.
            Err(trouble) => match self.api.key_manager_token(login_token) {
                Ok(answer) => {
                    without_info = Some(trouble);
                    Some(answer)
                }
                Err(_) => return Err(Refused::of(Operation::Info, trouble)),
            },
        };
        let key_manager_trace_id = key_manager.as_ref().map(|answer| answer.trace_id.clone());
        let mut tokens = Tokens {
            session: session.value,
            key_manager: key_manager.map(|answer| answer.value),
            common_jwt: None,
        };
        if self.login.common_jwt {
            let (with_jwt, _) = self
                .renew_jwt(&tokens)
                .map_err(|trouble| Refused::of(Operation::Jwt, trouble))?;
            tokens = with_jwt;
        }
        Ok(LoggedIn {
            tokens,
            trace_id: session.trace_id,
            key_manager_trace_id,
            without_info,
        })
    }

    /// The same session's tokens with a new common JWT, and the trace id of the request.
    pub(crate) fn renew_jwt(&self, tokens: &Tokens) -> Result<(Tokens, String), Trouble> {
        let jwt = self.pod.common_jwt(tokens, self.clock.now())?;
        let tokens = Tokens {
            common_jwt: Some(jwt.value),
            ..tokens.clone()
        };
        Ok((tokens, jwt.trace_id))
    }

    /// The user whose session it is.
    pub(crate) fn account(&self, tokens: &Tokens) -> Result<Answer<Account>, Trouble> {
        self.pod.account(tokens)
    }
}

impl Refused {
    fn of(operation: Operation, trouble: Trouble) -> Refused {
        Refused::Trouble {
            operation,
            trouble: Box::new(trouble),
            clocks_apart: false,
        }
    }
}
