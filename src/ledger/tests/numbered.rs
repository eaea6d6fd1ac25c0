//! The row against a map, and how long it gets.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::ledger::numbered::Numbered;

#[derive(Debug, Clone)]
enum Step {
    /// Under a number that is so much higher than the next.
    Insert(u64),
    /// The one that is so far from the oldest.
    Remove(usize),
    /// What was removed, or never there.
    RemoveNothing(u64),
    /// Keeps every one whose number can be divided by this.
    Retain(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => Just(Step::Insert(0)),
        1 => (0..5_000_000_000_u64).prop_map(Step::Insert),
        8 => Just(Step::Remove(0)),
        4 => (0..300_usize).prop_map(Step::Remove),
        1 => (0..500_u64).prop_map(Step::RemoveNothing),
        1 => (1..4_u64).prop_map(Step::Retain),
    ]
}

proptest! {
    #[test]
    fn a_row_and_a_map_hold_the_same(steps in prop::collection::vec(step(), 1..600)) {
        let mut row = Numbered::default();
        let mut map = BTreeMap::new();
        let mut next = 0;
        for step in steps {
            match step {
                Step::Insert(skipped) => {
                    next += skipped;
                    row.insert(next, next * 7);
                    map.insert(next, next * 7);
                    next += 1;
                }
                Step::Remove(index) => {
                    if let Some(number) = map.keys().nth(index.min(map.len().saturating_sub(1))).copied() {
                        prop_assert_eq!(row.remove(number), map.remove(&number));
                    }
                }
                Step::RemoveNothing(number) => {
                    if !map.contains_key(&number) {
                        prop_assert_eq!(row.remove(number), None);
                    }
                }
                Step::Retain(divisor) => {
                    row.retain(|number, _| number % divisor == 0);
                    map.retain(|number, _| number % divisor == 0);
                }
            }
            prop_assert_eq!(row.len(), map.len());
            prop_assert_eq!(row.is_empty(), map.is_empty());
            let held: BTreeMap<u64, u64> = row.iter().map(|(number, thing)| (number, *thing)).collect();
            prop_assert_eq!(&held, &map);
            for number in [0, next.saturating_sub(1), next, u64::MAX] {
                prop_assert_eq!(row.get(number), map.get(&number));
                prop_assert_eq!(row.get_mut(number), map.get_mut(&number));
            }
        }
    }
}

/// A bot may hold one event for ever, while millions come and go.
#[test]
fn what_stays_does_not_make_it_long() {
    let mut row = Numbered::default();
    for number in 0..100_000 {
        row.insert(number, number);
        if number % 1000 != 0 {
            row.remove(number);
        }
    }
    assert_eq!(row.len(), 100);
    assert!(row.places() < 1000, "{} places for 100", row.places());
    assert!((0..100).all(|thousand| row.get(thousand * 1000) == Some(&(thousand * 1000))));
}
