//! Logging in by a client certificate.

mod common;

use std::io::Write;

use common::secure::connect_showing;
use common::{Answer, Client, agent_of, drain, start};
use datafeed_emulator::{Certificate, ClientCertificate, Emulator, Endpoint, Fault, FaultAction};
use serde_json::json;

fn secure() -> Emulator {
    start(|settings| settings.tls = Some(Certificate::Good))
}

fn client(emulator: &Emulator, own: &ClientCertificate) -> Client {
    Client {
        agent: agent_of(emulator.ca_pem().as_deref(), Some(own)),
        ..Client::stranger(emulator)
    }
}

/// `service` is `sessionauth` or `keyauth`.
fn log_in(client: &Client, service: &str) -> Answer {
    client.send("POST", &format!("/{service}/v1/authenticate"), "")
}

#[test]
fn both_services_log_a_bot_in() {
    let emulator = secure();
    let own = emulator.client_certificate("emulator-bot").unwrap();
    let mut client = client(&emulator, &own);
    let session = log_in(&client, "sessionauth").json();
    let key_manager = log_in(&client, "keyauth").json();
    assert_eq!(
        (&session["name"], &key_manager["name"]),
        (&json!("sessionToken"), &json!("keyManagerToken"))
    );
    let token = |answer: &serde_json::Value| answer["token"].as_str().unwrap().to_owned();
    (client.session, client.key_manager) = (token(&session), token(&key_manager));
    let feed = client.create();
    emulator.publish(["1"]);
    assert_eq!(client.take(&feed, "").0, [json!(1)]);
}

#[test]
fn who_shows_nothing_good_is_refused_and_served_otherwise() {
    let emulator = secure();
    let other = secure();
    let somebody = emulator.client_certificate("somebody").unwrap();
    let foreign = other.client_certificate("emulator-bot").unwrap();
    let clients = [
        (Client::stranger(&emulator), "no client certificate"),
        (client(&emulator, &somebody), "common name"),
        (client(&emulator, &foreign), "authority"),
    ];
    for (mut client, reason) in clients {
        for service in ["sessionauth", "keyauth"] {
            let answer = log_in(&client, service);
            assert_eq!(answer.status, 401, "{reason}");
            assert!(answer.message().contains(reason), "{reason}: {answer:?}");
        }
        client.log_in();
        assert!(client.list().is_empty());
    }
}

#[test]
fn a_key_that_is_not_that_of_the_certificate_ends_the_handshake() {
    let emulator = secure();
    let [one, another] = ["emulator-bot"; 2].map(|name| emulator.client_certificate(name).unwrap());
    let answer = |key: &str| {
        let mut connection = connect_showing(&emulator, &one.certificate, key)?;
        connection.write_all(b"GET /agent/v3/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")?;
        Ok::<_, std::io::Error>(drain(connection).0)
    };
    assert!(answer(&one.private_key).unwrap().contains("UP"));
    assert_eq!(answer(&another.private_key).unwrap_or_default(), "");
    assert_eq!(emulator.requests().len(), 1);
}

#[test]
fn without_tls_there_is_no_such_login() {
    let emulator = start(|_| ());
    assert_eq!(emulator.client_certificate("emulator-bot"), None);
    let client = Client::stranger(&emulator);
    assert_eq!(log_in(&client, "sessionauth").status, 401);
    assert_eq!(client.send("POST", "/emulator/certificates", "").status, 400);
}

#[test]
fn a_body_a_rejected_account_and_faults_are_noticed() {
    let emulator = secure();
    let own = emulator.client_certificate("emulator-bot").unwrap();
    let client = client(&emulator, &own);
    assert_eq!(client.send("POST", "/keyauth/v1/authenticate", "{}").status, 400);
    emulator.reject_logins(true);
    assert_eq!(log_in(&client, "sessionauth").status, 401);
    emulator.reject_logins(false);
    for (endpoint, service) in [
        (Endpoint::CertificateSessionLogin, "sessionauth"),
        (Endpoint::CertificateKeyManagerLogin, "keyauth"),
    ] {
        emulator.fault(Fault {
            endpoint,
            times: 1,
            action: FaultAction::Status {
                status: 503,
                body: None,
                retry_after: None,
            },
            after: false,
        });
        assert_eq!(log_in(&client, service).status, 503);
        assert_eq!(log_in(&client, service).status, 200);
    }
}

#[test]
fn the_control_interface_makes_certificates_too() {
    let emulator = secure();
    let stranger = Client::stranger(&emulator);
    let made = |body: &str| {
        let made = stranger.send("POST", "/emulator/certificates", body).json();
        let field = |name: &str| made[name].as_str().unwrap().to_owned();
        ClientCertificate {
            certificate: field("certificate"),
            private_key: field("privateKey"),
        }
    };
    let own = client(&emulator, &made(""));
    assert_eq!(log_in(&own, "sessionauth").status, 200);
    let somebody = client(&emulator, &made(r#"{"username":"somebody"}"#));
    assert_eq!(log_in(&somebody, "sessionauth").status, 401);
}
