//! The tables, and what is said to them.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags, Row, params};

use super::load::Times;
use super::{DeadLetter, Mark};
use crate::batch::{EventText, Identity};
use crate::clock::Moment;
use crate::ledger::{Changes, Kept, Standing};

/// Tells the library's databases from others.
const APPLICATION: i64 = 0x5359_4446;

/// What the tables are like. A database of a later one is left alone.
const FORMAT: i64 = 1;

/// Small pages: an acknowledgement writes each page that it changes.
const PAGE: u64 = 1024;

/// How long the log may get, in pages, before the database takes it over.
const LONG_LOG: u64 = 2 << 10;

/// `place` is one row. `events` is what the service may deliver again, by identity; `value` is the number of attempts, or
/// until when it is remembered. Times are milliseconds since 1970.
const TABLES: &str = "
    CREATE TABLE place (username TEXT, identity_seed INTEGER, feed TEXT, done_until INTEGER, reading INTEGER, lost INTEGER);
    CREATE TABLE events (identity BLOB PRIMARY KEY, standing INTEGER, value INTEGER, at INTEGER) WITHOUT ROWID;
    CREATE TABLE kept (serial INTEGER PRIMARY KEY, identity BLOB, attempts INTEGER, event TEXT);
    CREATE TABLE letters (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER, attempts INTEGER, event TEXT);
";

#[derive(Debug)]
pub(super) struct Database {
    connection: Connection,
}

/// Why a database is not opened.
#[derive(Debug)]
pub(super) enum NotOpened {
    /// It is not what was written.
    Damaged(String),
    /// It is of a later format.
    Version(i64),
    /// It may be all right, and was not opened for this reason.
    Failed(String),
}

impl From<rusqlite::Error> for NotOpened {
    fn from(error: rusqlite::Error) -> NotOpened {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => NotOpened::Damaged(error.to_string()),
            Some(_) => NotOpened::Failed(error.to_string()),
            // A value that no version of this library has written.
            None => NotOpened::Damaged(error.to_string()),
        }
    }
}

impl Standing {
    /// The columns `standing` and `value`.
    fn columns(self, on_the_wall: impl Fn(Moment) -> u64) -> (i64, i64) {
        match self {
            Standing::Tried(attempts) => (0, attempts.into()),
            Standing::Acknowledged => (1, 0),
            Standing::Confirmed(forget_at) => (2, on_the_wall(forget_at) as i64),
            Standing::Placeholder => (3, 0),
        }
    }

    /// The same, with when it was written.
    fn of_columns(standing: i64, value: i64, at: u64, times: &Times) -> Option<Standing> {
        Some(match standing {
            0 => Standing::Tried(u32::try_from(value).unwrap_or(u32::MAX)),
            1 => times.acknowledged(at),
            2 => Standing::Confirmed(times.forget_at(value as u64)),
            3 => Standing::Placeholder,
            _ => return None,
        })
    }
}

impl Database {
    /// Makes the tables in an empty file, on the disk when this returns. `lost`: in place of others that are damaged.
    pub(super) fn make(path: &Path, lost: bool) -> rusqlite::Result<()> {
        let connection = connect(path)?;
        connection.execute_batch(&format!(
            "PRAGMA page_size={PAGE}; PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL; BEGIN; {TABLES} \
             PRAGMA application_id={APPLICATION}; PRAGMA user_version={FORMAT};"
        ))?;
        let seed = fastrand::i64(..);
        let sql = "INSERT INTO place (identity_seed, reading, lost) VALUES (?1, 0, ?2)";
        connection.execute(sql, params![seed, lost])?;
        connection.execute_batch("COMMIT; PRAGMA journal_mode=WAL;")
    }

