//! Handles: addresses of ours that stay ours.
//!
//! A handle is the address of a cell in a table that only grows. Whether a pointer is a handle is found by comparing
//! numbers, never by reading through it, so that garbage, NULL and handles of closed feeds are answers and not crashes.
//! A cell is never used for a second feed. Looking up takes no lock, so that it works in a signal handler and, in a
//! forked child, whatever the parent's threads were doing.

use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

use super::forks;
use super::handle::datafeed;
use crate::Datafeed;

/// Cells in the first block. Each block is twice as large as the one before.
const FIRST: usize = 32;
const BLOCKS: usize = 26;

/// One feed, and the process generation that opened it.
#[derive(Default)]
struct Cell(OnceLock<(Datafeed, u32)>);

static TABLE: [AtomicPtr<Cell>; BLOCKS] = [const { AtomicPtr::new(ptr::null_mut()) }; BLOCKS];
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// What a pointer stands for.
pub(super) enum Found {
    Feed(&'static Datafeed),
    /// A feed of the parent process.
    Parents,
    Nothing,
}

/// Gives the feed a handle, for ever. Nothing when 2 billion were given.
pub(super) fn register(feed: Datafeed) -> Option<*mut datafeed> {
    let index = NEXT.fetch_add(1, Ordering::SeqCst);
    let (block, offset) = place(index)?;
    let cells = block_cells(block);
    // SAFETY: the block has FIRST << block cells and lives for ever; `place` answers an offset below that.
    let cell: &'static Cell = unsafe { &*cells.add(offset) };
    let generation = forks::generation();
    let _ = cell.0.set((feed, generation));
    Some(ptr::from_ref(cell).cast_mut().cast())
}

pub(super) fn find(handle: *const datafeed) -> Found {
    let address = handle.addr();
    for (block, cells) in TABLE.iter().enumerate() {
        let cells = cells.load(Ordering::SeqCst);
        if cells.is_null() {
            return Found::Nothing;
        }
        let Some(distance) = address.checked_sub(cells.addr()) else {
            continue;
        };
        let offset = distance / size_of::<Cell>();
        if offset >= FIRST << block {
            continue;
        }
        if distance % size_of::<Cell>() != 0 {
            return Found::Nothing;
        }
        // SAFETY: `offset` lies within the block, which was allocated whole and lives for ever.
        let cell: &'static Cell = unsafe { &*cells.add(offset) };
        return match cell.0.get() {
            None => Found::Nothing,
            Some((_, generation)) if *generation != forks::generation() => Found::Parents,
            Some((feed, _)) => Found::Feed(feed),
        };
    }
    Found::Nothing
}

fn place(index: usize) -> Option<(usize, usize)> {
    let block = (index / FIRST + 1).ilog2() as usize;
    let offset = index - FIRST * ((1 << block) - 1);
    (block < BLOCKS).then_some((block, offset))
}

/// The block's cells, allocated by whoever comes first.
fn block_cells(block: usize) -> *mut Cell {
    let known = TABLE[block].load(Ordering::SeqCst);
    if !known.is_null() {
        return known;
    }
    let made: Box<[Cell]> = std::iter::repeat_with(Cell::default).take(FIRST << block).collect();
    let made = Box::into_raw(made);
    match TABLE[block].compare_exchange(ptr::null_mut(), made.cast(), Ordering::SeqCst, Ordering::SeqCst) {
        Ok(_) => made.cast(),
        Err(first) => {
            // SAFETY: `made` came from `Box::into_raw` just now and nobody else has seen it.
            drop(unsafe { Box::from_raw(made) });
            first
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_fill_block_after_block() {
        let mut expected = Vec::new();
        for block in 0..4 {
            for offset in 0..FIRST << block {
                expected.push((block, offset));
            }
        }
        for (index, place_expected) in expected.iter().enumerate() {
            assert_eq!(place(index), Some(*place_expected));
        }
        assert_eq!(place(usize::MAX / 2), None);
    }

    #[test]
    fn what_is_no_handle_is_found_to_be_nothing() {
        let mut stack = 0u8;
        for address in [
            ptr::null(),
            ptr::without_provenance(1),
            ptr::without_provenance(usize::MAX),
            ptr::from_mut(&mut stack).cast_const().cast(),
        ] {
            assert!(matches!(find(address), Found::Nothing));
        }
    }
}
