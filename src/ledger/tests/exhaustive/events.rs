//! A few events, as a set.

use std::ops::BitOrAssign;

/// Events are numbers below 8.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Events(u8);

impl Events {
    pub(super) fn first(count: u8) -> Events {
        (0..count).collect()
    }

    pub(super) fn iter(self) -> impl Iterator<Item = u8> {
        (0..8).filter(move |event| self.contains(*event))
    }

    pub(super) fn contains(self, event: u8) -> bool {
        self.0 & 1 << event != 0
    }

    pub(super) fn insert(&mut self, event: u8) {
        self.0 |= 1 << event;
    }

    pub(super) fn without(self, others: Events) -> Events {
        Events(self.0 & !others.0)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn bits(self) -> u64 {
        self.0.into()
    }
}

impl BitOrAssign for Events {
    fn bitor_assign(&mut self, others: Events) {
        self.0 |= others.0;
    }
}

impl FromIterator<u8> for Events {
    fn from_iter<I: IntoIterator<Item = u8>>(events: I) -> Events {
        let mut set = Events::default();
        events.into_iter().for_each(|event| set.insert(event));
        set
    }
}
