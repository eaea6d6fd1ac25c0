//! Numbers.

use super::scan::{Malformed, fail};

/// From a number's first byte, a digit or a minus, to after its last one.
pub(super) fn after_number(bytes: &[u8], mut at: usize) -> Result<usize, Malformed> {
    if bytes[at] == b'-' {
        at += 1;
    }
    if bytes.get(at) == Some(&b'0') {
        at += 1;
    } else {
        at = after_digits(bytes, at)?;
    }
    if bytes.get(at) == Some(&b'.') {
        at = after_digits(bytes, at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(bytes.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        at = after_digits(bytes, at)?;
    }
    Ok(at)
}

/// Of digits, of which there is one at least. Numbers of an event are long: times and ids of users.
#[inline]
fn after_digits(bytes: &[u8], start: usize) -> Result<usize, Malformed> {
    let mut at = start;
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let digits = leading_digits(eight);
        at += digits;
        if digits < eight.len() {
            return if at == start { fail(at, "a digit") } else { Ok(at) };
        }
    }
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    if at == start { fail(at, "a digit") } else { Ok(at) }
}

/// How many of these are digits, up to the first that is none.
#[inline]
fn leading_digits(bytes: &[u8; 8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    // Digits become 0 to 9. Of what is more, adding 0x76 to the lower seven bits sets the eighth, and carries nothing.
    let word = u64::from_le_bytes(*bytes) ^ (ONES * 0x30);
    let others = (((word & (ONES * 0x7F)) + ONES * 0x76) | word) & (ONES * 0x80);
    others.trailing_zeros() as usize / 8
}
