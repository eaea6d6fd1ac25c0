//! The bot's RSA key: loaded and checked when the feed is created, so that a wrong one is told at once.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::{PemObject, SectionKind};
use rustls::sign::SigningKey;

use super::{file, store};
use crate::error::{Code, Error};

/// A private key that can sign with RS512. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub(crate) struct LoginKey(Arc<dyn SigningKey>);

impl fmt::Debug for LoginKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LoginKey(..)")
    }
}

impl LoginKey {
    /// Reads a PEM file. `field` is the setting that names it.
    pub(crate) fn from_file(path: &Path, field: &str) -> Result<LoginKey, Error> {
        let pem = file::read(path, field).map_err(|error| error.with_field(field))?;
        LoginKey::from_pem(&pem).map_err(|reason| {
            let shown = path.display();
            Error::new(Code::FileInvalid, format!("{field}: {shown} {reason}"))
                .with_field(field)
                .with_file(shown.to_string())
        })
    }

    /// Takes the PEM text itself, or in base64.
    pub(crate) fn from_content(content: &str, field: &str) -> Result<LoginKey, Error> {
        LoginKey::from_pem(&store::from_text(content))
            .map_err(|reason| Error::config(field, format!("{field} {reason}")))
    }

    fn from_pem(pem: &[u8]) -> Result<LoginKey, String> {
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| what_it_is_instead(pem).to_owned())?;
        if matches!(key, PrivateKeyDer::Sec1(_)) {
            return Err("holds an EC key; Symphony's RSA login needs an RSA key".to_owned());
        }
        let key = any_supported_type(&key).map_err(|_| {
            "holds a private key that cannot be used; an RSA key of 2048 to 4096 bits is needed".to_owned()
        })?;
        if key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA512]).is_none() {
            return Err("holds a private key that is not RSA; Symphony's RSA login needs an RSA key".to_owned());
        }
        Ok(LoginKey(key))
    }

    /// Signs with RSASSA-PKCS1-v1_5 and SHA-512, which a JWT calls RS512.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.0
            .choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA512])
            .ok_or_else(|| Error::new(Code::Internal, "the login key lost its signature scheme"))?
            .sign(message)
            .map_err(|error| Error::new(Code::Internal, format!("the login token could not be signed: {error}")))
    }
}

/// For a text without a private key: what it is, and what is needed.
fn what_it_is_instead(pem: &[u8]) -> &'static str {
    let text = String::from_utf8_lossy(pem);
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return "holds an encrypted private key; decrypt it first (openssl pkey -in KEY -out DECRYPTED)";
    }
    let sections = <(SectionKind, Vec<u8>)>::pem_slice_iter(pem).filter_map(Result::ok);
    for (kind, _) in sections {
        match kind {
            SectionKind::PublicKey => return "holds a public key; the private key that belongs to it is needed",
            SectionKind::Certificate => return "holds a certificate; the private key is needed",
            _ => {}
        }
    }
    if text.contains("BEGIN RSA PUBLIC KEY") {
        return "holds a public key; the private key that belongs to it is needed";
    }
    if text.contains("PRIVATE KEY") {
        return "holds a damaged private key; it must be a whole PEM section, line breaks included";
    }
    "holds no private key; a PEM text with -----BEGIN PRIVATE KEY----- or -----BEGIN RSA PRIVATE KEY----- is needed"
}
