//! What an operator sees: one line for each change of state, at the right level, with the trace id that the service has
//! seen too; and statistics that agree with it.

mod common;

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::*;
use datafeed_emulator::{Emulator, Endpoint, Fault, RequestLog};
use serde_json::{Value, json};

/// What can be compared of a line: its level and the beginning of its message.
fn shown(line: &Value) -> (String, String) {
    let text = |name: &str| line[name].as_str().expect("a string").to_owned();
    (text("level"), text("message"))
}

/// The lines of a closed feed are these, by level and by how they begin.
#[track_caller]
fn check_lines(feed: &Feed, expected: &[(&str, &str)]) -> Vec<Value> {
    let mut lines = Vec::new();
    while let Ok(line) = feed.next_log(0) {
        lines.push(line);
    }
    let found: Vec<_> = lines.iter().map(shown).collect();
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for ((level, message), (expected_level, start)) in found.iter().zip(expected) {
        assert_eq!(level, expected_level, "{message}");
        assert!(message.starts_with(start), "{message:?} does not begin with {start:?}");
    }
    lines
}

fn is_traced(requests: &[RequestLog], line: &Value) -> bool {
    let trace_id = line["traceId"].as_str();
    trace_id.is_some() && requests.iter().any(|request| request.trace_id.as_deref() == trace_id)
}

fn read_fails(emulator: &Emulator, times: u32, with: u16) {
    emulator.fault(Fault {
        endpoint: Endpoint::Read,
        times,
        action: status(with),
        after: false,
    });
}

#[test]
fn a_quiet_life_takes_three_lines() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    for number in 0..20 {
        works(&emulator, &feed, number);
    }
    feed.close();
    let lines = check_lines(
        &feed,
        &[
            ("info", "logged in"),
            ("info", "created a feed"),
            ("info", "the feed is closed"),
        ],
    );
    for line in &lines[..2] {
        assert!(is_traced(&emulator.requests(), line), "{line}");
    }
    let key_manager = json!({"traceId": lines[0]["keyManagerTraceId"]});
    assert!(is_traced(&emulator.requests(), &key_manager), "{}", lines[0]);
    assert_eq!(lines[1]["feedId"], emulator.feeds()[0].id);
}

#[test]
fn a_trouble_takes_a_line_a_try_and_one_when_it_is_over() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    works(&emulator, &feed, 0);
    read_fails(&emulator, 3, 503);
    feed.wait_for_rule("node-in-trouble");
    works(&emulator, &feed, 1);
    feed.wait_for_log("the trouble is over");
    emulator.expire_sessions();
    feed.wait_for_rule("session-expired");
    works(&emulator, &feed, 2);
    feed.close();
    let stats = feed.stats();
    assert_eq!(stats["retries"], 3);
    assert_eq!(stats["retriesByCause"], json!({"SERVICE_ERROR": 3}));
    assert_eq!(stats["logins"], 2);
    assert_eq!(stats["latestTrouble"]["httpStatus"], 503);
    let (last_read, last_event) = (&stats["lastReadAt"], &stats["lastEventAt"]);
    assert!(
        last_read.as_u64() >= last_event.as_u64() && last_event.is_u64(),
        "{stats:#}"
    );
    assert_eq!(
        (&stats["acknowledged"], &stats["held"], &stats["received"]),
        (&json!(3), &json!(0), &json!(3))
    );
    check_lines(
        &feed,
        &[
            ("info", "logged in"),
            ("info", "the trouble is over"),
            ("info", "the feed is closed"),
        ],
    );
}

#[test]
fn each_try_of_a_trouble_is_told_with_the_time_of_the_next() {
    let emulator = emulator(quick());
    read_fails(&emulator, 3, 503);
    let settings = json!({"retry": {"initialIntervalMillis": 1, "maxIntervalMillis": 1}});
    let feed = Feed::open(&config(&emulator, settings));
    feed.wait_for_log("created a feed");
    for _ in 0..3 {
        let line = feed.next_log(60_000).expect("a line");
        assert_eq!(
            (&line["level"], &line["rule"]),
            (&json!("warn"), &json!("node-in-trouble")),
            "{line}"
        );
        assert!(line["retryInMillis"].as_u64() <= Some(1), "{line}");
        assert!(is_traced(&emulator.requests(), &line), "{line}");
    }
    let over = feed.next_log(60_000).expect("a line");
    assert_eq!(shown(&over), ("info".into(), "the trouble is over".into()));
    assert_eq!(over["failures"], 3);
}

