//! The head of an answer: its status, how its body is delimited, and the few headers that something hangs on.

use std::mem::MaybeUninit;

use ureq::http::HeaderName;
use ureq::http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, DATE, LOCATION, RETRY_AFTER, TRANSFER_ENCODING,
};

use super::body::Framing;

/// The headers that [`Reply::header`](super::Reply::header) knows.
const TOLD: [HeaderName; 4] = [CONTENT_ENCODING, LOCATION, DATE, RETRY_AFTER];

/// More headers than any service sends.
const MAX_HEADERS: usize = 100;

pub(super) struct Head {
    pub(super) status: u16,
    pub(super) told: Vec<(HeaderName, String)>,
    pub(super) framing: Framing,
    /// The other side goes on listening on the connection after the body, and what comes then is no part of it.
    pub(super) keeps_connection: bool,
}

/// What the bytes so far are.
pub(super) enum Parsed {
    Head {
        head: Head,
        length: usize,
    },
    /// 100, 102, 103: it says nothing of the answer.
    Interim {
        length: usize,
    },
    /// The beginning of a head.
    Partial,
    NotHttp(String),
}

pub(super) fn parse(input: &[u8]) -> Parsed {
    // Not filled before: that would take longer than to parse.
    let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut []);
    let parser = httparse::ParserConfig::default();
    let length = match parser.parse_response_with_uninit_headers(&mut response, input, &mut headers) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Parsed::Partial,
        Err(httparse::Error::TooManyHeaders) => {
            return Parsed::NotHttp(format!("the answer has more than {MAX_HEADERS} headers"));
        }
        Err(error) => return Parsed::NotHttp(format!("the answer is no HTTP/1: {error}")),
    };
    let status = response.code.unwrap_or_default();
    match status {
        ..100 => return Parsed::NotHttp(format!("the answer is no HTTP/1: its status is {status}")),
        100 | 102..200 => return Parsed::Interim { length },
        _ => {}
    }
    match read(status, response.version == Some(1), response.headers) {
        Ok(head) => Parsed::Head { head, length },
        Err(reason) => Parsed::NotHttp(reason),
    }
}

fn read(status: u16, is_1_1: bool, headers: &[httparse::Header]) -> Result<Head, String> {
    let mut told = Vec::new();
    let mut length = None;
    let mut is_chunked = false;
    let mut keeps_connection = is_1_1;
    for header in headers {
        let is = |name: &HeaderName| header.name.eq_ignore_ascii_case(name.as_str());
        if is(&CONTENT_LENGTH) {
            let stated = stated_length(header.value)?;
            if length.is_some_and(|length| length != stated) {
                return Err("two content-length headers contradict each other".to_owned());
            }
            length = Some(stated);
        } else if is(&TRANSFER_ENCODING) {
            is_chunked = header.value.trim_ascii().eq_ignore_ascii_case(b"chunked");
            if !is_chunked {
                return Err("the transfer-encoding is not chunked".to_owned());
            }
        } else if is(&CONNECTION) {
            for option in header.value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
                if option.eq_ignore_ascii_case(b"close") {
                    keeps_connection = false;
                } else if option.eq_ignore_ascii_case(b"keep-alive") {
                    keeps_connection = true;
                }
            }
        } else if let Some(name) = TOLD.iter().find(|name| is(name))
            && let Ok(value) = std::str::from_utf8(header.value)
        {
            told.push((name.clone(), value.to_owned()));
        }
    }
    // RFC 9112, section 6.3. A length beside chunks may be an attempt to smuggle; so is a body where there can be none.
    let (framing, is_plain) = match (status, length) {
        (101 | 204 | 304, _) => (
            Framing::Nothing,
            status == 204 && length.unwrap_or(0) == 0 && !is_chunked,
        ),
        _ if is_chunked => (Framing::chunked(), length.is_none()),
        (_, Some(length)) => (Framing::Length(length), true),
        (_, None) => (Framing::UntilClose, false),
    };
    Ok(Head {
        status,
        told,
        framing,
        keeps_connection: keeps_connection && is_plain,
    })
}

/// Digits alone: what reads `+5` or a list as a length may take another byte for the end of the body than the next one does.
fn stated_length(value: &[u8]) -> Result<u64, String> {
    let digits = value.trim_ascii();
    let number = std::str::from_utf8(digits)
        .ok()
        .filter(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| "the content-length is no number that can be".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(lines: &str) -> Head {
        let input = format!("{}\r\n\r\nrest", lines.replace('\n', "\r\n"));
        match parse(input.as_bytes()) {
            Parsed::Head { head, length } => {
                assert_eq!(&input[length..], "rest");
                head
            }
            Parsed::NotHttp(reason) => panic!("{lines:?}: {reason}"),
            Parsed::Interim { .. } | Parsed::Partial => panic!("{lines:?} is no head"),
        }
    }

    #[test]
    fn a_head_is_one_when_it_is_whole() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        for length in 0..whole.len() {
            assert!(matches!(parse(&whole[..length]), Parsed::Partial), "{length}");
        }
        assert!(matches!(parse(whole), Parsed::Head { length, .. } if length == whole.len()));
    }

    #[test]
    fn how_a_body_ends_and_whether_the_connection_is_kept() {
        for (lines, framing, kept) in [
            ("HTTP/1.1 200 OK\nContent-Length: 5", "Length(5)", true),
            (
                "HTTP/1.1 200 OK\nContent-Length: 5\nConnection: close",
                "Length(5)",
                false,
            ),
            (
                "HTTP/1.1 200 OK\nContent-Length: 5\nConnection: x, Close",
                "Length(5)",
                false,
            ),
            ("HTTP/1.0 200 OK\nContent-Length: 5", "Length(5)", false),
            (
                "HTTP/1.0 200 OK\nContent-Length: 5\nConnection: Keep-Alive",
                "Length(5)",
                true,
            ),
            ("HTTP/1.1 200 OK\nTransfer-Encoding: CHUNKED", "Chunked(Size)", true),
            (
                "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nContent-Length: 5",
                "Chunked(Size)",
                false,
            ),
            ("HTTP/1.1 200 OK", "UntilClose", false),
            ("HTTP/1.1 204 No Content", "Nothing", true),
            ("HTTP/1.1 204 No Content\nContent-Length: 0", "Nothing", true),
            ("HTTP/1.1 204 No Content\nContent-Length: 5", "Nothing", false),
            ("HTTP/1.1 304 Not Modified\nContent-Length: 5", "Nothing", false),
            ("HTTP/1.1 101 Switching Protocols", "Nothing", false),
        ] {
            let head = head(lines);
            assert_eq!(
                (format!("{:?}", head.framing), head.keeps_connection),
                (framing.to_owned(), kept),
                "{lines}"
            );
        }
    }

    #[test]
    fn the_headers_that_something_hangs_on_are_told() {
        let head = head("HTTP/1.1 503 Busy\nretry-after: 7\nX-Other: no\nDATE: today\nContent-Length: 0");
        let told: Vec<_> = head
            .told
            .iter()
            .map(|(name, value)| (name.as_str(), &**value))
            .collect();
        assert_eq!(told, [("retry-after", "7"), ("date", "today")]);
    }

    #[test]
    fn an_encoding_of_the_transfer_that_is_not_ours_is_refused() {
        for value in ["gzip", "gzip, chunked", "chunked, chunked", "identity", ""] {
            let input = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: {value}\r\n\r\n");
            assert!(matches!(parse(input.as_bytes()), Parsed::NotHttp(_)), "{value:?}");
        }
    }
}
