//! The pod, as far as it knows a session: who the bot is, and its common JWT.
//!
//! Facts from the public OpenAPI descriptions of the pod, `/pod/v2/sessioninfo`, and of the login, `/login/idm/tokens`.

use std::sync::Arc;

use serde_json::Value;
use ureq::http::{Method, Uri};

use super::said::Sent;
use super::tokens::{CommonJwt, Tokens, usable_token};
use super::trouble::{Trouble, TroubleKind};
use super::{Answer, parse_uri, trace};
use crate::clock::Moment;
use crate::config::Service;
use crate::error::Error;
use crate::net::{Cutoff, Http, MaxBody, Reply, Request};

pub(crate) struct PodApi {
    pub(super) http: Http,
    base_url: String,
    account_uri: Uri,
    jwt_uri: Uri,
}

/// The bot as a user.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) id: Option<i64>,
    pub(crate) username: Option<String>,
}

impl PodApi {
    pub(crate) fn new(service: &Service, cutoff: &Arc<Cutoff>) -> Result<PodApi, Error> {
        let uri = |path: &str| parse_uri(&format!("{}{path}", service.base_url));
        Ok(PodApi {
            http: Http::new(service, cutoff),
            base_url: service.base_url.clone(),
            account_uri: uri("/pod/v2/sessioninfo")?,
            jwt_uri: uri("/login/idm/tokens")?,
        })
    }

    /// Configured headers have their values of this moment from now on.
    ///
    /// # Errors
    ///
    /// A file with a header's value that cannot be read: the old value is kept.
    pub(crate) fn read_headers(&mut self) -> Result<(), Error> {
        self.http.read_headers()
    }

    /// The user whose session it is.
    pub(crate) fn account(&self, tokens: &Tokens) -> Result<Answer<Account>, Trouble> {
        let what = || format!("asking the pod at {} who the bot is", self.base_url);
        let (reply, trace_id) = self.call(Method::GET, &self.account_uri, tokens, what)?;
        let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let account = Account {
            id: answer.get("id").and_then(Value::as_i64),
            username: answer.get("username").and_then(Value::as_str).map(str::to_owned),
        };
        if account.id.is_none() && account.username.is_none() {
            let reason = "it holds neither id nor username";
            return Err(Trouble::malformed(what(), trace_id, &reply, self.sent(tokens), reason));
        }
        Ok(Answer {
            value: account,
            trace_id,
        })
    }

    /// A new common JWT for the session of these tokens.
    pub(crate) fn common_jwt(&self, tokens: &Tokens, now: Moment) -> Result<Answer<CommonJwt>, Trouble> {
        let what = || format!("getting a common JWT from the pod at {}", self.base_url);
        let (reply, trace_id) = self
            .call(Method::POST, &self.jwt_uri, tokens, what)
            .map_err(|trouble| {
                if trouble.kind == TroubleKind::Status(404) {
                    trouble.explained(
                        "a pod without common JWTs answers so: set commonJwt.enabled to false if this is one",
                    )
                } else {
                    trouble
                }
            })?;
        let seconds = serde_json::from_slice::<Value>(&reply.body)
            .ok()
            .and_then(|answer| answer.get("expires_in")?.as_u64());
        match usable_token(&reply.body, "access_token") {
            Some(token) => Ok(Answer {
                value: CommonJwt::new(token, seconds.unwrap_or(USUAL_LIFE), now),
                trace_id,
            }),
            None => {
                let reason = "it holds no usable access_token";
                Err(Trouble::malformed(what(), trace_id, &reply, self.sent(tokens), reason))
            }
        }
    }

    fn sent<'a>(&'a self, tokens: &'a Tokens) -> Sent<'a> {
        let jwt = tokens.common_jwt.as_ref().map(|jwt| jwt.token.as_str());
        Sent {
            service: "pod",
            secrets: self
                .http
                .secrets()
                .chain([tokens.session.as_str()])
                .chain(jwt)
                .collect(),
        }
    }

    /// The pod takes the session token also where the agent takes the common JWT.
    fn call(
        &self,
        method: Method,
        uri: &Uri,
        tokens: &Tokens,
        what: impl Fn() -> String,
    ) -> Result<(Reply, String), Trouble> {
        let trace_id = trace::new_id();
        let request = Request {
            method,
            uri,
            headers: &tokens.session_header(),
            body: None,
            trace_id: &trace_id,
            max_body: MaxBody::Short,
            repeatable: true,
        };
        match self.http.call(&request) {
            Ok(reply) if reply.status == 200 => Ok((reply, trace_id)),
            Ok(reply) => Err(Trouble::status(what(), trace_id, &reply, &self.sent(tokens))),
            Err(failure) => Err(Trouble::no_answer(what(), trace_id, failure, &self.sent(tokens))),
        }
    }
}

/// Seconds, for a pod that does not say.
const USUAL_LIFE: u64 = 300;
