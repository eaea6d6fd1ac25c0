//! Which events are lent to the harness: what may be read, and what an acknowledgement of a number has to answer.
//!
//! The header lets a text be read until its number is given back, by whichever thread. So that the harness itself keeps
//! to that, it reads under the lock and takes an event out before it gives the number back.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, c_char};

use crate::world;

#[derive(Default)]
pub struct Lent {
    events: BTreeMap<u64, Text>,
    /// Given back, or about to be. An event that was not in the harness' hands yet may have been hit by a guess.
    given_back: BTreeSet<u64>,
    /// Those whose return was taken.
    spent: Vec<u64>,
    calls: u64,
    running: usize,
    highest: u64,
}

/// Not there any more once it was copied.
struct Text(Option<*const c_char>);

// SAFETY: any thread may read it; `Lent` is behind a lock.
unsafe impl Send for Text {}

impl Text {
    /// Reads it to its end.
    fn check(&self, length: Option<usize>) {
        let Some(text) = self.0 else { return };
        // SAFETY: lent until its number is given back, and then it is no longer in the table, or copied, and then it is
        // no longer here.
        let text = unsafe { CStr::from_ptr(text) }.to_str().expect("events are UTF-8");
        assert!(length.is_none_or(|length| length == text.len()));
        let number = text.strip_prefix("{\"n\":").and_then(|rest| rest.split(',').next());
        let number = number.and_then(|number| number.parse().ok());
        let number = number.unwrap_or_else(|| panic!("no event of ours: {text:?}"));
        assert_eq!(text, world::event(number));
    }
}

/// A delivery number, by how it is chosen.
#[derive(Debug, Clone, Copy)]
pub enum Number {
    Held(u8),
    Spent(u8),
    /// About to be handed out, or handed out a while ago.
    Near(u8),
    Any(u64),
}

/// What is known of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    Held,
    Spent,
    Nothing,
}

impl Lent {
    /// An event was handed out.
    pub fn take(&mut self, delivery: u64, text: *const c_char, length: Option<usize>) {
        self.highest = self.highest.max(delivery);
        assert!(
            delivery != 0 && !self.events.contains_key(&delivery),
            "{delivery} came twice"
        );
        if !self.given_back.contains(&delivery) {
            let text = Text(Some(text));
            text.check(length);
            self.events.insert(delivery, text);
        }
    }

    /// The number meant, and what is known of it.
    pub fn find(&self, number: Number) -> (u64, Known) {
        match number {
            Number::Held(index) if !self.events.is_empty() => {
                let index = usize::from(index) % self.events.len();
                let held = self.events.keys().nth(index).expect("below the length");
                (*held, Known::Held)
            }
            Number::Spent(index) if !self.spent.is_empty() => {
                (self.spent[usize::from(index) % self.spent.len()], Known::Spent)
            }
            Number::Near(index) => self.known((self.highest + 4).saturating_sub(index.into())),
            Number::Any(number) => self.known(number),
            Number::Held(_) | Number::Spent(_) => (0, Known::Nothing),
        }
    }

    fn known(&self, number: u64) -> (u64, Known) {
        if self.given_back.contains(&number) && !self.spent.contains(&number) {
            // Another thread is about to give it back, and what it is answered must not depend on this one.
            return (0, Known::Nothing);
        }
        let known = if self.events.contains_key(&number) {
            Known::Held
        } else if self.spent.contains(&number) {
            Known::Spent
        } else {
            Known::Nothing
        };
        (number, known)
    }

    /// The text of the number is about to end, if there is one.
    pub fn copy(&mut self, number: u64) {
        if let Some(text) = self.events.get_mut(&number) {
            text.0 = None;
        }
    }

    pub fn is_copied(&self, number: u64) -> bool {
        self.events.get(&number).is_some_and(|text| text.0.is_none())
    }

    /// The number is about to be given back: from now on its text is not read.
    pub fn give_back(&mut self, number: u64) {
        self.events.remove(&number);
        self.given_back.insert(number);
    }

    pub fn was_taken_back(&mut self, number: u64) {
        self.spent.push(number);
    }

    pub fn read_again(&self, index: u8) {
        if let (number, Known::Held) = self.find(Number::Held(index)) {
            self.events[&number].check(None);
        }
    }

    pub fn read_all_again(&self) {
        self.events.values().for_each(|text| text.check(None));
    }

    /// With implicit acknowledgement, a call that asks for an event ends the life of the one before.
    pub fn asking_begins(&mut self) -> u64 {
        self.events.clear();
        self.calls += 1;
        self.running += 1;
        self.calls
    }

    /// Whether no other call can have ended the life of the event that this one brought.
    pub fn asking_ends(&mut self, call: u64) -> bool {
        self.running -= 1;
        self.calls == call && self.running == 0
    }

    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// No call is going on any more, so that what was a guess can be known again.
    pub fn forget(&mut self) {
        self.given_back.clear();
        self.spent.clear();
    }
}
