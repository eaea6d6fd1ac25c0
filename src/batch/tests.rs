//! The scanner against a slow, obvious one (serde_json), and the shapes that agents send.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::value::RawValue;

use super::scan::{MAX_DEPTH, Scanner};
use super::{Batch, MAX_ACK_ID, Malformed};

/// What the splitter should find, by building every value.
fn obvious(body: &[u8]) -> Option<(Vec<String>, Option<String>)> {
    let text = std::str::from_utf8(body).ok()?;
    let members: HashMap<String, &RawValue> = serde_json::from_str(text).ok()?;
    let ack_id = match members.get("ackId") {
        Some(raw) => serde_json::from_str(raw.get()).ok()?,
        None => None,
    };
    let list: Option<Vec<&RawValue>> = match members.get("events") {
        Some(raw) => serde_json::from_str(raw.get()).ok()?,
        None => None,
    };
    let events = list
        .unwrap_or_default()
        .iter()
        .map(|raw| raw.get())
        .filter(|raw| raw.starts_with('{'))
        .map(str::to_owned)
        .collect();
    Some((events, ack_id))
}

fn split(body: &[u8]) -> Result<(Vec<String>, Option<String>), Malformed> {
    let batch = Arc::new(Batch::parse(body.to_vec(), 7)?);
    let events = batch
        .events()
        .map(|(_, event)| {
            assert_eq!(event.with_nul().strip_suffix('\0'), Some(event.as_str()));
            event.as_str().to_owned()
        })
        .collect();
    Ok((events, batch.ack_id().map(str::to_owned)))
}

fn agrees_with_the_obvious(body: &[u8]) {
    match (split(body), obvious(body)) {
        (Ok(found), Some(expected)) => assert_eq!(found, expected),
        (Err(_), None) => {}
        (found, expected) => panic!(
            "{:?}: found {found:?}, expected {expected:?}",
            String::from_utf8_lossy(body)
        ),
    }
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>()
            .prop_filter("JSON has no infinities", |n| n.is_finite())
            .prop_map(|n| format!("{n:e}")),
        any::<String>().prop_map(|s| serde_json::to_string(&s).unwrap()),
        "[a-z\\\\/\"{}\\[\\],: ]{0,70}".prop_map(|s| serde_json::to_string(&s).unwrap()),
        Just(r#""\u00e9\ud83d\ude00\b\f\/""#.to_owned()),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            (prop::collection::vec(inner.clone(), 0..6), space())
                .prop_map(|(items, gap)| format!("[{gap}{}{gap}]", items.join(&format!("{gap},{gap}")))),
            object(inner),
        ]
    })
}

fn space() -> impl Strategy<Value = String> {
    "[ \n\t\r]{0,2}"
}

fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (prop::collection::vec(("[a-z\"\\\\é]{0,8}", value), 0..6), space()).prop_map(|(members, gap)| {
        let members: Vec<String> = members
            .iter()
            .map(|(key, value)| format!("{}{gap}:{gap}{value}", serde_json::to_string(key).unwrap()))
            .collect();
        format!("{{{gap}{}{gap}}}", members.join(&format!("{gap},{gap}")))
    })
}

