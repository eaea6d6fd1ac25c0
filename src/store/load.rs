//! What is in the store when a feed begins.

use std::time::Duration;

use super::Place;
use super::database::Database;
use crate::batch::EventText;
use crate::clock::Moment;
use crate::ledger::{LONG_AGO, Restored, Standing};
use crate::shared::MEMORY;

/// For how long an event that was tried is waited for. The service has no queue that is older.
const ATTEMPTS_LAST: u64 = 24 * 3600 * 1000;

pub(super) struct Loaded {
    pub(super) restored: Restored<EventText>,
    pub(super) place: Place,
}

/// The same moment by the feed's clock and on the wall, in milliseconds since 1970.
pub(super) struct Times {
    now: Moment,
    wall: u64,
}

impl Times {
    /// No later than if it had been confirmed just now: the clock on the wall may have been set back.
    pub(super) fn forget_at(&self, millis: u64) -> Moment {
        let left = Duration::from_millis(millis.saturating_sub(self.wall));
        self.now + left.min(MEMORY)
    }

    /// How an event stands that was acknowledged then. It grows old in the store as it does in a process, or it would be
    /// remembered for ever by processes that do not live so long.
    pub(super) fn acknowledged(&self, at: u64) -> Standing {
        let long_ago = at.saturating_add(LONG_AGO.as_millis() as u64);
        if long_ago > self.wall {
            return Standing::Acknowledged;
        }
        Standing::Confirmed(self.forget_at(long_ago.saturating_add(MEMORY.as_millis() as u64)))
    }
}

/// `wall` is the same moment as `now`, in milliseconds since 1970.
pub(super) fn load(database: &mut Database, now: Moment, wall: u64) -> rusqlite::Result<Loaded> {
    // On a full disk that can wait.
    let _ = database.forget_attempts(wall.saturating_sub(ATTEMPTS_LAST));
    let (identity_seed, mark) = database.place()?;
    Ok(Loaded {
        restored: Restored {
            standings: database.standings(&Times { now, wall })?,
            kept: database.kept()?,
            letters: database.count_letters()?,
        },
        place: Place {
            mark,
            identity_seed,
            lost: None,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60_000;

    #[test]
    fn what_was_acknowledged_grows_old_across_processes() {
        let times = Times {
            now: Moment(0),
            wall: 1000 * MINUTE,
        };
        let after = |minutes: u64| times.acknowledged((1000 - minutes) * MINUTE);
        assert_eq!(after(59), Standing::Acknowledged);
        assert_eq!(after(60), Standing::Confirmed(Moment(15 * MINUTE)));
        assert_eq!(after(70), Standing::Confirmed(Moment(5 * MINUTE)));
        assert_eq!(after(600), Standing::Confirmed(Moment(0)));
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_nothing_for_longer() {
        let times = Times {
            now: Moment(7),
            wall: MINUTE,
        };
        assert_eq!(times.forget_at(3 * MINUTE), Moment(7 + 2 * MINUTE));
        assert_eq!(times.forget_at(1000 * MINUTE), Moment(7 + 15 * MINUTE));
        assert_eq!(times.forget_at(0), Moment(7));
        assert_eq!(times.acknowledged(1000 * MINUTE), Standing::Acknowledged);
    }
}
