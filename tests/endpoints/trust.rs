//! Whom TLS trusts: a private root in a store of either kind, and nobody who is wrong in any way.

use datafeed_emulator::{Certificate, Emulator, Settings};
use serde_json::{Value, json};

use super::common::folder::Folder;
use super::common::*;

fn secure(certificate: Certificate) -> Settings {
    Settings {
        tls: Some(certificate),
        abandoned_reads_take: false,
        ..quick()
    }
}

#[test]
fn a_private_root_is_trusted_from_a_store_of_either_kind() {
    let emulator = emulator(secure(Certificate::Good));
    let folder = Folder::new();
    let pem = folder.write("root.pem", emulator.ca_pem().expect("a root"));
    let store = folder.write("root.p12", emulator.trust_store_pkcs12("pass wörd").expect("a store"));
    for (number, ssl) in [
        json!({"trustStore": {"path": pem}}),
        json!({"trustStore": {"path": store, "password": "pass wörd"}}),
        json!({"trustStorePath": store, "trustStorePassword": "pass wörd"}),
    ]
    .into_iter()
    .enumerate()
    {
        let feed = open_and_wait(&emulator, &config(&emulator, json!({ "ssl": ssl })));
        works(&emulator, &feed, number);
        assert_eq!(feed.stats()["retries"], 0);
        assert_eq!(feed.error(), None);
    }
}

#[test]
fn a_store_with_another_password_is_told() {
    let emulator = emulator(secure(Certificate::Good));
    let folder = Folder::new();
    let store = folder.write("root.p12", emulator.trust_store_pkcs12("right").expect("a store"));
    for (trust_store, words) in [
        (json!({"path": store, "password": "wrong"}), "another password"),
        (json!({"path": store}), "needs a password"),
    ] {
        let config = config(&emulator, json!({"ssl": {"trustStore": trust_store}}));
        let (status, error) = Feed::try_open(&config.to_string()).expect_err(words);
        assert_eq!(
            (status, &error["code"]),
            (DATAFEED_INVALID_ARGUMENT, &json!("FILE_INVALID"))
        );
        assert_eq!(error["field"], "ssl.trustStore.path");
        assert!(error["message"].to_string().contains(words), "{error}");
    }
}

/// Each with words that no other has.
const BAD: [(Certificate, &str); 3] = [
    (Certificate::WrongHost, "for another host name; check host"),
    (Certificate::Expired, "has expired, or this machine's clock is wrong"),
    (
        Certificate::UnknownRoot,
        "from an authority that is not trusted; if it is your own, give its certificate as ssl.trustStore.path",
    ),
];

/// The way to one service of a pod leads to a node with a bad certificate, whose root is trusted all the same.
fn astray(good: &Emulator, bad: &Emulator, folder: &Folder, service: &str) -> Value {
    let roots = [good, bad].map(|emulator| emulator.ca_pem().expect("a root")).concat();
    let store = folder.write("roots.pem", roots);
    let mut config = config(good, json!({"ssl": {"trustStore": {"path": store}}}));
    config[service] = json!({"port": bad.port()});
    config
}

#[test]
fn a_bad_certificate_is_refused_with_an_error_that_says_which() {
    let good = emulator(secure(Certificate::Good));
    for (certificate, words) in BAD {
        for (service, rule, what) in [
            ("pod", "login-failed", "logging in to the pod"),
            ("keyManager", "login-failed", "logging in to the key manager"),
            ("agent", "node-out-of-reach", "listing"),
        ] {
            let bad = good.start_node_of(secure(certificate)).expect("a node");
            let folder = Folder::new();
            let feed = Feed::open(&astray(&good, &bad, &folder, service));
            let line = feed.wait_for_rule(rule);
            assert_eq!(
                (&line["level"], &line["action"]),
                (&json!("warn"), &json!("BACK_OFF")),
                "{line}"
            );
            check_error(&line, what, words, &bad);
            let error = feed.error().expect("the trouble");
            check_error(&error, what, words, &bad);
            assert_eq!(error["retryable"], true);
            assert!(bad.requests().is_empty(), "no token has left");
        }
    }
}

#[track_caller]
fn check_error(error: &Value, what: &str, words: &str, bad: &Emulator) {
    assert_eq!(error["code"], "NETWORK", "{error}");
    let message = error["message"].as_str().expect("a message");
    for words in [what, "failed in TLS", words, &bad.url()] {
        assert!(message.contains(words), "{message}");
    }
    let others = BAD.iter().filter(|(_, other)| *other != words);
    assert!(
        others.into_iter().all(|(_, other)| !message.contains(other)),
        "{message}"
    );
}