fn body() -> impl Strategy<Value = String> {
    let element = prop_oneof![8 => object(json()), 1 => Just("null".to_owned()), 1 => json()];
    (
        prop::collection::vec(element, 0..8),
        prop::option::of("[ -~]{0,20}"),
        space(),
        any::<bool>(),
    )
        .prop_map(|(events, ack_id, gap, ack_first)| {
            let events = format!(
                "\"events\"{gap}:{gap}[{gap}{}{gap}]",
                events.join(&format!("{gap},{gap}"))
            );
            let ack = format!("\"ackId\":{}", serde_json::to_string(&ack_id).unwrap());
            let extra = "\"extra\":{\"events\":[{}]}";
            if ack_first {
                format!("{gap}{{{ack},{extra}{gap},{events}}}{gap}")
            } else {
                format!("{{{events}{gap},{ack}}}")
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn well_formed_bodies_split_as_the_obvious_way(body in body()) {
        prop_assert!(obvious(body.as_bytes()).is_some());
        agrees_with_the_obvious(body.as_bytes());
    }

    #[test]
    fn damaged_bodies_are_refused_or_split_as_the_obvious_way(
        body in body(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let mut bytes = body.into_bytes();
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] = byte;
        }
        // The obvious way keeps the last of two members with one name; the scanner refuses a second list of events.
        prop_assume!(bytes.windows(8).filter(|window| window == b"\"events\"").count() < 3);
        agrees_with_the_obvious(&bytes);
    }

    #[test]
    fn one_value_ends_where_the_obvious_way_ends_it(value in json(), tail in "[ ,\\]}x]{0,3}") {
        let text = format!("{value}{tail}");
        let mut scanner = Scanner::new(text.as_bytes());
        prop_assert_eq!(scanner.value(), Ok(0..value.len()));
    }
}

#[test]
fn shapes_that_agents_send() {
    let event = r#"{"id":"1","type":"MESSAGESENT"}"#;
    for (body, events) in [
        (r#"{"events":[],"ackId":"a"}"#.to_owned(), 0),
        (r#"{"events":null,"ackId":"a"}"#.to_owned(), 0),
        (r#"{"ackId":"a"}"#.to_owned(), 0),
        (r#"{"events":[null],"ackId":"a"}"#.to_owned(), 0),
        (format!(r#"{{"ackId":"a","events":[{event}]}}"#), 1),
        (format!(r#"{{"\u0065vents":[{event}],"ack\u0049d":"a"}}"#), 1),
        (
            format!("{{\"events\":[{event} ,\n{event}\n],\"ackId\":\"a\",\"new\":[1,{{}}]}}\n"),
            2,
        ),
    ] {
        let (found, ack_id) = split(body.as_bytes()).expect(&body);
        assert_eq!(found.len(), events, "{body}");
        assert!(found.iter().all(|text| text == event));
        assert_eq!(ack_id.as_deref(), Some("a"));
    }
    assert_eq!(
        Batch::parse(b"{\"events\":[null,{}]}".to_vec(), 7).unwrap().skipped(),
        1
    );
}

#[test]
fn what_is_no_answer_to_a_read_is_refused_with_the_place() {
    for (body, at) in [
        (&b""[..], 0),
        (b"<html>", 0),
        (b"[]", 0),
        (b"{\"events\":{}}", 10),
        (b"{\"events\":[{}],\"ackId\":7}", 23),
        (b"{\"events\":[{}],\"events\":[]}", 24),
        (b"{\"events\":[{\"a\":01}]}", 17),
        (b"{\"events\":[{}]} x", 16),
        (b"{\"events\":[{\"a\":\"\x00\"}]}", 17),
        (b"{\"events\":[{\"a\":\"\xff\"}]}", 17),
    ] {
        match split(body) {
            Err(malformed) => assert_eq!(malformed.at, at, "{:?}", String::from_utf8_lossy(body)),
            Ok(found) => panic!("{:?} gave {found:?}", String::from_utf8_lossy(body)),
        }
    }
}

#[test]
fn the_ack_id_is_bounded() {
    let body = |length: usize| format!("{{\"events\":[],\"ackId\":\"{}\"}}", "a".repeat(length)).into_bytes();
    assert!(Batch::parse(body(MAX_ACK_ID - 2), 7).is_ok());
    let refused = Batch::parse(body(MAX_ACK_ID - 1), 7).err().expect("a byte too many");
    assert_eq!(refused.at, 21);
}

#[test]
fn deep_events_are_left_out_and_their_neighbours_are_not() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    // The innermost array of an event is empty, which opens nothing.
    for (depth, left_out) in [(MAX_DEPTH + 1, 0), (MAX_DEPTH + 2, 1), (10_000, 1)] {
        let deep = nested(depth);
        let body = format!(r#"{{"x":{deep},"events":[{{"a":1}},{{"b":{deep}}},{{"c":2}}],"ackId":"A"}}"#);
        let batch = Arc::new(Batch::parse(body.into_bytes(), 0).expect("well-formed"));
        assert_eq!(batch.too_deep(), left_out, "{depth}");
        assert_eq!(batch.events().count(), 3 - left_out);
        assert_eq!(batch.ack_id(), Some("A"));
    }
    for unbalanced in [
        "[".repeat(10_000),
        "{\"a\":".repeat(10_000),
        format!("{}}}", "[".repeat(1000)),
    ] {
        assert!(Batch::parse(format!("{{\"events\":[{{\"a\":{unbalanced}").into_bytes(), 0).is_err());
    }
}

#[test]
fn identity_is_what_happened_and_not_how_it_was_delivered() {
    let identity = |event: &str| {
        let body = format!("{{\"events\":[{event}]}}");
        let batch = Arc::new(Batch::parse(body.into_bytes(), 7).unwrap());
        batch.events().next().unwrap().0
    };
    let event = identity(r#"{"id":"1","type":"A","payload":{"x":1}}"#);
    for same in [
        r#"{"type":"A","id":"1","payload":{"x":1}}"#,
        r#"{"id":"1","type":"A","payload":{"x":1},"diagnostic":"again"}"#,
        r#"{"id" : "1", "type":"A", "payload":{"x":1}}"#,
    ] {
        assert_eq!(identity(same), event, "{same}");
    }
    for other in [
        r#"{"id":"1","type":"A","payload":{"x":2}}"#,
        r#"{"id":"A","type":"1","payload":{"x":1}}"#,
        r#"{"id":"2","type":"A","payload":{"x":1}}"#,
        r#"{"id":"1","type":"A"}"#,
        "{}",
    ] {
        assert_ne!(identity(other), event, "{other}");
    }
}
