//! Simplified key delivery: a bot that needs no key manager.

mod common;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{Client, login_token, start};
use datafeed_emulator::Endpoint;
use serde_json::{Value, json};

/// A client that has asked the pod only, and its token's claims.
fn log_in(emulator: &datafeed_emulator::Emulator) -> (Client, Value) {
    let mut client = Client::stranger(emulator);
    let answer = client.log_in_with("login", &login_token("emulator-bot", 240)).json();
    client.session = answer["token"].as_str().unwrap().to_owned();
    let parts: Vec<Vec<u8>> = client
        .session
        .split('.')
        .map(|part| URL_SAFE_NO_PAD.decode(part).unwrap())
        .collect();
    assert_eq!(parts.len(), 3);
    assert!(serde_json::from_slice::<Value>(&parts[0]).unwrap().is_object());
    let claims = serde_json::from_slice(&parts[1]).unwrap();
    (client, claims)
}

#[test]
fn the_session_token_is_enough_and_says_so() {
    let emulator = start(|settings| settings.simplified_key_delivery = true);
    let (client, claims) = log_in(&emulator);
    assert_eq!(claims["canUseSimplifiedKeyDelivery"], true);
    assert_eq!(claims["sub"], "emulator-bot");
    assert!(claims["exp"].as_u64().unwrap() > common::wall_seconds());
    let feed = client.create();
    emulator.publish(["1"]);
    assert_eq!(client.take(&feed, "").0, [json!(1)]);
    let asked = |log: &[datafeed_emulator::RequestLog]| {
        let logins = log.iter().filter(|r| r.endpoint == Some(Endpoint::KeyManagerLogin));
        logins.count()
    };
    assert_eq!(asked(&emulator.requests()), 0);
    client.log_in_with("relay", &login_token("emulator-bot", 240));
    assert_eq!(asked(&emulator.requests()), 1);
    emulator.expire_sessions();
    assert_eq!(client.read(&feed, "").status, 401);
    assert_ne!(log_in(&emulator).0.session, client.session);
}

#[test]
fn the_agent_is_new_enough_unless_it_is_told_otherwise() {
    let version = |emulator: &datafeed_emulator::Emulator| {
        Client::stranger(emulator).send("GET", "/agent/v1/info", "").json()["version"].clone()
    };
    let emulator = start(|settings| settings.simplified_key_delivery = true);
    assert_eq!(version(&emulator), "Agent-24.12.0");
    emulator.change_settings(|settings| settings.agent_version = "Agent-24.11.3".into());
    assert_eq!(version(&emulator), "Agent-24.11.3");
    assert_eq!(version(&start(|_| ())), "Agent-24.1.0");
}
