//! Events that were tried too often: looked at, handed out again, or thrown away.

use super::{Datafeed, NoLetter};
use crate::batch::EventText;
use crate::error::Error;
use crate::shared::State;
use crate::store::{DeadLetter, Store};

/// How many one call answers at most.
const PAGE: usize = 100;

impl Datafeed {
    /// The events that were set aside after `maxAttempts`: up to 100 with an id greater than `after`, the oldest first. To
    /// see all, begin with 0 and go on with the last id, until none is left.
    ///
    /// They stay until [resubmitted](Datafeed::resubmit) or [discarded](Datafeed::discard), also when the process ends.
    /// Without `stateDir` there are none.
    ///
    /// ```
    /// # use datafeed::{Config, Datafeed};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = datafeed_emulator::Emulator::start(Default::default())?;
    /// # let feed = Datafeed::open(Config::parse(&emulator.config().to_string())?)?;
    /// for letter in feed.dead_letters(0)? {
    ///     println!("{} times in vain: {}", letter.attempts(), letter.json());
    ///     feed.resubmit(letter.id())?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// See [`NoLetter`].
    pub fn dead_letters(&self, after: u64) -> Result<Vec<DeadLetter>, NoLetter> {
        let mut state = self.shared().lock();
        let letters = match open_store(&state)? {
            None => Ok(Vec::new()),
            Some(store) => store.letters(after, PAGE),
        };
        letters.map_err(|error| self.unreadable(&mut state, error))
    }

    /// Hands out an event again that was set aside, as if it were new: under a new delivery number, with its attempts
    /// counted from 1.
    ///
    /// # Errors
    ///
    /// See [`NoLetter`].
    pub fn resubmit(&self, letter: u64) -> Result<(), NoLetter> {
        self.take_letter(letter, |event| Some(EventText::of_own(event)))
    }

    /// Throws away an event that was set aside.
    ///
    /// # Errors
    ///
    /// See [`NoLetter`].
    pub fn discard(&self, letter: u64) -> Result<(), NoLetter> {
        self.take_letter(letter, |_| None)
    }

    fn take_letter(&self, letter: u64, again: impl FnOnce(String) -> Option<EventText>) -> Result<(), NoLetter> {
        let shared = self.shared();
        let mut state = shared.lock();
        let Some(store) = open_store(&state)? else {
            return Err(NoLetter::Unknown);
        };
        if state.ledger.is_paused() {
            return Err(NoLetter::NotStored);
        }
        let found = store.letter(letter);
        let found = found.map_err(|error| self.unreadable(&mut state, error))?;
        let event = found.ok_or(NoLetter::Unknown)?.event;
        let taken = state.ledger.take_letter(letter, again(event));
        if !shared.save(&mut state) {
            state.ledger.put_back(taken);
            return Err(NoLetter::NotStored);
        }
        shared.handover.announce(state, 1);
        Ok(())
    }

    fn unreadable(&self, state: &mut State, error: Error) -> NoLetter {
        self.shared().note_trouble(state, &error);
        NoLetter::Failed(error)
    }
}

fn open_store(state: &State) -> Result<Option<&Store>, NoLetter> {
    if state.is_closed() {
        return Err(NoLetter::Closed);
    }
    Ok(state.store.as_ref())
}