#[test]
fn a_bot_that_is_behind_is_told_once_and_when_it_has_caught_up() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({"maxUnacknowledged": 2})));
    emulator.publish((0..2).map(numbered));
    let held: Vec<Received> = (0..2).map(|_| feed.must_next()).collect();
    let line = feed.wait_for_log("reading waits for the bot");
    assert_eq!(line["level"], "warn", "{line}");
    assert_eq!(
        line["held"].as_u64().unwrap() + line["queued"].as_u64().unwrap(),
        2,
        "{line}"
    );
    assert_eq!(feed.stats()["state"], "WAITING_FOR_BOT");
    assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT));
    for event in held {
        assert_eq!(feed.ack(event.delivery), DATAFEED_OK);
    }
    assert_eq!(feed.wait_for_log("reading goes on")["level"], "info");
    works(&emulator, &feed, 2);
    // Once a minute: what happens sooner is told when the minute is over, if it still holds.
    emulator.publish((3..5).map(numbered));
    let held: Vec<Received> = (0..2).map(|_| feed.must_next()).collect();
    assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT));
    feed.advance(Duration::from_secs(61));
    feed.wait_for_log("reading waits for the bot");
    feed.close();
    drop(held);
    check_lines(&feed, &[("info", "the feed is closed")]);
}

#[test]
fn a_back_off_shows_until_when() {
    let emulator = emulator(quick());
    emulator.fault(Fault {
        endpoint: Endpoint::List,
        times: 1,
        action: datafeed_emulator::FaultAction::Status {
            status: 429,
            body: None,
            retry_after: Some("60".into()),
        },
        after: false,
    });
    let before = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock")
        .as_millis() as u64;
    let feed = Feed::open(&config(&emulator, json!({"retry": {"maxIntervalMillis": 600_000}})));
    feed.wait_for_rule("slow-down");
    let stats = loop {
        let stats = feed.stats();
        if stats["state"] == "BACKING_OFF" {
            break stats;
        }
        thread::yield_now();
    };
    let retry_at = stats["retryAt"].as_u64().expect("a time");
    assert!(
        (before + 60_000..before + 660_000).contains(&retry_at),
        "{retry_at} after {before}"
    );
    feed.close_at_once();
    assert_eq!(feed.stats()["retryAt"], Value::Null);
}

/// The process whose stderr is of no use is this test, started again with this in its environment.
const CHILD: &str = "DATAFEED_TEST_STDERR_IS";

#[test]
fn a_stderr_that_nobody_reads_stops_nothing() {
    match std::env::var(CHILD).as_deref() {
        Ok("full") => fill_stderr(),
        Ok(_) => wait_until_stderr_is_broken(),
        Err(_) => {
            logs_in_a_child("full");
            return logs_in_a_child("broken");
        }
    }
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    works(&emulator, &feed, 0);
    feed.close_at_once();
    std::process::exit(ENDED);
}

fn logs_in_a_child(stderr: &str) {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "a_stderr_that_nobody_reads_stops_nothing"])
        .env(CHILD, stderr)
        .env("DATAFEED_LOG", "info")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("this program again");
    if stderr == "broken" {
        drop(child.stderr.take());
    }
    let started = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if started.elapsed() > PATIENCE {
            child.kill().expect("a child");
        }
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(child.wait().expect("a child").code(), Some(ENDED), "{stderr}");
}

/// Not what a test harness or a crash ends with.
const ENDED: i32 = 42;

/// Writes until the pipe takes no more.
fn fill_stderr() {
    // SAFETY: the calls are given a descriptor that is open, and bytes that live.
    unsafe {
        let flags = libc::fcntl(2, libc::F_GETFL);
        libc::fcntl(2, libc::F_SETFL, flags | libc::O_NONBLOCK);
        while libc::write(2, [b'.'; 512].as_ptr().cast(), 512) > 0 {}
        libc::fcntl(2, libc::F_SETFL, flags);
    }
}

/// As a C program has it: a broken pipe raises SIGPIPE, which ends the process.
fn wait_until_stderr_is_broken() {
    let mut stderr = libc::pollfd {
        fd: 2,
        events: 0,
        revents: 0,
    };
    // SAFETY: the default action needs nothing, and the descriptors are one that lives.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        libc::poll(&raw mut stderr, 1, -1);
    }
}
