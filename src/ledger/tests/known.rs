//! The places of known events, against a map.

use std::collections::HashMap;

use proptest::prelude::*;

use super::super::known::{Known, KnownEvents, Place, State};
use crate::batch::Identity;
use crate::clock::Moment;

/// An event comes, or comes again; or it is forgotten.
fn steps() -> impl Strategy<Value = Vec<(bool, Identity)>> {
    prop::collection::vec((prop::bool::weighted(0.6), 0..40u128), 0..200)
}

proptest! {
    #[test]
    fn each_event_keeps_its_place_until_it_is_forgotten(steps in steps()) {
        let mut known = KnownEvents::default();
        let mut expected: HashMap<Identity, (Place, u64)> = HashMap::new();
        for (lease, (comes, identity)) in (0..).zip(steps) {
            if comes {
                let place = known.insert(Known {
                    identity,
                    state: State::Outstanding,
                    lease,
                    received: Moment::default(),
                });
                let before = expected.insert(identity, (place, lease));
                prop_assert!(before.is_none_or(|(before, _)| before == place));
            } else if let Some((place, lease)) = expected.remove(&identity) {
                known.remove(place);
                // Whoever still has the place and the lease sees that it is not that event any more.
                prop_assert_ne!(known[place].lease, lease);
            }
            for identity in 0..40 {
                let found = known.find(identity).map(|place| (place, known[place].lease));
                prop_assert_eq!(found, expected.get(&identity).copied());
            }
            prop_assert_eq!(known.iter().count(), expected.len());
        }
    }
}
