//! Whom TLS trusts: the system's certificate authorities, or Mozilla's where the system has none.

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
    if certificates.is_empty() {
        return RootCerts::WebPki;
    }
    RootCerts::new_with_certs(&certificates)
}
