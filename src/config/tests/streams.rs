//! Which stream is read, and how.

use super::*;

fn named(changes: Value) -> (&'static str, Config) {
    let config = good(changes);
    (config.stream.name(), config)
}

#[test]
fn the_stream_is_the_one_that_is_named_or_the_one_that_is_configured() {
    let hose = json!({"eventTypes": ["MESSAGESENT"]});
    for (changes, expected) in [
        (json!({}), "datafeed"),
        (json!({"datafeed": {}}), "datafeed"),
        (json!({"datahose": hose}), "datahose"),
        (json!({"datafeed": {}, "datahose": hose}), "datafeed"),
        (
            json!({"datafeed": {}, "datahose": hose, "stream": "datahose"}),
            "datahose",
        ),
        (json!({"datahose": hose, "stream": "datafeed"}), "datafeed"),
        (json!({"stream": "firehose"}), "firehose"),
        (json!({"stream": ""}), "datafeed"),
    ] {
        assert_eq!(named(changes.clone()).0, expected, "{changes}");
    }
    let both = named(json!({"datafeed": {}, "datahose": hose})).1;
    assert!(
        matches!(&both.warnings[..], [warning] if warning.contains("both configured; the datafeed is read")),
        "{:?}",
        both.warnings
    );
}

#[test]
fn a_datahose_is_taken_with_the_usual_tag() {
    let (_, config) = named(json!({"datahose": {"eventTypes": ["messagesent", "Roomcreated"]}}));
    assert_eq!(config.stream.tag(), Some("datahose-bot"));
    let Stream::Datahose(datahose) = &config.stream else {
        panic!("no datahose")
    };
    assert_eq!(datahose.event_types, ["MESSAGESENT", "ROOMCREATED"]);
    assert_eq!((datahose.scopes.len(), config.warnings.len()), (0, 0));
    let long = json!({"bot": {"username": "é".repeat(80)}, "datahose": {"eventTypes": ["MESSAGESENT"]}});
    let tag = format!("datahose-{}", "é".repeat(71));
    assert_eq!(good(long).stream.tag(), Some(tag.as_str()));
    let own =
        json!({"datahose": {"tag": "own", "eventTypes": ["NEW"], "scopes": ["a", "b"], "retry": {"maxAttempts": 3}}});
    let config = good(own);
    let Stream::Datahose(datahose) = &config.stream else {
        panic!("no datahose")
    };
    assert_eq!(
        (&*datahose.tag, &datahose.scopes[..]),
        ("own", &["a".to_owned(), "b".to_owned()][..])
    );
    assert_eq!(config.retry.max_attempts, Some(3));
    assert_eq!(
        config.warnings,
        ["datahose.eventTypes[0] is no known type of event and is taken as it is"]
    );
}

#[test]
fn impossible_streams_are_told() {
    let table = r#"
        datahose.eventTypes | null | is missing: a list of the types to receive
        datahose.eventTypes | [] | is missing: a list of the types to receive
        datahose.eventTypes | "MESSAGESENT" | must be a list of strings, but is a string
        datahose.eventTypes[1] | ["MESSAGESENT", 5] | must be a string
        datahose.eventTypes[0] | ["MESSAGE SENT"] | must be the type of an event, such as MESSAGESENT
        datahose.eventTypes[0] | [""] | must be the type of an event
        datahose.scopes | {} | must be a list of strings, but is an object
        datahose.scopes[1] | ["INTERNAL", "a b"] | must be the name of a scope
        datahose.scopes[0] | [""] | must be the name of a scope
        datahose.tag | 5 | must be a string, but is a number
        datahose.retry.maxAttempts | "x" | must be a whole number from -1"#;
    for [field, value, words] in rows(table) {
        let path = field.split('[').next().unwrap_or_default();
        let mut changes = json!({"stream": "datahose", "datahose": {"eventTypes": ["MESSAGESENT"]}});
        merge(&mut changes, at(path, serde_json::from_str(value).expect(value)));
        refused(&with(changes), Code::ConfigInvalid, Some(field), None, &[words]);
    }
    for (path, longest) in [("datafeed.tag", 100), ("datahose.tag", 80)] {
        let mut changes = json!({"datahose": {"eventTypes": ["MESSAGESENT"]}});
        merge(&mut changes, at(path, json!("x".repeat(longest))));
        good(changes.clone());
        merge(&mut changes, at(path, json!("x".repeat(longest + 1))));
        let words = format!("at most {longest} characters, but has {}", longest + 1);
        refused(&with(changes), Code::ConfigInvalid, Some(path), None, &[&words]);
    }
    refuses_setting("datafeed.limit", json!(0), &["from 1 to 10000"]);
    refuses_setting("datafeed.idFilePath", json!(7), &["must be a string"]);
}

