//! What requests carry after a login.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use ureq::http::{HeaderName, HeaderValue};

use crate::clock::Moment;
use crate::config::MAX_HEADER;

/// The tokens of a session. These are secrets.
#[derive(Clone)]
pub(crate) struct Tokens {
    pub(crate) session: String,
    /// None where the agent delivers keys to the session alone.
    pub(crate) key_manager: Option<String>,
    /// In place of the session token, if it is so configured.
    pub(crate) common_jwt: Option<CommonJwt>,
}

/// A token that is good for a few minutes.
#[derive(Clone)]
pub(crate) struct CommonJwt {
    pub(crate) token: String,
    /// When another one is to be fetched.
    pub(crate) renew_at: Moment,
    pub(crate) expires: Moment,
}

/// A new common JWT is fetched when so much of its life is left at most.
const RENEWAL: Duration = Duration::from_secs(90);

/// A pod that says less is asked no more often for that.
const SHORTEST_LIFE: Duration = Duration::from_secs(3);

impl CommonJwt {
    /// Of one that was given out now, for so many seconds. A read may wait for half a minute and carries the token that it
    /// began with, so it is renewed well before its end: when a third of its life is left, but at most 90 seconds.
    pub(super) fn new(token: String, expires_in: u64, now: Moment) -> CommonJwt {
        let life = Duration::from_secs(expires_in.min(365 * 24 * 3600)).max(SHORTEST_LIFE);
        CommonJwt {
            token,
            renew_at: now + life.saturating_sub(RENEWAL.min(life / 3)),
            expires: now + life,
        }
    }

    /// As a header and in a session's description.
    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }
}

impl Tokens {
    /// The headers that carry them, marked so that they are not shown.
    pub(crate) fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let session = match &self.common_jwt {
            Some(jwt) => ("authorization", Some(jwt.bearer())),
            None => ("sessiontoken", Some(self.session.clone())),
        };
        [session, ("keymanagertoken", self.key_manager.clone())]
            .into_iter()
            .filter_map(|(name, token)| header(name, &token?))
            .collect()
    }

    /// The header of the session token, for the pod.
    pub(super) fn session_header(&self) -> Vec<(HeaderName, HeaderValue)> {
        header("sessiontoken", &self.session).into_iter().collect()
    }

    /// Whether this is one of them.
    pub(crate) fn include(&self, token: &str) -> bool {
        let token = token.trim();
        let token = match token.split_at_checked("Bearer ".len()) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("Bearer ") => rest.trim_start(),
            _ => token,
        };
        let jwt = self.common_jwt.as_ref().is_some_and(|jwt| jwt.token == token);
        jwt || self.session == token || self.key_manager.as_deref() == Some(token)
    }
}

fn header(name: &'static str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some((HeaderName::from_static(name), value))
}

/// Whether a session token says that the agent may deliver keys to it alone. It says so as a JWT; whether its signature
/// is good is for the service to judge.
pub(crate) fn claims_key_delivery(session: &str) -> bool {
    let mut parts = session.split('.');
    let (Some(_), Some(claims)) = (parts.next(), parts.next()) else {
        return false;
    };
    let decoded = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).unwrap_or_default();
    let claims: Value = serde_json::from_slice(&decoded).unwrap_or_default();
    claims.get("canUseSimplifiedKeyDelivery") == Some(&Value::Bool(true))
}

/// A token that an answer holds under this name and a header can hold.
pub(super) fn usable_token(body: &[u8], name: &str) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let token = answer.get(name)?.as_str()?;
    let usable =
        !token.is_empty() && token.len() <= MAX_HEADER - "Bearer ".len() && HeaderValue::from_str(token).is_ok();
    usable.then(|| token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_token_may_claim_key_delivery() {
        let token = |claims: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
        assert!(claims_key_delivery(&token(
            r#"{"sub":"bot","canUseSimplifiedKeyDelivery":true}"#
        )));
        for other in [
            &token(r#"{"canUseSimplifiedKeyDelivery":false}"#),
            &token(r#"{"canUseSimplifiedKeyDelivery":"true"}"#),
            &token("[]"),
            &token("{"),
            "opaque",
            "a.b.c",
            "",
            "..",
        ] {
            assert!(!claims_key_delivery(other), "{other}");
        }
    }

    #[test]
    fn a_common_jwt_is_renewed_before_its_end() {
        let renewed = |expires_in| CommonJwt::new(String::new(), expires_in, Moment(1000)).renew_at.0;
        assert_eq!(renewed(300), 1000 + 210_000);
        assert_eq!(renewed(30), 1000 + 20_000);
        assert_eq!(renewed(0), 1000 + 2_000);
        assert!(renewed(u64::MAX) > 1000);
    }
}
