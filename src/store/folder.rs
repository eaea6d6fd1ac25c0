//! The files in the folder: which there are, who has them, and where a damaged database goes.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::database::{Database, NotOpened};
use super::{error, wal};
use crate::claim::{Claim, NotClaimed};
use crate::clock::wall_clock_millis;
use crate::error::Error;

const DATABASE: &str = "state.db";
/// A database that is being made.
const NEW: &str = "state.db.new";
const LOCK: &str = "lock";
/// What SQLite appends to a database's name for its log.
const LOG: &str = "-wal";

pub(super) fn log_of(folder: &Path) -> PathBuf {
    folder.join(format!("{DATABASE}{LOG}"))
}

/// Makes the folder if it is not there, and has it for this feed alone.
pub(super) fn claim(folder: &Path) -> Result<Claim, Error> {
    // Events are nobody else's business.
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| error::unusable(folder, &error.to_string()))?;
    Claim::take(&folder.join(LOCK)).map_err(|not| match not {
        NotClaimed::Held(by) => error::in_use(folder, &by),
        NotClaimed::Failed(error) => error::unusable(folder, &error.to_string()),
    })
}

/// The database and what is in it, and the error to tell if something that was there is damaged.
pub(super) fn open_or_set_aside<T>(
    folder: &Path,
    load: impl Fn(&mut Database) -> rusqlite::Result<T>,
) -> Result<(Database, T, Option<Error>), Error> {
    let cannot = |error: io::Error| error::unusable(folder, &error.to_string());
    let (path, new) = (folder.join(DATABASE), folder.join(NEW));
    let is_there = |path: &Path| path.try_exists().map_err(cannot);
    if !is_there(&path)? && !is_there(&log_of(folder))? {
        // It may be whole, if a process ended between setting a damaged one aside and this one's getting its name.
        if !is_there(&new)? || open(&new, &load).is_err() {
            make(folder, false)?;
        }
        fs::rename(&new, &path).map_err(cannot)?;
    }
    let log = wal::Log::read(&log_of(folder)).map_err(cannot)?;
    let damage = match open(&path, &load) {
        Ok((database, loaded)) => match is_whole(&database, &log) {
            Ok(()) => return Ok((database, loaded, None)),
            Err(reason) => {
                // As a crash of the machine may leave it, too: what it has been synced up to is all there.
                let aside = aside(folder);
                copy_aside(folder, &aside).map_err(cannot)?;
                let noted = database.note_loss();
                noted.map_err(|error| error::unusable(folder, &error.to_string()))?;
                return Ok((database, loaded, Some(error::cut(&aside, &reason))));
            }
        },
        Err(NotOpened::Version(version)) => return Err(error::of_another_version(folder, version)),
        Err(NotOpened::Failed(reason)) => return Err(error::unusable(folder, &reason)),
        Err(NotOpened::Damaged(reason)) => reason,
    };
    // The new one is there, and knows of the loss, before the other loses its name.
    make(folder, true)?;
    let aside = aside(folder);
    move_aside(folder, &aside).map_err(cannot)?;
    fs::rename(&new, &path).map_err(cannot)?;
    let (database, loaded) = open(&path, &load).map_err(|error| match error {
        NotOpened::Failed(reason) | NotOpened::Damaged(reason) => error::unusable(folder, &reason),
        NotOpened::Version(version) => error::of_another_version(folder, version),
    })?;
    Ok((database, loaded, Some(error::damaged(&aside, &damage))))
}

fn open<T>(path: &Path, load: impl Fn(&mut Database) -> rusqlite::Result<T>) -> Result<(Database, T), NotOpened> {
    // SQLite takes an empty file, or none, for a new database.
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() > 0 => {}
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(NotOpened::Failed(error.to_string())),
        _ => return Err(NotOpened::Damaged(format!("{DATABASE} is empty or gone"))),
    }
    let mut database = Database::open(path)?;
    let loaded = load(&mut database)?;
    Ok((database, loaded))
}

fn is_whole(database: &Database, log: &wal::Log) -> Result<(), String> {
    let frames = database.frames_in_log().map_err(|error| error.to_string())?;
    log.is_whole(frames)
}

/// Makes one under another name, so that what has the right name is whole.
fn make(folder: &Path, lost: bool) -> Result<(), Error> {
    let cannot = |error: io::Error| error::unusable(folder, &error.to_string());
    let new = folder.join(NEW);
    for left in [new.clone(), folder.join(format!("{NEW}{LOG}"))] {
        match fs::remove_file(&left) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(cannot(error)),
            _ => {}
        }
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)
        .map_err(cannot)?;
    Database::make(&new, lost).map_err(|error| error::unusable(folder, &error.to_string()))
}

/// The name of a damaged database; its log has the same with SQLite's ending, so that it can still be opened.
fn aside(folder: &Path) -> PathBuf {
    folder.join(format!("{DATABASE}.damaged-{}", wall_clock_millis()))
}

fn move_aside(folder: &Path, aside: &Path) -> io::Result<()> {
    both(folder, aside, |from, to| fs::rename(from, to))
}

fn copy_aside(folder: &Path, aside: &Path) -> io::Result<()> {
    both(folder, aside, |from, to| fs::copy(from, to).map(|_| ()))
}

/// The log first: a database without its log is not taken for a whole one, as it would be the other way round.
fn both(folder: &Path, aside: &Path, put: impl Fn(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
    for end in [LOG, ""] {
        let mut to = aside.to_owned().into_os_string();
        to.push(end);
        match put(&folder.join(format!("{DATABASE}{end}")), Path::new(&to)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
