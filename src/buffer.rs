//! The memory that answers, and so batches, lie in.
//!
//! It is given back by whichever thread is done with a batch's last event, and needed by the thread that reads. An allocator with
//! a heap for each thread leaves it where only that thread gets it again, so that with many feeds each answer would come to lie in
//! memory that the processor has long forgotten. So the next answer, of whatever feed, gets the memory that was used last.
//!
//! What is kept is not freed, so tools that look for uses of freed memory do not see when a bot reads a large batch's event after it has
//! given the last one back.

use std::ops::Deref;
use std::sync::Mutex;

/// Less is not worth it: allocators keep small pieces at hand.
const LEAST: usize = 32 << 10;

/// Bytes that are kept at most while nobody needs them.
const MOST: usize = 2 << 20;

/// Where in a page glibc puts what it maps apart, which at first is every block of 128 kB and more. On some processors (seen on AMD
/// Zen 3) what is copied there takes several times as long. Once such a block was freed, glibc takes its like from a heap.
const SLOW_PLACE: (usize, usize) = (4096, 16);

/// Memory that nobody needs, what was used last at the end. The lock is only tried: after a fork there may be nobody to give it
/// back.
struct Spare(Mutex<Vec<Vec<u8>>>);

static SPARE: Spare = Spare(Mutex::new(Vec::new()));

/// An empty vector with room for so many bytes, and for at most twice as many: a bot may keep what lies in it for long.
pub(crate) fn with_capacity(bytes: usize) -> Vec<u8> {
    SPARE.take(bytes).unwrap_or_else(|| Vec::with_capacity(bytes))
}

/// Bytes whose memory is used again when they are dropped.
#[derive(Default)]
pub(crate) struct Buffer(Vec<u8>);

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Buffer {
        Buffer(bytes)
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        SPARE.put(std::mem::take(&mut self.0));
    }
}

impl Spare {
    fn take(&self, bytes: usize) -> Option<Vec<u8>> {
        if bytes < LEAST {
            return None;
        }
        let mut spare = self.0.try_lock().ok()?;
        let latest = spare
            .iter()
            .rposition(|memory| (bytes..=2 * bytes).contains(&memory.capacity()))?;
        Some(spare.remove(latest))
    }

    fn put(&self, memory: Vec<u8>) {
        if (LEAST..=MOST).contains(&memory.capacity()) && !is_slow(memory.as_ptr()) {
            self.keep(memory);
        }
    }

    fn keep(&self, mut memory: Vec<u8>) {
        if let Ok(mut spare) = self.0.try_lock() {
            memory.clear();
            spare.push(memory);
            let mut kept: usize = spare.iter().map(Vec::capacity).sum();
            while kept > MOST {
                kept -= spare.remove(0).capacity();
            }
        }
    }
}

fn is_slow(memory: *const u8) -> bool {
    let (page, place) = SLOW_PLACE;
    memory.addr() % page == place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_a_slow_place_is_given_up() {
        let (page, place) = SLOW_PLACE;
        for (address, slow) in [(7 * page + place, true), (7 * page, false), (place + 16, false)] {
            assert_eq!(is_slow(std::ptr::without_provenance(address)), slow, "{address}");
        }
    }

    fn spare() -> Spare {
        Spare(Mutex::new(Vec::new()))
    }

    #[test]
    fn the_memory_that_was_used_last_is_used_again() {
        let spare = spare();
        let (first, mut last) = (Vec::with_capacity(LEAST), Vec::with_capacity(LEAST));
        last.push(1);
        let address = last.as_ptr();
        spare.keep(first);
        spare.keep(last);
        let again = spare.take(LEAST).unwrap();
        assert_eq!((again.as_ptr(), again.len()), (address, 0));
        assert!(spare.take(LEAST).is_some());
        assert!(spare.take(LEAST).is_none());
    }

    #[test]
    fn nobody_gets_less_or_much_more_than_was_asked_for() {
        let spare = spare();
        spare.keep(Vec::with_capacity(3 * LEAST));
        assert!(spare.take(LEAST).is_none());
        assert!(spare.take(4 * LEAST).is_none());
        assert!(spare.take(2 * LEAST).is_some());
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_oldest_goes() {
        let spare = spare();
        let sizes = (0..30).map(|index| 100_000 + index);
        for size in sizes.clone() {
            spare.keep(Vec::with_capacity(size));
        }
        let kept: Vec<usize> = spare.0.lock().unwrap().iter().map(Vec::capacity).collect();
        assert_eq!(kept, sizes.skip(10).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_too_small_or_too_large_is_not_kept() {
        let spare = spare();
        spare.put(Vec::with_capacity(LEAST - 1));
        spare.put(Vec::with_capacity(MOST + 1));
        assert!(spare.0.lock().unwrap().is_empty());
        // Of two that lie side by side one at least is not in a slow place.
        for memory in [Vec::with_capacity(LEAST), Vec::with_capacity(LEAST)] {
            spare.put(memory);
        }
        assert!(spare.take(LEAST).is_some());
    }

    /// As in a child whose parent's thread had it.
    #[test]
    fn a_lock_that_somebody_has_is_not_waited_for() {
        let spare = spare();
        let locked = spare.0.lock().unwrap();
        spare.keep(Vec::with_capacity(LEAST));
        assert!(spare.take(LEAST).is_none());
        drop(locked);
        assert!(spare.take(LEAST).is_none());
    }

    /// Other tests use the same memory and may be quicker. It is known by having more room than was asked for.
    #[test]
    fn what_is_dropped_is_used_again_and_empty() {
        let is_again = || {
            let mut bytes = Vec::with_capacity(3 * LEAST + 7);
            bytes.extend_from_slice(b"text");
            drop(Buffer::from(bytes));
            let again = with_capacity(3 * LEAST);
            assert!(again.is_empty());
            again.capacity() == 3 * LEAST + 7
        };
        assert!((0..1000).any(|_| is_again()));
    }
}
