//! A state store for tests: what was written is there for the next ledger.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Changes, Kept, Restored, Serial, Standing};
use crate::batch::Identity;
use crate::clock::Moment;

/// Its times are those of the test, as a disk's are the wall's.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk<E> {
    pub(super) standings: BTreeMap<Identity, Standing>,
    pub(super) kept: BTreeMap<Serial, (Option<Identity>, E)>,
    /// How often those without an identity were handed out.
    pub(super) tried: BTreeMap<Serial, u32>,
    /// What was set aside.
    pub(super) letters: Vec<E>,
    /// What was ever kept.
    pub(super) ever_kept: BTreeSet<E>,
}

impl<E: Copy + Ord + std::fmt::Debug> Disk<E> {
    /// Everything or nothing. `born`: when the process that writes began, in the test's time.
    pub(super) fn write(&mut self, changes: &Changes<E>, born: Moment) {
        for (identity, standing) in &changes.standings {
            match standing {
                Some(standing) => {
                    let standing = moved(*standing, |moment| Moment(moment.0 + born.0));
                    self.standings.insert(*identity, standing);
                }
                None => {
                    self.standings.remove(identity);
                }
            }
        }
        for Kept {
            serial,
            identity,
            event,
            ..
        } in &changes.kept
        {
            let before = self.kept.insert(*serial, (*identity, *event));
            assert_eq!(before, None, "a serial is never used again");
            self.ever_kept.insert(*event);
        }
        self.tried.extend(changes.tried.iter().copied());
        for serial in &changes.released {
            self.kept.remove(serial);
            self.tried.remove(serial);
        }
        for letter in &changes.set_aside {
            self.letters.push(letter.event);
        }
    }

    /// What a process finds that begins now.
    pub(super) fn restored(&self, now: Moment) -> Restored<E> {
        let standings = self.standings.iter();
        let kept = self.kept.iter();
        Restored {
            standings: standings
                .map(|(identity, standing)| {
                    let own_time = |moment: Moment| Moment(moment.0.saturating_sub(now.0));
                    (*identity, moved(*standing, own_time))
                })
                .collect(),
            kept: kept
                .map(|(serial, (identity, event))| Kept {
                    serial: *serial,
                    identity: *identity,
                    attempts: self.tried.get(serial).copied().unwrap_or_default(),
                    event: *event,
                })
                .collect(),
            letters: self.letters.len(),
        }
    }
}

fn moved(standing: Standing, into: impl Fn(Moment) -> Moment) -> Standing {
    match standing {
        Standing::Confirmed(forget_at) => Standing::Confirmed(into(forget_at)),
        other => other,
    }
}
