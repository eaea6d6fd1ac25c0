//! The logins: each of two services answers with a token, to a token that was signed with an RSA key, or to a client
//! certificate that was shown in the TLS handshake.
//!
//! Facts from the public OpenAPI descriptions of the login (20.14.1) and of the certificate login.

use std::sync::Arc;

use serde_json::{Value, json};
use ureq::http::{HeaderValue, Method, Uri};

use super::login_token::LoginToken;
use super::said::Sent;
use super::trouble::Trouble;
use super::{Answer, parse_uri, trace};
use crate::config::{Config, Credential, MAX_HEADER, Service};
use crate::error::Error;
use crate::net::{Cutoff, Http, MaxBody, Request};

/// Where a session token and a key manager token are to be had.
pub(crate) struct LoginApi {
    session: Endpoint,
    key_manager: Endpoint,
}

impl LoginApi {
    pub(crate) fn new(config: &Config, cutoff: &Arc<Cutoff>) -> Result<LoginApi, Error> {
        let key_manager = |path| Endpoint::new(&config.key_manager, path, ("keyManager", "the key manager"), cutoff);
        Ok(match (&config.login.credential, &config.session_auth) {
            (Credential::Certificate(_), Some(session_auth)) => LoginApi {
                session: Endpoint::new(
                    session_auth,
                    "/sessionauth/v1/authenticate",
                    ("sessionAuth", "the session service"),
                    cutoff,
                )?,
                key_manager: key_manager("/keyauth/v1/authenticate")?,
            },
            _ => LoginApi {
                session: Endpoint::new(&config.pod, "/login/pubkey/authenticate", ("pod", "the pod"), cutoff)?,
                key_manager: key_manager("/relay/pubkey/authenticate")?,
            },
        })
    }

    /// Configured headers have their values of this moment from now on.
    ///
    /// # Errors
    ///
    /// A file with a header's value that cannot be read: the old value is kept.
    pub(crate) fn read_headers(&mut self) -> Result<(), Error> {
        let session = self.session.http.read_headers();
        session.and(self.key_manager.http.read_headers())
    }

    /// Without a login token, the client certificate shows who logs in.
    pub(crate) fn session_token(&self, login_token: Option<&LoginToken>) -> Result<Answer<String>, Trouble> {
        self.session.exchange(login_token)
    }

    pub(crate) fn key_manager_token(&self, login_token: Option<&LoginToken>) -> Result<Answer<String>, Trouble> {
        self.key_manager.exchange(login_token)
    }
}

struct Endpoint {
    http: Http,
    uri: Uri,
    /// The section of its settings.
    section: &'static str,
    what: String,
}

impl Endpoint {
    fn new(
        service: &Service,
        path: &str,
        (section, name): (&'static str, &str),
        cutoff: &Arc<Cutoff>,
    ) -> Result<Endpoint, Error> {
        Ok(Endpoint {
            http: Http::new(service, cutoff),
            uri: parse_uri(&format!("{}{path}", service.base_url))?,
            section,
            what: format!("logging in to {name} at {}", service.base_url),
        })
    }

    fn exchange(&self, login_token: Option<&LoginToken>) -> Result<Answer<String>, Trouble> {
        let trace_id = trace::new_id();
        // A login by certificate has no body: an empty object has been seen to be refused.
        let body = login_token.map(|token| json!({ "token": token.text }).to_string());
        let request = Request {
            method: Method::POST,
            uri: &self.uri,
            headers: &[],
            body: body.as_deref(),
            trace_id: &trace_id,
            max_body: MaxBody::Short,
            repeatable: true,
        };
        let what = || self.what.clone();
        let login_token = login_token.map(|token| token.text.as_str());
        let sent = Sent {
            service: self.section,
            secrets: self.http.secrets().chain(login_token).collect(),
        };
        let reply = match self.http.call(&request) {
            Ok(reply) => reply,
            Err(failure) => return Err(Trouble::no_answer(what(), trace_id, failure, &sent)),
        };
        if reply.status != 200 {
            return Err(Trouble::status(what(), trace_id, &reply, &sent));
        }
        match usable_token(&reply.body, "token") {
            Some(value) => Ok(Answer { value, trace_id }),
            None => Err(Trouble::malformed(
                what(),
                trace_id,
                &reply,
                sent,
                "it holds no usable token",
            )),
        }
    }
}

/// A token that an answer holds under this name and a header can hold.
pub(super) fn usable_token(body: &[u8], name: &str) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let token = answer.get(name)?.as_str()?;
    let usable =
        !token.is_empty() && token.len() <= MAX_HEADER - "Bearer ".len() && HeaderValue::from_str(token).is_ok();
    usable.then(|| token.to_owned())
}
