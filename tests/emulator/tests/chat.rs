//! The generated events.

use std::collections::HashSet;

use datafeed_emulator::EVENT_TYPES;
use datafeed_emulator::chat::{Generator, message_sent};
use serde_json::Value;

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

#[test]
fn events_have_the_envelope_and_ids_of_their_own() {
    let texts: Vec<String> = Generator::new(3).take(3000).collect();
    let (mut ids, mut message_ids, mut types) = (HashSet::new(), HashSet::new(), HashSet::new());
    let mut last = 0;
    for text in &texts {
        let event = parse(text);
        assert!(ids.insert(event["id"].as_str().unwrap().to_owned()));
        assert!(message_ids.insert(event["messageId"].as_str().unwrap().to_owned()));
        let timestamp = event["timestamp"].as_u64().unwrap();
        assert!(timestamp > last);
        last = timestamp;
        assert!(event["initiator"]["user"]["userId"].is_i64());
        let kind = event["type"].as_str().unwrap();
        let (key, _) = event["payload"].as_object().unwrap().iter().next().unwrap();
        assert!(EVENT_TYPES.contains(&(kind, key)), "{kind} {key}");
        types.insert(kind.to_owned());
    }
    let messages = texts.iter().filter(|text| text.contains("\"MESSAGESENT\""));
    assert!(messages.count() > 2000);
    for kind in [
        "MESSAGESUPPRESSED",
        "SYMPHONYELEMENTSACTION",
        "ROOMCREATED",
        "ROOMUPDATED",
        "USERJOINEDROOM",
        "USERLEFTROOM",
        "CONNECTIONREQUESTED",
    ] {
        assert!(types.contains(kind), "{kind}");
    }
    assert!(texts.iter().any(|text| !text.is_ascii()));
    assert!(texts.iter().any(|text| text.contains("\\n") && text.contains("\\\"")));
    assert!(
        !texts
            .iter()
            .any(|text| text.contains("{instrument}") || text.contains("{price}"))
    );
}

#[test]
fn a_message_is_about_as_long_as_a_real_one() {
    let lengths: Vec<usize> = Generator::new(1)
        .take(500)
        .filter(|text| text.contains("\"MESSAGESENT\""))
        .map(|text| text.len())
        .collect();
    let average = lengths.iter().sum::<usize>() / lengths.len();
    assert!((1100..1500).contains(&average), "{average}");
}

#[test]
fn the_same_seed_makes_the_same_events() {
    let take = |seed| Generator::new(seed).take(50).collect::<Vec<_>>();
    assert_eq!(take(5), take(5));
    assert_ne!(take(5), take(6));
}

#[test]
fn a_message_for_tests_says_what_it_is_told() {
    let text = "a \"quoted\" \\ <b>&amp;</b>\n\u{1}é😀";
    let event = parse(&message_sent(7, text));
    let message = &event["payload"]["messageSent"]["message"];
    assert_eq!(message["messageId"], event["messageId"]);
    let html = message["message"].as_str().unwrap();
    let escaped = "a \"quoted\" \\ &lt;b&gt;&amp;amp;&lt;/b&gt;\n\u{1}é😀";
    assert!(html.contains(&format!("<p>{escaped}</p>")), "{html}");
    assert_eq!(message_sent(7, text), message_sent(7, text));
    let ids: HashSet<String> = (0..10_000)
        .map(|n| parse(&message_sent(n, ""))["id"].to_string())
        .collect();
    assert_eq!(ids.len(), 10_000);
}

/// The fields are those of the service's own example.
#[test]
fn a_message_has_the_fields_of_a_real_one() {
    let event = parse(&message_sent(1, "hi"));
    let keys = |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(
        keys(&event),
        ["id", "initiator", "messageId", "payload", "timestamp", "type"]
    );
    let user = ["displayName", "email", "firstName", "lastName", "userId", "username"];
    assert_eq!(keys(&event["initiator"]["user"]), user);
    let message = &event["payload"]["messageSent"]["message"];
    assert_eq!(
        keys(message),
        [
            "data",
            "externalRecipients",
            "message",
            "messageId",
            "originalFormat",
            "sid",
            "stream",
            "timestamp",
            "user",
            "userAgent"
        ]
    );
    assert_eq!(keys(&message["user"]), user);
    assert_eq!(keys(&message["stream"]), ["streamId", "streamType"]);
}

#[test]
fn each_type_has_a_payload_of_its_name() {
    let types: HashSet<&str> = EVENT_TYPES.map(|(kind, _)| kind).into();
    assert_eq!(types.len(), 17);
    assert!(EVENT_TYPES.iter().all(|(kind, key)| key.to_uppercase() == *kind));
}