    /// Opens what `make` has made, and looks through all of it.
    pub(super) fn open(path: &Path) -> Result<Database, NotOpened> {
        let connection = connect(path)?;
        // Closing must not wait for the disk, nor write to files that are not whole or not ours. The next process takes the
        // log as it is.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        // The lock on the folder is the one that counts, and no memory has to be shared then.
        connection.execute_batch("PRAGMA locking_mode=EXCLUSIVE;")?;
        let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
        let (application, format) = (number("application_id")?, number("user_version")?);
        if application == APPLICATION && format > FORMAT {
            return Err(NotOpened::Version(format));
        }
        if application != APPLICATION || format < FORMAT {
            return Err(NotOpened::Damaged("it is no state of this library".to_owned()));
        }
        // A commit is in the log when it returns; the disk has it when the log is synced. The log is taken over by `tidy`,
        // not in a bot's call.
        connection.execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0; PRAGMA temp_store=MEMORY; \
             PRAGMA cache_size=-2000;",
        )?;
        let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if found != "ok" {
            return Err(NotOpened::Damaged(found));
        }
        connection.set_prepared_statement_cache_capacity(32);
        Ok(Database { connection })
    }

    /// How many frames of the log are part of the database.
    pub(super) fn frames_in_log(&self) -> rusqlite::Result<u64> {
        let frames: i64 = self
            .connection
            .query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get(1))?;
        Ok(u64::try_from(frames).unwrap_or_default())
    }

    /// The database's own name for whose state it is, if that is another one's. From now on it is this one's.
    pub(super) fn belongs_to(&self, username: &str) -> rusqlite::Result<Option<String>> {
        let known: Option<String> = self
            .connection
            .query_row("SELECT username FROM place", [], |row| row.get(0))?;
        match known {
            Some(known) => Ok((known != username).then_some(known)),
            None => {
                self.connection.execute("UPDATE place SET username = ?1", [username])?;
                Ok(None)
            }
        }
    }

    pub(super) fn write(
        &mut self,
        changes: &Changes<EventText>,
        mark: Option<&Mark>,
        wall: u64,
        on_the_wall: impl Fn(Moment) -> u64 + Copy,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.unchecked_transaction()?;
        {
            let mut stands = prepare(&transaction, "INSERT OR REPLACE INTO events VALUES (?1, ?2, ?3, ?4)")?;
            let mut forgotten = prepare(&transaction, "DELETE FROM events WHERE identity = ?1")?;
            for (identity, standing) in &changes.standings {
                let identity = identity.to_be_bytes();
                match standing {
                    Some(standing) => {
                        let (standing, value) = standing.columns(on_the_wall);
                        stands.execute(params![identity, standing, value, wall as i64])?
                    }
                    None => forgotten.execute(params![identity])?,
                };
            }
            let mut keep = prepare(&transaction, "INSERT INTO kept VALUES (?1, ?2, ?3, ?4)")?;
            for kept in &changes.kept {
                let identity = kept.identity.map(Identity::to_be_bytes);
                keep.execute(params![
                    kept.serial as i64,
                    identity,
                    kept.attempts,
                    kept.event.as_str()
                ])?;
            }
            let mut tried = prepare(&transaction, "UPDATE kept SET attempts = ?2 WHERE serial = ?1")?;
            for (serial, attempts) in &changes.tried {
                tried.execute(params![*serial as i64, attempts])?;
            }
            let mut release = prepare(&transaction, "DELETE FROM kept WHERE serial = ?1")?;
            for serial in &changes.released {
                release.execute([*serial as i64])?;
            }
            let mut set_aside = prepare(
                &transaction,
                "INSERT INTO letters (at, attempts, event) VALUES (?1, ?2, ?3)",
            )?;
            for letter in &changes.set_aside {
                set_aside.execute(params![wall as i64, letter.attempts, letter.event.as_str()])?;
            }
            let mut take = prepare(&transaction, "DELETE FROM letters WHERE id = ?1")?;
            for letter in &changes.letters_taken {
                take.execute([*letter as i64])?;
            }
            if let Some(mark) = mark {
                prepare(
                    &transaction,
                    "UPDATE place SET feed = ?1, done_until = ?2, reading = ?3, lost = ?4",
                )?
                .execute(params![
                    mark.feed,
                    mark.done_until.map(|millis| millis as i64),
                    mark.reading,
                    mark.lost
                ])?;
            }
        }
        transaction.commit()
    }

    /// Moves a log that has become long into the database. What it needs of the disk is waited for.
    pub(super) fn take_over_log(&self) -> rusqlite::Result<()> {
        if self.frames_in_log()? < LONG_LOG {
            return Ok(());
        }
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }

    /// Something that was stored is gone, and the bot is to be told.
    pub(super) fn note_loss(&self) -> rusqlite::Result<()> {
        self.connection.execute("UPDATE place SET lost = 1", []).map(|_| ())
    }

    /// Who the bot is, and the poller's place: the seed and the mark.
    pub(super) fn place(&self) -> rusqlite::Result<(u64, Mark)> {
        let sql = "SELECT identity_seed, feed, done_until, reading, lost FROM place";
        self.connection.query_row(sql, [], |row| {
            let mark = Mark {
                feed: row.get(1)?,
                done_until: row.get::<_, Option<i64>>(2)?.map(|millis| millis as u64),
                reading: row.get(3)?,
                lost: row.get(4)?,
            };
            Ok((row.get::<_, i64>(0)? as u64, mark))
        })
    }

    /// Forgets attempts from before this time: their events do not come again.
    pub(super) fn forget_attempts(&self, before: u64) -> rusqlite::Result<()> {
        let sql = "DELETE FROM events WHERE standing = 0 AND at < ?1";
        self.connection.execute(sql, [before as i64]).map(|_| ())
    }

    pub(super) fn standings(&self, times: &Times) -> rusqlite::Result<Vec<(Identity, Standing)>> {
        let read = |row: &Row| {
            let identity = Identity::from_be_bytes(row.get(0)?);
            let standing = Standing::of_columns(row.get(1)?, row.get(2)?, row.get::<_, i64>(3)? as u64, times);
            Ok(standing.map(|standing| (identity, standing)))
        };
        let mut statement = self
            .connection
            .prepare("SELECT identity, standing, value, at FROM events")?;
        let rows = statement.query_map([], read)?;
        rows.filter_map(Result::transpose).collect()
    }

    /// What is kept, in the order in which it came.
    pub(super) fn kept(&self) -> rusqlite::Result<Vec<Kept<EventText>>> {
        let read = |row: &Row| {
            let identity: Option<[u8; 16]> = row.get(1)?;
            Ok(Kept {
                serial: row.get::<_, i64>(0)? as u64,
                identity: identity.map(Identity::from_be_bytes),
                attempts: row.get(2)?,
                event: EventText::of_own(row.get(3)?),
            })
        };
        let mut statement = self
            .connection
            .prepare("SELECT serial, identity, attempts, event FROM kept ORDER BY serial")?;
        let rows = statement.query_map([], read)?;
        rows.collect()
    }

    pub(super) fn count_letters(&self) -> rusqlite::Result<usize> {
        let count: i64 = self
            .connection
            .query_row("SELECT COUNT(*) FROM letters", [], |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or_default())
    }

    pub(super) fn letters(&self, after: u64, most: usize) -> rusqlite::Result<Vec<DeadLetter>> {
        let read = |row: &Row| {
            Ok(DeadLetter {
                id: row.get::<_, i64>(0)? as u64,
                at: row.get::<_, i64>(1)? as u64,
                attempts: row.get(2)?,
                event: row.get(3)?,
            })
        };
        let sql = "SELECT id, at, attempts, event FROM letters WHERE id > ?1 ORDER BY id LIMIT ?2";
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![after, most as i64], read)?;
        rows.collect()
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
}

fn prepare<'a>(connection: &'a Connection, sql: &str) -> rusqlite::Result<CachedStatement<'a>> {
    connection.prepare_cached(sql)
}
