//! Login with an RSA key: a signed token goes to the pod and to the key manager, each answers with a session's token.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use ureq::http::{HeaderName, HeaderValue, Method, Uri};

use super::said::Sent;
use super::trouble::Trouble;
use super::{Answer, trace};
use crate::clock::wall_clock_millis;
use crate::config::{LoginKey, MAX_HEADER, Service};
use crate::error::{Code, Error};
use crate::net::{Cutoff, Http, MaxBody, Request};

/// The service accepts at most so much.
const MOST_LIFE_SECONDS: i64 = 300;

/// A little less leaves room for clocks that differ.
const TOKEN_LIFE_SECONDS: i64 = 290;

/// The two tokens that requests to the agent carry.
#[derive(Clone)]
pub(crate) struct Tokens {
    pub(crate) session: String,
    pub(crate) key_manager: String,
}

impl Tokens {
    /// The headers that carry them, marked so that they are not shown.
    pub(crate) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        [("sessiontoken", &self.session), ("keymanagertoken", &self.key_manager)]
            .into_iter()
            .filter_map(|(name, token)| {
                let mut value = HeaderValue::from_str(token).ok()?;
                value.set_sensitive(true);
                Some((HeaderName::from_static(name), value))
            })
            .collect()
    }
}

/// A JSON Web Token, signed with RS512, that says who logs in.
pub(crate) struct LoginToken {
    text: String,
    /// Seconds since 1970.
    expires: i64,
}

/// How exactly a `Date` header tells the time, in seconds: it has no fractions, and took a while to come.
const DATE_PRECISION: i64 = 2;

impl LoginToken {
    /// `clock_offset`: seconds by which the service's clock is ahead of this machine's.
    pub(crate) fn sign(username: &str, key: &LoginKey, clock_offset: i64) -> Result<LoginToken, Error> {
        let expires = (wall_clock_millis() / 1000) as i64 + clock_offset + TOKEN_LIFE_SECONDS;
        let header = json!({"alg": "RS512", "typ": "JWT"});
        let claims = json!({"sub": username, "exp": expires});
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let signed = format!(
            "{}.{}",
            encode(header.to_string().as_bytes()),
            encode(claims.to_string().as_bytes())
        );
        let signature = key.sign(signed.as_bytes())?;
        let text = format!("{signed}.{}", encode(&signature));
        Ok(LoginToken { text, expires })
    }

    /// Whether a service whose clock shows this may have refused the token for its time alone: it has expired there, or
    /// is too far from it.
    pub(crate) fn is_out_of_time(&self, service_seconds: i64) -> bool {
        let left = self.expires - service_seconds;
        left <= DATE_PRECISION || left > MOST_LIFE_SECONDS - DATE_PRECISION
    }
}

/// The pod, as far as the login needs it.
pub(crate) struct PodApi(LoginEndpoint);

impl PodApi {
    pub(crate) fn new(service: &Service, cutoff: &Arc<Cutoff>) -> Result<PodApi, Error> {
        let path = "/login/pubkey/authenticate";
        LoginEndpoint::new(service, path, ("pod", "the pod"), cutoff).map(PodApi)
    }

    pub(crate) fn session_token(&self, login_token: &LoginToken) -> Result<Answer<String>, Trouble> {
        self.0.exchange(&login_token.text)
    }
}

/// The key manager, as far as the login needs it.
pub(crate) struct KeyManagerApi(LoginEndpoint);

impl KeyManagerApi {
    pub(crate) fn new(service: &Service, cutoff: &Arc<Cutoff>) -> Result<KeyManagerApi, Error> {
        let path = "/relay/pubkey/authenticate";
        LoginEndpoint::new(service, path, ("keyManager", "the key manager"), cutoff).map(KeyManagerApi)
    }

    pub(crate) fn key_manager_token(&self, login_token: &LoginToken) -> Result<Answer<String>, Trouble> {
        self.0.exchange(&login_token.text)
    }
}

struct LoginEndpoint {
    http: Http,
    uri: Uri,
    /// The section of its settings.
    section: &'static str,
    what: String,
}

impl LoginEndpoint {
    fn new(
        service: &Service,
        path: &str,
        (section, name): (&'static str, &str),
        cutoff: &Arc<Cutoff>,
    ) -> Result<LoginEndpoint, Error> {
        Ok(LoginEndpoint {
            http: Http::new(service, cutoff),
            uri: parse_uri(&format!("{}{path}", service.base_url))?,
            section,
            what: format!("logging in to {name} at {}", service.base_url),
        })
    }

    fn exchange(&self, login_token: &str) -> Result<Answer<String>, Trouble> {
        let trace_id = trace::new_id();
        let body = json!({ "token": login_token }).to_string();
        let request = Request {
            method: Method::POST,
            uri: &self.uri,
            headers: &[],
            body: Some(&body),
            trace_id: &trace_id,
            max_body: MaxBody::Short,
            repeatable: true,
        };
        let what = || self.what.clone();
        let sent = Sent {
            service: self.section,
            secrets: self.http.secrets().chain([login_token]).collect(),
        };
        let reply = match self.http.call(&request) {
            Ok(reply) => reply,
            Err(failure) => return Err(Trouble::no_answer(what(), trace_id, failure, &sent)),
        };
        if reply.status != 200 {
            return Err(Trouble::status(what(), trace_id, &reply, &sent));
        }
        let token = serde_json::from_slice::<Value>(&reply.body)
            .ok()
            .and_then(|answer| answer.get("token")?.as_str().map(str::to_owned))
            .filter(|token| !token.is_empty() && token.len() <= MAX_HEADER && HeaderValue::from_str(token).is_ok());
        match token {
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

pub(super) fn parse_uri(text: &str) -> Result<Uri, Error> {
    text.parse()
        .map_err(|error| Error::new(Code::ConfigInvalid, format!("{text} is no valid address: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_out_of_time_when_it_has_expired_or_is_too_far_ahead() {
        let token = LoginToken {
            text: String::new(),
            expires: 10_000,
        };
        // By the service's clock: five minutes and more before it expires, at once after it was made, and afterwards.
        for (service, out_of_time) in [
            (9_000, true),
            (9_700, true),
            (9_701, true),
            (9_702, false),
            (9_710, false),
            (9_997, false),
            (9_998, true),
            (10_000, true),
            (20_000, true),
        ] {
            assert_eq!(token.is_out_of_time(service), out_of_time, "{service}");
        }
    }
}
