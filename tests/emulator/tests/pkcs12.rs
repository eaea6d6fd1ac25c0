//! Certificates and keys as PKCS#12.

mod common;

use common::start;
use datafeed_emulator::{Certificate, Emulator};
use p12_keystore::{KeyStore, KeyStoreEntry, Pkcs12Archive, Pkcs12ImportPolicy};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// With letters of one, two and three bytes.
const PASSWORD: &str = "changé-it€";

fn secure() -> Emulator {
    start(|settings| settings.tls = Some(Certificate::Good))
}

fn read(store: &[u8]) -> KeyStore {
    KeyStore::from_pkcs12(store, PASSWORD, Pkcs12ImportPolicy::Strict).unwrap()
}

#[test]
fn a_client_certificate_and_its_key_come_out_as_they_went_in() {
    let own = secure().client_certificate("emulator-bot").unwrap();
    let store = read(&own.pkcs12(PASSWORD));
    let (alias, chain) = store.private_key_chain().unwrap();
    assert_eq!((alias, store.entries_len(), chain.certs().len()), ("bot", 1, 1));
    let certificate = CertificateDer::from_pem_slice(own.certificate.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(own.private_key.as_bytes()).unwrap();
    assert_eq!(chain.certs()[0].as_der(), &*certificate);
    assert_eq!(chain.key().as_der(), key.secret_der());
    // Both are in the one PEM text, too.
    assert_eq!(
        CertificateDer::from_pem_slice(own.pem().as_bytes()).unwrap(),
        certificate
    );
    assert_eq!(PrivateKeyDer::from_pem_slice(own.pem().as_bytes()).unwrap(), key);
}

#[test]
fn a_trust_store_holds_the_authority_and_no_key() {
    let emulator = secure();
    let store = read(&emulator.trust_store_pkcs12(PASSWORD).unwrap());
    let authority = CertificateDer::from_pem_slice(emulator.ca_pem().unwrap().as_bytes()).unwrap();
    let Some(KeyStoreEntry::Certificate(trusted)) = store.entry("emulator") else {
        panic!("{store:?}");
    };
    assert_eq!((trusted.as_der(), store.entries_len()), (&*authority, 1));
    assert_eq!(start(|_| ()).trust_store_pkcs12(PASSWORD), None);
}

#[test]
fn another_password_opens_nothing() {
    let own = secure().client_certificate("emulator-bot").unwrap();
    let store = own.pkcs12(PASSWORD);
    assert!(Pkcs12Archive::from_pkcs12(&store, "changeit").is_err());
    assert!(Pkcs12Archive::from_pkcs12(&own.pkcs12(""), "").is_ok());
}
