//! An event that the bot refuses comes again, each time later, until it is set aside.

use std::cmp::Reverse;
use std::time::Duration;

use super::{Held, Ledger, NotHeld, Serial, SetAside};
use crate::clock::Moment;

/// The longest rest of a refused event, if `nackDelay` is not longer itself.
const LONGEST_REST: Duration = Duration::from_secs(5 * 60);

/// Events that are set aside at most. Beyond that they come again, since nothing may be lost.
pub(crate) const MOST_LETTERS: usize = 10_000;

/// What becomes of a refused event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    ComesAgain,
    SetAside,
}

/// What was done about an event that had been set aside.
pub(crate) struct TakenLetter {
    serial: Option<Serial>,
}

impl<E: Clone> Ledger<E> {
    /// The bot is not done with this one: it is handed out again, later, under a new number, unless that was done often
    /// enough.
    pub(crate) fn nack(&mut self, delivery: u64, now: Moment) -> Result<Refused, NotHeld> {
        let Held { serial, .. } = self.held.remove(delivery).ok_or(NotHeld)?;
        self.counters.nacked += 1;
        if self.is_tried_out(serial) {
            self.set_aside(serial, now);
            return Ok(Refused::SetAside);
        }
        let attempts = self.entries[serial].attempts;
        self.postponed.push(Reverse((now + self.rest_after(attempts), serial)));
        Ok(Refused::ComesAgain)
    }

    /// Doubles with each attempt.
    fn rest_after(&self, attempts: u32) -> Duration {
        let first = self.limits.nack_delay;
        let factor = 1u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
        first.saturating_mul(factor).min(LONGEST_REST.max(first))
    }

    pub(super) fn is_tried_out(&self, serial: Serial) -> bool {
        let most = self.limits.max_attempts;
        most.is_some_and(|most| self.entries[serial].attempts >= most) && self.letters < MOST_LETTERS
    }

    /// For the service the event is done with, for a person it is there to be looked at.
    pub(super) fn set_aside(&mut self, serial: Serial, now: Moment) {
        let entry = self.done_with(serial, now);
        self.letters += 1;
        self.counters.set_aside += 1;
        self.changes.set_aside.push(SetAside {
            attempts: entry.attempts,
            event: entry.event,
        });
    }

    /// An event that was set aside is no letter any more. `again`: it is handed out, as if it were new.
    pub(crate) fn take_letter(&mut self, letter: u64, again: Option<E>) -> TakenLetter {
        self.letters = self.letters.saturating_sub(1);
        self.changes.letters_taken.push(letter);
        let serial = again.map(|event| {
            let serial = self.enter(None, event, None);
            self.keep(serial);
            self.queue.push_back(serial);
            serial
        });
        TakenLetter { serial }
    }

    /// Undoes it, if nothing has happened since: the state store did not take it.
    pub(crate) fn put_back(&mut self, taken: TakenLetter) {
        self.letters += 1;
        self.changes.letters_taken.pop();
        if let Some(serial) = taken.serial {
            self.entries.remove(serial);
            self.changes.kept.pop();
            self.queue.pop_back();
        }
    }

    /// Events set aside.
    pub(crate) fn letters(&self) -> usize {
        self.letters
    }

    /// When the next refused event has rested long enough.
    pub(crate) fn next_due(&self) -> Option<Moment> {
        self.postponed.peek().map(|Reverse((due, _))| *due)
    }

    /// Puts the refused events that have rested long enough back into the queue.
    pub(crate) fn wake_postponed(&mut self, now: Moment) {
        while let Some(Reverse((due, serial))) = self.postponed.peek().copied() {
            if due > now {
                return;
            }
            self.postponed.pop();
            self.queue.push_back(serial);
        }
    }
}
