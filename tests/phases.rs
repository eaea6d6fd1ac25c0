//! Close, interrupt and the end of the process cut through whatever the poller waits for, plain and over TLS.
//!
//! What is waited for would take a minute or for ever, so nothing here is measured: a bound that only a wait can reach is
//! enough. How many microseconds it takes is the benchmark's matter.

mod common;
mod stuck;

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::*;
use datafeed_emulator::proxy::{Proxy, ProxySettings};
use datafeed_emulator::{Certificate, Emulator, Endpoint, Fault, FaultAction, Outcome, Settings};
use serde_json::{Value, json};

/// What nothing but a wait that is not cut can reach.
const AT_ONCE: Duration = Duration::from_secs(10);

/// What the poller can wait for.
#[derive(Debug, Clone, Copy)]
enum Phase {
    Lookup,
    Connect,
    Handshake,
    Proxy,
    Header,
    Body,
    /// Heads that are no answer yet, one after the other.
    Flood,
    /// Chunks of a body, one after the other.
    FloodingBody,
    BackOff,
    FullQueue,
}

const PHASES: [Phase; 10] = [
    Phase::Lookup,
    Phase::Connect,
    Phase::Handshake,
    Phase::Proxy,
    Phase::Header,
    Phase::Body,
    Phase::Flood,
    Phase::FloodingBody,
    Phase::BackOff,
    Phase::FullQueue,
];

/// A feed whose poller is in a phase, and what keeps it there.
struct Stuck {
    feed: Feed,
    _emulator: Emulator,
    _keeper: Option<Box<dyn std::any::Any>>,
}

impl Phase {
    fn all() -> impl Iterator<Item = (Phase, bool)> {
        let both = PHASES.into_iter().flat_map(|phase| [(phase, false), (phase, true)]);
        both.filter(|(phase, tls)| match phase {
            Phase::Handshake => *tls,
            Phase::Flood | Phase::FloodingBody => !*tls,
            _ => true,
        })
    }

    /// Opens a feed and waits until its poller is there.
    fn reach(self, tls: bool) -> Stuck {
        let emulator = emulator(Settings {
            tls: tls.then_some(Certificate::Good),
            abandoned_reads_take: false,
            ..Settings::default()
        });
        let mut config = emulator.config();
        let mut keeper: Option<Box<dyn std::any::Any>> = None;
        let feed = match self {
            Phase::Lookup => {
                config["host"] = json!(stuck::DOMAIN);
                config["allowPlaintext"] = json!(true);
                let before = stuck::lookups(stuck::DOMAIN);
                let feed = Feed::open(&config);
                until(|| stuck::lookups(stuck::DOMAIN) > before);
                feed
            }
            Phase::Connect => {
                let full = stuck::FullListener::new();
                config["port"] = json!(full.port());
                let feed = Feed::open(&config);
                until(|| full.is_being_connected_to());
                keeper = Some(Box::new(full));
                feed
            }
            Phase::Handshake => {
                let silent = stuck::SilentServer::new();
                config["port"] = json!(silent.port());
                let feed = Feed::open(&config);
                until(|| silent.heard());
                keeper = Some(Box::new(silent));
                feed
            }
            Phase::Proxy => {
                let proxy = Proxy::start(ProxySettings {
                    hang: true,
                    ..ProxySettings::default()
                })
                .expect("a proxy");
                config["proxy"] = json!({"host": "127.0.0.1", "port": proxy.port()});
                let feed = Feed::open(&config);
                assert!(proxy.wait_until(PATIENCE, |books| books.targets.len() == 1));
                keeper = Some(Box::new(proxy));
                feed
            }
            Phase::Header => {
                let feed = Feed::open(&config);
                wait_for_waiting_read(&emulator);
                feed
            }
            Phase::Body => {
                fault(&emulator, FaultAction::Stall { after_bytes: 150 });
                let feed = Feed::open(&config);
                wait_for_waiting_read(&emulator);
                feed
            }
            Phase::Flood | Phase::FloodingBody => {
                let flood = match self {
                    Phase::Flood => stuck::FloodingServer::new("", "HTTP/1.1 103 Early Hints\r\n\r\n"),
                    _ => {
                        config["maxResponseBytes"] = json!(1u64 << 31);
                        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
                        stuck::FloodingServer::new(head, "1\r\n \r\n")
                    }
                };
                config["agent"] = json!({"port": flood.port()});
                if matches!(self, Phase::Flood) {
                    config["port"] = json!(flood.port());
                }
                let feed = Feed::open(&config);
                until(|| flood.sent() > 0);
                keeper = Some(Box::new(flood));
                feed
            }
            Phase::BackOff => {
                let action = FaultAction::Status {
                    status: 503,
                    body: None,
                    retry_after: Some("300".into()),
                };
                fault(&emulator, action);
                let feed = Feed::open(&config);
                until(|| feed.stats()["state"] == "BACKING_OFF");
                feed
            }
            Phase::FullQueue => {
                config["maxUnacknowledged"] = json!(1);
                let feed = open_and_wait(&emulator, &config);
                emulator.publish([numbered(0)]);
                feed.must_next();
                until(|| feed.stats()["state"] == "WAITING_FOR_BOT");
                feed
            }
        };
        Stuck {
            feed,
            _emulator: emulator,
            _keeper: keeper,
        }
    }
}

fn fault(emulator: &Emulator, action: FaultAction) {
    emulator.fault(Fault {
        endpoint: Endpoint::Read,
        times: 1000,
        action,
        after: false,
    });
}

