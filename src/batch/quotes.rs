//! Where strings end, looked up ahead of the scanner, many bytes at a time.
//!
//! The quotes of a text are found without regard to its grammar: a quote that no backslash escapes begins a string, the
//! next one ends it, and so on. That is true of every text that is JSON. In one that is not, the scanner stops at the
//! first byte that the grammar does not allow there, and up to that byte it is true as well. What a string may not hold
//! is noticed on the way; what and where it is exactly is left to [`strings`](super::strings). So is what is not ASCII, for
//! [`foreign`](super::foreign).

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, u8x64};

use super::blocks::{BLOCK, Marks};
use super::foreign::Foreign;
use super::scan::Malformed;
use super::strings::after_backslash;

/// How many bytes are looked at in one go.
const CHUNK: usize = 16 * BLOCK;

/// A string has two quotes, but the first one may have begun in the chunk before, and some places are noted for nothing. Being a
/// power of two spares a check.
const ROOM: usize = CHUNK;
const _: () = assert!(CHUNK / 2 + AT_ONCE <= ROOM);

/// How many ends of strings are noted without a look at how many there are.
const AT_ONCE: usize = 4;

/// The ends of the strings of a text, in order.
pub(super) struct Quotes<'a> {
    text: &'a [u8],
    /// How much of the text was looked at.
    ahead: usize,
    state: State,
    /// Offsets of closing quotes; those from `next` to `count` are still to come. Nothing if none are looked up.
    found: Option<Box<[u32; ROOM]>>,
    next: usize,
    count: usize,
    foreign: Foreign,
    level: Level,
}

impl<'a> Quotes<'a> {
    pub(super) fn of(text: &'a [u8]) -> Quotes<'a> {
        Quotes {
            text,
            found: Some(Box::new([0; ROOM])),
            ..Quotes::none()
        }
    }

    /// Looks nothing up.
    pub(super) fn none() -> Quotes<'a> {
        Quotes {
            text: &[],
            ahead: 0,
            state: State::default(),
            found: None,
            next: 0,
            count: 0,
            foreign: Foreign::default(),
            level: Level::new(),
        }
    }

    /// Takes the closing quote of the next string. Nothing if it has none, or if something may be wrong with it: then it
    /// has to be looked at byte by byte, and so have all after it.
    #[inline(always)]
    pub(super) fn closing(&mut self) -> Option<usize> {
        if self.next == self.count && !self.look_ahead() {
            return None;
        }
        let place = self.found.as_ref()?[self.next % ROOM];
        self.next += 1;
        Some(place as usize)
    }

    /// The closing quotes of the next two strings, if they are looked up already, without taking them.
    #[inline(always)]
    pub(super) fn next_two(&self) -> Option<[usize; 2]> {
        if self.next + 2 > self.count {
            return None;
        }
        let found = self.found.as_ref()?;
        Some([found[self.next % ROOM] as usize, found[(self.next + 1) % ROOM] as usize])
    }

    #[inline(always)]
    pub(super) fn take_two(&mut self) {
        self.next += 2;
    }

    /// Whether the whole text is UTF-8; what was looked ahead in is not looked at again if it is ASCII.
    pub(super) fn check_utf8(&mut self, text: &[u8]) -> Result<(), Malformed> {
        self.foreign.check_rest(text, self.ahead)
    }

    /// Looks at chunks until one holds the end of a string; answers whether one does, and all before is in order.
    #[cold]
    fn look_ahead(&mut self) -> bool {
        let Some(found) = &mut self.found else {
            return false;
        };
        self.next = 0;
        self.count = 0;
        while self.count == 0 && !self.state.in_doubt && self.ahead < self.text.len() {
            let (text, start, state) = (self.text, self.ahead, self.state);
            let chunk = dispatch!(self.level, simd => look_at_chunk(simd, text, start, state, found));
            self.ahead += CHUNK;
            self.state = chunk.state;
            self.foreign.note(text, start, chunk.is_ascii);
            if !chunk.state.in_doubt {
                self.count = chunk.count;
            }
        }
        self.count > 0
    }
}

/// What there is to know of a chunk.
struct Chunk {
    /// At its end.
    state: State,
    /// How many strings end in it.
    count: usize,
    is_ascii: bool,
}

