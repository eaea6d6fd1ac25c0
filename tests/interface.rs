//! What the C interface promises about itself, whatever the service does.

mod common;

use std::thread;

use common::*;
use serde_json::json;

#[test]
fn the_committed_header_is_what_the_source_says() {
    let generated = include_str!(concat!(env!("OUT_DIR"), "/datafeed.h"));
    let committed = include_str!("../include/datafeed.h");
    assert!(
        generated == committed,
        "include/datafeed.h is out of date: run `make header`"
    );
}

#[test]
fn the_readme_shows_the_examples_as_they_are() {
    let readme = include_str!("../README.md");
    for (language, example) in [
        ("c", include_str!("../examples/c/minimal.c")),
        ("cpp", include_str!("../examples/cpp/minimal.cpp")),
        ("python", include_str!("../examples/python/minimal.py")),
        ("go", include_str!("../examples/go/minimal/main.go")),
    ] {
        assert!(readme.contains(&format!("```{language}\n{example}```")), "{language}");
    }
}

#[test]
fn every_error_code_is_on_its_page() {
    let page = include_str!("../docs/errors.md");
    for code in datafeed::Code::ALL {
        assert!(page.contains(&format!("| `{}` |", code.as_str())), "{}", code.as_str());
    }
}

#[test]
fn every_rule_of_the_policy_is_on_the_page_for_troubles() {
    let page = include_str!("../docs/troubleshooting.md");
    let (_, table) = page.split_once("## Every rule").expect("the section");
    let rows: Vec<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|name| *name != "rule")
        .collect();
    assert_eq!(rows, datafeed::internals::policy_rules());
    for code in datafeed::Code::ALL {
        let (name, create_only) = (code.as_str(), ["CONFIG_INVALID", "FILE_INVALID"]);
        assert!(page.contains(name) || create_only.contains(&name), "{name}");
    }
}

/// The tables of the page about settings: each row's setting and example, the services' as they stand in each place.
fn documented_settings() -> Vec<(String, String)> {
    const PLACES: [&str; 6] = [
        "",
        "pod.",
        "agent.",
        "keyManager.",
        "sessionAuth.",
        "agent.loadBalancing.nodes[].",
    ];
    let page = include_str!("../docs/configuration.md");
    let mut settings = Vec::new();
    for section in page.split("\n## ").skip(1) {
        let places = if section.starts_with("Services\n") {
            &PLACES[..]
        } else {
            &PLACES[..1]
        };
        let (_, table) = section.split_once("| setting |").unwrap_or_default();
        for row in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [setting, kind, default, example, _] = cells[..] else {
                panic!("not five columns: {row}")
            };
            assert!(!kind.is_empty() && !default.is_empty(), "{row}");
            let bare = |cell: &str| cell.trim_matches('`').to_owned();
            settings.extend(
                places
                    .iter()
                    .map(|place| (format!("{place}{}", bare(setting)), bare(example))),
            );
        }
    }
    settings
}

#[test]
fn every_setting_is_on_its_page() {
    let known = datafeed::internals::known_settings(&every_setting().to_string()).expect("a configuration");
    let documented: Vec<String> = documented_settings().into_iter().map(|(setting, _)| setting).collect();
    let once: std::collections::BTreeSet<String> = documented.iter().cloned().collect();
    assert_eq!(documented.len(), once.len(), "a setting is documented twice");
    let missing: Vec<_> = known.difference(&once).collect();
    let gone: Vec<_> = once.difference(&known).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "not documented: {missing:?}; not known: {gone:?}"
    );
}

/// What a file would be needed for is left out.
#[test]
fn every_example_of_a_setting_is_taken() {
    for (setting, example) in documented_settings() {
        let names_a_file = setting.to_lowercase().ends_with("path") || example.contains("${file:");
        if names_a_file || setting == "bdk" || setting == "app" {
            continue;
        }
        let value = serde_json::from_str(&example).unwrap_or_else(|_| json!(example));
        let mut config = every_setting();
        let mut place = &mut config;
        for name in setting.trim_end_matches(".*").split('.') {
            place = match name.strip_suffix("[]") {
                Some(name) => &mut place[name][0],
                None => &mut place[name],
            };
        }
        *place = value;
        let refused = datafeed::Config::parse(&config.to_string()).err();
        assert!(refused.is_none(), "{setting}: {example} is refused: {refused:?}");
    }
}

/// A configuration with every section, and an item in every list.
fn every_setting() -> serde_json::Value {
    let proxy = json!({"host": "proxy.example", "port": 1, "username": "bot"});
    let service = json!({"host": "service.example", "proxy": proxy, "defaultHeaders": {}});
    let key = include_str!("data/keys/rsa-pkcs8.pem");
    json!({
        "host": "pod.example", "proxy": proxy, "defaultHeaders": {}, "stateDir": "state",
        "pod": service, "keyManager": service, "sessionAuth": service,
        "agent": {"proxy": proxy, "loadBalancing": {"nodes": [service]}},
        "bot": {"username": "bot", "privateKey": {"content": key}, "certificate": {}},
        "ssl": {"trustStore": {}}, "commonJwt": {}, "retry": {},
        "datafeed": {"retry": {}}, "datahose": {"eventTypes": ["MESSAGESENT"], "retry": {}},
    })
}

