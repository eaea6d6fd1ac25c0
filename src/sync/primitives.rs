//! What the hand-over between threads is made of. Its own file, so that a test can put in its place what tries every
//! order of steps.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
pub(crate) use std::sync::{Mutex, MutexGuard, OnceLock, RwLock};

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) mod futex {
    use std::sync::atomic::AtomicU32;
    use std::time::Duration;

    use rustix::thread::futex::{self, Flags, Timespec};

    pub(crate) fn sleep(word: &AtomicU32, value: u32, timeout: Option<Duration>) {
        // A timeout beyond what the kernel's time can hold is no timeout.
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        // Every error is a reason to look again: the value has changed, a signal came, the time is over.
        let _ = futex::wait(word, Flags::PRIVATE, value, timeout.as_ref());
    }

    pub(crate) fn wake(word: &AtomicU32, most: usize) {
        let most = u32::try_from(most).unwrap_or(u32::MAX).min(i32::MAX as u32);
        let _ = futex::wake(word, Flags::PRIVATE, most);
    }
}

/// Without a futex: short sleeps. Correct, and costs wake-ups.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) mod futex {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::{Duration, Instant};

    const SLICE: Duration = Duration::from_millis(5);

    pub(crate) fn sleep(word: &AtomicU32, value: u32, timeout: Option<Duration>) {
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        while word.load(Ordering::SeqCst) == value && end.is_none_or(|end| Instant::now() < end) {
            std::thread::sleep(SLICE);
        }
    }

    pub(crate) fn wake(_word: &AtomicU32, _most: usize) {}
}
