//! What a state store has to be told, so that another ledger can go on where this one was.
//!
//! Only what the service does not know goes there. Over Datafeed 2 that is which events the bot is done with; the others
//! come again. Over Datafeed 1, which forgets what it has handed out, it is the events themselves.

use super::{Ledger, Serial};
use crate::batch::Identity;
use crate::clock::Moment;

/// How an event stands that the service may deliver again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Handed out so often, and not done.
    Tried(u32),
    /// The bot is done with it, and the service may not know.
    Acknowledged,
    /// The service knows; remembered until then.
    Confirmed(Moment),
    /// Forgotten, but one that looks the same is known: see `memory::State::Placeholder`.
    Placeholder,
}

/// An event that is in the state store until the bot is done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept<E> {
    pub(crate) serial: Serial,
    pub(crate) identity: Option<Identity>,
    /// How often it was handed out, if that is not told by its identity.
    pub(crate) attempts: u32,
    pub(crate) event: E,
}

/// An event that was handed out too often without success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SetAside<E> {
    pub(crate) attempts: u32,
    pub(crate) event: E,
}

/// What happened since the state store was told last. It is written as a whole or not at all.
#[derive(Debug, Clone)]
pub(crate) struct Changes<E> {
    /// In their order; nothing: no longer known.
    pub(crate) standings: Vec<(Identity, Option<Standing>)>,
    pub(crate) kept: Vec<Kept<E>>,
    /// Kept events without an identity, and how often they were handed out.
    pub(crate) tried: Vec<(Serial, u32)>,
    /// Kept events that the bot is done with.
    pub(crate) released: Vec<Serial>,
    pub(crate) set_aside: Vec<SetAside<E>>,
    /// Events that were set aside, and are in the ledger again or not wanted any more.
    pub(crate) letters_taken: Vec<u64>,
}

impl<E> Default for Changes<E> {
    fn default() -> Changes<E> {
        Changes {
            standings: Vec::new(),
            kept: Vec::new(),
            tried: Vec::new(),
            released: Vec::new(),
            set_aside: Vec::new(),
            letters_taken: Vec::new(),
        }
    }
}

impl<E> Changes<E> {
    pub(crate) fn is_empty(&self) -> bool {
        self.standings.is_empty()
            && self.kept.is_empty()
            && self.tried.is_empty()
            && self.released.is_empty()
            && self.set_aside.is_empty()
            && self.letters_taken.is_empty()
    }

    fn clear(&mut self) {
        self.standings.clear();
        self.kept.clear();
        self.tried.clear();
        self.released.clear();
        self.set_aside.clear();
        self.letters_taken.clear();
    }
}

impl<E: Clone> Ledger<E> {
    /// What the state store has not been told yet.
    pub(crate) fn changes(&mut self) -> &Changes<E> {
        self.changes.standings.append(&mut self.memory.notes);
        &self.changes
    }

    /// The state store has what [`changes`](Ledger::changes) answered.
    pub(crate) fn changes_are_stored(&mut self) {
        self.changes.clear();
    }

    /// The state store takes nothing: until it does, nothing more is read for the bot, and nothing is acknowledged to the
    /// service.
    pub(crate) fn pause(&mut self) {
        self.paused = true;
    }

    /// The state store takes changes again. Answers whether it has all of them.
    pub(crate) fn resume(&mut self) -> bool {
        self.paused = !self.changes().is_empty();
        !self.paused
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }

    /// Events that wait for the state store to have them.
    pub(crate) fn staged(&self) -> usize {
        self.staged.len()
    }

    /// Whether something waits for the state store to have it.
    pub(crate) fn has_staged(&self) -> bool {
        !self.staged.is_empty()
    }

    /// The state store has what was to be there before the bot sees it. Answers how many events that are.
    pub(crate) fn release_staged(&mut self) -> usize {
        let count = self.staged.len();
        self.queue.extend(self.staged.drain(..));
        count
    }
}
