//! Time as the policy sees it: milliseconds since the feed was opened, on a clock that tests can move.

use std::ops::Add;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

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

/// What the kernel keeps as of its latest tick, a few milliseconds ago: nothing here is finer, and each event asks twice.
#[cfg(any(target_os = "linux", target_os = "android"))]
const KERNELS: ClockId = ClockId::MonotonicCoarse;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const KERNELS: ClockId = ClockId::Monotonic;

fn kernels_millis() -> u64 {
    let time = clock_gettime(KERNELS);
    // It counts from the machine's start, upwards.
    time.tv_sec as u64 * 1000 + time.tv_nsec as u64 / 1_000_000
}

/// A monotonic clock. A clone shows the same time.
#[derive(Debug, Clone)]
pub struct Clock {
    origin_millis: u64,
    moved_millis: Arc<AtomicU64>,
}

impl Clock {
    pub(crate) fn new() -> Clock {
        Clock {
            origin_millis: kernels_millis(),
            moved_millis: Arc::default(),
        }
    }

    pub(crate) fn now(&self) -> Moment {
        let millis = kernels_millis() - self.origin_millis;
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
