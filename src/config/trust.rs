//! Certificate authorities that are trusted besides the system's: `ssl.trustStore`.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::file;
use super::section::Section;
use crate::error::{Code, Error};

/// Reads the authorities' certificates from the PEM file that is configured, if one is.
pub(super) fn read(root: &Section, folder: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let ssl = root.section("ssl")?;
    let store = ssl.section("trustStore")?;
    // Only stores of other kinds have one.
    store.known("password");
    ssl.known("trustStorePassword");
    let given = |text: &&str| !text.is_empty();
    let path = store.string("path")?.filter(given);
    let old_path = ssl.string("trustStorePath")?.filter(given);
    let field = if path.is_some() {
        "ssl.trustStore.path"
    } else {
        "ssl.trustStorePath"
    };
    let Some(path) = path.or(old_path) else {
        return Ok(Vec::new());
    };
    let file = folder.join(path);
    let bytes = file::read(&file, field).map_err(|error| error.with_field(field))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        damaged => {
            let shown = file.display();
            let what = what_it_is_instead(&bytes, damaged.is_err());
            Err(Error::new(Code::FileInvalid, format!("{field}: {shown} {what}"))
                .with_field(field)
                .with_file(shown.to_string()))
        }
    }
}

fn what_it_is_instead(bytes: &[u8], damaged: bool) -> &'static str {
    match bytes {
        [0xFE, 0xED, 0xFE, 0xED, ..] => {
            "is a Java key store; convert it: keytool -importkeystore -srckeystore STORE -destkeystore STORE.p12 \
             -deststoretype PKCS12, then openssl pkcs12 -in STORE.p12 -nokeys -out STORE.pem"
        }
        [0x30, 0x80..=0x84, ..] => {
            "is in DER, perhaps a PKCS#12 store; convert it: openssl pkcs12 -in STORE -nokeys -out STORE.pem"
        }
        _ if damaged => "holds a damaged certificate; it must be a whole PEM section, line breaks included",
        _ => "holds no certificate; a PEM text with -----BEGIN CERTIFICATE----- is needed",
    }
}
