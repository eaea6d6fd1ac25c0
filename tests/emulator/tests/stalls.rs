//! Answers that stop half-way, or come a byte at a time, in plain and by TLS.

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use common::secure::connect;
use common::{Client, LONG, drain, start};
use datafeed_emulator::{Certificate, Emulator, Endpoint, Fault, FaultAction, Outcome, RequestLog};

/// A service with a feed, and an event in it of so many bytes.
struct Scene {
    emulator: Emulator,
    client: Client,
    feed: String,
}

/// The same in plain and by TLS.
fn scenes(event: usize) -> [Scene; 2] {
    [None, Some(Certificate::Good)].map(|tls| {
        let emulator = start(|settings| settings.tls = tls);
        let client = Client::of(&emulator);
        let feed = client.create();
        emulator.publish([format!("\"{}\"", "x".repeat(event - 2))]);
        Scene { emulator, client, feed }
    })
}

impl Scene {
    fn fault(&self, after: bool, action: FaultAction) {
        self.emulator.fault(Fault {
            endpoint: Endpoint::Read,
            times: 1,
            action,
            after,
        });
    }

    /// Sends a read. The answer's bytes, and the socket that they come from.
    fn begin_read(&self) -> (Box<dyn Read>, TcpStream) {
        if self.emulator.ca_pem().is_none() {
            let socket = self.client.begin_read(&self.feed);
            let below = socket.try_clone().unwrap();
            return (Box::new(socket), below);
        }
        let mut secure = connect(&self.emulator, "127.0.0.1").unwrap();
        secure
            .write_all(self.client.read_request(&self.feed).as_bytes())
            .unwrap();
        let below = secure.sock.try_clone().unwrap();
        (Box::new(secure), below)
    }

    fn read_becomes(&self, outcome: Outcome, status: Option<u16>) -> bool {
        let is = |log: &[RequestLog]| {
            let last = log.last().unwrap();
            (last.endpoint, last.outcome, last.status) == (Some(Endpoint::Read), outcome, status)
        };
        self.emulator.wait_for_requests(LONG, is)
    }
}

fn exactly(answer: &mut impl Read, bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    answer.read_exact(&mut buffer).unwrap();
    String::from_utf8(buffer).unwrap()
}

#[test]
fn a_stalled_answer_stops_after_so_many_bytes_and_stays_open() {
    for (after, bytes) in [(false, 0), (true, 0), (false, 100), (true, 100), (true, 300_000)] {
        for scene in scenes(500_000) {
            scene.fault(after, FaultAction::Stall { after_bytes: bytes });
            let (mut answer, socket) = scene.begin_read();
            let text = exactly(&mut answer, bytes);
            assert!(bytes == 0 || text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
            socket.set_read_timeout(Some(Duration::from_millis(30))).unwrap();
            let nothing = answer.read(&mut [0]).unwrap_err().kind();
            assert!(
                matches!(nothing, ErrorKind::WouldBlock | ErrorKind::TimedOut),
                "{nothing}"
            );
            assert!(scene.read_becomes(Outcome::Waiting, None));
            drop((answer, socket));
            assert!(scene.read_becomes(Outcome::Abandoned, None));
            assert_eq!(scene.emulator.books().handed_out, u64::from(after));
        }
    }
}

#[test]
fn a_stall_beyond_the_answer_lacks_its_last_byte() {
    for scene in scenes(10) {
        scene.fault(true, FaultAction::Stall { after_bytes: 5000 });
        let (mut answer, socket) = scene.begin_read();
        let mut text = String::new();
        while !text.ends_with("\r\n\r\n") {
            text += &exactly(&mut answer, 1);
        }
        let length = text.split("content-length: ").nth(1).unwrap();
        let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
        assert!(exactly(&mut answer, length - 1).ends_with('"'));
        assert!(scene.read_becomes(Outcome::Waiting, None));
        drop((answer, socket));
        assert!(scene.read_becomes(Outcome::Abandoned, None));
    }
}

#[test]
fn a_late_reset_comes_after_a_silence() {
    for (after, bytes) in [(false, 0), (true, 100)] {
        for scene in scenes(1000) {
            let action = FaultAction::LateReset {
                after_bytes: bytes,
                after_millis: 100,
            };
            scene.fault(after, action);
            let begun = Instant::now();
            let (mut answer, _) = scene.begin_read();
            exactly(&mut answer, bytes);
            let (rest, end) = drain(answer);
            assert_eq!((&*rest, end.unwrap_err().kind()), ("", ErrorKind::ConnectionReset));
            assert!(begun.elapsed() >= Duration::from_millis(100));
            assert!(scene.read_becomes(Outcome::Damaged, None));
        }
    }
}

#[test]
fn a_late_reset_is_forgotten_with_its_client() {
    for scene in scenes(1000) {
        let action = FaultAction::LateReset {
            after_bytes: 10,
            after_millis: 3_600_000,
        };
        scene.fault(true, action);
        let (mut answer, socket) = scene.begin_read();
        exactly(&mut answer, 10);
        drop((answer, socket));
        assert!(scene.read_becomes(Outcome::Abandoned, None));
    }
}

#[test]
fn a_dripping_answer_comes_whole_in_the_end() {
    for scene in scenes(1000) {
        let action = FaultAction::Drip {
            after_bytes: 1100,
            every_millis: 1,
        };
        scene.fault(true, action);
        let begun = Instant::now();
        let (events, _) = scene.client.take(&scene.feed, "");
        assert_eq!(events[0].as_str().unwrap().len(), 998);
        // Ten bytes at least come one by one.
        assert!(begun.elapsed() >= Duration::from_millis(10));
        assert!(scene.read_becomes(Outcome::Answered, Some(200)));
    }
}

#[test]
fn a_dripping_answer_can_be_left() {
    for after in [false, true] {
        for scene in scenes(1000) {
            let action = FaultAction::Drip {
                after_bytes: 20,
                every_millis: 10,
            };
            scene.fault(after, action);
            let (mut answer, socket) = scene.begin_read();
            let text = exactly(&mut answer, 23);
            assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
            assert!(scene.read_becomes(Outcome::Waiting, None));
            drop((answer, socket));
            assert!(scene.read_becomes(Outcome::Abandoned, None));
        }
    }
}

#[test]
fn a_drip_that_begins_beyond_the_answer_is_none() {
    for scene in scenes(10) {
        let action = FaultAction::Drip {
            after_bytes: 5000,
            every_millis: 3_600_000,
        };
        scene.fault(true, action);
        assert_eq!(scene.client.take(&scene.feed, "").0.len(), 1);
        assert!(scene.read_becomes(Outcome::Answered, Some(200)));
    }
}