/// The header's comment and the statistics name the same members.
#[test]
fn every_member_of_the_statistics_is_documented() {
    let header = include_str!("../include/datafeed.h");
    let start = header
        .find("// What the feed is doing and has done.")
        .expect("the comment");
    let end = start + header[start..].find("int32_t").expect("the function");
    let documented: std::collections::BTreeSet<&str> = header[start..end]
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter(|name| !["stats_json", "maxUnacknowledged", "stateDir", "maxAttempts", "at"].contains(name))
        .collect();
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    let stats = feed.stats();
    let members: std::collections::BTreeSet<&str> = stats
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(members, documented);
}

#[test]
fn status_numbers_are_pinned() {
    let statuses = [
        DATAFEED_OK,
        DATAFEED_TIMEOUT,
        DATAFEED_INTERRUPTED,
        DATAFEED_CLOSED,
        DATAFEED_FAILED,
        DATAFEED_INVALID_ARGUMENT,
        DATAFEED_FORKED,
        DATAFEED_NOT_STORED,
    ];
    assert_eq!(statuses, [0, 1, 2, 3, 4, 5, 6, 7]);
}

#[test]
fn a_configuration_with_an_error_is_answered_with_its_field() {
    let (status, error) = Feed::try_open(r#"{"host":"localhost","bot":{"username":7}}"#).unwrap_err();
    assert_eq!(status, DATAFEED_INVALID_ARGUMENT);
    assert_eq!(error["code"], "CONFIG_INVALID");
    assert_eq!(error["field"], "bot.username");
    assert_eq!(error["retryable"], false);
}

#[test]
fn unknown_settings_are_logged_once_with_the_nearest_known_name() {
    let emulator = emulator(quick());
    let mut config = config(&emulator, json!({"maxUnacknowleged": 5}));
    config["datafeed"] = json!({"tga": "x"});
    let feed = open_and_wait(&emulator, &config);
    emulator.publish([numbered(0)]);
    feed.must_next_and_ack();
    feed.close();
    let mut warnings = Vec::new();
    while let Ok(line) = feed.next_log(0) {
        if line["level"] == "warn" {
            warnings.push(line["message"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(
        warnings,
        [
            "unknown setting maxUnacknowleged is ignored; did you mean maxUnacknowledged?",
            "unknown setting datafeed.tga is ignored; did you mean datafeed.tag?",
        ]
    );
    assert_eq!(feed.next_log(-1), Err(DATAFEED_CLOSED));
}

#[test]
fn the_log_wakes_at_close() {
    let emulator = emulator(quick());
    let feed = Feed::open(&config(&emulator, json!({})));
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            loop {
                if let Err(status) = feed.next_log(-1) {
                    return status;
                }
            }
        });
        feed.close();
        assert_eq!(reader.join().unwrap(), DATAFEED_CLOSED);
    });
}

#[test]
fn a_descriptor_made_after_an_interruption_shows_it() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    feed.interrupt();
    // SAFETY: the descriptor stays open as long as the process lives.
    let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(feed.fd()) };
    let mut fds = [rustix::event::PollFd::from_borrowed_fd(
        fd,
        rustix::event::PollFlags::IN,
    )];
    assert_eq!(
        rustix::event::poll(&mut fds, Some(&rustix::event::Timespec::default())),
        Ok(1)
    );
    assert_eq!(feed.next(0), Err(DATAFEED_INTERRUPTED));
}

#[test]
fn the_session_has_what_a_bot_needs_to_answer() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    let session = feed.session().unwrap();
    assert_eq!(session["agentUrl"], emulator.url());
    assert_eq!(session["podUrl"], emulator.url());
    assert_eq!(session["username"], "emulator-bot");
    assert!(session["sessionToken"].as_str().is_some_and(|token| !token.is_empty()));
    assert!(
        session["keyManagerToken"]
            .as_str()
            .is_some_and(|token| !token.is_empty())
    );
    feed.close();
    assert_eq!(feed.session(), Err(DATAFEED_CLOSED));
}

#[test]
fn the_descriptor_shows_events_interruptions_refused_events_and_the_end() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({"nackDelay": 30})));
    let readable = |seconds| feed.readable(std::time::Duration::from_secs(seconds));
    assert!(!readable(0));
    emulator.publish([numbered(0), numbered(1)]);
    assert!(readable(60));
    feed.ack(feed.must_next().delivery);
    let second = feed.must_next();
    assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT));
    assert!(!readable(0), "drained");
    feed.nack(second.delivery);
    assert!(readable(60), "the refused event has rested");
    feed.ack(feed.must_next().delivery);
    assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT));
    for _ in 0..1000 {
        // A consumer may report the interruption before the descriptor is raised for it.
        let interrupted = thread::scope(|scope| {
            scope.spawn(|| feed.interrupt());
            loop {
                match feed.next(0) {
                    Err(DATAFEED_TIMEOUT) => {}
                    other => return other,
                }
            }
        });
        assert_eq!(interrupted, Err(DATAFEED_INTERRUPTED));
        assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT));
        assert!(!readable(0));
    }
    feed.interrupt();
    assert!(readable(60));
    assert_eq!(feed.next(0), Err(DATAFEED_INTERRUPTED));
    assert!(!readable(0));
    feed.close();
    assert!(readable(60));
    assert_eq!(feed.next(0), Err(DATAFEED_CLOSED));
    assert!(readable(0), "it stays so");
}
