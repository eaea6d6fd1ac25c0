//! What an answer's body holds: JSON that is broken, deep, or no text.

use serde_json::json;

use crate::common::raw::Endpoint;
use crate::wire::{ACK_ID, Wire, batch, ok};

/// One event with this text in it.
fn event_with(text: &[u8]) -> Vec<u8> {
    [br#"{"events":[{"text":""#, text, br#""}],"ackId":""}"#].concat()
}

/// Many a parser crashes on it, so it does not reach the bot; what came beside it does.
#[test]
fn deep_nesting_holds_up_nothing() {
    let wire = Wire::new();
    let deep = 10_000;
    let (before, after) = (r#"{"id":"before"}"#, r#"{"id":"after"}"#);
    for (what, open, close) in [
        ("arrays", "[", "]"),
        ("objects", "{\"a\":", "}"),
        ("both", "[{\"a\":", "}]"),
    ] {
        let (open, close) = (open.repeat(deep), close.repeat(deep));
        let nested = format!("{open}null{close}");
        let event = format!("{{\"a\":{nested}}}");
        wire.accepts(what, ok(batch(&[before, &event, after])), &[before, after]);
        let line = wire.feed.wait_for_log("nested deeper than 512 levels");
        assert_eq!(
            (&line["level"], &line["events"]),
            (&json!("error"), &json!(1)),
            "{line}"
        );
        let beside = format!("{{\"other\":{nested},\"events\":[{before}],\"ackId\":\"{ACK_ID}\"}}");
        wire.accepts(what, ok(beside), &[before]);
        for (body, expected) in [
            (format!("{{\"events\":[{{\"a\":{open}"), "a value"),
            (format!("{{\"ackId\":{nested}}}"), "a string as ackId"),
        ] {
            wire.refuses(what, ok(body), "RESPONSE_INVALID", &[expected]);
        }
    }
    wire.refuses(
        "nothing else",
        ok("[".repeat(deep)),
        "RESPONSE_INVALID",
        &["an object with events"],
    );
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let wire = Wire::new();
    for (what, bytes, expected) in [
        ("an overlong slash", &b"\xc0\xaf"[..], "UTF-8"),
        ("an overlong NUL", b"\xc0\x80", "UTF-8"),
        ("an encoded surrogate", b"\xed\xa0\x80", "UTF-8"),
        ("a character cut short", b"\xe2\x82", "UTF-8"),
        ("beyond Unicode", b"\xf4\x90\x80\x80", "UTF-8"),
        ("a lone continuation", b"\x80", "UTF-8"),
        ("UTF-16", b"\xff\xfe{\0", "UTF-8"),
        ("a NUL", b"\0", "control character"),
        ("a line feed", b"\n", "control character"),
    ] {
        let expected = if bytes.contains(&0) {
            "control character"
        } else {
            expected
        };
        wire.refuses(what, ok(event_with(bytes)), "RESPONSE_INVALID", &["at byte", expected]);
    }
    let cut = [batch(&[]).as_bytes(), b"\xe2\x82"].concat();
    wire.refuses("at the end", ok(cut), "RESPONSE_INVALID", &["at byte"]);
    let key = b"{\"\xc0\xaf\":1,\"events\":[]}";
    wire.refuses("outside of an event", ok(key), "RESPONSE_INVALID", &["UTF-8"]);
}

#[test]
fn escapes_pass_as_they_were_written() {
    let wire = Wire::new();
    for event in [
        r#"{"text":"\ud800"}"#,
        r#"{"text":"\udc00\ud800"}"#,
        r#"{"text":"\u0000"}"#,
        r#"{"\u0000":"\uFFFF\/"}"#,
        r#"{"text":"\u003C\u003c"}"#,
        r#"{"n":1e400,"m":-0.0,"k":123456789012345678901234567890}"#,
        r#"{"a":1,"a":2}"#,
    ] {
        wire.accepts(event, ok(batch(&[event])), &[event]);
    }
}

#[test]
fn what_is_no_batch_is_refused() {
    let wire = Wire::new();
    let whole = batch(&[r#"{"a":"b"}"#]);
    for body in [
        "",
        " ",
        "null",
        "[]",
        "\"events\"",
        "\u{feff}{}",
        &whole[..whole.len() - 1],
        &whole[..whole.len() / 2],
        &format!("{whole}{whole}"),
        &format!("{whole}\0"),
        r#"{"events":[{}],"ackId":["a"]}"#,
        r#"{"events":[{}],"ackId":"\ud800"}"#,
        r#"{"events":"none"}"#,
        r#"{"events":[{}],"events":[{}]}"#,
    ] {
        wire.refuses(body, ok(body), "RESPONSE_INVALID", &["at byte"]);
    }
}

/// It would be sent back.
#[test]
fn an_ack_id_without_measure_is_refused() {
    let wire = Wire::new();
    let body = format!(r#"{{"events":[{{}}],"ackId":"{}"}}"#, "a".repeat(2 << 20));
    wire.refuses("two megabytes", ok(body), "RESPONSE_INVALID", &["ackId of at most"]);
    let body = format!(r#"{{"events":[{{}}],"ackId":{}}}"#, "[0]".repeat(2 << 20));
    wire.refuses("no string", ok(body), "RESPONSE_INVALID", &["at byte"]);
}

#[test]
fn elements_that_are_no_events_are_passed_over() {
    let wire = Wire::new();
    let event = r#"{"id":"between"}"#;
    let others = [&format!("null,7,\"a\",[[{{}}]],{event},false")[..]];
    wire.accepts("others", ok(batch(&others)), &[event]);
}

#[test]
fn a_million_elements_that_are_no_events_are_acknowledged() {
    let wire = Wire::new();
    let nulls = "null,".repeat(999_999) + "null";
    wire.server.script(Endpoint::Read, ok(batch(&[&nulls])));
    let told = wire.feed.wait_for_log("no events");
    assert_eq!(told["elements"], 1_000_000);
    assert!(wire.server.wait_for_ack(ACK_ID));
    wire.works();
}
