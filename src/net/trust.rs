//! Whom TLS trusts: the system's certificate authorities and those of the configuration, or Mozilla's where there are
//! neither; and what to tell when that is not enough.
//!
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` take the place of the system's. If they name nothing usable then only the
//! configuration's are trusted: whoever sets them does not mean the public authorities.

use std::env;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, OnceLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{AlertDescription, CertificateError, ClientConfig, ClientConnection, InvalidMessage, RootCertStore};
use ureq::Error;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts};

use crate::config::ClientCertificate;

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

/// The bot's own certificate, in the terms of ureq, which takes a key as PEM only. That key and certificate belong together
/// was checked with the configuration: ureq would panic.
pub(super) fn client_certificate(certificate: &ClientCertificate) -> Option<ClientCert> {
    let key = certificate.key();
    let label = match key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        _ => "PRIVATE KEY",
    };
    let body = STANDARD.encode(key.secret_der());
    let pem = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
    let key = PrivateKey::from_pem(pem.as_bytes()).ok()?;
    Some(ClientCert::new_with_certs(&owned(certificate.chain()), key))
}

/// Has TLS set up what it sets up once in a process.
pub(super) fn warm_up() {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map(|builder| {
            builder
                .with_root_certificates(RootCertStore::empty())
                .with_no_client_auth()
        });
    if let Ok(config) = config {
        let nobody = IpAddr::V4(Ipv4Addr::LOCALHOST).into();
        let _ = ClientConnection::new(Arc::new(config), nobody);
    }
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
        Some(rustls::Error::AlertReceived(AlertDescription::CertificateRequired)) => {
            return "the other side wants a client certificate; a login by certificate has one: bot.certificate"
                .to_owned();
        }
        Some(rustls::Error::AlertReceived(alert)) => return format!("the other side refused it: {alert:?}"),
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            return "what answers does not speak TLS; should scheme be http, or is port another service's?".to_owned();
        }
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
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "the certificate is that of an authority itself, as openssl req -x509 makes it; a service needs one of its own, \
             signed by the authority"
        }
        other => return format!("the certificate was refused: {other}"),
    }
    .to_owned()
}
