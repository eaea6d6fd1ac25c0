//! Time as the policy sees it: milliseconds since the feed was opened, on a clock that tests can move.

use std::ops::Add;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A point in a feed's life, in milliseconds since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Moment(pub(crate) u64);

impl Moment {
    pub(crate) fn since(self, earlier: Moment) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Moment {
    type Output = Moment;

    fn add(self, span: Duration) -> Moment {
        let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        Moment(self.0.saturating_add(millis))
    }
}

/// The time for a step that seldom has to know it: to look at the clock takes as long as a good part of such a step.
pub(crate) trait Time: Copy {
    fn moment(self) -> Moment;
}

impl Time for Moment {
    fn moment(self) -> Moment {
        self
    }
}

impl Time for &Clock {
    fn moment(self) -> Moment {
        self.now()
    }
}

/// A monotonic clock. A clone shows the same time.
#[derive(Debug, Clone)]
pub struct Clock {
    origin: Instant,
    moved_millis: Arc<AtomicU64>,
}

impl Clock {
    pub(crate) fn new() -> Clock {
        Clock {
            origin: Instant::now(),
            moved_millis: Arc::default(),
        }
    }

    pub(crate) fn now(&self) -> Moment {
        let millis = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX);
        Moment(millis.saturating_add(self.moved_millis.load(Ordering::Relaxed)))
    }

    #[cfg(feature = "internals")]
    pub(crate) fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.moved_millis.fetch_add(millis, Ordering::Relaxed);
    }
}

/// Milliseconds since 1970, as Symphony's own timestamps count.
pub(crate) fn wall_clock_millis() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64)
}