/// Notes the closing quotes of the chunk that starts there.
#[inline(always)]
fn look_at_chunk<S: Simd>(simd: S, text: &[u8], start: usize, mut state: State, found: &mut [u32; ROOM]) -> Chunk {
    let rest = &text[start..];
    let (blocks, tail) = rest[..rest.len().min(CHUNK)].as_chunks::<BLOCK>();
    let mut seen = u8x64::splat(simd, 0);
    let mut at = start;
    let mut count = 0;
    for block in blocks {
        let bytes = u8x64::from_slice(simd, block);
        seen |= bytes;
        let was_in_string = state.in_string;
        let quotes = state.look_at(Marks::of(bytes), text, at);
        count = note(quotes, was_in_string, at, found, count);
        at += BLOCK;
    }
    if !tail.is_empty() {
        let mut block = [b' '; BLOCK];
        block[..tail.len()].copy_from_slice(tail);
        let bytes = u8x64::from_slice(simd, &block);
        seen |= bytes;
        let was_in_string = state.in_string;
        let quotes = state.look_at(Marks::of(bytes), text, at);
        count = note(quotes, was_in_string, at, found, count);
    }
    Chunk {
        state,
        count,
        is_ascii: seen.simd_lt(0x80).to_bitmask() == u64::MAX,
    }
}

/// Notes the offsets of the closing ones of these quotes behind the first `count`; answers how many are noted then.
#[inline(always)]
fn note(quotes: u64, was_in_string: bool, start: usize, found: &mut [u32; ROOM], count: usize) -> usize {
    let end = count + (quotes.count_ones() as usize + usize::from(was_in_string)) / 2;
    let mut left = if was_in_string { quotes } else { without_first(quotes) };
    let mut at = count;
    loop {
        // Nearly always that is enough, and not to look how many there are is quicker than to guess it wrong.
        for _ in 0..AT_ONCE {
            found[at % ROOM] = start as u32 + left.trailing_zeros();
            left = without_first(without_first(left));
            at += 1;
        }
        if at >= end {
            return end;
        }
    }
}

fn without_first(bits: u64) -> u64 {
    bits & bits.wrapping_sub(1)
}

/// Where in a text a block ends.
#[derive(Clone, Copy, Default)]
struct State {
    /// 1 if the next byte is escaped, else 0.
    escaped: u64,
    /// Whether the next byte is in a string.
    in_string: bool,
    /// Whether there was something that no string may hold.
    in_doubt: bool,
}

impl State {
    /// Goes on over the block that starts there; answers the quotes that begin or end a string.
    #[inline(always)]
    fn look_at(&mut self, marks: Marks, text: &[u8], start: usize) -> u64 {
        let escaped = self.escaped_by(marks.backslashes);
        let quotes = marks.quotes & !escaped;
        if marks.controls != 0 {
            let before = if self.in_string { u64::MAX } else { 0 };
            let inside = from_odd_to_even(quotes) ^ before;
            self.in_doubt |= marks.controls & inside != 0;
        }
        self.in_string ^= quotes.count_ones() % 2 == 1;
        // Nearly always it is a quote or a backslash that is escaped.
        let others = escaped & !(marks.quotes | marks.backslashes);
        if others != 0 {
            self.in_doubt |= is_any_wrong(others, text, start);
        }
        quotes
    }

    /// The bytes that a backslash before them escapes.
    #[inline(always)]
    fn escaped_by(&mut self, backslashes: u64) -> u64 {
        const ODD: u64 = 0xAAAA_AAAA_AAAA_AAAA;
        // Of each run of backslashes every second one escapes, the first one first, unless it is itself escaped by the
        // block before. Where a run began at an even bit, subtracting it from the odd bits leaves other bits than where
        // it began at an odd one, and so does the byte after it.
        let first = backslashes & !self.escaped;
        let ends = ((first << 1) | ODD).wrapping_sub(first) ^ ODD;
        let escaped = ends ^ (backslashes | self.escaped);
        self.escaped = (ends & backslashes) >> 63;
        escaped
    }
}

/// Whether any of these bytes may not follow a backslash.
#[cold]
fn is_any_wrong(mut escaped: u64, text: &[u8], start: usize) -> bool {
    let mut wrong = false;
    while escaped != 0 {
        let at = start + escaped.trailing_zeros() as usize;
        wrong |= after_backslash(text.get(at..).unwrap_or_default()).is_err();
        escaped &= escaped - 1;
    }
    wrong
}

/// From each bit with an odd number, counted from the lowest that is set, to before the next: ones.
#[inline(always)]
fn from_odd_to_even(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}
