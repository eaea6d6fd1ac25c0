//! One response body, and the events that lie in it.
//!
//! A batch is one buffer. The body is read into it, scanned once, and each event is ended in place by a NUL, so that a
//! C program gets a string without a copy. The buffer lives until its last event has been given back.

mod blocks;
mod filter;
mod foreign;
mod nesting;
mod numbers;
mod quotes;
mod scan;
mod strings;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use twox_hash::XxHash3_128;

pub(crate) use filter::Filter;
use filter::Seen;
pub(crate) use scan::Malformed;
use scan::Scanner;

use crate::buffer::Buffer;

/// What makes two deliveries the same event.
///
/// `id` alone does not: two actions at the same moment may share one, and some events have none. So it is a hash over
/// every member of the event but `diagnostic`, which describes the delivery and not what happened. The order of the
/// members does not count.
pub(crate) type Identity = u128;

/// Most events that one response may hold; the service sends hundreds at most.
const MAX_EVENTS: usize = 1_000_000;

/// Longest ackId that is taken: it goes into the body of the next read, and stays as long as its batch.
const MAX_ACK_ID: usize = 1 << 20;

/// Has what is set up once in a process set up: what this processor can do.
pub(crate) fn warm_up() {
    let _ = fearless_simd::Level::new();
}

/// One response body with the places of its events.
pub(crate) struct Batch {
    /// UTF-8.
    text: Buffer,
    events: Vec<Found>,
    ack_id: Option<String>,
    skipped: usize,
    too_deep: usize,
    filtered: usize,
}

/// What the answer to a read looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `{"events":[...],"ackId":"..."}`, as of Datafeed 2 and the datahose.
    Batch,
    /// `[...]`, as of Datafeed 1.
    List,
}

/// What a batch is read with.
struct Reading<'a> {
    body: &'a [u8],
    /// Keys the identities.
    seed: u64,
    filter: &'a Filter,
}

/// Where an event lies in the text. A body is smaller than 4 GiB: `maxResponseBytes` is bounded by that.
struct Found {
    start: u32,
    end: u32,
    identity: Identity,
}

impl Batch {
    /// Finds the events and the ackId in the answer to a read.
    ///
    /// Members may come in any order, and unknown ones are passed over. Elements of `events` that are no objects
    /// (old agents answer `[null]`) are skipped and counted, and so are events that are nested too deep, and those that
    /// the filter does not let through. `seed` keys the identities.
    pub(crate) fn parse(mut body: Vec<u8>, form: Form, seed: u64, filter: &Filter) -> Result<Batch, Malformed> {
        let mut batch = Batch::empty();
        let reading = Reading {
            body: &body,
            seed,
            filter,
        };
        match form {
            Form::Batch => batch.read_document(&reading)?,
            Form::List => {
                let mut scanner = Scanner::new(&body);
                batch.read_events(&mut scanner, &reading)?;
                scanner.end()?;
                scanner.check_utf8()?;
            }
        }
        for event in &batch.events {
            // What follows an event is a comma, a bracket or white space, which nothing needs any more.
            body[event.end as usize] = 0;
        }
        batch.text = body.into();
        Ok(batch)
    }

    /// A batch without events and without an ackId: what a 204 stands for.
    pub(crate) fn empty() -> Batch {
        Batch {
            text: Buffer::default(),
            events: Vec::new(),
            ack_id: None,
            skipped: 0,
            too_deep: 0,
            filtered: 0,
        }
    }

