//! Whom TLS trusts: the system's certificate authorities, or Mozilla's where the system has none.
//!
//! `SSL_CERT_FILE` and `SSL_CERT_DIR` take the place of the system's. If they name nothing usable then nobody is trusted:
//! whoever sets them does not mean the public authorities.

use std::env;
use std::sync::OnceLock;

use ureq::tls::{Certificate, RootCerts};

/// Parsed once for the process: a system's bundle takes milliseconds.
pub(super) fn roots() -> RootCerts {
    static ROOTS: OnceLock<RootCerts> = OnceLock::new();
    ROOTS.get_or_init(load).clone()
}

fn load() -> RootCerts {
    let certificates: Vec<Certificate<'static>> = rustls_native_certs::load_native_certs()
        .certs
        .iter()
        .map(|der| Certificate::from_der(der).to_owned())
        .collect();
    let chosen = ["SSL_CERT_FILE", "SSL_CERT_DIR"]
        .iter()
        .any(|name| env::var_os(name).is_some());
    if certificates.is_empty() && !chosen {
        return RootCerts::WebPki;
    }
    RootCerts::new_with_certs(&certificates)
}
