//! RSA keys of bots, and the login tokens made with them.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA512};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// A bot's key pair.
#[derive(Debug)]
pub struct KeyPair {
    pair: RsaKeyPair,
    private_pem: String,
    public_pem: String,
}

impl KeyPair {
    /// A new pair of 2048 bits.
    pub fn generate() -> KeyPair {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key pair can be generated");
        let private = AsDer::<Pkcs8V1Der>::as_der(&pair).expect("a new key has an encoding");
        let public = AsDer::<PublicKeyX509Der>::as_der(pair.public_key()).expect("a new key has an encoding");
        let private_pem = pem("PRIVATE KEY", private.as_ref());
        let public_pem = pem("PUBLIC KEY", public.as_ref());
        KeyPair {
            pair,
            private_pem,
            public_pem,
        }
    }

    /// The pair of this process, generated when it is first asked for.
    pub fn of_this_process() -> &'static KeyPair {
        static PAIR: OnceLock<KeyPair> = OnceLock::new();
        PAIR.get_or_init(KeyPair::generate)
    }

    /// PKCS#8.
    pub fn private_key_pem(&self) -> &str {
        &self.private_pem
    }

    /// SubjectPublicKeyInfo.
    pub fn public_key_pem(&self) -> &str {
        &self.public_pem
    }

    /// An RS512 token with these claims.
    pub fn token(&self, claims: &Value) -> String {
        let header = json!({"alg": "RS512", "typ": "JWT"});
        let mut token = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA512,
                &SystemRandom::new(),
                token.as_bytes(),
                &mut signature,
            )
            .expect("an RSA key signs");
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        token
    }
}

/// The key that a bot's login tokens are verified with.
#[derive(Debug, Clone)]
pub struct PublicKey(ParsedPublicKey);

impl PublicKey {
    /// Reads `BEGIN PUBLIC KEY` (SubjectPublicKeyInfo) or `BEGIN RSA PUBLIC KEY` (PKCS#1).
    pub fn from_pem(text: &str) -> Result<PublicKey, String> {
        let begin = text.find("-----BEGIN ").ok_or("the public key is not PEM")?;
        let rest = &text[begin + "-----BEGIN ".len()..];
        let (label, rest) = rest.split_once("-----").ok_or("the PEM label is cut")?;
        if label != "PUBLIC KEY" && label != "RSA PUBLIC KEY" {
            return Err(format!("the PEM holds a {label}, not a PUBLIC KEY"));
        }
        let (body, _) = rest.split_once("-----END ").ok_or("the PEM has no end line")?;
        let body: String = body.split_whitespace().collect();
        let der = STANDARD
            .decode(body)
            .map_err(|error| format!("the PEM is not base64: {error}"))?;
        ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA512, der)
            .map(PublicKey)
            .map_err(|_| "the public key is not an RSA key of at least 2048 bits".into())
    }

    /// The claims of a token, when it is an RS512 token signed with the other half of this key.
    pub fn claims(&self, token: &str) -> Result<Value, &'static str> {
        let (signed, signature) = token
            .rsplit_once('.')
            .ok_or("the token is not three parts joined by dots")?;
        let (header, claims) = signed
            .split_once('.')
            .ok_or("the token is not three parts joined by dots")?;
        if part(header).ok_or("the token's header is not base64url of JSON")?["alg"] != "RS512" {
            return Err("the token's alg is not RS512");
        }
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| "the token's signature is not base64url")?;
        self.0
            .verify_sig(signed.as_bytes(), &signature)
            .map_err(|_| "the token's signature is not of the bot's key")?;
        part(claims).ok_or("the token's claims are not base64url of JSON")
    }
}

fn part(text: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

fn pem(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for start in (0..encoded.len()).step_by(64) {
        text.push_str(&encoded[start..encoded.len().min(start + 64)]);
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}
