//! The common JWT: a short token that the agent takes in place of the session token.

mod common;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{Answer, Client, agent_of, login_token, read_path, start, v1_path, wall_seconds};
use datafeed_emulator::{BOT_USER_ID, Certificate, Emulator, Endpoint, Fault, FaultAction};
use serde_json::{Value, json};

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
fn an_expired_one_is_refused_wherever_it_is_shown() {
    let emulator = emulator();
    let client = client(&emulator);
    let (feed, feed_v1) = (client.create(), client.create_v1());
    let paths = [
        ("GET", "/agent/v5/datafeeds".to_owned()),
        ("POST", "/agent/v5/datafeeds".to_owned()),
        ("POST", read_path(&feed)),
        ("DELETE", format!("/agent/v5/datafeeds/{feed}")),
        ("POST", "/agent/v5/events/read".to_owned()),
        ("POST", "/agent/v4/datafeed/create".to_owned()),
        ("GET", v1_path(&feed_v1)),
        ("POST", "/agent/v4/firehose/create".to_owned()),
        ("GET", "/pod/v2/sessioninfo".to_owned()),
    ];
    emulator.advance(Duration::from_secs(301));
    for (method, path) in &paths {
        let answer = client.send(method, path, "");
        assert_eq!((answer.status, &answer.json()["code"]), (401, &json!(401)), "{path}");
        assert!(answer.message().contains("Authorization"), "{path}: {answer:?}");
    }
    // The feeds have not noticed, and neither has the session.
    assert_eq!((emulator.feeds().len(), emulator.v1_feeds().len()), (1, 1));
    assert_eq!(client.send("GET", "/agent/v1/info", "").status, 200);
    assert_eq!(renew(&client).status, 200);
}

#[test]
fn a_new_one_takes_a_session_token_and_leaves_the_old_as_it_was() {
    let emulator = emulator();
    let mut client = client(&emulator);
    let before = wall_seconds();
    let tokens = renew(&client).json();
    let members: Vec<&String> = tokens.as_object().unwrap().keys().collect();
    assert_eq!(members, ["access_token", "expires_in", "token_type"]);
    let jwt = tokens["access_token"].as_str().unwrap();
    let claims = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(
        (&claims["sub"], &claims["userId"]),
        (&json!("emulator-bot"), &json!(BOT_USER_ID))
    );
    let made = claims["exp"].as_u64().unwrap() - 300;
    assert!((before - 1..=wall_seconds() + 1).contains(&made), "{claims}");
    assert_ne!(client.authorization, format!("Bearer {jwt}"));
    assert_eq!(list(&client), 200);
    assert_eq!(client.send("GET", "/login/idm/tokens", "").status, 405);
    for wrong in ["", &client.key_manager.clone(), jwt] {
        client.session = wrong.to_owned();
        let answer = renew(&client);
        assert_eq!(answer.status, 401, "{wrong}");
        assert!(answer.message().contains("sessionToken"), "{answer:?}");
    }
}

#[test]
fn a_login_by_certificate_gives_one_too() {
    let emulator = start(|settings| {
        settings.tls = Some(Certificate::Good);
        settings.common_jwt = true;
    });
    let own = emulator.client_certificate("emulator-bot").unwrap();
    let mut client = Client {
        agent: agent_of(emulator.ca_pem().as_deref(), Some(&own)),
        ..Client::of(&emulator)
    };
    let login = client.send("POST", "/sessionauth/v1/authenticate", "").json();
    client.authorization = login["authorizationToken"].as_str().unwrap().to_owned();
    client.session.clear();
    assert_eq!(list(&client), 200);
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
