//! The certificates that bots log in with: an authority of their own, and whom it has signed for.

use std::collections::HashMap;

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose};
use serde::Serialize;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, UnixTime};
use tokio_rustls::rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use tokio_rustls::rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use crate::{certificates, pkcs12};

/// What a bot logs in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientCertificate {
    /// PEM.
    pub certificate: String,
    /// PEM, PKCS#8.
    pub private_key: String,
}

impl ClientCertificate {
    /// The certificate and its key in one PEM text, as bots find both in one file.
    pub fn pem(&self) -> String {
        format!("{}{}", self.certificate, self.private_key)
    }

    /// The key and the certificate as a PKCS#12 store.
    ///
    /// # Panics
    /// When the fields are not what they say, or the password has characters beyond U+FFFF, which PKCS#12 does not
    /// know.
    pub fn pkcs12(&self, password: &str) -> Vec<u8> {
        pkcs12::identity(&self.certificate, &self.private_key, password).expect("a store can be made")
    }
}

/// Signs them. Its key never leaves it, so what it has not signed here is not of it.
#[derive(Debug)]
pub struct ClientAuthority {
    issuer: Issuer<'static, KeyPair>,
    /// Whom each certificate is for.
    issued: HashMap<Vec<u8>, String>,
}

impl ClientAuthority {
    pub fn new() -> Result<ClientAuthority, rcgen::Error> {
        let (issuer, _) = certificates::authority("Emulator Client Root")?;
        let issued = HashMap::new();
        Ok(ClientAuthority { issuer, issued })
    }

    /// A new one whose common name is this username.
    pub fn issue(&mut self, username: &str) -> Result<ClientCertificate, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, username);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        let signed = params.signed_by(&key, &self.issuer)?;
        self.issued.insert(signed.der().to_vec(), username.to_owned());
        Ok(ClientCertificate {
            certificate: signed.pem(),
            private_key: key.serialize_pem(),
        })
    }

    /// The common name of a certificate, if it is of this authority.
    pub fn common_name(&self, certificate: &[u8]) -> Option<&str> {
        self.issued.get(certificate).map(String::as_str)
    }
}

/// Lets every client in, with a certificate or without, as long as it has the key to what it shows. Who it is, is
/// judged at the login: so a certificate that is not good is answered 401, and does not end the handshake.
#[derive(Debug)]
pub struct Anyone(WebPkiSupportedAlgorithms);

impl Anyone {
    pub fn new() -> Anyone {
        Anyone(default_provider().signature_verification_algorithms)
    }
}

impl ClientCertVerifier for Anyone {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
