//! The SOCKS proxy that tests go through.

mod common;

use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::time::Duration;

use common::{LONG, start};
use datafeed_emulator::Emulator;
use datafeed_emulator::socks::{SocksBooks, SocksHost, SocksProxy, SocksSettings, SocksTarget};

/// A greeting that offers to go on without credentials, and one that offers to show some.
const PLAIN: &[u8] = b"\x05\x01\x00";
const WITH_CREDENTIALS: &[u8] = b"\x05\x02\x00\x02";

/// The request for a connection to this host, type and all.
fn connect(host: &[u8], port: u16) -> Vec<u8> {
    [b"\x05\x01\x00", host, &port.to_be_bytes()].concat()
}

const LOOPBACK: &[u8] = b"\x01\x7f\x00\x00\x01";

fn proxy(change: impl FnOnce(&mut SocksSettings)) -> SocksProxy {
    let mut settings = SocksSettings::default();
    change(&mut settings);
    SocksProxy::start(settings).expect("the proxy starts")
}

fn protected() -> SocksProxy {
    proxy(|settings| settings.credentials = Some(("bot".into(), "s:crét".into())))
}

fn credentials(name: &str, password: &str) -> Vec<u8> {
    let counted = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    [vec![1], counted(name), counted(password)].concat()
}

fn say(proxy: &SocksProxy, parts: &[&[u8]]) -> TcpStream {
    let mut socket = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
    socket.set_read_timeout(Some(LONG)).unwrap();
    socket.write_all(&parts.concat()).unwrap();
    socket
}

/// What the proxy answers, all parts being sent at once, until it ends the connection.
fn answer(proxy: &SocksProxy, parts: &[&[u8]]) -> Vec<u8> {
    read_to_end(say(proxy, parts))
}

fn read_to_end(mut socket: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut socket, &mut bytes).unwrap();
    bytes
}

