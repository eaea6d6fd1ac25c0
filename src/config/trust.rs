//! Certificate authorities that are trusted besides the system's: `ssl.trustStore`.

use rustls::pki_types::CertificateDer;

use super::section::Section;
use super::{file, store};
use crate::error::{Code, Error};

/// Reads the authorities' certificates from the store that is configured, if one is.
pub(super) fn read(root: &Section) -> Result<Vec<CertificateDer<'static>>, Error> {
    let ssl = root.section("ssl")?;
    let section = ssl.section("trustStore")?;
    let password = section.filled("password")?.or(ssl.filled("trustStorePassword")?);
    let old_path = ssl.filled("trustStorePath")?;
    let (field, path) = match (section.filled("path")?, old_path) {
        (Some(path), _) => ("ssl.trustStore.path", path),
        (None, Some(path)) => ("ssl.trustStorePath", path),
        (None, None) => return Ok(Vec::new()),
    };
    let path = root.locate(&path);
    let bytes = file::read(&path, field).map_err(|error| error.with_field(field))?;
    let refused = |what: &str| {
        let shown = path.display();
        Error::new(Code::FileInvalid, format!("{field}: {shown} {what}"))
            .with_field(field)
            .with_file(shown.to_string())
    };
    let contents = store::read(&bytes, password.as_deref()).map_err(|what| refused(&what))?;
    if contents.certificates.is_empty() {
        return Err(refused(
            "holds no certificate; a PEM text with -----BEGIN CERTIFICATE-----, or a PKCS#12 store, is needed",
        ));
    }
    Ok(contents.certificates)
}
