//! Files of keys and certificates: PEM, or a PKCS#12 store.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p12_keystore::error::Error as StoreError;
use p12_keystore::{CertificateBag, Pkcs12Archive};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// What a file held.
#[derive(Debug)]
pub(super) struct Contents {
    /// In the order of the file.
    pub(super) certificates: Vec<CertificateDer<'static>>,
    pub(super) key: Option<PrivateKeyDer<'static>>,
}

/// Reads either kind. The reason of a failure continues "FILE ...".
pub(super) fn read(bytes: &[u8], password: Option<&str>) -> Result<Contents, String> {
    match bytes {
        [0xFE, 0xED, 0xFE, 0xED, ..] | [0xCE, 0xCE, 0xCE, 0xCE, ..] => Err(
            "is a Java key store (JKS or JCEKS); convert it: keytool -importkeystore -srckeystore \
             STORE -destkeystore STORE.p12 -deststoretype PKCS12"
                .to_owned(),
        ),
        [0x30, 0x80..=0x84, ..] => read_pkcs12(bytes, password),
        _ => read_pem(bytes),
    }
}

/// What a setting holds instead of a file: a PEM text as it is, and everything else in base64, as the vendor's SDK for
/// Java takes it.
pub(super) fn from_text(content: &str) -> Vec<u8> {
    if content.contains("-----BEGIN") {
        return content.as_bytes().to_vec();
    }
    let compact: String = content.split_whitespace().collect();
    STANDARD.decode(compact).unwrap_or_else(|_| content.as_bytes().to_vec())
}

fn read_pem(bytes: &[u8]) -> Result<Contents, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    let Ok(certificates) = certificates else {
        return Err("holds a damaged certificate; it must be a whole PEM section, line breaks included".to_owned());
    };
    Ok(Contents {
        certificates,
        key: PrivateKeyDer::from_pem_slice(bytes).ok(),
    })
}

fn read_pkcs12(bytes: &[u8], password: Option<&str>) -> Result<Contents, String> {
    let archive = Pkcs12Archive::from_pkcs12(bytes, password.unwrap_or_default()).map_err(|error| match error {
        StoreError::MacError(_) if password.is_none() => {
            "is a PKCS#12 store that needs a password, and none is given".to_owned()
        }
        StoreError::MacError(_) => "is a PKCS#12 store with another password, or is damaged".to_owned(),
        StoreError::UnsupportedEncryptionScheme | StoreError::UnsupportedMacAlgorithm => {
            "is a PKCS#12 store whose encryption is not supported; convert it: openssl pkcs12 -in STORE -out STORE.pem \
             -nodes, then openssl pkcs12 -export -in STORE.pem -out NEW.p12"
                .to_owned()
        }
        _ => {
            "is in DER but no PKCS#12 store that can be read; perhaps it is damaged, or a single certificate or key in \
              DER, which openssl can write as PEM"
                .to_owned()
        }
    })?;
    let der = |bag: &CertificateBag| CertificateDer::from(bag.cert.as_der().to_vec());
    let key = archive.keys.first();
    Ok(Contents {
        certificates: archive.certs.iter().map(der).collect(),
        key: key.map(|bag| PrivatePkcs8KeyDer::from(bag.key.as_der().to_vec()).into()),
    })
}
