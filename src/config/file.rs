//! Reads the files that a configuration is or names.

use std::path::Path;
use std::{fs, io};

use crate::error::{Code, Error};

/// Reads a whole file. `what` names it in messages.
pub(super) fn read(path: &Path, what: &str) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|error| {
        let shown = path.to_string_lossy();
        if !looks_like_a_path(&shown) {
            // Most likely the contents are here instead of the path, and contents may be secret.
            let message = format!("{what}: what is given does not look like the path of a file");
            return Error::new(Code::ConfigInvalid, message);
        }
        let message = match error.kind() {
            io::ErrorKind::NotFound => format!("{what}: there is no file {shown}"),
            io::ErrorKind::PermissionDenied => {
                format!("{what}: this process may not read {shown}; check its permissions")
            }
            io::ErrorKind::IsADirectory => format!("{what}: {shown} is a directory; give the path of the file in it"),
            _ => format!("{what}: cannot read {shown}: {error}"),
        };
        Error::new(Code::FileInvalid, message).with_file(shown)
    })
}

fn looks_like_a_path(text: &str) -> bool {
    text.len() <= 255 && !text.contains("-----") && !text.contains(|c: char| c.is_control() || "{}\"".contains(c))
}
