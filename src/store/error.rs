//! What goes wrong with the folder, in words that lead to it.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::error::{Code, Error};

/// The database does not do what it should.
pub(super) fn of_database(folder: &Path, error: &rusqlite::Error) -> Error {
    if error.sqlite_error_code() == Some(ErrorCode::DiskFull) {
        return unwritable(folder, "the disk is full");
    }
    unwritable(folder, &error.to_string())
}

pub(super) fn unwritable(folder: &Path, reason: &str) -> Error {
    let shown = folder.display();
    let message = format!(
        "stateDir: the state cannot be stored in {shown}: {reason}; until it can, nothing more is read, and nothing is lost of \
         what was received: make room there, or see that this process may write there"
    );
    unavailable(folder, message).retryable()
}

/// It cannot be opened at all.
pub(super) fn unusable(folder: &Path, reason: &str) -> Error {
    let shown = folder.display();
    let message = format!(
        "stateDir: {shown} cannot be used: {reason}; it has to be a folder in which this process may write, on a disk with \
         room"
    );
    unavailable(folder, message)
}

pub(super) fn of_another(folder: &Path, username: &str) -> Error {
    let shown = folder.display();
    let message = format!(
        "stateDir: {shown} holds the state of the bot {username}; give each bot a folder of its own, or empty this one"
    );
    unavailable(folder, message)
}

pub(super) fn of_another_version(folder: &Path, version: i64) -> Error {
    let shown = folder.display();
    let message = format!(
        "stateDir: {shown} was written by a later version of this library (format {version}); use that version, or another \
         folder"
    );
    unavailable(folder, message)
}

fn unavailable(folder: &Path, message: String) -> Error {
    Error::new(Code::StateUnavailable, message)
        .with_field("stateDir")
        .with_file(folder.display().to_string())
}

pub(super) fn in_use(folder: &Path, by: &str) -> Error {
    let shown = folder.display();
    let message = format!(
        "stateDir: {shown} is in use by {by}; one feed at a time has a folder: close it there, or set another stateDir"
    );
    Error::new(Code::StateInUse, message)
        .with_field("stateDir")
        .with_file(shown.to_string())
}

/// A process before this one found the damage, and ended before the bot was told.
pub(super) fn damaged_before(folder: &Path) -> Error {
    let shown = folder.display();
    damage(
        folder,
        &format!("was damaged, and is set aside in {shown}; {NOT_KNOWN}"),
    )
}

/// Only the end of the log is damaged; what came before is in use.
pub(super) fn cut(aside: &Path, reason: &str) -> Error {
    let shown = aside.display();
    let what = format!(
        "is damaged at its end ({reason}); a copy is set aside as {shown}, and what can be read of it is used: of the rest, \
         {COME_AGAIN}"
    );
    damage(aside, &what)
}

pub(super) fn damaged(aside: &Path, reason: &str) -> Error {
    let shown = aside.display();
    damage(
        aside,
        &format!("is damaged ({reason}) and is set aside as {shown}; {NOT_KNOWN}"),
    )
}

const NOT_KNOWN: &str =
    "what it remembered is not known any more: events may come a second time, and with Datafeed 1 be missed";
const COME_AGAIN: &str = "events may come a second time, and with Datafeed 1 be missed";

fn damage(file: &Path, what: &str) -> Error {
    Error::new(
        Code::StateDamaged,
        format!("stateDir: the state that was stored {what}"),
    )
    .with_field("stateDir")
    .with_file(file.display().to_string())
    .retryable()
}
