//! The events that are known. Each has a place for as long as it is known, and whoever has the place need not look it up.
//!
//! There may be a hundred thousand, of which the last hundred are at hand. So what there is to tell of them lies in the
//! order in which they came, where the processor is ahead of us, and only the places lie scattered.

use std::hash::BuildHasher;
use std::ops::{Index, IndexMut};

use hashbrown::HashTable;

use super::lease::LeaseId;
use crate::batch::Identity;
use crate::clock::Moment;
use crate::hash::Mixed;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Queued, held or postponed.
    Outstanding,
    Acknowledged,
    /// Acknowledged, and the service knows.
    Confirmed,
    /// Forgotten, but an event that looks the same and came later is known: its place is kept, so that the later one
    /// is still found by counting from the first.
    Placeholder,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) identity: Identity,
    pub(super) state: State,
    /// The newest lease it came with.
    pub(super) lease: LeaseId,
    pub(super) received: Moment,
}

/// Where a known event lies. Another event may lie there once this one is not known any more; its lease is another one,
/// then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(u32);

/// What a place that is free says of its lease: no such lease is ever given.
const NO_LEASE: LeaseId = LeaseId::MAX;

#[derive(Clone, Default)]
pub(super) struct KnownEvents {
    places: HashTable<Place>,
    events: Vec<Known>,
    free: Vec<Place>,
}

fn hash_of(identity: Identity) -> u64 {
    Mixed::default().hash_one(identity)
}

impl KnownEvents {
    pub(super) fn find(&self, identity: Identity) -> Option<Place> {
        let is_it = |place: &Place| self[*place].identity == identity;
        self.places.find(hash_of(identity), is_it).copied()
    }

    /// One that is not known yet.
    pub(super) fn insert_new(&mut self, known: Known) -> Place {
        debug_assert!(self.find(known.identity).is_none(), "it is known already");
        let KnownEvents { places, events, free } = self;
        let place = free.pop().unwrap_or(Place(events.len() as u32));
        if place.0 as usize == events.len() {
            events.push(known);
        } else {
            events[place.0 as usize] = known;
        }
        let hash_at = |place: &Place| hash_of(events[place.0 as usize].identity);
        places.insert_unique(hash_of(known.identity), place, hash_at);
        place
    }

    /// What was known of the same event is replaced.
    pub(super) fn insert(&mut self, known: Known) -> Place {
        match self.find(known.identity) {
            Some(place) => {
                self[place] = known;
                place
            }
            None => self.insert_new(known),
        }
    }

    pub(super) fn remove(&mut self, place: Place) {
        let hash = hash_of(self[place].identity);
        if let Ok(found) = self.places.find_entry(hash, |other| *other == place) {
            found.remove();
            self[place].lease = NO_LEASE;
            self.free.push(place);
        }
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &Known> {
        self.places.iter().map(|place| &self[*place])
    }
}

impl Index<Place> for KnownEvents {
    type Output = Known;

    fn index(&self, place: Place) -> &Known {
        &self.events[place.0 as usize]
    }
}

impl IndexMut<Place> for KnownEvents {
    fn index_mut(&mut self, place: Place) -> &mut Known {
        &mut self.events[place.0 as usize]
    }
}
