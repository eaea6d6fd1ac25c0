//! The file that keeps the id of a feed of Datafeed 1, which the service cannot be asked for.
//!
//! It holds `<id>@<agent's base URL>` as the vendor's SDKs write it, so that a bot that moves goes on with its feed. One
//! feed at a time has it: a second reader would get every other event, out of order. The lock is on a file beside it, since
//! the file itself is replaced whole.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::error::{Code, Error};
use crate::protocol::{AGENT_PATH, is_usable, normalized};

/// Far more than an id and an address have.
const MOST: u64 = 64 << 10;

/// The file, locked until this is dropped.
#[derive(Debug)]
pub(crate) struct IdFile {
    path: PathBuf,
    lock: File,
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
        let unwritable = |error: io::Error| {
            let shown = path.display();
            let message = format!(
                "datafeed.idFilePath: {shown}, where the id of the feed is kept, cannot be written: {error}; without it \
                 events would be lost at every start"
            );
            Error::new(Code::FileInvalid, message)
                .with_field("datafeed.idFilePath")
                .with_file(shown.to_string())
        };
        if path.is_dir() {
            return Err(unwritable(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(beside(path, ".lock"))
            .map_err(unwritable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(path, &mut lock)),
            Err(TryLockError::Error(error)) => return Err(unwritable(error)),
        }
        let holder = format!("{} {}\n", std::process::id(), program());
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| lock.write_all(holder.as_bytes()))
            .map_err(unwritable)?;
        Ok(IdFile {
            path: path.to_owned(),
            lock,
        })
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
        let read = File::open(&self.path).and_then(|file| file.take(MOST).read_to_end(&mut bytes));
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
        let new = beside(&self.path, ".new");
        let mut file = File::create(&new)?;
        file.write_all(format!("{id}@{agent_url}{AGENT_PATH}").as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &self.path)
    }
}

impl Drop for IdFile {
    fn drop(&mut self) {
        // A process that was forked meanwhile has the descriptor too, and would hold the lock.
        let _ = self.lock.unlock();
    }
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

fn in_use(path: &Path, lock: &mut File) -> Error {
    let mut text = String::new();
    let _ = lock.take(300).read_to_string(&mut text);
    let (process, name) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let holder = match process.parse::<u32>() {
        Ok(own) if own == std::process::id() => "another feed of this process".to_owned(),
        Ok(process) if name.is_empty() => format!("process {process}"),
        Ok(process) => format!("process {process} ({name})"),
        Err(_) => "another process".to_owned(),
    };
    let shown = path.display();
    let message = format!(
        "datafeed.idFilePath: the feed of {shown} is read by {holder}, and a feed of Datafeed 1 serves one reader; close \
         it there, or set another datafeed.idFilePath for a feed of its own"
    );
    Error::new(Code::FeedInUse, message)
        .with_field("datafeed.idFilePath")
        .with_file(shown.to_string())
}

/// The name of this program, as far as it is fit for a message.
fn program() -> String {
    let path = std::env::current_exe().unwrap_or_default();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.chars().filter(|c| !c.is_control()).take(100).collect()
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
