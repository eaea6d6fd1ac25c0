//! Logging in, and what a session is good for.

mod common;

use std::time::{Duration, UNIX_EPOCH};

use common::{Client, login_token, start, wall_seconds};
use datafeed_emulator::keys::KeyPair;
use datafeed_emulator::{Certificate, Endpoint, Fault, FaultAction};
use serde_json::json;

#[test]
fn both_services_log_a_bot_in() {
    let emulator = start(|_| ());
    let client = Client::stranger(&emulator);
    let token = login_token("emulator-bot", 240);
    let session = client.log_in_with("login", &token).json();
    assert_eq!(session["name"], "sessionToken");
    let expected = format!("Bearer {}", session["token"].as_str().unwrap());
    assert_eq!(session["authorizationToken"], expected);
    let key_manager = client.log_in_with("relay", &token).json();
    assert_eq!(key_manager["name"], "keyManagerToken");
    assert_ne!(session["token"], key_manager["token"]);
}

#[test]
fn bad_logins_are_refused_with_a_reason() {
    let emulator = start(|_| ());
    let client = Client::stranger(&emulator);
    let good = login_token("emulator-bot", 240);
    let (signed, _) = good.rsplit_once('.').unwrap();
    let soon = wall_seconds() + 60;
    let stranger = KeyPair::generate().token(&json!({"sub": "emulator-bot", "exp": soon}));
    let (_, foreign_signature) = stranger.rsplit_once('.').unwrap();
    let own = KeyPair::of_this_process();
    for (token, reason) in [
        (stranger.clone(), "signature"),
        (format!("{signed}.{foreign_signature}"), "signature"),
        (format!("{signed}."), "signature"),
        (login_token("somebody", 240), "sub"),
        (own.token(&json!({"exp": soon})), "sub"),
        (own.token(&json!({"sub": "emulator-bot"})), "exp"),
        (login_token("emulator-bot", -1), "expired"),
        (login_token("emulator-bot", 320), "5 minutes"),
        ("nonsense".into(), "dots"),
        ("a.b.c".into(), "header"),
        // {"alg":"none"}
        (
            format!("eyJhbGciOiJub25lIn0.{}", signed.split_once('.').unwrap().1) + ".",
            "alg",
        ),
    ] {
        for service in ["login", "relay"] {
            let answer = client.log_in_with(service, &token);
            assert_eq!(answer.status, 401, "{token}");
            assert_eq!(answer.json()["code"], 401);
            assert!(answer.message().contains(reason), "{reason}: {answer:?}");
        }
    }
}

#[test]
fn a_bot_can_bring_its_own_key() {
    let pair = KeyPair::generate();
    let emulator = start(|settings| {
        settings.public_key_pem = Some(pair.public_key_pem().to_owned());
    });
    assert_eq!(emulator.config()["bot"], json!({"username": "emulator-bot"}));
    let client = Client::stranger(&emulator);
    let token = pair.token(&json!({"sub": "emulator-bot", "exp": wall_seconds() + 60}));
    assert_eq!(client.log_in_with("login", &token).status, 200);
    let other = login_token("emulator-bot", 60);
    assert_eq!(client.log_in_with("login", &other).status, 401);
}

#[test]
fn a_key_that_is_none_is_refused_at_the_start() {
    for pem in [
        "",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
    ] {
        let settings = datafeed_emulator::Settings {
            public_key_pem: Some(pem.into()),
            ..Default::default()
        };
        assert!(datafeed_emulator::Emulator::start(settings).is_err(), "{pem}");
    }
}

#[test]
fn the_clock_that_judges_logins_can_be_chosen() {
    for (follows, status) in [(false, 200), (true, 401)] {
        let emulator = start(|settings| settings.logins_follow_clock = follows);
        emulator.advance(Duration::from_secs(600));
        let client = Client::stranger(&emulator);
        let answer = client.log_in_with("login", &login_token("emulator-bot", 240));
        assert_eq!(answer.status, status);
    }
}

#[test]
fn the_date_of_every_answer_is_by_the_clock_that_judges_logins() {
    for tls in [None, Some(Certificate::Good)] {
        let emulator = start(|settings| settings.tls = tls);
        let client = Client::of(&emulator);
        let feed = client.create();
        emulator.advance(Duration::from_secs(3600));
        let fault = |action, after| {
            emulator.fault(Fault {
                endpoint: Endpoint::List,
                times: 1,
                action,
                after,
            });
        };
        for (follows, ahead) in [(false, 0), (true, 3600)] {
            emulator.change_settings(|settings| settings.logins_follow_clock = follows);
            let body = FaultAction::Body {
                status: 500,
                content_type: "text/plain".into(),
                body: Vec::new(),
            };
            fault(body, false);
            let drip = FaultAction::Drip {
                after_bytes: 0,
                every_millis: 0,
            };
            fault(drip, true);
            let read = common::read_path(&feed);
            for (method, path, body) in [
                ("GET", "/agent/v5/datafeeds", ""),
                ("GET", "/agent/v5/datafeeds", ""),
                ("POST", "/login/pubkey/authenticate", "{}"),
                ("POST", &read, "{}"),
                ("GET", "/nowhere", ""),
                ("GET", "/emulator/books", ""),
            ] {
                let before = wall_seconds();
                let answer = client.send(method, path, body);
                let date = httpdate::parse_http_date(answer.headers["date"].to_str().unwrap()).unwrap();
                let date = date.duration_since(UNIX_EPOCH).unwrap().as_secs() - ahead;
                // hyper renews its own date once a second.
                assert!((before - 1..=wall_seconds() + 1).contains(&date), "{path}: {answer:?}");
            }
        }
    }
}

