//! The token that an RSA key signs to log in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::clock::wall_clock_millis;
use crate::config::LoginKey;
use crate::error::Error;

/// The service accepts at most so much.
const MOST_LIFE_SECONDS: i64 = 300;

/// A little less leaves room for clocks that differ.
const TOKEN_LIFE_SECONDS: i64 = 290;

/// A JSON Web Token, signed with RS512, that says who logs in.
pub(crate) struct LoginToken {
    pub(super) text: String,
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
