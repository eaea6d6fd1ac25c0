//! One string, byte by byte: for its end where none is looked up, and for what is wrong with it and where.

use super::scan::{Malformed, fail};

/// From after a string's opening quote to after its closing one.
pub(super) fn end_of_string(bytes: &[u8], mut at: usize) -> Result<usize, Malformed> {
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            Some(b'\\') => match after_backslash(&bytes[at + 1..]) {
                Ok(length) => at += 1 + length,
                Err(expected) => return fail(at, expected),
            },
            Some(0..0x20) => return fail(at, "no control character in a string"),
            Some(_) => at += 1,
            None => return fail(at, "a closing quote"),
        }
    }
}

/// How long what is escaped is, or what it should have been.
pub(super) fn after_backslash(rest: &[u8]) -> Result<usize, &'static str> {
    match rest.first() {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(1),
        Some(b'u') => match rest.get(1..5) {
            Some(hex) if hex.iter().all(u8::is_ascii_hexdigit) => Ok(5),
            _ => Err("four hexadecimal digits after \\u"),
        },
        _ => Err("a valid escape"),
    }
}
