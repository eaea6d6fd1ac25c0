//! The way to the service: TLS with an authority of one's own, proxies, and agents of several nodes.

mod common;

use std::io::Write;
use std::time::Duration;

use common::*;
use datafeed_emulator::proxy::{Proxy, ProxySettings};
use datafeed_emulator::{Certificate, Endpoint, Fault, Settings};
use serde_json::json;

fn secure(certificate: Certificate) -> Settings {
    Settings {
        tls: Some(certificate),
        ..quick()
    }
}

#[test]
fn a_private_authority_is_trusted_when_it_is_configured() {
    let emulator = emulator(secure(Certificate::Good));
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    works(&emulator, &feed, 0);
    assert!(emulator.wait_until(PATIENCE, |books| books.acknowledged == 1));
    assert_eq!(feed.stats()["retries"], 0);
}

#[test]
fn a_bad_certificate_is_refused_and_the_error_says_which() {
    for (certificate, words) in [
        (Certificate::WrongHost, "for another host name"),
        (Certificate::Expired, "has expired"),
        (Certificate::UnknownRoot, "ssl.trustStore.path"),
    ] {
        let emulator = emulator(secure(certificate));
        let feed = Feed::open(&config(&emulator, json!({})));
        let line = feed.wait_for_rule("login-failed");
        let message = line["message"].as_str().expect("a message");
        assert!(message.contains(words) && message.contains("TLS"), "{message}");
        assert_eq!(line["code"], "NETWORK");
        assert!(emulator.requests().is_empty(), "no token has left");
    }
}

#[test]
fn without_the_authority_nobody_is_trusted() {
    let emulator = emulator(secure(Certificate::Good));
    let feed = Feed::open(&config(&emulator, json!({"ssl": null})));
    let message = feed.wait_for_rule("login-failed")["message"].to_string();
    assert!(
        message.contains("not trusted") && message.contains("ssl.trustStore.path"),
        "{message}"
    );
}

