//! The common JWT: a short token that the agent takes in place of the session token.

mod common;

use std::time::Duration;

use common::{Answer, Client, login_token, start};
use datafeed_emulator::{Emulator, Endpoint, Fault, FaultAction};
use serde_json::json;

fn emulator() -> Emulator {
    start(|settings| settings.common_jwt = true)
}

/// One that has logged in, and sends the JWT that came with the session token.
fn client(emulator: &Emulator) -> Client {
    let mut client = Client::of(emulator);
    let login = client.log_in_with("login", &login_token("emulator-bot", 240)).json();
    client.authorization = login["authorizationToken"].as_str().unwrap().to_owned();
    client
}

fn renew(client: &Client) -> Answer {
    client.send("POST", "/login/idm/tokens", "")
}

fn list(client: &Client) -> u16 {
    client.send("GET", "/agent/v5/datafeeds", "").status
}

#[test]
fn the_agent_takes_it_in_place_of_the_session_token() {
    let emulator = emulator();
    let mut client = client(&emulator);
    let jwt = client.authorization.clone();
    assert_eq!(jwt.strip_prefix("Bearer ").unwrap().split('.').count(), 3);
    let session = std::mem::take(&mut client.session);
    assert_eq!(list(&client), 200);
    assert_eq!(client.send("GET", "/pod/v2/sessioninfo", "").status, 200);
    for wrong in [
        "",
        "Bearer nonsense",
        &format!("Bearer {session}"),
        &jwt["Bearer ".len()..],
    ] {
        client.session = session.clone();
        client.authorization = wrong.to_owned();
        assert_eq!(list(&client), 401, "{wrong}");
    }
    client.authorization.clear();
    assert_eq!(client.send("GET", "/pod/v2/sessioninfo", "").status, 200);
}

#[test]
fn it_expires_and_is_renewed_with_the_session() {
    let emulator = emulator();
    let mut client = client(&emulator);
    emulator.advance(Duration::from_secs(299));
    assert_eq!(list(&client), 200);
    emulator.advance(Duration::from_secs(2));
    assert_eq!(list(&client), 401);
    let tokens = renew(&client).json();
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"]),
        (&"Bearer".into(), &300.into())
    );
    client.authorization = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    assert_eq!(list(&client), 200);
    emulator.change_settings(|settings| settings.common_jwt_ttl = Duration::from_secs(60));
    assert_eq!(renew(&client).json()["expires_in"], 60);
    emulator.expire_sessions();
    assert_eq!(renew(&client).status, 401);
    assert_eq!(list(&client), 401);
}

#[test]
fn the_key_manager_token_is_asked_for_all_the_same() {
    let emulator = emulator();
    let mut client = client(&emulator);
    client.key_manager.clear();
    assert_eq!(list(&client), 401);
    emulator.change_settings(|settings| settings.simplified_key_delivery = true);
    assert_eq!(list(&client), 200);
}

#[test]
fn without_it_the_session_token_counts() {
    let emulator = start(|_| ());
    let mut client = client(&emulator);
    assert_eq!(renew(&client).status, 404);
    client.authorization = "Bearer nonsense".into();
    assert_eq!(list(&client), 200);
    client.session.clear();
    assert_eq!(list(&client), 401);
}

#[test]
fn the_configuration_says_whether_there_is_one() {
    let emulator = emulator();
    assert_eq!(emulator.config()["commonJwt"], json!({"enabled": true}));
    emulator.change_settings(|settings| settings.common_jwt = false);
    assert_eq!(emulator.config()["commonJwt"], json!(null));
    // As is every other member, it can be set to what a test needs.
    emulator.set_config("commonJwt", json!({"enabled": false}));
    assert_eq!(emulator.config()["commonJwt"], json!({"enabled": false}));
}

#[test]
fn renewing_can_go_wrong() {
    let emulator = emulator();
    let client = client(&emulator);
    emulator.fault(Fault {
        endpoint: Endpoint::CommonJwt,
        times: 1,
        action: FaultAction::Status {
            status: 500,
            body: None,
            retry_after: None,
        },
        after: false,
    });
    assert_eq!((renew(&client).status, renew(&client).status), (500, 200));
}