const GET: &[u8] = b"GET /agent/v3/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// Whether the service is reached with these words before the request to it.
fn reaches(proxy: &SocksProxy, parts: &[&[u8]]) -> bool {
    let answer = answer(proxy, &[parts, &[GET]].concat());
    String::from_utf8_lossy(&answer).ends_with(r#"{"status":"UP"}"#)
}

fn targets(books: &SocksBooks) -> Vec<(&str, SocksHost)> {
    let targets = books.targets.iter();
    targets
        .map(|SocksTarget { address, kind }| (&**address, *kind))
        .collect()
}

#[test]
fn every_host_is_loopback_and_is_written_down_as_it_was_asked_for() {
    let emulator = start(|_| ());
    let proxy = proxy(|_| ());
    let port = emulator.port();
    let ipv6 = [&[4][..], &[0x20, 1, 0xd, 0xb8], &[0; 11], &[7]].concat();
    let hosts = [
        (&b"\x03\x0dagent.invalid"[..], "agent.invalid", SocksHost::Name),
        (b"\x03\x0910.0.0.12", "10.0.0.12", SocksHost::Name),
        (b"\x01\x0a\x00\x00\x0c", "10.0.0.12", SocksHost::Ipv4),
        (&ipv6, "[2001:db8::7]", SocksHost::Ipv6),
    ];
    for (host, _, _) in hosts {
        assert!(reaches(&proxy, &[PLAIN, &connect(host, port)]));
    }
    let books = proxy.books();
    let expected = hosts.map(|(_, host, kind)| (format!("{host}:{port}"), kind));
    assert_eq!(
        targets(&books),
        expected.each_ref().map(|(host, kind)| (&**host, *kind))
    );
    assert_eq!((books.connections, books.tunnels, books.unauthorized), (4, 4, 0));
}

#[test]
fn it_answers_byte_for_byte_as_the_standard_says() {
    let emulator = start(|_| ());
    let proxy = proxy(|_| ());
    let bytes = answer(&proxy, &[PLAIN, &connect(LOOPBACK, emulator.port()), GET]);
    assert_eq!(bytes[..9], *b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00");
    assert_eq!(bytes[9], 1);
    assert!(bytes[12..].starts_with(b"HTTP/1.1 200 "));
}

#[test]
fn a_client_goes_through_it() {
    let emulator = start(|_| ());
    let proxy = protected();
    let mut socket = say(&proxy, &[WITH_CREDENTIALS]);
    let expect = |socket: &mut TcpStream, expected: &[u8]| {
        let mut bytes = vec![0; expected.len()];
        std::io::Read::read_exact(socket, &mut bytes).unwrap();
        assert_eq!(bytes, expected);
    };
    // One step after the other, as a client does that waits for each answer.
    expect(&mut socket, b"\x05\x02");
    socket.write_all(&credentials("bot", "s:crét")).unwrap();
    expect(&mut socket, b"\x01\x00");
    socket
        .write_all(&connect(b"\x03\x09somewhere", emulator.port()))
        .unwrap();
    expect(&mut socket, b"\x05\x00\x00\x01");
    assert!(proxy.wait_until(LONG, |books| books.tunnels == 1));
    socket.write_all(GET).unwrap();
    assert!(String::from_utf8_lossy(&read_to_end(socket)).contains("UP"));
    assert_eq!(proxy.url(), format!("socks5://127.0.0.1:{}", proxy.port()));
}

#[test]
fn it_asks_for_the_right_credentials() {
    let emulator = start(|_| ());
    let proxy = protected();
    let connect = connect(LOOPBACK, emulator.port());
    for (name, password) in [("bot", "wrong"), ("bo", "s:crét"), ("", ""), ("bot", "s:crétx")] {
        // Nothing after them: what is not read would reset the connection.
        let answer = answer(&proxy, &[WITH_CREDENTIALS, &credentials(name, password)]);
        assert_eq!(answer, b"\x05\x02\x01\x01", "{name} {password}");
    }
    assert_eq!(answer(&proxy, &[PLAIN]), b"\x05\xff");
    // Of another version.
    assert_eq!(
        answer(&proxy, &[WITH_CREDENTIALS, b"\x05\x00\x00"]),
        b"\x05\x02\x01\x01"
    );
    let right = credentials("bot", "s:crét");
    assert!(reaches(&proxy, &[WITH_CREDENTIALS, &right, &connect]));
    assert!(reaches(&proxy, &[b"\x05\x01\x02", &right, &connect]));
    let books = proxy.books();
    assert_eq!((books.targets.len(), books.tunnels, books.unauthorized), (2, 2, 6));
}

#[test]
fn without_credentials_it_takes_no_client_that_needs_them() {
    let emulator = start(|_| ());
    let proxy = proxy(|_| ());
    assert_eq!(answer(&proxy, &[b"\x05\x01\x02"]), b"\x05\xff");
    assert_eq!(answer(&proxy, &[b"\x05\x00"]), b"\x05\xff");
    assert!(reaches(
        &proxy,
        &[WITH_CREDENTIALS, &connect(LOOPBACK, emulator.port())]
    ));
    assert_eq!(proxy.books().unauthorized, 2);
}

#[test]
fn it_refuses_what_it_is_told_to_and_what_it_cannot_do() {
    let emulator = start(|_| ());
    let nothing_bound = [0, 1, 0, 0, 0, 0, 0, 0];
    let refusal = |reply: u8| [&[5, 0, 5, reply][..], &nothing_bound].concat();
    let refusing = proxy(|settings| settings.refuse = Some(2));
    let request = connect(LOOPBACK, emulator.port());
    assert_eq!(answer(&refusing, &[PLAIN, &request]), refusal(2));
    assert_eq!((refusing.books().targets.len(), refusing.books().tunnels), (1, 0));
    let willing = proxy(|_| ());
    for (request, reply) in [
        // Nobody listens there.
        (&connect(LOOPBACK, 1)[..], 5),
        // Another version, and something where nothing belongs.
        (b"\x04\x01\x00\x01", 1),
        (b"\x05\x01\x01\x01", 1),
        // BIND, UDP ASSOCIATE, and an address of no known type.
        (b"\x05\x02\x00\x01", 7),
        (b"\x05\x03\x00\x01", 7),
        (b"\x05\x01\x00\x02", 8),
    ] {
        assert_eq!(answer(&willing, &[PLAIN, request]), refusal(reply), "{request:?}");
    }
    // A client of version 4, and one of HTTP.
    assert_eq!(answer(&willing, &[b"\x04"]), b"");
    assert_eq!(answer(&willing, &[b"C"]), b"");
    let books = willing.books();
    assert_eq!((books.connections, books.targets.len(), books.tunnels), (8, 1, 0));
}

#[test]
fn it_can_be_silent() {
    let emulator = start(|_| ());
    let proxy = proxy(|settings| settings.hang = true);
    let mut socket = say(&proxy, &[PLAIN, &connect(LOOPBACK, emulator.port())]);
    assert!(proxy.wait_until(LONG, |books| books.connections == 1));
    socket.set_read_timeout(Some(Duration::from_millis(30))).unwrap();
    let error = std::io::Read::read(&mut socket, &mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    assert!(!proxy.wait_until(Duration::from_millis(10), |books| books.tunnels > 0));
}

#[test]
fn dropping_it_ends_every_tunnel() {
    fn end_of(emulator: &Emulator, hang: bool) -> std::io::Result<u64> {
        let proxy = proxy(|settings| settings.hang = hang);
        let mut socket = say(&proxy, &[PLAIN, &connect(LOOPBACK, emulator.port())]);
        assert!(proxy.wait_until(LONG, |books| books.connections == 1 && (hang || books.tunnels == 1)));
        drop(proxy);
        std::io::copy(&mut socket, &mut std::io::sink())
    }
    let emulator = start(|_| ());
    for hang in [false, true] {
        // It has ended, in whatever way, long before the patience of the socket has.
        let end = end_of(&emulator, hang).map_err(|error| error.kind());
        assert_ne!(end, Err(ErrorKind::WouldBlock));
    }
}