#[test]
fn a_trust_store_of_another_kind_is_told_and_how_to_convert_it() {
    let folder = std::env::temp_dir().join(format!("datafeed-ways-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let emulator = emulator(quick());
    for (name, bytes, words) in [
        ("store.jks", &b"\xfe\xed\xfe\xed\0\0\0\x02"[..], "keytool"),
        ("store.p12", b"\x30\x82\x0a\x00", "no PKCS#12 store that can be read"),
        (
            "key.pem",
            include_bytes!("data/keys/rsa-pkcs8.pem"),
            "holds no certificate",
        ),
        ("cut.pem", b"-----BEGIN CERTIFICATE-----\nMIIC", "damaged certificate"),
        ("empty.pem", b"", "holds no certificate"),
    ] {
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("a file");
        let store = json!({"ssl": {"trustStore": {"path": path, "password": "hunter2"}}});
        let (status, error) = Feed::try_open(&config(&emulator, store).to_string()).expect_err(name);
        assert_eq!(
            (status, &error["code"]),
            (DATAFEED_INVALID_ARGUMENT, &json!("FILE_INVALID")),
            "{error}"
        );
        assert_eq!(error["field"], "ssl.trustStore.path");
        assert_eq!(error["file"], path.to_str().expect("UTF-8"));
        let message = error["message"].as_str().expect("a message");
        assert!(message.contains(words), "{message}");
        assert!(!error.to_string().contains("hunter2"));
    }
    std::fs::remove_dir_all(folder).expect("the folder");
}

#[test]
fn every_request_goes_through_the_proxy_and_the_proxy_finds_the_host() {
    for tls in [None, Some(Certificate::Good)] {
        let emulator = emulator(Settings { tls, ..quick() });
        let credentials = ("bot".to_owned(), "pass word:é".to_owned());
        let proxy = Proxy::start(ProxySettings {
            credentials: Some(credentials.clone()),
            ..ProxySettings::default()
        })
        .expect("a proxy");
        let settings = json!({
            "proxy": {"host": "127.0.0.1", "port": proxy.port(), "username": credentials.0, "password": credentials.1},
        });
        let feed = open_and_wait(&emulator, &config(&emulator, settings));
        works(&emulator, &feed, 0);
        assert!(emulator.wait_until(PATIENCE, |books| books.acknowledged == 1));
        let books = proxy.books();
        // Pod, key manager and agent have a connection each.
        assert_eq!((books.tunnels, books.unauthorized), (3, 0), "{books:?}");
        let target = format!("127.0.0.1:{}", emulator.port());
        assert!(books.targets.iter().all(|seen| *seen == target), "{books:?}");
        feed.close_at_once();
    }
}

#[test]
fn an_acknowledgement_at_close_goes_through_the_proxy_too() {
    let emulator = emulator(Settings {
        tls: Some(Certificate::Good),
        abandoned_reads_take: false,
        ..Settings::default()
    });
    let proxy = Proxy::start(ProxySettings::default()).expect("a proxy");
    let settings = json!({"proxy": {"host": "127.0.0.1", "port": proxy.port()}, "closeTimeout": 45_000});
    for round in 1..=5 {
        let feed = open_and_wait(&emulator, &config(&emulator, settings.clone()));
        emulator.publish([numbered(round)]);
        feed.must_next_and_ack();
        assert_eq!(feed.close(), DATAFEED_OK);
        let written = emulator.wait_until(PATIENCE, |books| books.acknowledged == round as u64);
        assert!(written, "round {round}: {:?}", emulator.books());
    }
}

#[test]
fn a_proxy_that_refuses_is_named_and_its_password_is_not() {
    let emulator = emulator(quick());
    for (settings, words) in [
        (
            ProxySettings {
                credentials: Some(("bot".into(), "right".into())),
                ..ProxySettings::default()
            },
            "407",
        ),
        (
            ProxySettings {
                refuse: Some(503),
                ..ProxySettings::default()
            },
            "503",
        ),
    ] {
        let proxy = Proxy::start(settings).expect("a proxy");
        let feed = Feed::open(&config(
            &emulator,
            json!({"proxy": {"host": "127.0.0.1", "port": proxy.port(), "username": "bot", "password": "hunter2"}}),
        ));
        let line = feed.wait_for_rule("login-failed");
        let message = line["message"].as_str().expect("a message");
        let address = format!("127.0.0.1:{}", proxy.port());
        assert!(message.contains(words) && message.contains(&address), "{message}");
        assert!(!line.to_string().contains("hunter2"), "{line}");
    }
    assert!(emulator.requests().is_empty());
}

/// Byte by byte, so that something always comes before a single wait is over.
#[test]
fn a_proxy_that_answers_without_end_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            std::thread::spawn(move || {
                let mut going = stream.write_all(b"HTTP/1.1 200 OK\r\nVia: ").is_ok();
                while going {
                    going = stream.write_all(b"a").is_ok();
                    std::thread::sleep(Duration::from_millis(20));
                }
            });
        }
    });
    let emulator = emulator(quick());
    let settings = json!({"proxy": {"host": "127.0.0.1", "port": port}, "connectionTimeout": 500});
    let feed = Feed::open(&config(&emulator, settings));
    let line = feed.wait_for_rule("login-failed");
    assert_eq!(line["code"], "NETWORK", "{line}");
    assert!(
        line["message"].to_string().contains(&format!("127.0.0.1:{port}")),
        "{line}"
    );
}

#[test]
fn only_the_service_with_a_proxy_goes_through_it() {
    let emulator = emulator(quick());
    let proxy = Proxy::start(ProxySettings::default()).expect("a proxy");
    let settings = json!({"pod": {"proxy": {"host": "127.0.0.1", "port": proxy.port()}}});
    let feed = open_and_wait(&emulator, &config(&emulator, settings));
    works(&emulator, &feed, 0);
    assert_eq!(proxy.books().tunnels, 1);
}

#[test]
fn a_node_is_kept_while_it_works_and_left_when_it_fails() {
    for mode in ["roundRobin", "random"] {
        let emulator = emulator(quick());
        // Two names of one service are two nodes.
        let node = |host: &str| json!({"host": host, "port": emulator.port()});
        let mut settings = config(&emulator, json!({}));
        settings["agent"] = json!({"loadBalancing": {"mode": mode, "nodes": [node("127.0.0.1"), node("localhost")]}});
        let feed = open_and_wait(&emulator, &settings);
        let first = feed.wait_for_log("created a feed")["agent"].clone();
        for number in 0..5 {
            works(&emulator, &feed, number);
        }
        assert_eq!(feed.stats()["agentUrl"], first);
        assert!(emulator.wait_until(PATIENCE, |books| books.acknowledged == 5));
        emulator.fault(Fault {
            endpoint: Endpoint::Read,
            times: 1,
            action: status(503),
            after: false,
        });
        let moved = feed.wait_for_log("moving on to another node");
        assert_eq!(moved["level"], "info");
        assert_ne!(moved["agent"], first);
        works(&emulator, &feed, 5);
        let stats = feed.stats();
        assert_eq!(
            (&stats["agentUrl"], &stats["feedsCreated"]),
            (&moved["agent"], &json!(1))
        );
        assert!(emulator.wait_until(PATIENCE, |books| books.acknowledged == 6));
    }
}
