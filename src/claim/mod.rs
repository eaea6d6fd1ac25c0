//! A lock on a file, by which one feed at a time has what the file stands for.

mod holder;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use holder::Holder;

/// The file, locked until this is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    lock: File,
}

/// Why the file is not locked for this feed.
#[derive(Debug)]
pub(crate) enum NotClaimed {
    /// Somebody has it: who, in words.
    Held(String),
    Failed(io::Error),
}

impl From<io::Error> for NotClaimed {
    fn from(error: io::Error) -> NotClaimed {
        NotClaimed::Failed(error)
    }
}

impl Claim {
    /// Locks the file, which is made if it is not there, and writes into it who has it.
    pub(crate) fn take(path: &Path) -> Result<Claim, NotClaimed> {
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(libc::O_NONBLOCK)
            .open(path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(NotClaimed::Held(who_has(&mut lock))),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let mut claim = Claim { lock };
        // On a full disk nobody is told who has it, but it is locked.
        let written = claim.write_holder();
        match written {
            Err(error) if error.kind() != io::ErrorKind::StorageFull => Err(error.into()),
            _ => Ok(claim),
        }
    }

    fn write_holder(&mut self) -> io::Result<()> {
        self.lock.set_len(0)?;
        self.lock.rewind()?;
        self.lock.write_all(Holder::this_process().to_text().as_bytes())
    }
}

fn who_has(lock: &mut File) -> String {
    let mut text = String::new();
    let _ = lock.take(1000).read_to_string(&mut text);
    match Holder::parse(&text) {
        Some(holder) => holder.shown_to(&Holder::this_process()),
        None => "another process".to_owned(),
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // A process that was forked meanwhile has the descriptor too, and would hold the lock.
        let _ = self.lock.unlock();
    }
}