fn wait_for_waiting_read(emulator: &Emulator) {
    let waiting = emulator.wait_for_requests(PATIENCE, |requests| {
        let mut reads = requests
            .iter()
            .filter(|request| request.endpoint == Some(Endpoint::Read));
        reads.any(|read| read.outcome == Outcome::Waiting)
    });
    assert!(waiting);
}

/// Waits for a condition that nothing announces.
#[track_caller]
fn until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "it never came to it");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn close_is_instant_in_every_phase() {
    for (phase, tls) in Phase::all() {
        let stuck = phase.reach(tls);
        let started = Instant::now();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| stuck.feed.next(-1));
            assert_eq!(stuck.feed.close(), DATAFEED_OK, "{phase:?}");
            assert_eq!(waiting.join().unwrap(), Err(DATAFEED_CLOSED), "{phase:?}");
        });
        assert!(started.elapsed() < AT_ONCE, "{phase:?}, TLS {tls}");
    }
}

#[test]
fn interrupt_is_instant_in_every_phase() {
    for (phase, tls) in Phase::all() {
        let stuck = phase.reach(tls);
        let started = Instant::now();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| stuck.feed.next(-1));
            assert_eq!(stuck.feed.interrupt(), DATAFEED_OK);
            assert_eq!(waiting.join().unwrap(), Err(DATAFEED_INTERRUPTED), "{phase:?}");
        });
        assert!(started.elapsed() < AT_ONCE, "{phase:?}, TLS {tls}");
        let state = stuck.feed.stats()["state"].clone();
        assert!(state != "CLOSED" && state != "FAILED", "{phase:?}: the feed goes on");
    }
}

/// The process that is to end is this test, started again with this in its environment.
const CHILD: &str = "DATAFEED_TEST_ENDS_IN";

#[test]
fn the_process_ends_at_once_in_every_phase() {
    if let Ok(phase) = std::env::var(CHILD) {
        end_in(&phase);
    }
    for (phase, tls) in Phase::all() {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "the_process_ends_at_once_in_every_phase"])
            .env(CHILD, format!("{phase:?} {tls}"))
            .stdout(Stdio::null())
            .spawn()
            .expect("this program again");
        let started = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().expect("a child") {
                break status;
            }
            if started.elapsed() > PATIENCE {
                child.kill().expect("a child");
                panic!("{phase:?}, TLS {tls}: the process did not end");
            }
            thread::sleep(Duration::from_millis(5));
        };
        assert_eq!(status.code(), Some(ENDED), "{phase:?}, TLS {tls}");
    }
}

/// Not what a test harness or a crash ends with.
const ENDED: i32 = 42;

/// Ends as a program does that has forgotten its feed: with a thread that waits, and with what runs at the end.
fn end_in(named: &str) {
    let (phase, tls) = Phase::all()
        .find(|(phase, tls)| format!("{phase:?} {tls}") == named)
        .expect("a phase");
    let stuck: &'static Stuck = Box::leak(Box::new(phase.reach(tls)));
    let feed = &stuck.feed;
    thread::spawn(move || feed.next(-1));
    std::process::exit(ENDED);
}

#[test]
fn nothing_is_left_behind_by_a_lookup_that_never_ends() {
    let stuck = Phase::Lookup.reach(true);
    stuck.feed.close_at_once();
    let trouble: Option<Value> = stuck.feed.error();
    assert_eq!(trouble, None, "a close is no trouble");
}

/// Each try waits for the lookup that is still going on, instead of starting another.
#[test]
fn a_lookup_that_never_ends_is_a_trouble_and_takes_one_thread() {
    let name = format!("one.{}", stuck::DOMAIN);
    let emulator = emulator(Settings::default());
    let mut config = emulator.config();
    config["host"] = json!(name);
    config["allowPlaintext"] = json!(true);
    config["connectionTimeout"] = json!(50);
    config["retry"] = json!({"initialIntervalMillis": 1, "maxIntervalMillis": 1});
    let feed = Feed::open(&config);
    for _ in 0..5 {
        let line = feed.wait_for_rule("login-failed");
        assert_eq!(line["code"], "NETWORK", "{line}");
        let message = line["message"].as_str().expect("a message");
        assert!(
            message.contains("lookup got no answer in time") && message.contains(&name),
            "{message}"
        );
    }
    assert_eq!(stuck::lookups(&name), 1);
}

/// A read that carries an acknowledgement and cannot be sent, and more to acknowledge behind it: all of it has the time
/// that is configured, not each.
#[test]
fn close_takes_its_timeout_once_however_much_is_left_to_write() {
    const TIMEOUT: Duration = Duration::from_secs(4);
    let emulator = emulator(Settings {
        batch: 1..=1,
        poll: Duration::from_millis(100),
        ..Settings::default()
    });
    let full = stuck::FullListener::new();
    let mut config = config(&emulator, json!({"closeTimeout": TIMEOUT.as_millis() as u64}));
    let nodes = [emulator.port(), full.port()].map(|port| json!({"host": "127.0.0.1", "port": port}));
    config["agent"] = json!({"loadBalancing": {"nodes": nodes}});
    let feed = open_and_wait(&emulator, &config);
    emulator.publish((0..3).map(numbered));
    let held: Vec<Received> = (0..3).map(|_| feed.must_next()).collect();
    // The next read goes to the node that does not answer, with the first acknowledgement.
    fault(&emulator, status(503));
    assert_eq!(feed.ack(held[0].delivery), DATAFEED_OK);
    until(|| full.is_being_connected_to());
    for event in &held[1..] {
        assert_eq!(feed.ack(event.delivery), DATAFEED_OK);
    }
    let started = Instant::now();
    assert_eq!(feed.close(), DATAFEED_OK);
    assert!(started.elapsed() < TIMEOUT * 3 / 2, "{:?}", started.elapsed());
}
