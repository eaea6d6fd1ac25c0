//! Where the body of an answer ends: after so many bytes, after the last chunk, or with the connection.

#[derive(Debug)]
pub(super) enum Framing {
    Nothing,
    /// So many bytes are to come.
    Length(u64),
    Chunked(Chunked),
    UntilClose,
}

/// Where in a chunked body the next byte is.
#[derive(Debug)]
pub(super) enum Chunked {
    /// In a line with a size.
    Size,
    /// So many bytes of the chunk are to come.
    Data(u64),
    /// In the end of the line after a chunk.
    DataEnd,
    /// In a line after the last chunk; an empty one is the end.
    Trailer,
    Done,
}

/// What became of some input.
pub(super) struct Taken {
    /// So much of it is used up.
    pub(super) used: usize,
    /// The body is complete.
    pub(super) is_done: bool,
}

/// The input is no chunked body.
#[derive(Debug)]
pub(super) struct BadChunk(pub(super) &'static str);

/// More digits than a size needs that fits into 64 bits.
const MAX_DIGITS: usize = 16;

impl Framing {
    pub(super) fn chunked() -> Framing {
        Framing::Chunked(Chunked::Size)
    }

    /// Whether the body ends when the connection does.
    pub(super) fn ends_with_connection(&self) -> bool {
        matches!(self, Framing::UntilClose)
    }

    /// Moves to `body` what of the input belongs to it, but no more than `room` bytes.
    pub(super) fn take(&mut self, input: &[u8], body: &mut Vec<u8>, room: u64) -> Result<Taken, BadChunk> {
        match self {
            Framing::Nothing => Ok(Taken { used: 0, is_done: true }),
            Framing::Length(left) => {
                let used = append(input, body, (*left).min(room));
                *left -= used as u64;
                Ok(Taken {
                    used,
                    is_done: *left == 0,
                })
            }
            Framing::UntilClose => Ok(Taken {
                used: append(input, body, room),
                is_done: false,
            }),
            Framing::Chunked(place) => place.take_all(input, body, room),
        }
    }
}

/// Appends at most so many bytes; answers how many.
fn append(input: &[u8], body: &mut Vec<u8>, most: u64) -> usize {
    let count = usize::try_from(most).map_or(input.len(), |most| most.min(input.len()));
    body.extend_from_slice(&input[..count]);
    count
}

impl Chunked {
    fn take_all(&mut self, input: &[u8], body: &mut Vec<u8>, room: u64) -> Result<Taken, BadChunk> {
        let before = body.len();
        let mut used = 0;
        loop {
            let room = room.saturating_sub((body.len() - before) as u64);
            let Some(step) = self.take_one(&input[used..], body, room)? else {
                break;
            };
            used += step;
        }
        Ok(Taken {
            used,
            is_done: matches!(self, Chunked::Done),
        })
    }

    /// Takes one part; nothing: more input, or more room, is needed, or it is the end.
    fn take_one(&mut self, input: &[u8], body: &mut Vec<u8>, room: u64) -> Result<Option<usize>, BadChunk> {
        match self {
            Chunked::Size => {
                let Some(line) = line_of(input)? else {
                    check_size_so_far(input)?;
                    return Ok(None);
                };
                let size = size_of(line)?;
                *self = if size == 0 {
                    Chunked::Trailer
                } else {
                    Chunked::Data(size)
                };
                Ok(Some(line.len() + 2))
            }
            Chunked::Data(0) => {
                *self = Chunked::DataEnd;
                Ok(Some(0))
            }
            Chunked::Data(left) => {
                let used = append(input, body, (*left).min(room));
                *left -= used as u64;
                Ok((used > 0).then_some(used))
            }
            Chunked::DataEnd => match input {
                [b'\r', b'\n', ..] => {
                    *self = Chunked::Size;
                    Ok(Some(2))
                }
                [] | [b'\r'] => Ok(None),
                _ => Err(BadChunk("a chunk is longer than it says")),
            },
            Chunked::Trailer => {
                let Some(line) = line_of(input)? else { return Ok(None) };
                if line.is_empty() {
                    *self = Chunked::Done;
                }
                Ok(Some(line.len() + 2))
            }
            Chunked::Done => Ok(None),
        }
    }
}

/// The first line, if it is whole, without its end.
fn line_of(input: &[u8]) -> Result<Option<&[u8]>, BadChunk> {
    match memchr::memchr(b'\n', input) {
        None => Ok(None),
        Some(end) => match input[..end].split_last() {
            Some((b'\r', line)) => Ok(Some(line)),
            _ => Err(BadChunk("a line between chunks does not end as one")),
        },
    }
}

/// A size, and perhaps an extension after it, which says nothing to us.
fn size_of(line: &[u8]) -> Result<u64, BadChunk> {
    let end = line.iter().position(|byte| matches!(byte, b';' | b' ' | b'\t'));
    let (digits, rest) = line.split_at(end.unwrap_or(line.len()));
    let is_extension = matches!(rest.trim_ascii_start(), [] | [b';', ..]);
    let text = std::str::from_utf8(digits).ok();
    text.filter(|text| is_extension && is_size(text.as_bytes()) && !text.is_empty())
        .and_then(|text| u64::from_str_radix(text, 16).ok())
        .ok_or(BadChunk("the size of a chunk is none"))
}

/// What will never be a size is refused as soon as that is certain.
fn check_size_so_far(input: &[u8]) -> Result<(), BadChunk> {
    let end = input
        .iter()
        .position(|byte| matches!(byte, b';' | b' ' | b'\t' | b'\r'));
    if is_size(&input[..end.unwrap_or(input.len())]) {
        Ok(())
    } else {
        Err(BadChunk("the size of a chunk is none"))
    }
}

fn is_size(digits: &[u8]) -> bool {
    digits.len() <= MAX_DIGITS && digits.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The body of chunked input that arrives in pieces, and what of the input is left; or that it is damaged.
    fn decode(pieces: &[&[u8]], room: u64) -> Result<Option<(Vec<u8>, usize)>, BadChunk> {
        let (mut framing, mut body) = (Framing::chunked(), Vec::new());
        let mut input = Vec::new();
        for (index, piece) in pieces.iter().enumerate() {
            input.extend_from_slice(piece);
            let left = room - body.len() as u64;
            let taken = framing.take(&input, &mut body, left)?;
            input.drain(..taken.used);
            if taken.is_done {
                let rest: usize = pieces[index + 1..].iter().map(|piece| piece.len()).sum();
                return Ok(Some((body, input.len() + rest)));
            }
        }
        Ok(None)
    }

    proptest! {
        #[test]
        fn chunks_are_found_wherever_they_are_cut(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..6),
            extension in "(;[a-z=]{0,8})?",
            trailers in prop::collection::vec("[A-Z]{1,5}: [a-z]{0,5}", 0..3),
            after in prop::collection::vec(any::<u8>(), 0..5),
            cuts in prop::collection::vec(0usize..400, 0..6),
        ) {
            let mut encoded = Vec::new();
            for chunk in &chunks {
                encoded.extend_from_slice(format!("{:x}{extension}\r\n", chunk.len()).as_bytes());
                encoded.extend_from_slice(chunk);
                encoded.extend_from_slice(b"\r\n");
            }
            encoded.extend_from_slice(b"0\r\n");
            for trailer in &trailers {
                encoded.extend_from_slice(format!("{trailer}\r\n").as_bytes());
            }
            encoded.extend_from_slice(b"\r\n");
            let length = encoded.len();
            encoded.extend_from_slice(&after);
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (encoded.len() + 1)).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([encoded.len()]) {
                pieces.push(&encoded[from..cut]);
                from = cut;
            }
            let decoded = decode(&pieces, u64::MAX).expect("a body");
            prop_assert_eq!(decoded, Some((chunks.concat(), after.len())));
            prop_assert_eq!(decode(&[&encoded[..length - 1]], u64::MAX).expect("no fault"), None);
        }

        #[test]
        fn nothing_is_taken_beyond_the_room(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 1..6),
            room in 0u64..200,
        ) {
            let mut encoded = Vec::new();
            for chunk in &chunks {
                encoded.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                encoded.extend_from_slice(chunk);
                encoded.extend_from_slice(b"\r\n");
            }
            encoded.extend_from_slice(b"0\r\n\r\n");
            let (mut framing, mut body) = (Framing::chunked(), Vec::new());
            let taken = framing.take(&encoded, &mut body, room).expect("a body");
            let whole = chunks.concat();
            prop_assert_eq!(&body[..], &whole[..whole.len().min(room as usize)]);
            prop_assert_eq!(taken.is_done, whole.len() as u64 <= room);
        }
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for damaged in [
            &b"\r\nabc"[..],
            b"xyz\r\nabc\r\n",
            b"-3\r\nabc\r\n",
            b"+3\r\nabc\r\n",
            b"3 4\r\nabc\r\n",
            b"fffffffffffffffff\r\n",
            b"00000000000000000000",
            b"3\nabc\r\n",
            b"3\r\nabcdef\r\n",
            b"\x01\x02\x80",
            b"0\r\nA: b\n\r\n",
        ] {
            assert!(decode(&[damaged], u64::MAX).is_err(), "{damaged:?}");
        }
    }
}
