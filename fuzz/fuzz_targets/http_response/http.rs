//! An obvious reading of an HTTP/1 response: strict about what every client must see alike, unsure about the rest.

/// What a response is, if the connection is closed after it.
pub enum Seen {
    Whole(Whole),
    /// It is no HTTP, or breaks off.
    Broken,
    /// Clients may differ about it.
    Odd,
}

pub struct Whole {
    pub status: u16,
    pub body: Vec<u8>,
    /// It says itself where it ends. Otherwise the end of the connection says so.
    pub delimited: bool,
}

/// More in a head is left to the client's own limits.
const MOST_HEADERS: usize = 64;
/// Of the line before a chunk, as hexadecimal digits.
const LONGEST_SIZE: usize = 8;

pub fn look(response: &[u8]) -> Seen {
    let start = &response[..response.len().min(7)];
    if !b"HTTP/1.".starts_with(start) {
        // Some clients pass over empty lines.
        return if response.starts_with(b"\r") || response.starts_with(b"\n") {
            Seen::Odd
        } else {
            Seen::Broken
        };
    }
    match find(response, b"\r\n\r\n") {
        Some(end) => match head(&response[..end]) {
            Some(head) => head.body(&response[end + 4..]),
            None => Seen::Odd,
        },
        // Some clients take a line feed alone for the end of a line.
        None if find(response, b"\n\n").is_some() || find(response, b"\n\r\n").is_some() => Seen::Odd,
        None => Seen::Broken,
    }
}

struct Head {
    status: u16,
    framing: Framing,
}

enum Framing {
    Length(usize),
    Chunked,
    Close,
}

/// Reads a head in which nothing is unusual.
fn head(text: &[u8]) -> Option<Head> {
    let text = std::str::from_utf8(text).ok()?;
    let mut lines = text.split("\r\n");
    let (version, rest) = lines.next()?.split_at_checked("HTTP/1.1 ".len())?;
    let (status, reason) = rest.split_at_checked(3)?;
    let modern = match version {
        "HTTP/1.1 " => true,
        "HTTP/1.0 " => false,
        _ => return None,
    };
    if !(reason.is_empty() || reason.starts_with(' ')) || !reason.chars().all(is_visible) {
        return None;
    }
    let status = number(status, 10).filter(|status| (200..600).contains(status))?;
    let headers: Vec<(String, &str)> = lines.map(header).collect::<Option<_>>()?;
    if headers.len() > MOST_HEADERS {
        return None;
    }
    let all = |wanted: &str| -> Vec<&str> {
        let values = headers.iter().filter(|(name, _)| name == wanted);
        values.map(|(_, value)| *value).collect()
    };
    let framing = match (&*all("content-length"), &*all("transfer-encoding")) {
        ([], []) => Framing::Close,
        ([length], []) => Framing::Length(number(length, 10)?),
        ([], [coding]) if modern && *coding == "chunked" => Framing::Chunked,
        _ => return None,
    };
    Some(Head {
        status: status as u16,
        framing,
    })
}

/// `name: value`, with the name in lower case.
fn header(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.split_once(':')?;
    let usual = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (usual && value.chars().all(is_visible)).then(|| (name.to_ascii_lowercase(), value.trim_matches(' ')))
}

impl Head {
    fn body(self, rest: &[u8]) -> Seen {
        let whole = |body: &[u8], delimited| {
            Seen::Whole(Whole {
                status: self.status,
                body: body.to_vec(),
                delimited,
            })
        };
        match self.framing {
            _ if matches!(self.status, 204 | 304) => whole(&[], true),
            Framing::Close => whole(rest, false),
            Framing::Length(length) if length <= rest.len() => whole(&rest[..length], true),
            Framing::Length(_) => Seen::Broken,
            Framing::Chunked => match chunks(rest) {
                Chunks::Whole(body) => whole(&body, true),
                Chunks::BrokenOff => Seen::Broken,
                Chunks::Odd => Seen::Odd,
            },
        }
    }
}

enum Chunks {
    Whole(Vec<u8>),
    BrokenOff,
    Odd,
}

/// Chunks without extensions and trailers.
fn chunks(mut rest: &[u8]) -> Chunks {
    let mut body = Vec::new();
    loop {
        let Some(end) = find(rest, b"\r\n") else {
            return Chunks::BrokenOff;
        };
        let size = std::str::from_utf8(&rest[..end]).ok();
        let Some(size) = size
            .filter(|size| size.len() <= LONGEST_SIZE)
            .and_then(|size| number(size, 16))
        else {
            return Chunks::Odd;
        };
        rest = &rest[end + 2..];
        if size == 0 {
            // Some clients do without the empty line at the end, and trailers may come before it.
            return if rest.starts_with(b"\r\n") {
                Chunks::Whole(body)
            } else {
                Chunks::Odd
            };
        }
        let Some((chunk, after)) = rest.split_at_checked(size) else {
            return Chunks::BrokenOff;
        };
        body.extend_from_slice(chunk);
        rest = match after {
            [b'\r', b'\n', after @ ..] => after,
            [] | [b'\r'] => return Chunks::BrokenOff,
            _ => return Chunks::Odd,
        };
    }
}

/// Digits and nothing else; Rust itself would take a sign.
fn number(text: &str, radix: u32) -> Option<usize> {
    let digits = text.chars().all(|digit| digit.is_digit(radix));
    digits.then(|| usize::from_str_radix(text, radix).ok()).flatten()
}

fn is_visible(c: char) -> bool {
    matches!(c, ' '..='~')
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}