#[test]
fn a_clock_beyond_all_dates_still_answers() {
    let emulator = start(|settings| settings.logins_follow_clock = true);
    emulator.advance(Duration::MAX);
    let answer = Client::stranger(&emulator).send("GET", "/agent/v3/health", "");
    assert_eq!(answer.headers["date"], "Fri, 31 Dec 9999 23:59:59 GMT");
}

#[test]
fn each_token_is_checked_on_its_own() {
    let emulator = start(|_| ());
    let good = Client::of(&emulator);
    let feed = good.create();
    let other = |session: &str, key_manager: &str| Client {
        session: session.into(),
        key_manager: key_manager.into(),
        ..Client::stranger(&emulator)
    };
    let calls = [
        ("GET", "/agent/v5/datafeeds".to_owned()),
        ("POST", "/agent/v5/datafeeds".to_owned()),
        ("POST", common::read_path(&feed)),
        ("DELETE", format!("/agent/v5/datafeeds/{feed}")),
    ];
    for (method, path) in &calls {
        for (client, named) in [
            (other("", &good.key_manager), "sessionToken"),
            (other(&good.session, ""), "keyManagerToken"),
            (other("unknown", &good.key_manager), "sessionToken"),
            (other(&good.session, "unknown"), "keyManagerToken"),
            (other(&good.key_manager, &good.session), "sessionToken"),
        ] {
            let answer = client.send(method, path, "");
            assert_eq!(answer.status, 401, "{method} {path}");
            assert!(answer.message().contains(named), "{answer:?}");
        }
    }
    assert_eq!(emulator.feeds().len(), 1);
    // The pod asks for its own token only.
    let pod_only = other(&good.session, "");
    assert_eq!(pod_only.send("GET", "/pod/v2/sessioninfo", "").status, 200);
    emulator.change_settings(|settings| settings.require_key_manager_token = false);
    assert_eq!(pod_only.send("GET", "/agent/v5/datafeeds", "").status, 200);
}

#[test]
fn sessions_end_and_feeds_outlive_them() {
    let emulator = start(|settings| settings.session_ttl = Duration::from_secs(600));
    let mut client = Client::of(&emulator);
    let feed = client.create();
    emulator.advance(Duration::from_secs(601));
    assert_eq!(client.read(&feed, "").status, 401);
    client.log_in();
    assert_eq!(client.read(&feed, "").status, 200);
    emulator.expire_sessions();
    assert_eq!(client.read(&feed, "").status, 401);
    assert_eq!(client.send("GET", "/pod/v2/sessioninfo", "").status, 401);
    client.log_in();
    assert_eq!(client.read(&feed, "").status, 200);
}

#[test]
fn logins_can_be_refused_for_a_while() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    emulator.reject_logins(true);
    let token = login_token("emulator-bot", 240);
    assert_eq!(client.log_in_with("login", &token).status, 401);
    assert_eq!(client.log_in_with("relay", &token).status, 401);
    assert!(client.list().is_empty());
    emulator.reject_logins(false);
    assert_eq!(client.log_in_with("login", &token).status, 200);
}

#[test]
fn the_bot_learns_who_it_is() {
    let emulator = start(|settings| settings.username = "trade-bot".into());
    let client = Client::stranger(&emulator);
    let token = login_token("trade-bot", 60);
    let session = client.log_in_with("login", &token).json();
    let client = Client {
        session: session["token"].as_str().unwrap().into(),
        ..client
    };
    let info = client.send("GET", "/pod/v2/sessioninfo", "").json();
    assert_eq!(info["username"], "trade-bot");
    assert_eq!(info["id"], datafeed_emulator::BOT_USER_ID);
    for text in ["displayName", "emailAddress", "company"] {
        assert!(!info[text].as_str().unwrap().is_empty(), "{info}");
    }
    for wrong in ["", "unknown"] {
        let client = Client {
            session: wrong.into(),
            ..Client::stranger(&emulator)
        };
        assert_eq!(client.send("GET", "/pod/v2/sessioninfo", "").status, 401);
    }
}
