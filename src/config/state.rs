//! Where a feed keeps what has to outlive the process, and how often an event is tried.

use std::path::PathBuf;

use super::section::Section;
use crate::error::Error;

/// A folder of the feed's own.
#[derive(Debug, Clone)]
pub(crate) struct StateDir {
    pub(crate) folder: PathBuf,
    pub(crate) sync: Sync,
}

/// What survives the machine, not only the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    /// What was written before a batch was received, and with Datafeed 1 the batch.
    Batch,
    /// What the system has written by itself.
    Relaxed,
}

impl StateDir {
    pub(super) fn read(root: &Section) -> Result<Option<StateDir>, Error> {
        let sync = match root.filled("sync")?.as_deref() {
            None => None,
            Some("batch") => Some(Sync::Batch),
            Some("relaxed") => Some(Sync::Relaxed),
            Some(_) => return Err(Error::config("sync", "sync must be \"batch\" or \"relaxed\"")),
        };
        let Some(folder) = root.filled("stateDir")? else {
            if sync.is_some() {
                root.warn("sync has no effect without stateDir".to_owned());
            }
            return Ok(None);
        };
        Ok(Some(StateDir {
            folder: root.locate_for_later(&folder),
            sync: sync.unwrap_or(Sync::Batch),
        }))
    }
}

/// How often an event is handed out at most. What then is set aside has to be kept somewhere.
pub(super) fn read_max_attempts(root: &Section, state: Option<&StateDir>) -> Result<Option<u32>, Error> {
    let most = root.integer("maxAttempts", 1, 1_000_000)?;
    if most.is_some() && state.is_none() {
        let message = "maxAttempts needs stateDir, the folder where events that were tried so often are kept";
        return Err(Error::config("maxAttempts", message));
    }
    Ok(most.map(|most| most as u32))
}
