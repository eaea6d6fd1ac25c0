//! Login with an RSA key: a signed token goes to the pod and to the key manager, each answers with a session's token.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use ureq::http::{HeaderName, HeaderValue, Method, Uri};

use super::trace;
use super::trouble::Trouble;
use crate::clock::wall_clock_millis;
use crate::config::{LoginKey, Service};
use crate::error::{Code, Error};
use crate::net::{Cutoff, Http, Request};

/// The service accepts at most five minutes. A little less leaves room for clocks that differ.
const TOKEN_LIFE_SECONDS: u64 = 290;

/// Most that a login may answer.
const MAX_ANSWER: usize = 1 << 20;

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
pub(crate) fn login_token(username: &str, key: &LoginKey) -> Result<String, Error> {
    let expires = wall_clock_millis() / 1000 + TOKEN_LIFE_SECONDS;
    let header = json!({"alg": "RS512", "typ": "JWT"});
    let claims = json!({"sub": username, "exp": expires});
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let signed = format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(claims.to_string().as_bytes())
    );
    let signature = key.sign(signed.as_bytes())?;
    Ok(format!("{signed}.{}", encode(&signature)))
}

/// The pod, as far as the login needs it.
pub(crate) struct PodApi(LoginEndpoint);

impl PodApi {
    pub(crate) fn new(service: &Service, cutoff: &Arc<Cutoff>) -> Result<PodApi, Error> {
        let path = "/login/pubkey/authenticate";
        LoginEndpoint::new(service, path, "logging in to the pod", cutoff).map(PodApi)
    }

    pub(crate) fn session_token(&self, login_token: &str) -> Result<String, Trouble> {
        self.0.exchange(login_token)
    }
}

/// The key manager, as far as the login needs it.
pub(crate) struct KeyManagerApi(LoginEndpoint);

impl KeyManagerApi {
    pub(crate) fn new(service: &Service, cutoff: &Arc<Cutoff>) -> Result<KeyManagerApi, Error> {
        let path = "/relay/pubkey/authenticate";
        LoginEndpoint::new(service, path, "logging in to the key manager", cutoff).map(KeyManagerApi)
    }

    pub(crate) fn key_manager_token(&self, login_token: &str) -> Result<String, Trouble> {
        self.0.exchange(login_token)
    }
}

struct LoginEndpoint {
    http: Http,
    uri: Uri,
    what: String,
}

impl LoginEndpoint {
    fn new(service: &Service, path: &str, doing: &str, cutoff: &Arc<Cutoff>) -> Result<LoginEndpoint, Error> {
        Ok(LoginEndpoint {
            http: Http::new(service, cutoff, MAX_ANSWER),
            uri: parse_uri(&format!("{}{path}", service.base_url))?,
            what: format!("{doing} at {}", service.base_url),
        })
    }

    fn exchange(&self, login_token: &str) -> Result<String, Trouble> {
        let trace_id = trace::new_id();
        let body = json!({ "token": login_token }).to_string();
        let request = Request {
            method: Method::POST,
            uri: &self.uri,
            headers: &[],
            body: Some(&body),
            trace_id: &trace_id,
            repeatable: true,
        };
        let what = || self.what.clone();
        let reply = match self.http.call(&request) {
            Ok(reply) => reply,
            Err(failure) => return Err(Trouble::no_answer(what(), trace_id, failure)),
        };
        if reply.status != 200 {
            return Err(Trouble::status(what(), trace_id, &reply, &[login_token]));
        }
        let token = serde_json::from_slice::<Value>(&reply.body)
            .ok()
            .and_then(|answer| answer.get("token")?.as_str().map(str::to_owned))
            .filter(|token| !token.is_empty() && HeaderValue::from_str(token).is_ok());
        token.ok_or_else(|| Trouble::malformed(what(), trace_id, "it holds no usable token".to_owned()))
    }
}

pub(super) fn parse_uri(text: &str) -> Result<Uri, Error> {
    text.parse()
        .map_err(|error| Error::new(Code::ConfigInvalid, format!("{text} is no valid address: {error}")))
}
