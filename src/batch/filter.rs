//! Which events the bot does not want to see.

use std::borrow::Cow;

use memchr::memmem::Finder;

use super::scan::Scanner;
use super::unescaped;

/// What is left out of a batch. By default, nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// If there are any, only events of these types are let through.
    types: Vec<String>,
    own: Option<Own>,
}

/// Whose events are left out: those of the user with this id or, where that is not known, with this name.
#[derive(Debug, Clone)]
enum Own {
    /// The id, and a search for its digits: where they are not, nobody has to look closer.
    Id(i64, Box<Finder<'static>>),
    Name(String),
}

/// What was seen of one event that matters to a filter.
#[derive(Default)]
pub(super) struct Seen {
    type_fits: bool,
    is_own: bool,
}

impl Filter {
    pub(crate) fn new(types: &[String]) -> Filter {
        Filter {
            types: types.to_vec(),
            own: None,
        }
    }

    /// Without an id and without a name, nothing is known to be its own.
    pub(crate) fn ignore_own(&mut self, id: Option<i64>, name: Option<&str>) {
        self.own = match id {
            Some(id) => Some(Own::Id(id, Box::new(Finder::new(&id.to_string()).into_owned()))),
            None => name.map(|name| Own::Name(name.to_owned())),
        };
    }

    /// Takes note of a member of an event.
    pub(super) fn look_at(&self, name: &[u8], value: &[u8], seen: &mut Seen) {
        match name {
            b"type" if !self.types.is_empty() => {
                let text = text(value);
                seen.type_fits = self
                    .types
                    .iter()
                    .any(|known| text.eq_ignore_ascii_case(known.as_bytes()));
            }
            b"initiator" => {
                if let Some(own) = &self.own {
                    seen.is_own = own.is_in(value);
                }
            }
            _ => {}
        }
    }

    pub(super) fn lets_through(&self, seen: &Seen) -> bool {
        !seen.is_own && (self.types.is_empty() || seen.type_fits)
    }
}

impl Own {
    /// Whether `initiator.user` is this one.
    fn is_in(&self, initiator: &[u8]) -> bool {
        match self {
            Own::Id(id, digits) => {
                digits.find(initiator).is_some() && of_user(initiator, b"userId").and_then(number) == Some(*id)
            }
            Own::Name(name) => {
                of_user(initiator, b"username").is_some_and(|value| text(value).eq_ignore_ascii_case(name.as_bytes()))
            }
        }
    }
}

fn of_user<'a>(initiator: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    member(member(initiator, b"user")?, wanted)
}

/// A member of an object that is known to be well-formed.
fn member<'a>(object: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    let mut scanner = Scanner::of_short(object);
    if !scanner.take(b'{') || scanner.peek() == Some(b'}') {
        return None;
    }
    loop {
        let name = scanner.key().ok()?;
        let value = scanner.value().ok()?;
        if *unescaped(&object[name]) == *wanted {
            return object.get(value);
        }
        if !scanner.take(b',') {
            return None;
        }
    }
}

/// What a string says; of another value its text, which is no type and no name.
fn text(value: &[u8]) -> Cow<'_, [u8]> {
    match value {
        [b'"', inside @ .., b'"'] => unescaped(inside),
        other => Cow::Borrowed(other),
    }
}

/// A whole number, also one that is written as a text.
fn number(value: &[u8]) -> Option<i64> {
    std::str::from_utf8(&text(value)).ok()?.parse().ok()
}
