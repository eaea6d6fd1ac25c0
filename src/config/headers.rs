//! Headers that are sent with every request: `defaultHeaders`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use ureq::http::{HeaderName, HeaderValue};

use super::file;
use super::section::Section;
use super::template::Part;
use crate::error::Error;

/// Longest value of a header that is sent. A session token has hundreds of bytes.
pub(crate) const MAX_HEADER: usize = 7 << 10;

/// What is about one connection, which the library sees to; the vendor's own example of a configuration has the first two.
/// And what asks for answers that the library does not read.
const NOT_SENT: [&str; 8] = [
    "Connection",
    "Keep-Alive",
    "Accept-Encoding",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Upgrade",
];

/// A second one of these, or another value, would break every request.
const RESERVED: [&str; 9] = [
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "Expect",
    "Host",
    "Transfer-Encoding",
    "X-Trace-Id",
    "keyManagerToken",
    "sessionToken",
];

/// A header whose value may be a gateway's secret, and may change: what is in a file is read again at each login.
#[derive(Clone)]
pub(crate) struct Header {
    /// The path of the setting.
    pub(super) field: String,
    pub(crate) name: HeaderName,
    pieces: Vec<Piece>,
    /// The value when it was last read, whoever did so.
    latest: Arc<Mutex<Option<HeaderValue>>>,
}

#[derive(Clone)]
enum Piece {
    Text(String),
    File(PathBuf),
}

impl Header {
    /// Checks the name, and the value as it is now.
    fn new(section: &Section, field: String, name: &str, parts: Vec<Part>) -> Result<Header, Error> {
        let Ok(parsed) = HeaderName::from_bytes(name.as_bytes()) else {
            let message = format!("{field} is no valid name of an HTTP header");
            return Err(Error::config(field, message));
        };
        if RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
            let message = format!("{field} cannot be set: the library sends this header itself");
            return Err(Error::config(field, message));
        }
        let piece = |part| match part {
            Part::Text(text) => Piece::Text(text),
            Part::File(path) => Piece::File(section.locate_for_later(&path)),
        };
        let header = Header {
            field,
            name: parsed,
            pieces: parts.into_iter().map(piece).collect(),
            latest: Arc::default(),
        };
        header.read_again()?;
        Ok(header)
    }

    /// The value as it was last read.
    pub(crate) fn value(&self) -> Option<HeaderValue> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads what is in files again.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or whose text cannot be in a header: the value stays what it was.
    pub(crate) fn read_again(&self) -> Result<(), Error> {
        let value = self.read()?;
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        Ok(())
    }

    /// The value of this moment, marked so that it is not shown.
    fn read(&self) -> Result<HeaderValue, Error> {
        let field = &self.field;
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::File(path) => text.push_str(&file::read_regular_text(path, field)?),
            }
        }
        if text.len() > MAX_HEADER {
            let length = text.len();
            let message = format!("{field} has a value of {length} bytes, but {MAX_HEADER} is the most");
            return Err(Error::config(field, message));
        }
        let Ok(mut value) = HeaderValue::from_str(&text) else {
            let message = format!("{field} has a value that HTTP does not allow in a header");
            return Err(Error::config(field, message));
        };
        value.set_sensitive(true);
        Ok(value)
    }
}

/// The headers of all sections, the most particular first; of the same name, the most particular one.
pub(super) fn read(sections: &[&Section]) -> Result<Vec<Header>, Error> {
    let mut headers: Vec<Header> = Vec::new();
    for section in sections.iter().rev() {
        for (field, name, parts) in section.templates("defaultHeaders")? {
            if NOT_SENT.iter().any(|not_sent| name.eq_ignore_ascii_case(not_sent)) {
                section.warn(format!(
                    "{field} has no effect: connections, and how answers are coded, are the library's business"
                ));
                continue;
            }
            let header = Header::new(section, field, &name, parts)?;
            headers.retain(|known| known.name != header.name);
            headers.push(header);
        }
    }
    Ok(headers)
}
