//! Which bytes of 64 are quotes, backslashes and the like: a word with one bit for each byte, the first byte's lowest.

use fearless_simd::prelude::*;
use fearless_simd::u8x64;

pub(super) const BLOCK: usize = 64;

/// What there is to know of the bytes in a block.
pub(super) struct Marks {
    pub(super) quotes: u64,
    pub(super) backslashes: u64,
    pub(super) controls: u64,
}

impl Marks {
    #[inline(always)]
    pub(super) fn of<S: Simd>(bytes: u8x64<S>) -> Marks {
        Marks {
            quotes: bytes.simd_eq(b'"').to_bitmask(),
            backslashes: bytes.simd_eq(b'\\').to_bitmask(),
            controls: bytes.simd_lt(0x20).to_bitmask(),
        }
    }
}