/// Everything is read whatever is chosen: to change that word must not bring up faults elsewhere.
#[test]
fn what_is_not_chosen_is_known_and_checked() {
    let whole = json!({
        "datafeed": {"version": "v1", "tag": "t", "idFilePath": "x", "limit": 5, "includeInvisible": true,
                     "retry": {"multiplier": 3}},
        "datahose": {"tag": "t", "eventTypes": ["MESSAGESENT"], "scopes": [], "retry": {"multiplier": 4}},
        "sessionAuth": {"host": "s", "port": 1, "connectionTimeout": 1, "proxy": {"host": "p", "port": 2}},
    });
    for stream in ["datafeed", "firehose", "datahose"] {
        let mut changes = whole.clone();
        changes["stream"] = json!(stream);
        let config = good(changes.clone());
        assert_eq!((config.stream.name(), config.warnings), (stream, vec![]));
        for (path, value) in [
            ("datafeed.version", json!("v9")),
            ("datafeed.limit", json!("x")),
            ("datahose.tag", json!("x\ny")),
            ("datahose.scopes", json!(5)),
            ("datahose.retry.multiplier", json!(0)),
            ("sessionAuth.port", json!(0)),
            ("retry.maxAttempts", json!("many")),
        ] {
            let mut wrong = changes.clone();
            merge(&mut wrong, at(path, value));
            refused(&with(wrong), Code::ConfigInvalid, Some(path), None, &["must"]);
        }
    }
    // A datahose that is not read needs no types.
    assert_eq!(
        good(json!({"datafeed": {}, "datahose": {"tag": "t"}})).stream.name(),
        "datafeed"
    );
}

/// The file is opened later, when the process may have gone elsewhere.
#[test]
fn the_file_of_the_id_is_in_the_configurations_folder_or_where_it_is_said() {
    let folder = Folder::new();
    fs::create_dir(folder.0.join("ids")).expect("a folder");
    for (given, stream, expected) in [
        (json!(null), "datafeed", "datafeed.id"),
        (json!(""), "firehose", "firehose.id"),
        (json!("ids"), "datafeed", "ids/datafeed.id"),
        (json!("ids/"), "firehose", "ids/firehose.id"),
        (json!("other/"), "datafeed", "other/datafeed.id"),
        (json!("my.id"), "datafeed", "my.id"),
        (json!("/run/my.id"), "datafeed", "/run/my.id"),
    ] {
        let text = with(json!({"stream": stream, "datafeed": {"version": "v1", "idFilePath": given}}));
        for (text, base) in [
            (folder.file("bot.json", &text), folder.0.clone()),
            (text, std::env::current_dir().expect("a folder")),
        ] {
            let config = Config::parse(&text).unwrap_or_else(|error| panic!("{error}"));
            let Stream::Datafeed1(first) = &config.stream else {
                panic!("no v1")
            };
            let at_base = expected.to_owned();
            if given != json!("ids") || base == folder.0 {
                assert_eq!(first.id_file, base.join(at_base), "{given}");
            }
        }
    }
}
