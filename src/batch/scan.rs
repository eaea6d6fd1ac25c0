//! A validating scanner over JSON text: finds where values begin and end, and refuses what is not JSON.
//!
//! It builds nothing: an event goes to the bot as the bytes that came, so all that is needed is its boundaries and the
//! certainty that what lies between them is well formed. The grammar is RFC 8259's. Whether
//! the text is UTF-8 is checked apart, once for the whole body.

/// Deepest nesting of arrays and objects in a value that is fit to be handed out: many a parser crashes on more. Real
/// events stay below 20.
pub(crate) const MAX_DEPTH: usize = 512;

/// Where the text stops being JSON, and what was expected there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) at: usize,
    pub(crate) expected: &'static str,
}

pub(crate) struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    too_deep: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Scanner<'a> {
        Scanner {
            bytes,
            at: 0,
            too_deep: false,
        }
    }

    /// The offset of the next byte.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn fail<T>(&self, expected: &'static str) -> Result<T, Malformed> {
        Err(Malformed { at: self.at, expected })
    }

    /// The next byte that is not white space, without taking it.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        while let Some(&byte) = self.bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    /// Takes `byte` if it is next.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), Malformed> {
        if self.take(byte) { Ok(()) } else { self.fail(expected) }
    }

    /// Takes a member's name and the colon after it; answers the name as written, without its quotes.
    pub(crate) fn key(&mut self) -> Result<&'a [u8], Malformed> {
        self.expect(b'"', "a member's name in quotes")?;
        let start = self.at;
        self.rest_of_string()?;
        let name = &self.bytes[start..self.at - 1];
        self.expect(b':', "':' after a member's name")?;
        Ok(name)
    }

    /// Takes one value of any kind; answers its offsets.
    pub(crate) fn value(&mut self) -> Result<std::ops::Range<usize>, Malformed> {
        self.peek();
        let start = self.at;
        self.skip_value()?;
        Ok(start..self.at)
    }

    /// Whether a value since the last call was nested deeper than [`MAX_DEPTH`].
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

    fn skip_value(&mut self) -> Result<(), Malformed> {
        let mut open = Nesting::default();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    self.rest_of_string()?;
                }
                Some(b'{') => {
                    self.at += 1;
                    if !self.take(b'}') {
                        self.too_deep |= open.push(true);
                        self.key()?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.at += 1;
                    if !self.take(b']') {
                        self.too_deep |= open.push(false);
                        continue;
                    }
                }
                Some(b'-' | b'0'..=b'9') => self.number()?,
                Some(b't') => self.literal(b"true")?,
                Some(b'f') => self.literal(b"false")?,
                Some(b'n') => self.literal(b"null")?,
                _ => return self.fail("a value"),
            }
            // A value has ended: close what ends with it, until another value follows.
            loop {
                match open.innermost_is_object() {
                    None => return Ok(()),
                    Some(true) => {
                        if self.take(b',') {
                            self.key()?;
                            break;
                        }
                        self.expect(b'}', "',' or '}'")?;
                    }
                    Some(false) => {
                        if self.take(b',') {
                            break;
                        }
                        self.expect(b']', "',' or ']'")?;
                    }
                }
                open.pop();
            }
        }
    }

    fn literal(&mut self, word: &'static [u8]) -> Result<(), Malformed> {
        if self.bytes[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(())
        } else {
            self.fail("true, false or null")
        }
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == start {
            return self.fail("a digit");
        }
        Ok(())
    }

    fn number(&mut self) -> Result<(), Malformed> {
        if self.bytes[self.at] == b'-' {
            self.at += 1;
        }
        if self.bytes.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.bytes.get(self.at), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.bytes.get(self.at), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// Takes a string's contents and its closing quote; the opening quote is already taken.
    fn rest_of_string(&mut self) -> Result<(), Malformed> {
        loop {
            self.at += plain_run(&self.bytes[self.at..]);
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return self.fail("no control character in a string"),
                None => return self.fail("a closing quote"),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Malformed> {
        match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => match self.bytes.get(self.at + 2..self.at + 6) {
                Some(hex) if hex.iter().all(u8::is_ascii_hexdigit) => {
                    self.at += 6;
                    Ok(())
                }
                _ => self.fail("four hexadecimal digits after \\u"),
            },
            _ => self.fail("a valid escape"),
        }
    }
}

/// Which containers are open, one bit each: set for an object, clear for an array.
#[derive(Default)]
struct Nesting {
    bits: [u64; MAX_DEPTH / 64],
    /// Beyond the usual depth: at most a bit for each byte of the body.
    deeper: Vec<u64>,
    depth: usize,
}

impl Nesting {
    /// Answers whether that is deeper than [`MAX_DEPTH`].
    fn push(&mut self, object: bool) -> bool {
        let (word, bit) = (self.depth / 64, 1u64 << (self.depth % 64));
        let usual = self.bits.len();
        if word >= usual && word - usual == self.deeper.len() {
            self.deeper.push(0);
        }
        let word = self
            .bits
            .get_mut(word)
            .unwrap_or_else(|| &mut self.deeper[word - usual]);
        if object {
            *word |= bit;
        } else {
            *word &= !bit;
        }
        self.depth += 1;
        self.depth > MAX_DEPTH
    }

    fn pop(&mut self) {
        self.depth -= 1;
    }

    fn innermost_is_object(&self) -> Option<bool> {
        let top = self.depth.checked_sub(1)?;
        let word = top / 64;
        let bits = self
            .bits
            .get(word)
            .unwrap_or_else(|| &self.deeper[word - self.bits.len()]);
        Some(bits & (1 << (top % 64)) != 0)
    }
}

/// How many bytes from the start of `bytes` are ordinary string contents: no quote, backslash or control character.
///
/// Strings are most of an event, and most of them are short, so eight bytes are looked at as one number.
#[inline]
fn plain_run(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quote = word ^ (ONES * b'"' as u64);
        let backslash = word ^ (ONES * b'\\' as u64);
        // Subtracting sets a byte's high bit if the byte was smaller, unless the bit was set before. A borrow may flag
        // bytes above a true one wrongly, never below it, so the lowest flag is exact.
        let special = (quote.wrapping_sub(ONES) & !quote
            | backslash.wrapping_sub(ONES) & !backslash
            | word.wrapping_sub(ONES * 0x20) & !word)
            & HIGH;
        if special != 0 {
            return index * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let special = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < 0x20;
    let end = tail.iter().position(special).unwrap_or(tail.len());
    words.len() * 8 + end
}
