//! Things under numbers that count up, of which the oldest mostly go first.
//!
//! So they lie in a row, where a number says the place. What stays while the others go would make the row longer for ever: it
//! is taken out of it, and looked up.

use std::collections::{HashMap, VecDeque};
use std::ops::Index;

use crate::hash::Mixed;

/// Places that the row may have for nothing.
const SPARE: usize = 64;

#[derive(Clone)]
pub(super) struct Numbered<T> {
    /// The number of the first place in the row.
    first: u64,
    row: VecDeque<Option<T>>,
    /// Numbers before the row.
    strays: HashMap<u64, T, Mixed>,
    count: usize,
}

impl<T> Default for Numbered<T> {
    fn default() -> Numbered<T> {
        Numbered {
            first: 0,
            row: VecDeque::new(),
            strays: HashMap::default(),
            count: 0,
        }
    }
}

impl<T> Numbered<T> {
    /// The number has to be higher than every one before.
    pub(super) fn insert(&mut self, number: u64, thing: T) {
        self.insert_with(number, || thing);
    }

    /// The same, for what is worth being made where it is to lie: to make it elsewhere and copy it takes longer.
    #[inline]
    pub(super) fn insert_with(&mut self, number: u64, make: impl FnOnce() -> T) {
        self.make_place(number);
        *self.row.back_mut().expect("a place was made") = Some(make());
    }

    fn make_place(&mut self, number: u64) {
        self.count += 1;
        let end = self.first + self.row.len() as u64;
        debug_assert!(number >= end, "{number} was given before");
        if number != end {
            self.leave_row(self.row.len());
            self.first = number;
        }
        self.row.push_back(None);
        // In proportion to the things, so that few are looked up and no memory is held for what is gone.
        let most = SPARE + 2 * self.count;
        if self.row.len() > most {
            self.leave_row(self.row.len() - most);
        }
    }

    /// Gives up so many places from the row's beginning.
    fn leave_row(&mut self, places: usize) {
        for thing in self.row.drain(..places) {
            if let Some(thing) = thing {
                self.strays.insert(self.first, thing);
            }
            self.first += 1;
        }
    }

    fn place(&self, number: u64) -> usize {
        // Of a number before the row it is beyond its end.
        usize::try_from(number.wrapping_sub(self.first)).unwrap_or(usize::MAX)
    }

    pub(super) fn get(&self, number: u64) -> Option<&T> {
        match self.row.get(self.place(number)) {
            Some(thing) => thing.as_ref(),
            None => self.strays.get(&number),
        }
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        let place = self.place(number);
        match self.row.get_mut(place) {
            Some(thing) => thing.as_mut(),
            None => self.strays.get_mut(&number),
        }
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<T> {
        let place = self.place(number);
        let removed = match self.row.get_mut(place) {
            Some(thing) => thing.take(),
            None => self.strays.remove(&number),
        };
        self.count -= usize::from(removed.is_some());
        while let Some(None) = self.row.front() {
            self.row.pop_front();
            self.first += 1;
        }
        if self.row.is_empty() {
            // The next ones come to lie where these did, which the processor has at hand.
            self.row.clear();
        }
        removed
    }

    /// Keeps those that it says, in as little memory as they need.
    pub(super) fn retain(&mut self, is_kept: impl Fn(u64, &T) -> bool) {
        self.leave_row(self.row.len());
        self.strays.retain(|number, thing| is_kept(*number, thing));
        self.count = self.strays.len();
        self.shrink_to_fit();
    }

    pub(super) fn shrink_to_fit(&mut self) {
        self.row.shrink_to_fit();
        self.strays.shrink_to_fit();
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// How many there is room for without an allocation.
    #[cfg(test)]
    pub(super) fn places(&self) -> usize {
        self.row.capacity() + self.strays.capacity()
    }

    /// In any order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        let in_row = (self.first..).zip(&self.row);
        let in_row = in_row.filter_map(|(number, thing)| Some((number, thing.as_ref()?)));
        let strays = self.strays.iter().map(|(number, thing)| (*number, thing));
        strays.chain(in_row)
    }
}

impl<T> Index<u64> for Numbered<T> {
    type Output = T;

    fn index(&self, number: u64) -> &T {
        self.get(number).expect("there is something under this number")
    }
}
