//! Certificates and keys as PKCS#12, as Java's tools write them: PBES2 with AES-256, and HMAC with SHA-256.

use std::error::Error;

use p12_keystore::{Certificate, KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};

/// What keeps a guesser busy keeps tests waiting, and there is nothing here to guess.
const ITERATIONS: u32 = 1024;

/// A key and the certificate to it.
pub fn identity(certificate: &str, private_key: &str, password: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let key = PrivatePkcs8KeyDer::from_pem_slice(private_key.as_bytes())?;
    let key = PrivateKey::from_der(key.secret_pkcs8_der())?;
    let chain = PrivateKeyChain::new("bot", key, [read(certificate)?]);
    write("bot", KeyStoreEntry::PrivateKeyChain(chain), password)
}

/// A certificate to trust, and no key.
pub fn trust_store(certificate: &str, password: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    write("emulator", KeyStoreEntry::Certificate(read(certificate)?), password)
}

fn read(pem: &str) -> Result<Certificate, Box<dyn Error>> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes())?;
    Ok(Certificate::from_der(&der)?)
}

fn write(alias: &str, entry: KeyStoreEntry, password: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut store = KeyStore::new();
    store.add_entry(alias, entry);
    let writer = store
        .writer(password)
        .encryption_iterations(ITERATIONS)
        .mac_iterations(ITERATIONS);
    Ok(writer.write()?)
}
