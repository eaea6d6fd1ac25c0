//! Rows for the logins other than by key, and for what the pod is asked of a session.

use datafeed_emulator::{Certificate, Emulator, Endpoint, FaultAction, Settings};
use serde_json::{Value, json};

use super::common::*;
use super::{balanced, brisk, check_retried, check_traced, fault};

/// A configuration whose bot logs in by certificate.
fn by_certificate(emulator: &Emulator) -> Value {
    let username = emulator.config()["bot"]["username"]
        .as_str()
        .expect("a name")
        .to_owned();
    let certificate = emulator.client_certificate(&username).expect("TLS");
    config(
        emulator,
        json!({"bot": {"username": username, "certificate": {"content": certificate.pem()}}}),
    )
}

pub fn certificate_refused() {
    for endpoint in [Endpoint::CertificateSessionLogin, Endpoint::CertificateKeyManagerLogin] {
        let emulator = emulator(Settings {
            tls: Some(Certificate::Good),
            ..brisk()
        });
        fault(&emulator, endpoint, 1000, status(403));
        let feed = Feed::open(&by_certificate(&emulator));
        assert_eq!(feed.next(-1), Err(DATAFEED_FAILED));
        let line = feed.wait_for_rule("certificate-refused");
        assert_eq!(line["action"], "FAIL", "{line}");
        assert!(line["message"].to_string().contains("bot.certificate"), "{line}");
        check_traced(&emulator, &line);
        assert_eq!(feed.error().expect("the reason")["retryable"], false);
    }
    // One that worked is tried for ever.
    let emulator = emulator(Settings {
        tls: Some(Certificate::Good),
        ..brisk()
    });
    let feed = open_and_wait(&emulator, &by_certificate(&emulator));
    works(&emulator, &feed, 0);
    fault(&emulator, Endpoint::CertificateSessionLogin, 2, status(403));
    emulator.expire_sessions();
    check_retried(&emulator, &feed.wait_for_rule("login-failed"), "BACK_OFF");
    works(&emulator, &feed, 1);
    balanced(&emulator, 2);
}

fn with_jwt() -> (Emulator, Value) {
    let emulator = emulator(Settings {
        common_jwt: true,
        ..brisk()
    });
    let config = config(&emulator, json!({"commonJwt": {"enabled": true}}));
    (emulator, config)
}

pub fn jwt_refused() {
    let (emulator, config) = with_jwt();
    fault(&emulator, Endpoint::CommonJwt, 1000, status(403));
    let feed = Feed::open(&config);
    assert_eq!(feed.next(-1), Err(DATAFEED_FAILED));
    let line = feed.wait_for_rule("jwt-refused");
    assert!(line["message"].to_string().contains("commonJwt.enabled"), "{line}");
    check_traced(&emulator, &line);
    assert_eq!(feed.error().expect("the reason")["code"], "FORBIDDEN");
}

pub fn jwt_later() {
    let (emulator, config) = with_jwt();
    let feed = open_and_wait(&emulator, &config);
    works(&emulator, &feed, 0);
    // Most of its five minutes are over, for the bot only: to the pod it is good.
    fault(&emulator, Endpoint::CommonJwt, 1, status(500));
    feed.advance(std::time::Duration::from_secs(220));
    let line = feed.wait_for_rule("jwt-later");
    assert_eq!((&line["level"], &line["action"]), (&json!("warn"), &json!("GO_ON")));
    check_traced(&emulator, &line);
    works(&emulator, &feed, 1);
    feed.advance(std::time::Duration::from_secs(10));
    feed.wait_for_log("renewed the common JWT");
    works(&emulator, &feed, 2);
    balanced(&emulator, 3);
}

pub fn jwt_failed() {
    let (emulator, config) = with_jwt();
    fault(&emulator, Endpoint::CommonJwt, 2, status(404));
    let feed = open_and_wait(&emulator, &config);
    let line = feed.wait_for_rule("jwt-failed");
    check_retried(&emulator, &line, "BACK_OFF");
    assert!(line["message"].to_string().contains("commonJwt.enabled"), "{line}");
    works(&emulator, &feed, 0);
}

/// Asking who the bot is meets this twice; it is tried again until it works, before anything is handed out.
fn meets_on_account(rule: &str, what: FaultAction) {
    let emulator = emulator(brisk());
    fault(&emulator, Endpoint::SessionInfo, 2, what);
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    check_retried(&emulator, &feed.wait_for_rule(rule), "BACK_OFF");
    works(&emulator, &feed, 0);
    balanced(&emulator, 1);
}

pub fn pod_out_of_reach() {
    // The login is at the same pod, and would fail before: so its port is another service's once the session is there.
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let emulator = emulator(Settings {
        tls: Some(Certificate::Good),
        ..brisk()
    });
    let mut config = by_certificate(&emulator);
    config["pod"] = json!({"port": gone});
    let feed = Feed::open(&config);
    let line = feed.wait_for_rule("pod-out-of-reach");
    assert_eq!(line["code"], "NETWORK", "{line}");
    assert_eq!(line["action"], "BACK_OFF", "{line}");
}

pub fn pod_lost() {
    meets_on_account("pod-lost", FaultAction::Truncate { after_bytes: 40 });
}

pub fn pod_slow() {
    meets_on_account("pod-slow", status(429));
    meets_on_account("pod-slow", status(408));
}

pub fn pod_in_trouble() {
    meets_on_account("pod-in-trouble", status(500));
}

pub fn account_hidden() {
    for what in [status(403), status(404), body(200, "[]")] {
        let emulator = emulator(brisk());
        fault(&emulator, Endpoint::SessionInfo, 1, what);
        let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
        let line = feed.wait_for_rule("account-hidden");
        assert_eq!((&line["level"], &line["action"]), (&json!("warn"), &json!("GO_ON")));
        check_traced(&emulator, &line);
        let own = json!({"type": "MESSAGESENT", "initiator": {"user": {"userId": 1, "username": "emulator-bot"}}});
        emulator.publish([own.to_string()]);
        works(&emulator, &feed, 0);
        assert_eq!(feed.stats()["filtered"], 1, "its own are known by the name");
        balanced(&emulator, 2);
    }
}

pub fn no_agent_info() {
    let emulator = emulator(Settings {
        simplified_key_delivery: true,
        ..brisk()
    });
    fault(&emulator, Endpoint::AgentInfo, 1, status(503));
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    let line = feed.wait_for_rule("no-agent-info");
    assert_eq!((&line["level"], &line["action"]), (&json!("warn"), &json!("GO_ON")));
    check_traced(&emulator, &line);
    assert!(feed.session().expect("a session")["keyManagerToken"].is_string());
    works(&emulator, &feed, 0);
}
