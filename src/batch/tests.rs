//! The scanner against a slow, obvious one (serde_json), and the shapes that agents send.

mod edges;

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::value::RawValue;

use super::nesting::MAX_DEPTH;
use super::scan::Scanner;
use super::{Batch, Filter, Form, MAX_ACK_ID, Malformed};

fn parse_batch(body: Vec<u8>, seed: u64) -> Result<Batch, Malformed> {
    Batch::parse(body, Form::Batch, seed, &Filter::default())
}

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
    let batch = Arc::new(parse_batch(body.to_vec(), 7)?);
    let events = batch
        .events()
        .map(|(_, event)| {
            assert_eq!(event.with_nul().strip_suffix(b"\0"), Some(event.as_str().as_bytes()));
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
    assert_eq!(parse_batch(b"{\"events\":[null,{}]}".to_vec(), 7).unwrap().skipped(), 1);
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
    assert!(parse_batch(body(MAX_ACK_ID - 2), 7).is_ok());
    let refused = parse_batch(body(MAX_ACK_ID - 1), 7).err().expect("a byte too many");
    assert_eq!(refused.at, 21);
}

#[test]
fn deep_events_are_left_out_and_their_neighbours_are_not() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    // The innermost array of an event is empty, which opens nothing.
    for (depth, left_out) in [(MAX_DEPTH + 1, 0), (MAX_DEPTH + 2, 1), (10_000, 1)] {
        let deep = nested(depth);
        let body = format!(r#"{{"x":{deep},"events":[{{"a":1}},{{"b":{deep}}},{{"c":2}}],"ackId":"A"}}"#);
        let batch = Arc::new(parse_batch(body.into_bytes(), 0).expect("well-formed"));
        assert_eq!(batch.too_deep(), left_out, "{depth}");
        assert_eq!(batch.events().count(), 3 - left_out);
        assert_eq!(batch.ack_id(), Some("A"));
    }
    for unbalanced in [
        "[".repeat(10_000),
        "{\"a\":".repeat(10_000),
        format!("{}}}", "[".repeat(1000)),
    ] {
        assert!(parse_batch(format!("{{\"events\":[{{\"a\":{unbalanced}").into_bytes(), 0).is_err());
    }
}

#[test]
fn identity_is_what_happened_and_not_how_it_was_delivered() {
    let identity = |event: &str| {
        let body = format!("{{\"events\":[{event}]}}");
        let batch = Arc::new(parse_batch(body.into_bytes(), 7).unwrap());
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

/// The texts of the events that a filter lets through, and how many it does not.
fn filtered(form: Form, body: &str, filter: &Filter) -> (Vec<String>, usize) {
    let batch = Arc::new(Batch::parse(body.into(), form, 7, filter).expect("well-formed"));
    let texts = batch.events().map(|(_, event)| event.as_str().to_owned()).collect();
    (texts, batch.filtered())
}

#[test]
fn only_the_types_that_are_asked_for_are_let_through() {
    let message = r#"{"type":"MESSAGESENT","n":1}"#;
    let escaped = "{\"n\":2,\"type\":\"\\u004dessagesent\"}";
    let others = r#"{"type":"ROOMCREATED"},{},{"type":7},{"type":null},{"nested":{"type":"MESSAGESENT"}}"#;
    let body = format!("{{\"ackId\":\"a\",\"events\":[{message},{others},{escaped}]}}");
    let filter = Filter::new(&["MESSAGESENT".to_owned(), "SHAREDPOST".to_owned()]);
    let (texts, left_out) = filtered(Form::Batch, &body, &filter);
    assert_eq!((texts, left_out), (vec![message.to_owned(), escaped.to_owned()], 5));
    assert_eq!(filtered(Form::Batch, &body, &Filter::default()).0.len(), 7);
}

#[test]
fn the_bot_s_own_events_are_known_by_its_id_or_else_by_its_name() {
    let by = |user: &str| format!("{{\"initiator\":{{\"user\":{user}}}}}");
    let own = [
        by(r#"{"userId":9007199254740993,"username":"bot"}"#),
        by(r#"{"username":"Bot","x":{"userId":1},"userId":"9007199254740993"}"#),
    ];
    let others = [
        by(r#"{"userId":9007199254740992,"username":"someone"}"#),
        by("{}"),
        by("7"),
        r#"{"initiator":{}}"#.to_owned(),
        r#"{"initiator":null}"#.to_owned(),
        r#"{"user":{"userId":9007199254740993}}"#.to_owned(),
        r#"{"payload":{"initiator":{"user":{"userId":9007199254740993,"username":"bot"}}}}"#.to_owned(),
    ];
    let body = format!("[{},{}]", own.join(","), others.join(","));
    for (id, name) in [(Some(9_007_199_254_740_993), Some("another")), (None, Some("bot"))] {
        let mut filter = Filter::default();
        filter.ignore_own(id, name);
        assert_eq!(filtered(Form::List, &body, &filter), (others.to_vec(), 2));
    }
    let mut filter = Filter::default();
    filter.ignore_own(None, None);
    assert_eq!(filtered(Form::List, &body, &filter).1, 0);
}

#[test]
fn a_list_is_the_answer_of_the_first_version() {
    let none = Filter::default();
    let texts = filtered(Form::List, r#" [ {"n":1} , null, {"n":2} ] "#, &none).0;
    assert_eq!(texts, [r#"{"n":1}"#, r#"{"n":2}"#]);
    assert_eq!(filtered(Form::List, "[]", &none).0, [""; 0]);
    for damaged in ["", "{}", "[", "[{}", "[{}]]", "[{}],", r#"{"events":[]}"#, "[{}{}]"] {
        assert!(Batch::parse(damaged.into(), Form::List, 7, &none).is_err(), "{damaged}");
    }
}

/// What is in a state store is recognised by it.
#[test]
fn identities_stay_what_they_are() {
    for (id, identity) in [
        ("1".to_owned(), 0x8c67_17f4_2f3b_51f0_fb52_eba0_134e_a7f7),
        ("x".repeat(2000), 0xd6d6_4dc2_ee3a_8ea5_edc7_4889_3973_ea33),
    ] {
        let body = format!("{{\"events\":[{{\"id\":\"{id}\"}}]}}").into_bytes();
        let batch = Arc::new(parse_batch(body, 7).unwrap());
        let found: Vec<u128> = batch.events().map(|(identity, _)| identity).collect();
        assert_eq!(found, [identity]);
    }
}

#[test]
fn a_scanner_that_looks_nothing_up_checks_the_whole_text_as_well() {
    for (text, is_utf8) in [("[\"\u{e9}\"]".as_bytes(), true), (b"[\"\xe9\"]", false)] {
        let mut scanner = Scanner::of_short(text);
        scanner.value().unwrap();
        assert_eq!(scanner.check_utf8().is_ok(), is_utf8);
    }
}
