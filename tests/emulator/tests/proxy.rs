//! The proxy that tests go through.

mod common;

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::time::Duration;

use common::{Client, LONG, drain, start};
use datafeed_emulator::proxy::{Proxy, ProxyBooks, ProxySettings};
use datafeed_emulator::{Certificate, Emulator};
use ureq::tls::{RootCerts, TlsConfig};

fn proxy(change: impl FnOnce(&mut ProxySettings)) -> Proxy {
    let mut settings = ProxySettings::default();
    change(&mut settings);
    Proxy::start(settings).expect("the proxy starts")
}

fn protected() -> Proxy {
    proxy(|settings| settings.credentials = Some(("bot".into(), "s:cret".into())))
}

/// Sends bytes to the proxy.
fn say(proxy: &Proxy, text: &str) -> TcpStream {
    let mut socket = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    socket.write_all(text.as_bytes()).unwrap();
    socket
}

/// What the proxy answers to bytes, until it ends the connection.
fn answer(proxy: &Proxy, text: &str) -> String {
    let (answer, end) = drain(say(proxy, text));
    end.unwrap();
    answer
}

fn connect_to(emulator: &Emulator, headers: &str) -> String {
    format!("CONNECT 127.0.0.1:{} HTTP/1.1\r\n{headers}\r\n", emulator.port())
}

#[test]
fn a_client_goes_through_it_with_tls_inside() {
    let emulator = start(|settings| settings.tls = Some(Certificate::Good));
    let proxy = protected();
    let pem = emulator.ca_pem().unwrap();
    let root = ureq::tls::Certificate::from_pem(pem.as_bytes()).unwrap();
    let through = format!("http://bot:s%3Acret@127.0.0.1:{}", proxy.port());
    let config = ureq::Agent::config_builder()
        .proxy(Some(ureq::Proxy::new(&through).unwrap()))
        .timeout_global(Some(LONG))
        .tls_config(
            TlsConfig::builder()
                .root_certs(RootCerts::new_with_certs(&[root]))
                .build(),
        );
    let mut client = Client {
        agent: config.build().new_agent(),
        ..Client::stranger(&emulator)
    };
    client.log_in();
    client.create();
    assert_eq!(emulator.feeds().len(), 1);
    let books = proxy.books();
    assert!(books.tunnels >= 1 && books.unauthorized == 0, "{books:?}");
    assert_eq!(books.connections, books.tunnels);
    let target = format!("127.0.0.1:{}", emulator.port());
    assert!(books.targets.iter().all(|seen| *seen == target), "{books:?}");
}

#[test]
fn every_host_is_loopback_and_nothing_is_lost() {
    let emulator = start(|_| ());
    let proxy = proxy(|_| ());
    // All at once: what follows the CONNECT is for the service.
    let request = format!(
        "CONNECT agent.invalid:{} HTTP/1.1\r\n\r\nGET /agent/v3/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        emulator.port()
    );
    let text = answer(&proxy, &request);
    let (established, health) = text.split_once("\r\n\r\n").unwrap();
    assert!(established.starts_with("HTTP/1.1 200 "), "{text}");
    assert!(health.ends_with(r#"{"status":"UP"}"#), "{text}");
    let books = ProxyBooks {
        connections: 1,
        targets: vec![format!("agent.invalid:{}", emulator.port())],
        tunnels: 1,
        unauthorized: 0,
    };
    assert_eq!(proxy.books(), books);
}

#[test]
fn it_asks_for_the_right_credentials() {
    let emulator = start(|_| ());
    let proxy = protected();
    for (headers, welcome) in [
        ("", false),
        // bot:wrong
        ("Proxy-Authorization: Basic Ym90Ondyb25n\r\n", false),
        // bot:s:cret
        ("Proxy-Authorization: Bearer Ym90OnM6Y3JldA==\r\n", false),
        ("Authorization: Basic Ym90OnM6Y3JldA==\r\n", false),
        ("proxy-authorization: basic Ym90OnM6Y3JldA==\r\n", true),
    ] {
        let request = connect_to(&emulator, headers);
        let nothing_more = say(&proxy, &request);
        if welcome {
            nothing_more.shutdown(std::net::Shutdown::Write).unwrap();
        }
        let (text, _) = drain(nothing_more);
        assert_eq!(text.starts_with("HTTP/1.1 200 "), welcome, "{headers} {text}");
        assert_eq!(text.starts_with("HTTP/1.1 407 "), !welcome, "{headers} {text}");
        assert_eq!(text.contains("\r\nProxy-Authenticate: Basic "), !welcome, "{text}");
    }
    let books = proxy.books();
    assert_eq!((books.targets.len(), books.tunnels, books.unauthorized), (5, 1, 4));
}

#[test]
fn it_refuses_what_it_is_told_to_and_what_it_cannot_do() {
    let emulator = start(|_| ());
    let refusing = proxy(|settings| settings.refuse = Some(503));
    assert!(answer(&refusing, &connect_to(&emulator, "")).starts_with("HTTP/1.1 503 "));
    assert_eq!((refusing.books().targets.len(), refusing.books().tunnels), (1, 0));
    let willing = proxy(|_| ());
    for (request, status) in [
        // Nobody listens there.
        ("CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n", 502),
        ("CONNECT nowhere HTTP/1.1\r\n\r\n", 400),
        ("nonsense\r\n\r\n", 400),
        ("GET http://127.0.0.1/ HTTP/1.1\r\n\r\n", 405),
    ] {
        let text = answer(&willing, request);
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{request} {text}");
    }
    assert_eq!((willing.books().connections, willing.books().tunnels), (4, 0));
}

#[test]
fn it_can_be_silent() {
    let emulator = start(|_| ());
    let proxy = proxy(|settings| settings.hang = true);
    let socket = say(&proxy, &connect_to(&emulator, ""));
    assert!(proxy.wait_until(LONG, |books| books.targets.len() == 1));
    socket.set_read_timeout(Some(Duration::from_millis(30))).unwrap();
    let (text, end) = drain(socket);
    assert_eq!((&*text, end.unwrap_err().kind()), ("", ErrorKind::WouldBlock));
    assert!(!proxy.wait_until(Duration::from_millis(10), |books| books.tunnels > 0));
}

#[test]
fn dropping_it_ends_every_tunnel() {
    let emulator = start(|_| ());
    for hang in [false, true] {
        let proxy = proxy(|settings| settings.hang = hang);
        let socket = say(&proxy, &connect_to(&emulator, ""));
        assert!(proxy.wait_until(LONG, |books| books.targets.len() == 1 && (hang || books.tunnels == 1)));
        drop(proxy);
        // It has ended, in whatever way, long before the patience of the socket has.
        let end = drain(socket).1.map_err(|error| error.kind());
        assert_ne!(end, Err(ErrorKind::WouldBlock));
    }
}
