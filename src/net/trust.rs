//! Whom TLS trusts: the system's certificate authorities, or Mozilla's where the system has none, and those of the
//! configuration; and what to tell when that is not enough.
//!
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` take the place of the system's. If they name nothing usable then only the
//! configuration's are trusted: whoever sets them does not mean the public authorities.

use std::env;
use std::sync::OnceLock;

use rustls::CertificateError;
use rustls::pki_types::CertificateDer;
use ureq::Error;
use ureq::tls::{Certificate, RootCerts};

/// The authorities to trust, these added to the system's.
pub(super) fn roots(added: &[CertificateDer<'static>]) -> RootCerts {
    // Parsed once for the process: a system's bundle takes milliseconds.
    static SYSTEM: OnceLock<Vec<Certificate<'static>>> = OnceLock::new();
    let system = SYSTEM.get_or_init(|| owned(&rustls_native_certs::load_native_certs().certs));
    let chosen = ["SSL_CERT_FILE", "SSL_CERT_DIR"]
        .iter()
        .any(|name| env::var_os(name).is_some());
    if !system.is_empty() || chosen {
        return RootCerts::new_with_certs(&[system.as_slice(), &owned(added)].concat());
    }
    if added.is_empty() {
        return RootCerts::WebPki;
    }
    RootCerts::new_with_certs(&owned(added))
}

fn owned(certificates: &[CertificateDer]) -> Vec<Certificate<'static>> {
    certificates
        .iter()
        .map(|der| Certificate::from_der(der).to_owned())
        .collect()
}

/// Why TLS failed, for whoever has to mend it.
pub(super) fn explain(error: &Error) -> String {
    let inner = match error {
        Error::Rustls(error) => Some(error),
        Error::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref()),
        _ => None,
    };
    let reason = match inner {
        Some(rustls::Error::InvalidCertificate(reason)) => reason,
        Some(rustls::Error::AlertReceived(alert)) => return format!("the other side refused it: {alert:?}"),
        Some(other) => return other.to_string(),
        None => return error.to_string(),
    };
    match reason {
        CertificateError::UnknownIssuer => {
            "the certificate is from an authority that is not trusted; if it is your own, give its certificate as \
             ssl.trustStore.path"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate is for another host name; check host"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the certificate has expired, or this machine's clock is wrong"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not valid yet, or this machine's clock is wrong"
        }
        other => return format!("the certificate was refused: {other}"),
    }
    .to_owned()
}
