//! The logins: each of two services answers with a token, to a token that was signed with an RSA key, or to a client
//! certificate that was shown in the TLS handshake.
//!
//! Facts from the public OpenAPI descriptions of the login (20.14.1) and of the certificate login.

use std::sync::Arc;

use serde_json::json;
use ureq::http::{Method, Uri};

use super::login_token::LoginToken;
use super::pod::PodApi;
use super::said::Sent;
use super::tokens::usable_token;
use super::trouble::Trouble;
use super::{Answer, parse_uri, trace};
use crate::config::{Config, Credential, Service};
use crate::error::Error;
use crate::net::{Cutoff, Http, MaxBody, Request};

/// Where a session token and a key manager token are to be had.
pub(crate) struct LoginApi {
    session: Endpoint,
    /// None: the session token is the pod's, and is asked for over its connection.
    session_auth: Option<Http>,
    key_manager: Endpoint,
    key_manager_http: Http,
}

impl LoginApi {
    pub(crate) fn new(config: &Config, cutoff: &Arc<Cutoff>) -> Result<LoginApi, Error> {
        let session_auth = match &config.login.credential {
            Credential::Certificate(_) => config.session_auth.as_ref(),
            Credential::Key(_) => None,
        };
        let (session, session_path, key_manager_path) = match session_auth {
            Some(service) => (
                (service, "sessionAuth", "the session service"),
                "/sessionauth/v1/authenticate",
                "/keyauth/v1/authenticate",
            ),
            None => (
                (&config.pod, "pod", "the pod"),
                "/login/pubkey/authenticate",
                "/relay/pubkey/authenticate",
            ),
        };
        let key_manager = (&config.key_manager, "keyManager", "the key manager");
        Ok(LoginApi {
            session: Endpoint::new(session, session_path)?,
            session_auth: session_auth.map(|service| Http::new(service, cutoff)),
            key_manager: Endpoint::new(key_manager, key_manager_path)?,
            key_manager_http: Http::new(&config.key_manager, cutoff),
        })
    }

    /// Configured headers have their values of this moment from now on.
    ///
    /// # Errors
    ///
    /// A file with a header's value that cannot be read: the old value is kept.
    pub(crate) fn read_headers(&mut self) -> Result<(), Error> {
        let session = self.session_auth.as_mut().map_or(Ok(()), Http::read_headers);
        session.and(self.key_manager_http.read_headers())
    }

    /// Without a login token, the client certificate shows who logs in.
    pub(crate) fn session_token(
        &self,
        pod: &PodApi,
        login_token: Option<&LoginToken>,
    ) -> Result<Answer<String>, Trouble> {
        let http = self.session_auth.as_ref().unwrap_or(&pod.http);
        self.session.exchange(http, login_token)
    }

    pub(crate) fn key_manager_token(&self, login_token: Option<&LoginToken>) -> Result<Answer<String>, Trouble> {
        self.key_manager.exchange(&self.key_manager_http, login_token)
    }
}

struct Endpoint {
    uri: Uri,
    /// The section of its settings.
    section: &'static str,
    what: String,
}

impl Endpoint {
    fn new((service, section, name): (&Service, &'static str, &str), path: &str) -> Result<Endpoint, Error> {
        Ok(Endpoint {
            uri: parse_uri(&format!("{}{path}", service.base_url))?,
            section,
            what: format!("logging in to {name} at {}", service.base_url),
        })
    }

    fn exchange(&self, http: &Http, login_token: Option<&LoginToken>) -> Result<Answer<String>, Trouble> {
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
            secrets: http.secrets().chain(login_token).collect(),
        };
        let reply = match http.call(&request) {
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
