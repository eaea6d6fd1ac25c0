//! What nobody may tell, what was told, and whether the one is in the other.

use std::collections::HashSet;

use serde_json::Value;

/// So many characters of a secret are a part of it that tells.
pub const PIECE: usize = 12;

/// What a cell, or all of them, had to keep to itself, and what it told.
#[derive(Debug, Default)]
pub struct Account {
    pub secrets: Vec<String>,
    pub told: Vec<Value>,
}

impl Account {
    pub fn add_secret(&mut self, secret: &str) {
        // The emulator writes before its own tokens what they are.
        let secret = secret.strip_prefix("sessionToken-").unwrap_or(secret);
        let secret = secret.strip_prefix("keyManagerToken-").unwrap_or(secret);
        assert!(secret.len() >= PIECE, "too short to be recognised");
        self.secrets.push(secret.to_owned());
    }

    /// The lines of a private key but the first and the last, whatever else is in the text.
    pub fn add_private_key(&mut self, pem: &str) {
        let key = pem.split("PRIVATE KEY-----").nth(1).expect("a private key");
        let lines = key.lines().filter(|line| line.len() >= PIECE && !line.contains("---"));
        lines.for_each(|line| self.add_secret(line));
    }

    pub fn add_session(&mut self, session: &Value) {
        for name in ["sessionToken", "keyManagerToken", "authorizationToken"] {
            if let Some(token) = session[name].as_str() {
                self.add_secret(token.strip_prefix("Bearer ").unwrap_or(token));
            }
        }
    }

    pub fn merge(&mut self, other: Account) {
        self.secrets.extend(other.secrets);
        self.told.extend(other.told);
    }
}

/// The pieces of secrets that a text holds.
pub fn found_in(text: &str, secrets: &[String]) -> Vec<String> {
    let pieces: HashSet<&[u8]> = secrets
        .iter()
        .flat_map(|secret| secret.as_bytes().windows(PIECE))
        .collect();
    let found = text.as_bytes().windows(PIECE).filter(|window| pieces.contains(window));
    let mut found: Vec<String> = found
        .map(|window| String::from_utf8_lossy(window).into_owned())
        .collect();
    found.sort();
    found.dedup();
    found
}
