//! Each row of the policy's table, forced by the emulator or a raw server: what the feed does, the line in the log, the
//! recovery, and that no event is lost. `src/policy` has the table, and tests it without a network.

#[path = "../common/mod.rs"]
mod common;

mod logins;
mod made;
mod nodes;
mod streams;

use std::collections::BTreeSet;
use std::time::Duration;

use common::*;
use datafeed_emulator::{Emulator, Endpoint, Fault, FaultAction, Settings, StaleAck};
use logins::{
    account_hidden, certificate_refused, jwt_failed, jwt_later, jwt_refused, no_agent_info, pod_in_trouble, pod_lost,
    pod_out_of_reach, pod_slow,
};
use made::{made_first, made_just_now, made_later, made_unlisted};
use nodes::{
    answer_malformed, answer_unreadable, anything_else, node_in_trouble, node_lost, node_out_of_reach, node_timed_out,
};
use serde_json::{Value, json};
use streams::{bound_to_node, datahose_forbidden, datahose_refused, feed_expired, node_gone};

/// One test for each row, and one that no row is forgotten.
macro_rules! rows {
    ($($test:ident),* $(,)?) => {
        mod row {
            $(#[test] fn $test() { super::$test(); })*
        }

        #[test]
        fn every_row_has_a_test() {
            let tests: BTreeSet<String> = [$(stringify!($test)),*].map(|name| name.replace('_', "-")).into();
            let rows: BTreeSet<String> = datafeed::internals::policy_rules().into_iter().map(str::to_owned).collect();
            assert_eq!(tests, rows);
        }
    };
}

rows![
    closing,
    clocks_apart,
    login_refused,
    certificate_refused,
    login_failed,
    no_agent_info,
    session_expired,
    jwt_refused,
    jwt_later,
    pod_out_of_reach,
    pod_lost,
    pod_slow,
    pod_in_trouble,
    jwt_failed,
    account_hidden,
    feed_refuses,
    feed_exists,
    feed_missing,
    feed_found,
    no_feed,
    made_first,
    made_later,
    made_just_now,
    made_unlisted,
    read_refused,
    feed_expired,
    datahose_refused,
    datahose_forbidden,
    create_forbidden,
    not_entitled,
    slow_down,
    node_gone,
    bound_to_node,
    node_out_of_reach,
    node_lost,
    node_timed_out,
    node_in_trouble,
    answer_unreadable,
    answer_malformed,
    anything_else,
];

/// Most of these tests wait for reads in flight, several times.
fn brisk() -> Settings {
    Settings {
        poll: Duration::from_millis(100),
        ..Settings::default()
    }
}

/// The next requests to an endpoint meet this.
fn fault(emulator: &Emulator, endpoint: Endpoint, times: u32, action: FaultAction) {
    emulator.fault(Fault {
        endpoint,
        times,
        action,
        after: false,
    });
}

/// The line of a row that is retried: its level, what is done about it, and a trace id that the service has seen too.
#[track_caller]
fn check_retried(emulator: &Emulator, line: &Value, action: &str) {
    assert_eq!(line["level"], "warn", "{line}");
    assert_eq!(line["action"], action, "{line}");
    assert!(line["retryInMillis"].is_u64(), "{line}");
    check_traced(emulator, line);
}

#[track_caller]
fn check_traced(emulator: &Emulator, line: &Value) {
    let trace_id = line["traceId"].as_str().expect("a trace id");
    let seen = |requests: &[datafeed_emulator::RequestLog]| {
        let mut traces = requests.iter().filter_map(|request| request.trace_id.as_deref());
        traces.any(|seen| seen == trace_id)
    };
    assert!(emulator.wait_for_requests(PATIENCE, seen), "{line}");
}

/// Every event published so far was received once and is acknowledged, and nothing is left.
#[track_caller]
fn balanced(emulator: &Emulator, events: u64) {
    let all = |books: &datafeed_emulator::Books| books.acknowledged == events && books.routed == events;
    assert!(emulator.wait_until(PATIENCE, all), "{:?}", emulator.books());
}

/// A working feed, of an agent with one node, meets a fault on its next reads; it tells of this row, retries, and gets what came meanwhile.
#[track_caller]
fn meets_on_read(rule: &str, action: &str, code: &str, settings: Value, what: FaultAction) -> Value {
    let emulator = emulator(brisk());
    let feed = open_and_wait(&emulator, &config(&emulator, settings));
    works(&emulator, &feed, 0);
    balanced(&emulator, 1);
    fault(&emulator, Endpoint::Read, 2, what);
    let line = feed.wait_for_rule(rule);
    emulator.publish([numbered(1)]);
    check_retried(&emulator, &line, action);
    assert_eq!(line["code"], code, "{line}");
    assert_eq!(number_of(&feed.must_next_and_ack()), 1);
    feed.wait_for_log("the trouble is over");
    balanced(&emulator, 2);
    let stats = feed.stats();
    assert!(stats["retriesByCause"][code].as_u64() >= Some(1), "{stats:#}");
    assert_eq!(stats["latestTrouble"]["code"], code);
    line
}

fn closing() {
    let emulator = emulator(Settings {
        abandoned_reads_take: false,
        ..Settings::default()
    });
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    feed.close_at_once();
    assert_eq!(feed.next(-1), Err(DATAFEED_CLOSED));
    let mut lines = Vec::new();
    while let Ok(line) = feed.next_log(0) {
        lines.push(line);
    }
    assert!(lines.iter().all(|line| line["level"] == "info"), "{lines:?}");
    assert_eq!(lines.last().unwrap()["message"], "the feed is closed");
    assert_eq!(feed.error(), None, "a close is no trouble");
    let successor = open_and_wait(&emulator, &config(&emulator, json!({})));
    works(&emulator, &successor, 0);
    balanced(&emulator, 1);
}

fn clocks_apart() {
    let emulator = emulator(Settings {
        logins_follow_clock: true,
        ..brisk()
    });
    // Ten minutes: a token dated by this machine's clock has expired long ago at the service.
    emulator.advance(Duration::from_secs(600));
    let feed = Feed::open(&config(&emulator, json!({})));
    let line = feed.wait_for_rule("clocks-apart");
    assert_eq!(
        (&line["level"], &line["code"]),
        (&json!("warn"), &json!("CLOCKS_APART"))
    );
    assert_eq!(line["action"], "SET_CLOCK", "{line}");
    check_traced(&emulator, &line);
    let message = line["message"].as_str().unwrap();
    assert!(
        message.contains("clock is") && message.contains("s behind"),
        "{message}"
    );
    assert!(message.contains(&emulator.url()), "{message}");
    feed.wait_for_log("created a feed");
    works(&emulator, &feed, 0);
    let offset = feed.stats()["clockOffsetSeconds"].as_i64().unwrap();
    assert!((590..=610).contains(&offset), "{offset}");
    assert_eq!(feed.error().unwrap()["code"], "CLOCKS_APART");
    // It is allowed for at the next login too.
    emulator.expire_sessions();
    works(&emulator, &feed, 1);
    balanced(&emulator, 2);
}

fn login_refused() {
    for endpoint in [Endpoint::SessionLogin, Endpoint::KeyManagerLogin] {
        for refusal in [400, 401, 403] {
            let emulator = emulator(brisk());
            fault(&emulator, endpoint, 1000, status(refusal));
            let feed = Feed::open(&config(&emulator, json!({})));
            assert_eq!(feed.next(-1), Err(DATAFEED_FAILED));
            let line = feed.wait_for_rule("login-refused");
            assert_eq!(
                (&line["level"], &line["action"]),
                (&json!("error"), &json!("FAIL")),
                "{line}"
            );
            assert!(line["message"].to_string().contains("bot.privateKey"), "{line}");
            check_traced(&emulator, &line);
            let error = feed.error().expect("the reason");
            assert_eq!(error["retryable"], false);
            assert_eq!(error["httpStatus"], refusal);
            assert_eq!(feed.stats()["state"], "FAILED");
        }
    }
}

fn login_failed() {
    let emulator = emulator(brisk());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    works(&emulator, &feed, 0);
    // Refused, though it worked before; and out of order.
    for trouble in [
        status(401),
        status(403),
        status(500),
        body(200, "{}"),
        FaultAction::Truncate { after_bytes: 40 },
    ] {
        fault(&emulator, Endpoint::SessionLogin, 1, trouble.clone());
        fault(&emulator, Endpoint::KeyManagerLogin, 1, trouble);
        emulator.expire_sessions();
        for _ in 0..2 {
            check_retried(&emulator, &feed.wait_for_rule("login-failed"), "BACK_OFF");
        }
        feed.wait_for_log("logged in");
    }
    works(&emulator, &feed, 1);
    balanced(&emulator, 2);
}

fn session_expired() {
    let emulator = emulator(brisk());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    works(&emulator, &feed, 0);
    emulator.expire_sessions();
    let line = feed.wait_for_rule("session-expired");
    emulator.publish([numbered(1)]);
    assert_eq!(
        (&line["level"], &line["action"]),
        (&json!("info"), &json!("LOG_IN")),
        "{line}"
    );
    check_traced(&emulator, &line);
    check_traced(&emulator, &feed.wait_for_log("logged in"));
    assert_eq!(number_of(&feed.must_next_and_ack()), 1);
    assert_eq!(feed.stats()["retries"], 0, "an expired session is no trouble");
    balanced(&emulator, 2);
}

fn feed_refuses() {
    let emulator = emulator(brisk());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    works(&emulator, &feed, 0);
    fault(&emulator, Endpoint::Read, 6, status(400));
    let refused = |requests: &[datafeed_emulator::RequestLog]| {
        requests.iter().filter(|request| request.status == Some(400)).count() >= 3
    };
    assert!(emulator.wait_for_requests(PATIENCE, refused));
    feed.advance(Duration::from_secs(61));
    let line = feed.wait_for_rule("feed-refuses");
    assert_eq!(
        (&line["level"], &line["code"]),
        (&json!("error"), &json!("FEED_GONE")),
        "{line}"
    );
    check_traced(&emulator, &line);
    feed.wait_for_log("created a feed");
    assert_eq!(emulator.feeds().len(), 2, "the old one may hold events");
    works(&emulator, &feed, 1);
}

fn feed_exists() {
    let emulator = emulator(Settings {
        stale_ack: StaleAck::BadRequest,
        ..brisk()
    });
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    emulator.publish([numbered(0)]);
    let event = feed.must_next();
    // The feed believes that the ackId is still good, and the service does not.
    feed.advance(Duration::from_secs(20));
    emulator.advance(Duration::from_secs(31));
    assert_eq!(feed.ack(event.delivery), DATAFEED_OK);
    let line = feed.wait_for_rule("feed-exists");
    assert_eq!(
        (&line["level"], &line["action"]),
        (&json!("info"), &json!("GO_ON")),
        "{line}"
    );
    check_traced(&emulator, &line);
    feed.advance(Duration::from_secs(31));
    works(&emulator, &feed, 1);
    balanced(&emulator, 2);
    assert_eq!(emulator.feeds().len(), 1);
    assert_eq!(feed.stats()["feedsCreated"], 1);
}

fn feed_missing() {
    let emulator = emulator(brisk());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    works(&emulator, &feed, 0);
    balanced(&emulator, 1);
    // A list that lags behind: the feed is there, but not listed once.
    fault(&emulator, Endpoint::List, 1, body(200, "[]"));
    fault(&emulator, Endpoint::Read, 1, status(400));
    let line = feed.wait_for_rule("feed-missing");
    assert_eq!(
        (&line["level"], &line["action"]),
        (&json!("info"), &json!("LOOK_AGAIN")),
        "{line}"
    );
    check_traced(&emulator, &line);
    feed.wait_for_rule("feed-exists");
    works(&emulator, &feed, 1);
    balanced(&emulator, 2);
    assert_eq!(emulator.feeds().len(), 1);
}

fn feed_found() {
    let emulator = emulator(brisk());
    let waiting = emulator.create_feed(None);
    emulator.publish([numbered(0)]);
    let feed = Feed::open(&config(&emulator, json!({})));
    let line = feed.wait_for_rule("feed-found");
    assert_eq!(
        (&line["level"], &line["action"]),
        (&json!("info"), &json!("ADOPT")),
        "{line}"
    );
    assert_eq!(line["feedId"], waiting);
    check_traced(&emulator, &line);
    assert_eq!(number_of(&feed.must_next_and_ack()), 0, "what waited in it arrives");
    balanced(&emulator, 1);
    // And when the feed vanishes while another of ours is there.
    emulator.remove_feeds();
    let other = emulator.create_feed(None);
    emulator.publish([numbered(1)]);
    assert_eq!(feed.wait_for_rule("feed-found")["code"], "FEED_GONE");
    assert_eq!(feed.wait_for_rule("feed-found")["feedId"], other);
    assert!(feed.must_next_and_ack().contains("DATAFEEDGAP"), "the loss comes first");
    assert_eq!(number_of(&feed.must_next_and_ack()), 1);
    balanced(&emulator, 2);
}

fn no_feed() {
    let emulator = emulator(brisk());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    let line = feed.wait_for_rule("no-feed");
    assert_eq!(
        (&line["level"], &line["action"]),
        (&json!("info"), &json!("CREATE")),
        "{line}"
    );
    check_traced(&emulator, &line);
    works(&emulator, &feed, 0);
    balanced(&emulator, 1);
    emulator.remove_feeds();
    let line = feed.wait_for_rule("no-feed");
    assert_eq!(
        (&line["level"], &line["code"]),
        (&json!("error"), &json!("FEED_GONE")),
        "{line}"
    );
    feed.wait_for_log("created a feed");
    works(&emulator, &feed, 1);
    balanced(&emulator, 2);
}

fn read_refused() {
    let emulator = emulator(brisk());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    works(&emulator, &feed, 0);
    balanced(&emulator, 1);
    fault(&emulator, Endpoint::Read, 1, status(400));
    let line = feed.wait_for_rule("read-refused");
    emulator.publish([numbered(1)]);
    assert_eq!(
        (&line["level"], &line["action"]),
        (&json!("info"), &json!("LOOK_FOR_FEED")),
        "{line}"
    );
    check_traced(&emulator, &line);
    assert_eq!(number_of(&feed.must_next_and_ack()), 1);
    balanced(&emulator, 2);
    assert_eq!(emulator.feeds().len(), 1, "looked at, and kept");
}

/// A feed that is refused before it ever worked stops, and says why.
#[track_caller]
fn fails(endpoint: Endpoint, advice: &str) {
    let emulator = emulator(brisk());
    if endpoint == Endpoint::Read {
        emulator.create_feed(None);
    }
    fault(&emulator, endpoint, 1000, status(403));
    let feed = Feed::open(&config(&emulator, json!({})));
    if endpoint == Endpoint::Read {
        // A feed was found, so the account was served: it is tried for ever.
        check_retried(&emulator, &feed.wait_for_rule("anything-else"), "BACK_OFF");
        return;
    }
    assert_eq!(feed.next(-1), Err(DATAFEED_FAILED));
    let error = feed.error().expect("the reason");
    assert_eq!(
        (&error["code"], &error["retryable"]),
        (&json!("FORBIDDEN"), &json!(false))
    );
    let line = feed.wait_for_log(advice);
    assert_eq!(
        (&line["level"], &line["action"]),
        (&json!("error"), &json!("FAIL")),
        "{line}"
    );
    check_traced(&emulator, &line);
}

fn create_forbidden() {
    fails(Endpoint::Create, "20 feeds");
}

fn not_entitled() {
    fails(Endpoint::List, "not entitled");
    fails(Endpoint::Read, "not entitled");
}

fn slow_down() {
    let settings = json!({"retry": {"initialIntervalMillis": 1, "maxIntervalMillis": 400}});
    let asks = |retry_after: String| FaultAction::Status {
        status: 429,
        body: None,
        retry_after: Some(retry_after),
    };
    let waits = |retry_after: String| {
        let line = meets_on_read(
            "slow-down",
            "BACK_OFF",
            "RATE_LIMITED",
            settings.clone(),
            asks(retry_after),
        );
        line["retryInMillis"].as_u64().unwrap()
    };
    // Seconds, a date, and more than the cap allows; and what nobody understands counts as nothing asked.
    assert_eq!(waits("1".into()), 400);
    assert_eq!(waits("86400".into()), 400);
    assert_eq!(waits("Thu, 31 Dec 2099 23:59:59 GMT".into()), 400);
    assert!(waits("Wed, 21 Oct 2015 07:28:00 GMT".into()) <= 1);
    assert!(waits("soon".into()) <= 1);
}
