//! The bot's client certificate, for the login by mutual TLS: loaded and checked when the feed is created.

use std::fmt;
use std::sync::Arc;

use rustls::InconsistentKeys;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::section::Section;
use super::{file, store};
use crate::error::{Code, Error};

/// A certificate with its chain, and the key that belongs to it. Its `Debug` shows nothing of the key.
#[derive(Clone)]
pub(crate) struct ClientCertificate(Arc<Inner>);

struct Inner {
    /// The bot's own first.
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ClientCertificate")
            .field("chain", &self.0.chain.len())
            .finish_non_exhaustive()
    }
}

impl ClientCertificate {
    pub(crate) fn chain(&self) -> &[CertificateDer<'static>] {
        &self.0.chain
    }

    pub(crate) fn key(&self) -> &PrivateKeyDer<'static> {
        &self.0.key
    }

    /// Reads `bot.certificate`, or its older names, if any is there.
    pub(super) fn read(bot: &Section) -> Result<Option<ClientCertificate>, Error> {
        let own = bot.section("certificate")?;
        let password = own.filled("password")?.or(bot.filled("certificatePassword")?);
        let content = own.filled("content")?;
        let (path, old_path) = (own.filled("path")?, bot.filled("certificatePath")?);
        let (field, path) = match (path, old_path) {
            (None, Some(path)) => ("bot.certificatePath", Some(path)),
            (path, _) => ("bot.certificate.path", path),
        };
        match (content, path) {
            (Some(_), Some(_)) => Err(Error::config(
                "bot.certificate",
                "bot.certificate has both content and path; give one of them",
            )),
            (None, None) => Ok(None),
            (Some(content), None) => {
                let field = "bot.certificate.content";
                let refuse = |what: String| Error::config(field, format!("{field} {what}"));
                let bytes = store::from_text(&content);
                ClientCertificate::new(&bytes, password.as_deref())
                    .map(Some)
                    .map_err(refuse)
            }
            (None, Some(path)) => {
                let path = bot.locate(&path);
                let bytes = file::read(&path, field).map_err(|error| error.with_field(field))?;
                let refuse = |what: String| {
                    let shown = path.display();
                    Error::new(Code::FileInvalid, format!("{field}: {shown} {what}"))
                        .with_field(field)
                        .with_file(shown.to_string())
                };
                ClientCertificate::new(&bytes, password.as_deref())
                    .map(Some)
                    .map_err(refuse)
            }
        }
    }

    fn new(bytes: &[u8], password: Option<&str>) -> Result<ClientCertificate, String> {
        let contents = store::read(bytes, password)?;
        let mut chain = contents.certificates;
        if chain.is_empty() {
            return Err(
                "holds no certificate; PEM with -----BEGIN CERTIFICATE----- and the private key, or a PKCS#12 \
                        store, is needed"
                    .to_owned(),
            );
        }
        let Some(key) = contents.key else {
            let text = String::from_utf8_lossy(bytes);
            return Err(if text.contains("ENCRYPTED") {
                "holds an encrypted private key; decrypt it (openssl pkey -in KEY -out DECRYPTED), or give a PKCS#12 \
                 store and its password"
            } else {
                "holds no private key; it must be in the same file as the certificate"
            }
            .to_owned());
        };
        let signing = any_supported_type(&key)
            .map_err(|_| "holds a private key that cannot be used; RSA, ECDSA and Ed25519 can".to_owned())?;
        let mut unreadable = false;
        let own = chain.iter().position(|certificate| {
            let pair = CertifiedKey::new(vec![certificate.clone()], Arc::clone(&signing));
            match pair.keys_match() {
                Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => true,
                Err(rustls::Error::InconsistentKeys(_)) => false,
                Err(_) => {
                    unreadable = true;
                    false
                }
            }
        });
        let own = own.ok_or_else(|| {
            if unreadable {
                "holds a certificate that is damaged or of X.509 version 1; version 3 is needed, which openssl makes when \
                 there are extensions (-extfile)"
            } else {
                "holds a private key that belongs to none of its certificates"
            }
            .to_owned()
        })?;
        chain[..=own].rotate_right(1);
        Ok(ClientCertificate(Arc::new(Inner { chain, key })))
    }
}
