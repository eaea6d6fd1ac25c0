//! Reads the files that a configuration is or names.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::error::{Code, Error};

/// Most that a file may hold. A system's whole bundle of authorities has a quarter of a megabyte.
const MOST: u64 = 16 << 20;

/// Reads a whole file. `what` names it in messages.
pub(super) fn read(path: &Path, what: &str) -> Result<Vec<u8>, Error> {
    read_opened(File::open(path), path, what)
}

/// Opens a file that is read while a feed runs, so that nothing but a file will do: whoever opens a pipe waits for its
/// other end.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let nonblocking = libc::O_NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path)?;
    let kind = file.metadata()?;
    if kind.is_file() {
        Ok(file)
    } else if kind.is_dir() {
        Err(ErrorKind::IsADirectory.into())
    } else {
        Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"))
    }
}

fn read_opened(file: io::Result<File>, path: &Path, what: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = file.and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes));
    if bytes.len() as u64 > MOST {
        let message = format!("{what}: {} holds more than {MOST} bytes", path.display());
        return Err(Error::new(Code::FileInvalid, message).with_file(path.to_string_lossy()));
    }
    read.map(|_| bytes).map_err(|error| {
        let shown = path.to_string_lossy();
        if !looks_like_a_path(&shown) {
            // Most likely the contents are here instead of the path, and contents may be secret.
            let message = format!("{what}: what is given does not look like the path of a file");
            return Error::new(Code::ConfigInvalid, message);
        }
        let message = match error.kind() {
            ErrorKind::NotFound => format!("{what}: there is no file {shown}"),
            ErrorKind::PermissionDenied => {
                format!("{what}: this process may not read {shown}; check its permissions")
            }
            ErrorKind::IsADirectory => format!("{what}: {shown} is a directory; give the path of the file in it"),
            _ => format!("{what}: cannot read {shown}: {error}"),
        };
        Error::new(Code::FileInvalid, message).with_file(shown)
    })
}

/// Reads a whole file of text, without the line break at its end. `field` is the setting that refers to it.
pub(super) fn read_text(path: &Path, field: &str) -> Result<String, Error> {
    text_of(read(path, field), path, field)
}

/// The same of a regular file, which never waits.
pub(super) fn read_regular_text(path: &Path, field: &str) -> Result<String, Error> {
    text_of(read_opened(open_regular(path), path, field), path, field)
}

fn text_of(bytes: Result<Vec<u8>, Error>, path: &Path, field: &str) -> Result<String, Error> {
    let bytes = bytes.map_err(|error| error.with_field(field))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
        Err(_) => {
            let shown = path.to_string_lossy();
            let message = format!("{field}: {shown} is not valid UTF-8");
            Err(Error::new(Code::FileInvalid, message)
                .with_field(field)
                .with_file(shown))
        }
    }
}

fn looks_like_a_path(text: &str) -> bool {
    text.len() <= 255 && !text.contains("-----") && !text.contains(|c: char| c.is_control() || "{}\"".contains(c))
}
