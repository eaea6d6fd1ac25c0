//! One request and its answer over one connection.
//!
//! It can be left whenever the answer is waited for, and gone on with by another thread: everything that was received is
//! here or in the connection.

use std::time::{Duration, Instant};

use ureq::{Error, Timeout};

use super::body::Framing;
use super::head::{Head, Parsed};
use super::{MaxBody, head};
use crate::buffer;
use crate::net::Cutoff;
use crate::net::connection::{Connection, INPUT_BUFFER, NoMore};

/// Most of the body of a refusal that is looked at.
const REFUSAL: u64 = 64 << 10;

/// Most of a body that a `Content-Length` gets us to allocate before any of it has arrived.
const TRUSTED_LENGTH: u64 = 1 << 20;

pub(super) struct Exchange {
    connection: Connection,
    max_body: MaxBody,
    read_timeout: Duration,
    /// When the part at hand has to be here.
    until: Instant,
    /// What the answer begins with.
    beginning: Beginning,
    head: Option<Head>,
    body: Vec<u8>,
}

/// The whole answer, and the connection if it can serve another request.
pub(super) struct Answered {
    pub(super) head: Head,
    pub(super) body: Vec<u8>,
    pub(super) connection: Option<Connection>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Broken {
    Transport(Error),
    /// The connection ended before the answer did.
    Ended,
    NotHttp(String),
    /// More than [`MaxBody`] allows; this many bytes, if that was said.
    TooLarge(Option<u64>),
}

impl Exchange {
    /// Hands the request to the connection.
    pub(super) fn start(
        mut connection: Connection,
        request: &[u8],
        max_body: MaxBody,
        read_timeout: Duration,
    ) -> Result<Exchange, Error> {
        let until = Instant::now() + read_timeout;
        connection.send(request, until)?;
        Ok(Exchange {
            connection,
            max_body,
            read_timeout,
            until,
            beginning: Beginning::default(),
            head: None,
            body: Vec::new(),
        })
    }

    /// Whether any of the answer has come.
    pub(super) fn has_begun(&self) -> bool {
        self.beginning.length > 0
    }

    pub(super) fn beginning(&self) -> &Beginning {
        &self.beginning
    }

    /// Waits for the whole answer. Nothing: it was left, and has to be gone on with.
    pub(super) fn go_on(&mut self, cutoff: &Cutoff) -> Option<Result<(), Broken>> {
        cutoff.request_sent();
        loop {
            let is_whole = match self.take() {
                Ok(is_whole) => is_whole,
                Err(broken) => return Some(self.unless_refused(broken, cutoff)),
            };
            if is_whole {
                return Some(Ok(()));
            }
            let reason = match self.head {
                None => Timeout::RecvResponse,
                Some(_) => Timeout::RecvBody,
            };
            let broken = match self.connection.await_more(self.until, reason) {
                Ok(()) if Instant::now() > self.until => Broken::Transport(Error::Timeout(reason)),
                Ok(()) => {
                    self.note_beginning();
                    continue;
                }
                Err(NoMore::Left) => return None,
                Err(NoMore::Ended) if self.ends_with_connection() => return Some(Ok(())),
                Err(NoMore::Ended) => Broken::Ended,
                Err(NoMore::Full) => Broken::NotHttp(format!(
                    "a header, or the size of a chunk, does not end within {INPUT_BUFFER} bytes"
                )),
                Err(NoMore::Broken(error)) => Broken::Transport(error),
            };
            return Some(self.unless_refused(broken, cutoff));
        }
    }

    /// What a refusal means is in its status, whatever becomes of its words.
    fn unless_refused(&mut self, broken: Broken, cutoff: &Cutoff) -> Result<(), Broken> {
        match &mut self.head {
            Some(head) if is_refusal(head.status) && !cutoff.is_over() => {
                head.keeps_connection = false;
                Ok(())
            }
            _ => Err(broken),
        }
    }

