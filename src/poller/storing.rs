//! The state store, as the poller sees it: it is written before the bot may see what has to be there, and while it takes
//! nothing, nothing is read.

use std::time::Duration;

use super::Poller;
use crate::clock::Moment;
use crate::store::{Mark, Syncing};

/// How old what is stored of the poller's own place may be. An older one only makes a gap look longer than it is.
const MARK_AGE: Duration = Duration::from_secs(1);

/// How long acknowledgements wait at least for the disk, which takes milliseconds each time. Events that are stored before the
/// bot sees them do not wait.
const SYNC_AGE: Duration = Duration::from_secs(1);

/// The poller's place, as it is stored.
#[derive(Default)]
pub(super) struct Marked {
    mark: Mark,
    /// None: it is to be stored as it is now.
    at: Option<Moment>,
    synced_at: Moment,
}

impl Marked {
    /// The process is about to end, so that the place will not be stored once more.
    pub(super) fn has_to_be_exact(&mut self) {
        self.at = None;
    }
}

impl Poller {
    /// Writes what has changed, and lets the bot have what waited for that. Answers whether everything is in the store.
    pub(super) fn store(&mut self) -> bool {
        let now = self.shared.clock.now();
        let mut state = self.shared.lock();
        if state.store.is_none() {
            return true;
        }
        let mark = Mark {
            feed: self.gaps.feed().map(str::to_owned),
            done_until: state.ledger.done_until(self.gaps.caught_up()),
            reading: self.gaps.reading,
            lost: self.gaps.state_lost(),
        };
        let before = &self.marked.mark;
        let urgent = (&mark.feed, mark.reading, mark.lost) != (&before.feed, before.reading, before.lost);
        let due = mark != *before && self.marked.at.is_none_or(|at| now.since(at) >= MARK_AGE);
        if urgent || due || state.ledger.is_paused() {
            state.mark = Some(mark.clone());
            self.marked.mark = mark;
            self.marked.at = Some(now);
        }
        if !self.shared.save(&mut state) {
            return false;
        }
        let sync = state.is_behind() || now.since(self.marked.synced_at) >= SYNC_AGE;
        let Some(store) = state.store.as_mut() else { return true };
        let tidied = if sync || store.has_written_much() {
            self.marked.synced_at = now;
            store.tidy().and_then(|()| store.syncing())
        } else {
            Ok(None)
        };
        drop(state);
        // Without the lock: it takes milliseconds, and the bot goes on meanwhile.
        let synced = tidied.and_then(|syncing| syncing.map_or(Ok(()), Syncing::sync));
        let mut state = self.shared.lock();
        if synced.is_err()
            && let Some(store) = &mut state.store
        {
            store.is_not_synced();
        }
        if !self.shared.note_saving(&mut state, synced) {
            return false;
        }
        let released = state.ledger.release_staged();
        self.shared.handover.announce(state, released);
        true
    }
}
