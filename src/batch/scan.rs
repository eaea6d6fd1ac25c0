//! A validating scanner over JSON text: finds where values begin and end, and refuses what is not JSON.
//!
//! It builds nothing: an event goes to the bot as the bytes that came, so all that is needed is its boundaries and the
//! certainty that what lies between them is well formed. The grammar is RFC 8259's. Where strings end is looked up
//! ahead ([`quotes`](super::quotes)), so all that is left to look at is what lies between them. Whether the text is
//! UTF-8 is for whoever asks for it in the end.

use std::ops::Range;

use super::nesting::Nesting;
use super::numbers::after_number;
use super::quotes::Quotes;
use super::strings::end_of_string;

/// Where the text stops being JSON, and what was expected there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) at: usize,
    pub(crate) expected: &'static str,
}

pub(super) fn fail<T>(at: usize, expected: &'static str) -> Result<T, Malformed> {
    Err(Malformed { at, expected })
}

pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    too_deep: bool,
    quotes: Quotes<'a>,
}

impl<'a> Scanner<'a> {
    /// For a text that is smaller than 4 GiB.
    pub(crate) fn new(bytes: &'a [u8]) -> Scanner<'a> {
        Scanner::with(bytes, Quotes::of(bytes))
    }

    /// For a text that is hardly worth looking ahead in.
    pub(crate) fn of_short(bytes: &'a [u8]) -> Scanner<'a> {
        Scanner::with(bytes, Quotes::none())
    }

    fn with(bytes: &'a [u8], quotes: Quotes<'a>) -> Scanner<'a> {
        Scanner {
            bytes,
            at: 0,
            too_deep: false,
            quotes,
        }
    }

    /// The offset of the next byte.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn fail<T>(&self, expected: &'static str) -> Result<T, Malformed> {
        fail(self.at, expected)
    }

    /// The next byte that is not white space, without taking it.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        (self.at, _) = token(self.bytes, self.at);
        self.bytes.get(self.at).copied()
    }

    /// Takes `byte` if it is next.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    pub(crate) fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), Malformed> {
        if self.take(byte) { Ok(()) } else { self.fail(expected) }
    }

    /// Takes a member's name and the colon after it; answers the offsets of the name, without its quotes.
    #[inline]
    pub(crate) fn key(&mut self) -> Result<Range<usize>, Malformed> {
        self.expect(b'"', "a member's name in quotes")?;
        let start = self.at;
        self.at = after_string(self.bytes, &mut self.quotes, start - 1)?;
        let name = start..self.at - 1;
        self.expect(b':', "':' after a member's name")?;
        Ok(name)
    }

    /// Takes one value of any kind; answers its offsets.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<Range<usize>, Malformed> {
        let (start, byte) = token(self.bytes, self.at);
        self.at = match byte {
            b'"' => after_string(self.bytes, &mut self.quotes, start)?,
            b'{' | b'[' => self.after_container(start, byte)?,
            _ => after_scalar(self.bytes, start, byte)?,
        };
        Ok(start..self.at)
    }

    /// Whether a value since the last call was nested deeper than [`MAX_DEPTH`](super::nesting::MAX_DEPTH).
    pub(crate) fn was_too_deep(&mut self) -> bool {
        std::mem::take(&mut self.too_deep)
    }

    /// Nothing but white space may be left.
    pub(crate) fn end(&mut self) -> Result<(), Malformed> {
        match self.peek() {
            None => Ok(()),
            Some(_) => self.fail("nothing after the end of the document"),
        }
    }

    /// The whole text is to be UTF-8.
    pub(crate) fn check_utf8(&mut self) -> Result<(), Malformed> {
        self.quotes.check_utf8(self.bytes)
    }

    /// From the opening brace or bracket to after the closing one.
    fn after_container(&mut self, mut at: usize, mut byte: u8) -> Result<usize, Malformed> {
        let (bytes, quotes) = (self.bytes, &mut self.quotes);
        let mut open = Nesting::default();
        loop {
            match byte {
                b'"' => at = after_string(bytes, quotes, at)?,
                b'{' => {
                    (at, byte) = token(bytes, at + 1);
                    if byte != b'}' {
                        open.push(true);
                        (at, byte) = after_key(bytes, quotes, at, byte)?;
                        continue;
                    }
                    at += 1;
                }
                b'[' => {
                    (at, byte) = token(bytes, at + 1);
                    if byte != b']' {
                        open.push(false);
                        continue;
                    }
                    at += 1;
                }
                _ => at = after_scalar(bytes, at, byte)?,
            }
            // A value has ended: close what ends with it, until another value follows.
            loop {
                let Some(in_object) = open.innermost_is_object() else {
                    self.too_deep |= open.was_too_deep();
                    return Ok(at);
                };
                (at, byte) = token(bytes, at);
                if byte == b',' {
                    (at, byte) = token(bytes, at + 1);
                    if in_object {
                        (at, byte) = after_key(bytes, quotes, at, byte)?;
                    }
                    break;
                }
                let (end, expected) = if in_object {
                    (b'}', "',' or '}'")
                } else {
                    (b']', "',' or ']'")
                };
                if byte != end {
                    return fail(at, expected);
                }
                at += 1;
                open.pop();
            }
        }
    }
}

/// From a member's name to its value.
#[inline(always)]
fn after_key(bytes: &[u8], quotes: &mut Quotes, mut at: usize, byte: u8) -> Result<(usize, u8), Malformed> {
    if byte != b'"' {
        return fail(at, "a member's name in quotes");
    }
    // Most members are `"name":"text","next`, without white space: the general way would find them as well.
    while let Some([name, text]) = quotes.next_two()
        && bytes.get(name + 1..name + 3) == Some(b":\"")
        && bytes.get(text + 1..text + 3) == Some(b",\"")
    {
        quotes.take_two();
        at = text + 2;
    }
    let (at, byte) = token(bytes, after_string(bytes, quotes, at)?);
    if byte != b':' {
        return fail(at, "':' after a member's name");
    }
    Ok(token(bytes, at + 1))
}

/// From a string's opening quote to after its closing one.
#[inline(always)]
fn after_string(bytes: &[u8], quotes: &mut Quotes, opening: usize) -> Result<usize, Malformed> {
    match quotes.closing() {
        Some(closing) => Ok(closing + 1),
        None => end_of_string(bytes, opening + 1),
    }
}

/// From a byte that begins no string and no container to after the value that it begins.
fn after_scalar(bytes: &[u8], at: usize, byte: u8) -> Result<usize, Malformed> {
    match byte {
        b'-' | b'0'..=b'9' => after_number(bytes, at),
        b't' => after_word(bytes, at, b"true"),
        b'f' => after_word(bytes, at, b"false"),
        b'n' => after_word(bytes, at, b"null"),
        _ => fail(at, "a value"),
    }
}

fn after_word(bytes: &[u8], at: usize, word: &'static [u8]) -> Result<usize, Malformed> {
    if bytes[at..].starts_with(word) {
        Ok(at + word.len())
    } else {
        fail(at, "true, false or null")
    }
}

/// The next byte that is not white space, and where it is. At the end of the text it is a 0, which JSON has no use for.
#[inline(always)]
fn token(bytes: &[u8], at: usize) -> (usize, u8) {
    match bytes.get(at) {
        Some(&byte) if byte > b' ' => (at, byte),
        _ => after_space(bytes, at),
    }
}

#[inline(never)]
fn after_space(bytes: &[u8], mut at: usize) -> (usize, u8) {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    (at, bytes.get(at).copied().unwrap_or(0))
}
