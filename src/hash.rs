//! The hash of the library's own maps, whose keys are already random or count up: nobody outside chooses them.

use std::hash::{BuildHasherDefault, Hasher};

pub(crate) type Mixed = BuildHasherDefault<Mixer>;

/// Multiplies by the golden ratio, which spreads counting numbers over all bits.
#[derive(Default)]
pub(crate) struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let product = (self.0 ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = product ^ (product >> 32);
    }

    fn write_u128(&mut self, word: u128) {
        self.write_u64(word as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
