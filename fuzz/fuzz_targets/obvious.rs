//! The slow, obvious splitter of response bodies, made with serde_json.

use std::fmt;

use datafeed::internals::Found;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Nesting from which on the library's splitter leaves an event out.
pub const MAX_DEPTH: usize = 512;

/// What the library's splitter should find, by looking at every value.
///
/// As that does, it refuses a second list of events, and wants each of
/// several ackIds to be a string or null; the last one counts.
pub fn split(body: &[u8]) -> Option<Found> {
    let Members(members) = serde_json::from_slice(body).ok()?;
    let is = |name: &str, wanted: &str| serde_json::from_str::<String>(name).is_ok_and(|name| name == wanted);
    let mut lists = members.iter().filter(|(name, _)| is(name, "events"));
    let list: Option<Vec<&RawValue>> = match lists.next() {
        Some((_, list)) => serde_json::from_str(list.get()).ok()?,
        None => None,
    };
    if lists.next().is_some() {
        return None;
    }
    let mut ack_id = None;
    for (_, value) in members.iter().filter(|(name, _)| is(name, "ackId")) {
        ack_id = serde_json::from_str(value.get()).ok()?;
    }
    let events = list.into_iter().flatten().map(RawValue::get);
    let events = events.filter(|text| text.starts_with('{')).map(str::to_owned);
    Some((events.collect(), ack_id))
}

/// The members of an object as they are written: in order, with names in quotes and all that have the same name.
struct Members<'a>(Vec<(&'a str, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    members.push((name.get(), value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(All)
    }
}

/// How deep brackets go if the text is JSON, and at least that if it is not.
pub fn depth(text: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut deepest = 0;
    let mut in_string = false;
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => {
                bytes.next();
            }
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
