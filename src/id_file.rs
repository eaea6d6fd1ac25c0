//! The file that keeps the id of a feed of Datafeed 1, which the service cannot be asked for.
//!
//! It holds `<id>@<agent's base URL>` as the vendor's SDKs write it, so that a bot that moves goes on with its feed. One
//! feed at a time has it: a second reader would get every other event, out of order. The lock is on a file beside it, since
//! the file itself is replaced whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::claim::{Claim, NotClaimed};
use crate::config::open_regular;
use crate::error::{Code, Error};
use crate::protocol::{AGENT_PATH, is_usable, normalized};

/// What is appended to the file's name for the file that is locked, and for the one that is about to replace it.
const LOCK: &str = ".lock";
const NEW: &str = ".new";

/// Far more than an id and an address have.
const MOST: u64 = 64 << 10;

/// The file, locked until this is dropped.
#[derive(Debug)]
pub(crate) struct IdFile {
    path: PathBuf,
    _claim: Claim,
}

/// What was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) id: String,
    /// Without what the SDKs append; none if the file does not say.
    pub(crate) agent_url: Option<String>,
}

impl IdFile {
    /// Locks the file for this feed.
    ///
    /// # Errors
    ///
    /// [`Code::FeedInUse`] if another feed has it, and [`Code::FileInvalid`] if it cannot be written.
    pub(crate) fn claim(path: &Path) -> Result<IdFile, Error> {
        let path = &real(path);
        if path.is_dir() {
            return Err(unwritable(path, &io::Error::from(io::ErrorKind::IsADirectory)));
        }
        let claim = Claim::take(&beside(path, LOCK)).map_err(|not| match not {
            NotClaimed::Held(by) => in_use(path, &by),
            NotClaimed::Failed(error) => unwritable(path, &error),
        })?;
        let file = IdFile {
            path: path.to_owned(),
            _claim: claim,
        };
        // Told now, and not when an id is to be kept.
        file.new_file().map_err(|error| unwritable(path, &error))?;
        let _ = fs::remove_file(beside(path, NEW));
        Ok(file)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What is kept, or nothing if nothing is.
    ///
    /// # Errors
    ///
    /// Why what is there cannot be used; it may be replaced.
    pub(crate) fn kept(&self) -> Result<Option<Kept>, String> {
        let mut bytes = Vec::new();
        let read = open_regular(&self.path).and_then(|file| file.take(MOST).read_to_end(&mut bytes));
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("cannot be read: {error}")),
            Ok(_) => {}
        }
        let text = String::from_utf8(bytes).map_err(|_| "is no text".to_owned())?;
        parse(text.trim())
            .map(Some)
            .ok_or_else(|| "holds no id of a feed".to_owned())
    }

    /// Keeps an id: whole, or not at all.
    pub(crate) fn keep(&self, id: &str, agent_url: &str) -> io::Result<()> {
        let mut file = self.new_file()?;
        file.write_all(format!("{id}@{agent_url}{AGENT_PATH}").as_bytes())?;
        file.sync_all()?;
        fs::rename(beside(&self.path, NEW), &self.path)
    }

    /// An empty file beside it, whatever an earlier process left there.
    fn new_file(&self) -> io::Result<File> {
        let new = beside(&self.path, NEW);
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        OpenOptions::new().write(true).create_new(true).open(new)
    }
}

/// The file that a path leads to: two names of one must not be two locks. It need not be there yet.
fn real(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    // As many links as the system follows.
    for _ in 0..40 {
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = fs::canonicalize(folder.unwrap_or(Path::new(".")));
    match (folder, path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Error {
    let shown = path.display();
    let message = format!(
        "datafeed.idFilePath: the id of the feed cannot be kept in {shown}, since this file, or one of its name with \
         {LOCK} or {NEW}, cannot be written: {error}; without it events would be lost at every start"
    );
    Error::new(Code::FileInvalid, message)
        .with_field("datafeed.idFilePath")
        .with_file(shown.to_string())
}

/// The error of a feed whose file another one has.
fn in_use(path: &Path, by: &str) -> Error {
    let shown = path.display();
    let message = format!(
        "datafeed.idFilePath: the feed of {shown} is read by {by}; a feed of Datafeed 1 serves one reader: close it \
         there, or set another datafeed.idFilePath for a feed of its own"
    );
    Error::new(Code::FeedInUse, message)
        .with_field("datafeed.idFilePath")
        .with_file(shown.to_string())
}

fn parse(text: &str) -> Option<Kept> {
    let (id, url) = text.split_once('@')?;
    if !is_usable(id) || id.contains(char::is_whitespace) || url.contains(char::is_whitespace) {
        return None;
    }
    if url.is_empty() {
        return Some(Kept {
            id: id.to_owned(),
            agent_url: None,
        });
    }
    // Versions of the Java SDK kept `host:port` alone, of an agent that is always spoken to in HTTPS.
    let agent_url = if url.contains("://") {
        normalized(url)?
    } else {
        normalized(&format!("https://{url}"))?
    };
    Some(Kept {
        id: id.to_owned(),
        agent_url: Some(agent_url),
    })
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_sdks_are_read() {
        let url = |url: &str| Some(url.to_owned());
        for (text, expected) in [
            ("abc@https://agent.example:443/agent", url("https://agent.example:443")),
            ("abc@https://agent.example/agent", url("https://agent.example:443")),
            ("abc@http://agent.example", url("http://agent.example:80")),
            (
                "abc@https://agent.example:8443/ctx/agent/",
                url("https://agent.example:8443/ctx"),
            ),
            ("abc@agent.example:8443", url("https://agent.example:8443")),
            ("abc@", None),
        ] {
            let kept = parse(text).expect(text);
            assert_eq!((kept.id.as_str(), kept.agent_url), ("abc", expected), "{text}");
        }
        for damaged in [
            "",
            "abc",
            "@https://agent.example",
            "a b@https://x",
            "abc@agent?example",
            "a\nb@https://x",
        ] {
            assert_eq!(parse(damaged), None, "{damaged}");
        }
    }
}
