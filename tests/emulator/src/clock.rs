//! The emulator's time: real time plus whatever it was moved by.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970 on the emulator's clock. It never goes back.
pub type Millis = u64;

#[derive(Clone, Debug)]
pub struct Clock {
    started: Instant,
    started_at: Millis,
    moved: Duration,
}

impl Clock {
    pub fn new() -> Self {
        Clock {
            started: Instant::now(),
            started_at: wall(),
            moved: Duration::ZERO,
        }
    }

    pub fn now(&self) -> Millis {
        let passed = self.started.elapsed().saturating_add(self.moved);
        self.started_at.saturating_add(millis(passed))
    }

    pub fn advance(&mut self, by: Duration) {
        self.moved = self.moved.saturating_add(by);
    }
}

/// Real time, as a client sees it.
pub fn wall() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map(millis).unwrap_or(0)
}

pub fn millis(duration: Duration) -> Millis {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
