//! In the place of `src/sync/primitives.rs`: each step of these is one that the scheduler chooses.

pub(crate) use std::sync::OnceLock;

pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
pub(crate) use shuttle::sync::{Mutex, MutexGuard, RwLock};

/// The kernel's futex: a sleeper is queued only if the word still has the value, and nobody wakes up without a cause.
pub(crate) mod futex {
    use std::collections::{HashMap, VecDeque};
    use std::sync::Arc;
    use std::time::Duration;

    use shuttle::sync::atomic::{AtomicU32, Ordering};
    use shuttle::sync::{Condvar, Mutex};

    type Sleeper = Arc<(Mutex<bool>, Condvar)>;

    shuttle::lazy_static! {
        static ref SLEEPERS: Mutex<HashMap<usize, VecDeque<Sleeper>>> = Mutex::new(HashMap::new());
    }

    fn place(word: &AtomicU32) -> usize {
        std::ptr::from_ref(word).addr()
    }

    pub(crate) fn sleep(word: &AtomicU32, value: u32, timeout: Option<Duration>) {
        let sleeper = Sleeper::default();
        {
            let mut sleepers = SLEEPERS.lock().unwrap();
            if word.load(Ordering::SeqCst) != value || timeout.is_some() {
                return;
            }
            sleepers.entry(place(word)).or_default().push_back(Arc::clone(&sleeper));
        }
        let (woken, condition) = &*sleeper;
        let mut woken = woken.lock().unwrap();
        while !*woken {
            woken = condition.wait(woken).unwrap();
        }
    }

    pub(crate) fn wake(word: &AtomicU32, most: usize) {
        let mut sleepers = SLEEPERS.lock().unwrap();
        let queue = sleepers.entry(place(word)).or_default();
        let count = most.min(queue.len());
        for sleeper in queue.drain(..count) {
            let (woken, condition) = &*sleeper;
            *woken.lock().unwrap() = true;
            condition.notify_one();
        }
    }
}
