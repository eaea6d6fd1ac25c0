//! HTTPS: whom to trust, what a bad certificate is, and faults below HTTP.

mod common;

use std::io::{ErrorKind, Write};
use std::time::Duration;

use common::secure::connect;
use common::{Client, LONG, agent, agent_of, drain, read_path, start};
use datafeed_emulator::{Certificate, Emulator, Endpoint, Fault, FaultAction, Settings};
use serde_json::json;
use tokio_rustls::rustls::{CertificateError, Error};

fn secure(certificate: Certificate) -> Emulator {
    start(|settings| settings.tls = Some(certificate))
}

/// Everything that is answered to a read, and how it ended.
fn read_and_drain(emulator: &Emulator, client: &Client, feed: &str) -> (String, std::io::Result<()>) {
    let mut connection = connect(emulator, "127.0.0.1").unwrap();
    connection.write_all(client.read_request(feed).as_bytes()).unwrap();
    drain(connection)
}

fn fault(action: FaultAction) -> Fault {
    Fault {
        endpoint: Endpoint::Read,
        times: 1,
        action,
        after: true,
    }
}

#[test]
fn everything_is_served_over_https() {
    let emulator = secure(Certificate::Good);
    assert!(emulator.url().starts_with("https://127.0.0.1:"));
    let client = Client::of(&emulator);
    let feed = client.create();
    emulator.publish(["1"]);
    assert_eq!(client.take(&feed, "").0, [json!(1)]);
    let info = client.send("GET", "/agent/v1/info", "").json();
    assert_eq!(info["url"], format!("{}/agent", emulator.url()));
}

#[test]
fn the_configuration_names_a_file_that_goes_with_the_emulator() {
    let emulator = secure(Certificate::Good);
    let config = emulator.config();
    assert_eq!(config["scheme"], "https");
    let path = config["ssl"]["trustStore"]["path"].as_str().unwrap();
    assert_eq!(std::fs::read_to_string(path).unwrap(), emulator.ca_pem().unwrap());
    drop(emulator);
    assert!(!std::fs::exists(path).unwrap());
    let plain = start(|_| ());
    assert_eq!((plain.ca_pem(), &plain.config()["ssl"]), (None, &json!(null)));
}

#[test]
fn the_certificate_is_good_for_every_name_of_loopback() {
    let emulator = secure(Certificate::Good);
    for name in ["127.0.0.1", "::1", "localhost"] {
        connect(&emulator, name).unwrap();
    }
}

#[test]
fn each_emulator_has_an_authority_of_its_own() {
    let (one, other) = (secure(Certificate::Good), secure(Certificate::Good));
    let client = Client {
        agent: agent(other.ca_pem().as_deref()),
        ..Client::stranger(&one)
    };
    assert!(client.try_send("GET", "/agent/v3/health", "").is_err());
}

#[test]
fn a_bad_certificate_is_bad_in_one_way() {
    for certificate in [Certificate::WrongHost, Certificate::Expired, Certificate::UnknownRoot] {
        let emulator = secure(certificate);
        let error = connect(&emulator, "127.0.0.1").unwrap_err();
        let Some(Error::InvalidCertificate(reason)) = error.get_ref().and_then(|inner| inner.downcast_ref()) else {
            panic!("{error}");
        };
        let expected = match reason {
            CertificateError::NotValidForNameContext { .. } => Certificate::WrongHost,
            CertificateError::ExpiredContext { .. } => Certificate::Expired,
            CertificateError::UnknownIssuer => Certificate::UnknownRoot,
            _ => panic!("{reason}"),
        };
        assert_eq!(certificate, expected);
    }
    // It is good for the host that it is for.
    connect(&secure(Certificate::WrongHost), "elsewhere.example.com").unwrap();
}

#[test]
fn the_control_interface_is_in_plain_on_a_port_of_its_own() {
    let emulator = secure(Certificate::Good);
    let secure = Client::stranger(&emulator);
    let control = emulator.control_url();
    let plain = Client {
        url: control.strip_suffix("/emulator").unwrap().to_owned(),
        ..Client::stranger(&emulator)
    };
    assert_eq!(
        plain.send("GET", "/emulator/config", "").json(),
        secure.send("GET", "/emulator/config", "").json()
    );
    // Nothing else is there, and it does not show in the log.
    assert_eq!(plain.send("GET", "/agent/v3/health", "").status, 404);
    assert!(emulator.requests().is_empty());
    let service_in_plain = Client {
        url: format!("http://127.0.0.1:{}", emulator.port()),
        ..Client::stranger(&emulator)
    };
    assert!(service_in_plain.try_send("GET", "/agent/v3/health", "").is_err());
    let without_tls = start(|_| ());
    assert_eq!(without_tls.control_url(), without_tls.url() + "/emulator");
}

