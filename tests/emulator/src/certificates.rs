//! The certificates of an emulator with TLS: a private authority made at the start, and a leaf signed by it.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use crate::client_certificates::Anyone;

/// Which certificate an emulator shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Certificate {
    /// For 127.0.0.1, ::1 and localhost, signed by the authority that the configuration names.
    Good,
    /// For another host.
    WrongHost,
    /// Good until the year 2020.
    Expired,
    /// Signed by an authority that the configuration does not name.
    UnknownRoot,
}

/// What a client has to trust: a file of its own, removed when it is dropped.
#[derive(Debug)]
pub struct Authority {
    pem: String,
    file: NamedTempFile,
}

impl Authority {
    pub fn pem(&self) -> &str {
        &self.pem
    }

    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

/// The authority to trust, and how to serve.
pub fn make(certificate: Certificate) -> io::Result<(Authority, Arc<ServerConfig>)> {
    let (root, trusted) = authority("Emulator Root").map_err(io::Error::other)?;
    let issuer = match certificate {
        Certificate::UnknownRoot => authority("Unknown Root").map_err(io::Error::other)?.0,
        _ => root,
    };
    let (leaf, key) = leaf(certificate, &issuer).map_err(io::Error::other)?;
    // Named outright: the process may have another provider for the client under test.
    let server = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_client_cert_verifier(Arc::new(Anyone::new()))
                .with_single_cert(vec![leaf], key.into())
        })
        .map_err(io::Error::other)?;
    Ok((in_a_file(trusted)?, Arc::new(server)))
}

/// A new one, and its certificate as PEM.
pub fn authority(name: &str) -> Result<(Issuer<'static, KeyPair>, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = named(name, &[])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let pem = params.self_signed(&key)?.pem();
    Ok((Issuer::new(params, key), pem))
}

fn leaf(
    certificate: Certificate,
    issuer: &Issuer<'static, KeyPair>,
) -> Result<(CertificateDer<'static>, PrivatePkcs8KeyDer<'static>), rcgen::Error> {
    let hosts: &[&str] = match certificate {
        Certificate::WrongHost => &["elsewhere.example.com"],
        _ => &["127.0.0.1", "::1", "localhost"],
    };
    let mut params = named("Emulator", hosts)?;
    if certificate == Certificate::Expired {
        params.not_after = date_time_ymd(2020, 1, 1);
    }
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let signed = params.signed_by(&key, issuer)?;
    Ok((signed.into(), key.serialize_der().into()))
}

fn named(name: &str, hosts: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}

fn in_a_file(pem: String) -> io::Result<Authority> {
    let mut file = tempfile::Builder::new()
        .prefix("datafeed-emulator-")
        .suffix(".pem")
        .tempfile()?;
    file.write_all(pem.as_bytes())?;
    Ok(Authority { pem, file })
}
