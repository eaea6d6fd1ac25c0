//! The state store: a folder of the feed's own, where what has to outlive the process is kept.
//!
//! An acknowledgement is in it before the bot is told that it was taken, and with Datafeed 1 an event before the bot sees
//! it. It is a database of SQLite with a write-ahead log: what was written survives the end of the process, however it
//! ends; what was [synced](Syncing) survives the machine's.

mod database;
mod error;
mod folder;
mod letter;
mod load;
#[cfg(test)]
mod tests;
mod wal;

use std::fs::File;
use std::io;
use std::path::PathBuf;

use database::Database;
pub use letter::DeadLetter;

use crate::batch::EventText;
use crate::claim::Claim;
use crate::clock::{Clock, Moment, wall_clock_millis};
use crate::config::{StateDir, Sync};
use crate::error::Error;
use crate::ledger::{Changes, Restored};

/// Where the poller is, for a process after this one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The feed that is read.
    pub(crate) feed: Option<String>,
    /// Everything that was published before this has come and is done with, or is in the store; in milliseconds since
    /// 1970.
    pub(crate) done_until: Option<u64>,
    /// With Datafeed 1: events may have left the service that are not here, and the bot was not told.
    pub(crate) reading: bool,
    /// What was stored before was damaged, and the bot was not told.
    pub(crate) lost: bool,
}

/// Where a process before this one was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) mark: Mark,
    /// Keys the identities of events.
    pub(crate) identity_seed: u64,
    /// What was stored before was damaged: the error to tell.
    pub(crate) lost: Option<Error>,
}

/// After so many writes the log may be long. Each adds a few pages.
const MANY_WRITES: u32 = 512;

/// After so many it is as long as it may get.
const TOO_MANY_WRITES: u32 = 8 * MANY_WRITES;

/// The folder, opened for this feed alone.
#[derive(Debug)]
pub(crate) struct Store {
    database: Database,
    folder: PathBuf,
    sync: Sync,
    /// Something was written since the latest [`Syncing`].
    is_dirty: bool,
    /// Since the log was looked at.
    writes: u32,
    clock: Clock,
    _claim: Claim,
}

/// What a feed begins with.
pub(crate) struct Opened {
    pub(crate) store: Store,
    pub(crate) restored: Restored<EventText>,
    pub(crate) place: Place,
}

/// Has the disk write what was written before.
pub(crate) struct Syncing {
    log: File,
    folder: PathBuf,
}

impl Syncing {
    pub(crate) fn sync(self) -> Result<(), Error> {
        self.log
            .sync_data()
            .map_err(|error| error::unwritable(&self.folder, &error.to_string()))
    }
}

impl Store {
    /// Opens the folder, or makes it.
    ///
    /// # Errors
    ///
    /// [`Code::StateInUse`](crate::Code::StateInUse) when another feed has it, and
    /// [`Code::StateUnavailable`](crate::Code::StateUnavailable) when it cannot be used. A store that is damaged is no
    /// error: it is set aside, and [`Place::lost`] tells.
    pub(crate) fn open(state: &StateDir, username: Option<&str>, clock: &Clock) -> Result<Opened, Error> {
        let claim = folder::claim(&state.folder)?;
        let load = |database: &mut Database| load::load(database, clock.now(), wall_clock_millis());
        let (database, loaded, damage) = folder::open_or_set_aside(&state.folder, load)?;
        if let Some(username) = username
            && let Some(other) = database
                .belongs_to(username)
                .map_err(|error| error::unusable(&state.folder, &error.to_string()))?
        {
            return Err(error::of_another(&state.folder, &other));
        }
        let untold = loaded.place.mark.lost.then(|| error::damaged_before(&state.folder));
        let place = Place {
            lost: damage.or(untold),
            ..loaded.place
        };
        let store = Store {
            database,
            folder: state.folder.clone(),
            sync: state.sync,
            is_dirty: true,
            writes: 0,
            clock: clock.clone(),
            _claim: claim,
        };
        Ok(Opened {
            store,
            restored: loaded.restored,
            place,
        })
    }

    /// Writes all of it or nothing.
    ///
    /// # Errors
    ///
    /// [`Code::StateUnavailable`](crate::Code::StateUnavailable). It can be tried again.
    pub(crate) fn write(&mut self, changes: &Changes<EventText>, mark: Option<&Mark>) -> Result<(), Error> {
        let (now, wall) = (self.clock.now(), wall_clock_millis());
        let on_the_wall = |moment: Moment| wall.saturating_add(moment.0.saturating_sub(now.0));
        self.database
            .write(changes, mark, wall, on_the_wall)
            .map_err(|error| error::of_database(&self.folder, &error))?;
        self.is_dirty = true;
        self.writes += 1;
        if self.writes >= TOO_MANY_WRITES {
            // The poller, whose work it is, has not come by for long. It can be tried again.
            let _ = self.tidy();
        }
        Ok(())
    }

    /// What is to be done for the disk to have what was written, if `sync` asks for that.
    pub(crate) fn syncing(&mut self) -> Result<Option<Syncing>, Error> {
        if self.sync == Sync::Relaxed || !self.is_dirty {
            return Ok(None);
        }
        let folder = self.folder.clone();
        match File::open(folder::log_of(&folder)) {
            Ok(log) => {
                self.is_dirty = false;
                Ok(Some(Syncing { log, folder }))
            }
            // Nothing was written since the log was taken over.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error::unwritable(&folder, &error.to_string())),
        }
    }

    /// The latest [`Syncing`] did not succeed.
    pub(crate) fn is_not_synced(&mut self) {
        self.is_dirty = true;
    }

    /// Whether it is time to [`tidy`](Store::tidy).
    pub(crate) fn has_written_much(&self) -> bool {
        self.writes >= MANY_WRITES
    }

    /// Takes over into the database what the log holds, when that is much.
    pub(crate) fn tidy(&mut self) -> Result<(), Error> {
        self.writes = 0;
        self.database
            .take_over_log()
            .map_err(|error| error::of_database(&self.folder, &error))
    }

    /// The event that was set aside under this id.
    pub(crate) fn letter(&self, id: u64) -> Result<Option<DeadLetter>, Error> {
        let next = id
            .checked_sub(1)
            .map_or(Ok(Vec::new()), |before| self.letters(before, 1))?;
        Ok(next.into_iter().find(|letter| letter.id == id))
    }

    /// Events that were set aside after this one, the oldest first.
    pub(crate) fn letters(&self, after: u64, most: usize) -> Result<Vec<DeadLetter>, Error> {
        self.database
            .letters(after, most)
            .map_err(|error| error::of_database(&self.folder, &error))
    }
}