#[test]
fn plain_is_served_beside_it_when_asked() {
    let emulator = start(|settings| {
        settings.tls = Some(Certificate::Good);
        settings.plain_too = true;
        settings.context = "/c".into();
    });
    let own = emulator.client_certificate("emulator-bot").unwrap();
    let mut client = Client {
        agent: agent_of(emulator.ca_pem().as_deref(), Some(&own)),
        ..Client::stranger(&emulator)
    };
    let log_in = |client: &Client, service| {
        let answer = client.send("POST", &format!("/{service}/v1/authenticate"), "");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["token"].as_str().unwrap().to_owned()
    };
    (client.session, client.key_manager) = (log_in(&client, "sessionauth"), log_in(&client, "keyauth"));
    let feed = client.create();
    emulator.publish(["1"]);
    let plain_url = emulator.plain_url().unwrap();
    assert!(plain_url.starts_with("http://127.0.0.1:") && plain_url.ends_with("/c"));
    let plain = Client {
        url: plain_url,
        ..client
    };
    assert_eq!(plain.take(&feed, "").0, [json!(1)]);
    // What is written down does not tell the ports apart.
    assert_eq!((emulator.books().handed_out, emulator.requests().len()), (1, 4));
    // A connection in plain shows no certificate.
    assert_eq!(plain.send("POST", "/sessionauth/v1/authenticate", "").status, 401);
}

#[test]
fn plain_beside_nothing_is_refused_and_its_url_is_known() {
    let settings = Settings {
        plain_too: true,
        ..Settings::default()
    };
    assert!(Emulator::start(settings).unwrap_err().to_string().contains("plain_too"));
    assert_eq!(secure(Certificate::Good).plain_url(), None);
    let plain = start(|_| ());
    assert_eq!(plain.plain_url(), Some(plain.url()));
    // It is fixed at the start.
    plain.change_settings(|settings| settings.plain_too = true);
    assert!(!plain.settings().plain_too);
}

#[test]
fn an_answer_is_cut_after_so_many_bytes_of_http() {
    let emulator = secure(Certificate::Good);
    let client = Client::of(&emulator);
    let feed = client.create();
    for bytes in [0, 40, 200, 1_000_000] {
        for action in [
            FaultAction::Truncate { after_bytes: bytes },
            FaultAction::Reset { after_bytes: bytes },
        ] {
            let reset = matches!(action, FaultAction::Reset { .. });
            emulator.publish([format!("\"{}\"", "x".repeat(2_000_000))]);
            emulator.fault(fault(action));
            let (text, end) = read_and_drain(&emulator, &client, &feed);
            let kind = end.unwrap_err().kind();
            if reset {
                assert_eq!(kind, ErrorKind::ConnectionReset);
                // What a reset overtakes is lost.
                assert!(text.len() <= bytes);
            } else {
                // The socket ends in good order, TLS does not.
                assert_eq!((kind, text.len()), (ErrorKind::UnexpectedEof, bytes));
            }
            emulator.advance(Duration::from_secs(31));
        }
    }
}

#[test]
fn a_whole_answer_ends_in_good_order() {
    let emulator = secure(Certificate::Good);
    let client = Client::of(&emulator);
    let feed = client.create();
    let mut connection = connect(&emulator, "127.0.0.1").unwrap();
    let request = client
        .read_request(&feed)
        .replace("Host:", "Connection: close\r\nHost:");
    connection.write_all(request.as_bytes()).unwrap();
    let (text, end) = drain(connection);
    end.unwrap();
    assert!(text.ends_with("\"}"), "{text}");
}

#[test]
fn dropping_ends_every_connection() {
    let emulator = start(|settings| {
        settings.tls = Some(Certificate::Good);
        settings.poll = LONG;
    });
    let client = Client::of(&emulator);
    let feed = client.create();
    let mut connection = connect(&emulator, "127.0.0.1").unwrap();
    connection.write_all(client.read_request(&feed).as_bytes()).unwrap();
    assert!(emulator.wait_for_requests(LONG, |log| log.last().unwrap().path == read_path(&feed)));
    drop(emulator);
    assert!(drain(connection).1.is_err());
}
