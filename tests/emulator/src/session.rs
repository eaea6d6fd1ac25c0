//! Who may log in, and which tokens are good.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::clock::{Millis, millis, wall};
use crate::keys::PublicKey;

/// The two logins, each with its own kind of token, and the token that the session token buys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Session,
    KeyManager,
    /// The common JWT.
    Bearer,
}

impl Kind {
    /// The name of the header that carries the token.
    pub fn header(self) -> &'static str {
        match self {
            Kind::Session => "sessionToken",
            Kind::KeyManager => "keyManagerToken",
            Kind::Bearer => "Authorization",
        }
    }
}

/// How far ahead `exp` may lie, and a little for clocks that differ.
const LONGEST: Millis = 5 * 60 * 1000;
const SKEW: Millis = 2 * 1000;

/// The sessions of a pod. Clones of it are the same ones.
#[derive(Clone, Debug)]
pub struct Sessions {
    key: PublicKey,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    rejecting: bool,
    tokens: HashMap<(Kind, String), Millis>,
    rng: fastrand::Rng,
}

impl Sessions {
    pub fn new(key: PublicKey) -> Self {
        let state = Arc::default();
        Sessions { key, state }
    }

    /// Whether this token logs the bot in; if not, why.
    pub fn check_login(&self, token: &str, username: &str, now: Millis) -> Result<(), String> {
        self.check_account()?;
        let claims = self.key.claims(token)?;
        if claims["sub"] != username {
            return Err("the token's sub is not the bot's username".into());
        }
        let Some(expiry) = claims["exp"].as_u64() else {
            return Err("the token's exp is not a number of seconds".into());
        };
        let expiry = expiry.saturating_mul(1000);
        if expiry <= now {
            return Err("the token has expired".into());
        }
        if expiry > now + LONGEST + SKEW {
            return Err("the token's exp is more than 5 minutes ahead".into());
        }
        Ok(())
    }

    /// Whether anything logs the bot in.
    pub fn check_account(&self) -> Result<(), String> {
        match self.lock().rejecting {
            true => Err("This account may not log in".into()),
            false => Ok(()),
        }
    }

    /// The time that login tokens are judged by.
    pub fn login_time(&self, now: Millis, follow_clock: bool) -> Millis {
        if follow_clock { now } else { wall() }
    }

    pub fn open(&self, kind: Kind, now: Millis, ttl: Duration) -> String {
        let mut state = self.lock();
        let token = format!("{}-{:016x}{:016x}", kind.header(), state.rng.u64(..), state.rng.u64(..));
        state.keep(kind, token, now, ttl)
    }

    /// A token that a client can look into: a JWT with these claims. Nobody can verify its signature.
    pub fn open_jwt(&self, kind: Kind, mut claims: Value, now: Millis, ttl: Duration) -> String {
        let mut state = self.lock();
        claims["exp"] = json!(now.saturating_add(millis(ttl)) / 1000);
        claims["jti"] = json!(format!("{:016x}", state.rng.u64(..)));
        let mut signature = [0; 64];
        state.rng.fill(&mut signature);
        let token = format!(
            "{}.{}.{}",
            URL_SAFE_NO_PAD.encode(json!({"alg": "RS512", "typ": "JWT"}).to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string()),
            URL_SAFE_NO_PAD.encode(signature)
        );
        state.keep(kind, token, now, ttl)
    }

    pub fn is_good(&self, kind: Kind, token: &str, now: Millis) -> bool {
        self.lock()
            .tokens
            .get(&(kind, token.to_owned()))
            .is_some_and(|expiry| *expiry > now)
    }

    pub fn expire_all(&self) {
        self.lock().tokens.clear();
    }

    pub fn reject_logins(&self, reject: bool) {
        self.lock().rejecting = reject;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn keep(&mut self, kind: Kind, token: String, now: Millis, ttl: Duration) -> String {
        let expiry = now.saturating_add(millis(ttl));
        self.tokens.retain(|_, expiry| *expiry > now);
        self.tokens.insert((kind, token.clone()), expiry);
        token
    }
}