    fn ends_with_connection(&self) -> bool {
        self.head
            .as_ref()
            .is_some_and(|head| head.framing.ends_with_connection())
    }

    fn note_beginning(&mut self) {
        if self.beginning.length == 0 {
            self.beginning = Beginning::of(self.connection.input());
        }
    }

    /// Takes what has come; answers whether that is all.
    fn take(&mut self) -> Result<bool, Broken> {
        while self.head.is_none() {
            match head::parse(self.connection.input()) {
                Parsed::Partial => return Ok(false),
                Parsed::NotHttp(reason) => return Err(Broken::NotHttp(reason)),
                Parsed::Interim { length } => self.connection.consume(length),
                Parsed::Head { head, length } => {
                    self.connection.consume(length);
                    self.until = Instant::now() + self.read_timeout;
                    self.prepare(&head)?;
                    self.head = Some(head);
                }
            }
        }
        self.take_body()
    }

    fn prepare(&mut self, head: &Head) -> Result<(), Broken> {
        let Framing::Length(length) = head.framing else {
            return Ok(());
        };
        if !is_refusal(head.status) && length > self.max_body.bytes() {
            return Err(Broken::TooLarge(Some(length)));
        }
        let expected = length.min(TRUSTED_LENGTH).min(self.limit(head.status)) as usize;
        self.body = buffer::with_capacity(expected);
        Ok(())
    }

    fn limit(&self, status: u16) -> u64 {
        if is_refusal(status) {
            REFUSAL
        } else {
            self.max_body.bytes()
        }
    }

    fn take_body(&mut self) -> Result<bool, Broken> {
        let Some(status) = self.head.as_ref().map(|head| head.status) else {
            return Ok(false);
        };
        let limit = self.limit(status);
        let Some(head) = &mut self.head else { return Ok(false) };
        // One byte more shows that it is too large.
        let room = (limit + 1).saturating_sub(self.body.len() as u64);
        let taken = head
            .framing
            .take(self.connection.input(), &mut self.body, room)
            .map_err(|bad| Broken::NotHttp(bad.0.to_owned()))?;
        self.connection.consume(taken.used);
        if self.body.len() as u64 <= limit {
            return Ok(taken.is_done);
        }
        if is_refusal(status) {
            self.body.truncate(limit as usize);
            head.keeps_connection = false;
            return Ok(true);
        }
        Err(Broken::TooLarge(None))
    }

    /// The whole answer.
    pub(super) fn finish(self) -> Option<Answered> {
        let Exchange {
            mut connection,
            head,
            body,
            ..
        } = self;
        let head = head?;
        let is_kept = head.keeps_connection && connection.input().is_empty();
        Some(Answered {
            head,
            body,
            connection: is_kept.then_some(connection),
        })
    }
}

fn is_refusal(status: u16) -> bool {
    !(200..300).contains(&status)
}

/// The first bytes of an answer, which tell what it is if it is not HTTP.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Beginning {
    bytes: [u8; 32],
    length: usize,
}

impl Beginning {
    fn of(answer: &[u8]) -> Beginning {
        let mut beginning = Beginning::default();
        beginning.length = answer.len().min(beginning.bytes.len());
        beginning.bytes[..beginning.length].copy_from_slice(&answer[..beginning.length]);
        beginning
    }

    /// The reason why an answer is not HTTP, with what it looks like.
    pub(super) fn told_with(&self, reason: &str) -> String {
        let bytes = &self.bytes[..self.length];
        // A record of TLS: its kind, and the first byte of its version.
        if matches!(bytes, [0x14..=0x17, 3, ..]) {
            return format!("{reason}; it begins like TLS: should scheme be https?");
        }
        let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next();
        let text = line.and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
        if text.is_empty()
            || text.len() == self.bytes.len()
            || text.starts_with("HTTP/1")
            || text.contains(char::is_control)
        {
            return reason.to_owned();
        }
        format!("{reason}; it begins with {text:?}")
    }
}
