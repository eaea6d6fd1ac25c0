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
    BackOff,
    FullQueue,
}

const PHASES: [Phase; 8] = [
    Phase::Lookup,
    Phase::Connect,
    Phase::Handshake,
    Phase::Proxy,
    Phase::Header,
    Phase::Body,
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
        both.filter(|(phase, tls)| *tls || !matches!(phase, Phase::Handshake))
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
                config["host"] = json!(stuck::NAME);
                config["allowPlaintext"] = json!(true);
                let before = stuck::lookups();
                let feed = Feed::open(&config);
                until(|| stuck::lookups() > before);
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