    /// Whether no event is for the bot.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(crate) fn ack_id(&self) -> Option<&str> {
        self.ack_id.as_deref()
    }

    /// How many elements of `events` were no objects.
    pub(crate) fn skipped(&self) -> usize {
        self.skipped
    }

    /// How many events were left out because they are nested deeper than most parsers bear.
    pub(crate) fn too_deep(&self) -> usize {
        self.too_deep
    }

    /// How many events the filter did not let through.
    pub(crate) fn filtered(&self) -> usize {
        self.filtered
    }

    /// How many elements came that are not for the bot, for whatever cause.
    pub(crate) fn left_out(&self) -> usize {
        self.skipped + self.too_deep + self.filtered
    }

    /// The `timestamp` of the last event, if it tells one.
    pub(crate) fn latest_timestamp(&self) -> Option<u64> {
        let found = self.events.last()?;
        let event: serde_json::Value =
            serde_json::from_slice(&self.text[found.start as usize..found.end as usize]).ok()?;
        event.get("timestamp")?.as_u64()
    }

    /// The events in the order of the body, each with its identity.
    pub(crate) fn events(self: &Arc<Self>) -> impl Iterator<Item = (Identity, EventText)> {
        let event = |(index, found): (usize, &Found)| {
            let event = EventText {
                batch: Arc::clone(self),
                index,
            };
            (found.identity, event)
        };
        // All at once: an atomic addition waits for every memory access before it, so that between two events nothing of
        // what their looking up waits for would overlap.
        self.events
            .iter()
            .enumerate()
            .map(event)
            .collect::<Vec<_>>()
            .into_iter()
    }

    fn read_document(&mut self, reading: &Reading) -> Result<(), Malformed> {
        let body = reading.body;
        let mut scanner = Scanner::new(body);
        scanner.expect(b'{', "an object with events and ackId")?;
        let mut seen_events = false;
        if !scanner.take(b'}') {
            loop {
                match &*unescaped(&body[scanner.key()?]) {
                    b"events" if seen_events => {
                        return scanner.fail("one list of events");
                    }
                    b"events" => {
                        seen_events = true;
                        self.read_events(&mut scanner, reading)?;
                    }
                    b"ackId" => {
                        let start = scanner.position();
                        let value = scanner.value()?;
                        if value.len() > MAX_ACK_ID {
                            return Err(Malformed {
                                at: start,
                                expected: "an ackId of at most 1 MiB",
                            });
                        }
                        self.ack_id = serde_json::from_slice(&body[value]).map_err(|_| Malformed {
                            at: start,
                            expected: "a string as ackId",
                        })?;
                    }
                    _ => {
                        scanner.value()?;
                    }
                }
                if !scanner.take(b',') {
                    break;
                }
            }
            scanner.expect(b'}', "',' or '}'")?;
        }
        scanner.end()?;
        scanner.check_utf8()
    }

    fn read_events(&mut self, scanner: &mut Scanner, reading: &Reading) -> Result<(), Malformed> {
        if scanner.peek() == Some(b'n') {
            scanner.value()?;
            return Ok(());
        }
        scanner.expect(b'[', "a list of events")?;
        if scanner.take(b']') {
            return Ok(());
        }
        loop {
            if scanner.peek() == Some(b'{') {
                if self.events.len() == MAX_EVENTS {
                    return scanner.fail("at most 1,000,000 events in a response");
                }
                let start = scanner.position();
                scanner.was_too_deep();
                let (identity, wanted) = read_event(scanner, reading)?;
                if scanner.was_too_deep() {
                    self.too_deep += 1;
                } else if !wanted {
                    self.filtered += 1;
                } else {
                    self.events.push(Found {
                        start: start as u32,
                        end: scanner.position() as u32,
                        identity,
                    });
                }
            } else {
                scanner.value()?;
                self.skipped += 1;
            }
            if !scanner.take(b',') {
                return scanner.expect(b']', "',' or ']' after an event");
            }
        }
    }
}

/// A member's name may be written with escapes, though no agent does.
fn unescaped(name: &[u8]) -> Cow<'_, [u8]> {
    if !name.contains(&b'\\') {
        return Cow::Borrowed(name);
    }
    let quoted = [b"\"", name, b"\""].concat();
    match serde_json::from_slice::<String>(&quoted) {
        Ok(plain) => Cow::Owned(plain.into_bytes()),
        // It stands for no text, so it is none of ours.
        Err(_) => Cow::Borrowed(name),
    }
}

/// Takes one event object; answers its identity, and whether the bot wants to see it.
fn read_event(scanner: &mut Scanner, reading: &Reading) -> Result<(Identity, bool), Malformed> {
    let mut identity: Identity = 0;
    let mut seen = Seen::default();
    scanner.expect(b'{', "an event")?;
    if !scanner.take(b'}') {
        loop {
            let name = scanner.key()?;
            let value = scanner.value()?;
            if reading.body[name.clone()] != *b"diagnostic" {
                identity = identity.wrapping_add(hash_member(reading, &name, &value));
            }
            reading
                .filter
                .look_at(&reading.body[name], &reading.body[value], &mut seen);
            if !scanner.take(b',') {
                break;
            }
        }
        scanner.expect(b'}', "',' or '}' in an event")?;
    }
    Ok((identity, reading.filter.lets_through(&seen)))
}

/// Name and value are hashed together, so that two members with each other's values count as different. White space between
/// them does not count; agents write none.
fn hash_member(reading: &Reading, name: &Range<usize>, value: &Range<usize>) -> Identity {
    const BETWEEN: &[u8] = b"\":";
    let body = reading.body;
    if name.end + BETWEEN.len() == value.start {
        return XxHash3_128::oneshot_with_seed(reading.seed, &body[name.start..value.end]);
    }
    let member = [&body[name.clone()], BETWEEN, &body[value.clone()]].concat();
    XxHash3_128::oneshot_with_seed(reading.seed, &member)
}

/// One event of a batch; keeps the batch's buffer alive.
#[derive(Clone)]
pub(crate) struct EventText {
    batch: Arc<Batch>,
    /// As wide as the pointer: what is written in two halves and read as a whole keeps the processor waiting.
    index: usize,
}

impl EventText {
    /// A text that is no part of an answer: an event of the library's own, or one that was kept.
    pub(crate) fn of_own(text: String) -> EventText {
        let end = text.len() as u32;
        let batch = Batch {
            text: (text + "\0").into_bytes().into(),
            events: vec![Found {
                start: 0,
                end,
                identity: 0,
            }],
            ..Batch::empty()
        };
        EventText {
            batch: Arc::new(batch),
            index: 0,
        }
    }

    fn range(&self) -> Range<usize> {
        let found = &self.batch.events[self.index];
        found.start as usize..found.end as usize
    }

    /// In bytes.
    pub(crate) fn length(&self) -> usize {
        self.range().len()
    }

    /// The event exactly as the agent sent it.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.batch.text[self.range()])
            .expect("a batch is checked, and what is our own is a string")
    }

    /// The same, with the NUL that ends it for C, and without being checked again.
    pub(crate) fn with_nul(&self) -> &[u8] {
        let Range { start, end } = self.range();
        &self.batch.text[start..=end]
    }
}
