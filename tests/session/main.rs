//! A bot's own requests, and another session for it where one of them is answered 401.

#[path = "../common/mod.rs"]
mod common;
mod pods;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use common::*;
use datafeed_emulator::{Emulator, Endpoint, Fault, FaultAction, Outcome, RequestLog, Settings};
use serde_json::{Value, json};

const FOR_EVER: i32 = -1;

/// A read waits as long as the service's does: whatever waited for one would be told by the test's length.
fn slow() -> Settings {
    Settings::default()
}

fn with_jwt() -> Settings {
    Settings {
        common_jwt: true,
        ..slow()
    }
}

#[track_caller]
fn text<'a>(session: &'a Value, member: &str) -> &'a str {
    session[member].as_str().expect(member)
}

/// The status of a request that the bot itself makes to the agent, with these tokens.
fn agent_answers(emulator: &Emulator, session: &Value) -> u16 {
    let credential = match session["authorizationToken"].as_str() {
        Some(bearer) => format!("Authorization: {bearer}"),
        None => format!("sessionToken: {}", text(session, "sessionToken")),
    };
    let request = format!(
        "GET /agent/v5/datafeeds HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{credential}\r\nkeyManagerToken: \
         {}\r\n\r\n",
        text(session, "keyManagerToken")
    );
    let mut connection = TcpStream::connect(("127.0.0.1", emulator.port())).expect("the emulator");
    connection.write_all(request.as_bytes()).expect("a request");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    answer[9..12].parse().expect("a status")
}

fn is(request: &RequestLog, endpoint: Endpoint) -> bool {
    request.endpoint == Some(endpoint)
}

fn logins(emulator: &Emulator) -> usize {
    let requests = emulator.requests();
    requests
        .iter()
        .filter(|request| is(request, Endpoint::SessionLogin))
        .count()
}

/// Waits until this is the read that waits at the service: each one before it brought something.
#[track_caller]
fn waits_in_read(emulator: &Emulator, number: usize) {
    let waits = emulator.wait_for_requests(PATIENCE, |requests| {
        let reads: Vec<_> = requests.iter().filter(|request| is(request, Endpoint::Read)).collect();
        reads.len() == number && reads[number - 1].outcome == Outcome::Waiting
    });
    assert!(waits, "{:#?}", emulator.requests());
}

/// A feed in its second read, and its session.
#[track_caller]
fn reading(emulator: &Emulator, config: &Value) -> (Feed, Value) {
    let feed = open_and_wait(emulator, config);
    works(emulator, &feed, 0);
    waits_in_read(emulator, 2);
    let session = feed.session().expect("a session");
    (feed, session)
}

/// The same, and the session has expired since.
#[track_caller]
fn with_refused(emulator: &Emulator, config: &Value) -> (Feed, Value) {
    let (feed, session) = reading(emulator, config);
    assert_eq!(agent_answers(emulator, &session), 200);
    emulator.expire_sessions();
    assert_eq!(agent_answers(emulator, &session), 401);
    (feed, session)
}

fn login_meets(emulator: &Emulator, times: u32, action: FaultAction) {
    emulator.fault(Fault {
        endpoint: Endpoint::SessionLogin,
        times,
        action,
        after: false,
    });
}

#[track_caller]
fn waits_for_login(emulator: &Emulator, count: usize) {
    assert!(emulator.wait_for_requests(PATIENCE, |requests| {
        requests
            .iter()
            .filter(|request| is(request, Endpoint::SessionLogin))
            .count()
            >= count
    }));
}

#[test]
fn a_refused_token_is_renewed_without_losing_or_repeating_an_event() {
    let emulator = emulator(slow());
    let (feed, mut session) = reading(&emulator, &config(&emulator, json!({})));
    for number in 1..10 {
        emulator.expire_sessions();
        assert_eq!(agent_answers(&emulator, &session), 401);
        let renewed = feed
            .renew_session(text(&session, "sessionToken"), FOR_EVER)
            .expect("another");
        assert_ne!(renewed["sessionToken"], session["sessionToken"]);
        assert_ne!(renewed["keyManagerToken"], session["keyManagerToken"]);
        assert_eq!(agent_answers(&emulator, &renewed), 200);
        assert_eq!(feed.session().expect("a session"), renewed);
        works(&emulator, &feed, number);
        waits_in_read(&emulator, number + 2);
        session = renewed;
    }
    feed.close();
    assert!(emulator.wait_until(PATIENCE, |books| books.acknowledged == 10));
    assert_eq!(emulator.books().redelivered, 0);
    let stats = feed.stats();
    assert_eq!(
        (&stats["logins"], &stats["retries"]),
        (&json!(10), &json!(0)),
        "{stats:#}"
    );
}

#[test]
fn a_read_that_waits_is_left_alone_and_the_next_one_has_the_new_tokens() {
    let emulator = emulator(slow());
    let (feed, session) = with_refused(&emulator, &config(&emulator, json!({})));
    let before = emulator.requests();
    let renewed = feed.renew_session(text(&session, "sessionToken"), FOR_EVER);
    assert_eq!(agent_answers(&emulator, &renewed.expect("another")), 200);
    let waiting = before
        .iter()
        .rfind(|request| is(request, Endpoint::Read))
        .expect("a read");
    let find = |requests: &[RequestLog]| {
        let mut found = requests.iter().filter(|request| request.sequence == waiting.sequence);
        found.next().expect("it is remembered").outcome
    };
    assert_eq!(find(&emulator.requests()), Outcome::Waiting);
    for number in 1..4 {
        works(&emulator, &feed, number);
    }
    waits_in_read(&emulator, 5);
    let requests = emulator.requests();
    assert_eq!(find(&requests), Outcome::Answered);
    assert!(requests.iter().all(|request| request.outcome != Outcome::Abandoned));
    let refused = requests
        .iter()
        .filter(|request| is(request, Endpoint::Read) && request.status == Some(401));
    assert_eq!(refused.count(), 0);
    assert_eq!((logins(&emulator), feed.stats()["logins"].as_u64()), (2, Some(2)));
}

#[test]
fn the_renewal_is_told_in_the_log() {
    let emulator = emulator(slow());
    let (feed, session) = with_refused(&emulator, &config(&emulator, json!({})));
    feed.renew_session(text(&session, "sessionToken"), FOR_EVER)
        .expect("another");
    let line = feed.wait_for_log("the bot asked for another session");
    assert_eq!(line["level"], "info");
    for member in ["traceId", "keyManagerTraceId"] {
        let trace = line[member].as_str();
        assert!(trace.is_some(), "{line}");
        assert!(
            emulator
                .requests()
                .iter()
                .any(|request| request.trace_id.as_deref() == trace)
        );
    }
}

#[test]
fn many_threads_with_the_same_refused_token_log_in_once() {
    let emulator = emulator(slow());
    let (feed, session) = with_refused(&emulator, &config(&emulator, json!({})));
    // So that all of them are there while one logs in.
    login_meets(&emulator, 1, FaultAction::Delay(Duration::from_millis(300)));
    let ready = Barrier::new(8);
    let renewed: Vec<Value> = thread::scope(|scope| {
        // Any of the session's tokens will do.
        let tokens = ["sessionToken", "keyManagerToken"].map(|member| text(&session, member));
        let renew = |token| {
            ready.wait();
            feed.renew_session(token, FOR_EVER).expect("another")
        };
        let threads: Vec<_> = (0..8)
            .map(|index| scope.spawn(move || renew(tokens[index % 2])))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a thread"))
            .collect()
    });
    assert!(renewed.iter().all(|other| *other == renewed[0]));
    assert_eq!(agent_answers(&emulator, &renewed[0]), 200);
    assert_eq!((logins(&emulator), feed.stats()["logins"].as_u64()), (2, Some(2)));
}

#[test]
fn a_token_that_is_not_in_use_is_answered_at_once() {
    let emulator = emulator(slow());
    let (feed, session) = reading(&emulator, &config(&emulator, json!({})));
    for other in ["", "never a token", "Bearer ", "Bearer of news", "\u{1f512}"] {
        for timeout in [FOR_EVER, 0, 1] {
            assert_eq!(feed.renew_session(other, timeout), Ok(session.clone()), "{other}");
        }
    }
    assert_eq!(logins(&emulator), 1);
    // What the poller has renewed is renewed.
    emulator.expire_sessions();
    works(&emulator, &feed, 1);
    waits_for_login(&emulator, 2);
    let renewed = feed
        .renew_session(text(&session, "sessionToken"), FOR_EVER)
        .expect("another");
    assert_ne!(renewed["sessionToken"], session["sessionToken"]);
    assert_eq!((logins(&emulator), feed.stats()["logins"].as_u64()), (2, Some(2)));
}

#[test]
fn before_the_first_login_it_waits_for_that() {
    let emulator = emulator(slow());
    login_meets(&emulator, 1, FaultAction::Delay(Duration::from_millis(500)));
    let feed = Feed::open(&config(&emulator, json!({})));
    assert_eq!(feed.renew_session("none yet", 0), Err(DATAFEED_TIMEOUT));
    assert_eq!(feed.renew_session("none yet", 20), Err(DATAFEED_TIMEOUT));
    let session = feed.renew_session("none yet", FOR_EVER).expect("the first");
    assert_eq!(agent_answers(&emulator, &session), 200);
    assert_eq!(logins(&emulator), 1);
}

#[test]
fn the_time_is_over_while_the_pod_refuses_and_the_next_call_may_work() {
    let emulator = emulator(slow());
    let (feed, session) = with_refused(&emulator, &config(&emulator, json!({})));
    let token = text(&session, "sessionToken");
    assert_eq!(feed.renew_session(token, 0), Err(DATAFEED_TIMEOUT));
    emulator.reject_logins(true);
    let started = Instant::now();
    assert_eq!(feed.renew_session(token, 700), Err(DATAFEED_TIMEOUT));
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(700), "{took:?}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    let tries = logins(&emulator);
    assert!((2..10).contains(&tries), "{tries} logins");
    let trouble = feed.error().expect("the latest trouble");
    assert_eq!(
        (&trouble["code"], &trouble["retryable"]),
        (&json!("AUTH_REJECTED"), &json!(true)),
        "{trouble}"
    );
    emulator.reject_logins(false);
    let renewed = feed.renew_session(token, FOR_EVER).expect("another");
    assert_eq!(agent_answers(&emulator, &renewed), 200);
    works(&emulator, &feed, 1);
}

#[test]
fn the_time_is_over_while_the_pod_says_nothing() {
    for action in [FaultAction::Hang, FaultAction::Stall { after_bytes: 40 }] {
        let emulator = emulator(slow());
        let (feed, session) = with_refused(&emulator, &config(&emulator, json!({})));
        login_meets(&emulator, 1000, action);
        let token = text(&session, "sessionToken");
        let started = Instant::now();
        assert_eq!(feed.renew_session(token, 300), Err(DATAFEED_TIMEOUT));
        assert!(started.elapsed() < Duration::from_secs(10));
        // Those who only wait for another to log in have a time of their own.
        thread::scope(|scope| {
            let first = scope.spawn(|| feed.renew_session(token, 3000));
            waits_for_login(&emulator, 3);
            assert_eq!(feed.renew_session(token, 20), Err(DATAFEED_TIMEOUT));
            assert_eq!(first.join().expect("a thread"), Err(DATAFEED_TIMEOUT));
        });
    }
}

#[test]
fn failures_are_retried_until_it_works() {
    let emulator = emulator(slow());
    let (feed, session) = with_refused(&emulator, &config(&emulator, json!({})));
    for action in [
        status(503),
        FaultAction::Reset { after_bytes: 0 },
        body(200, "<html></html>"),
    ] {
        login_meets(&emulator, 1, action);
    }
    let renewed = feed
        .renew_session(text(&session, "sessionToken"), FOR_EVER)
        .expect("another");
    assert_eq!(agent_answers(&emulator, &renewed), 200);
    assert_eq!(logins(&emulator), 5);
    assert_eq!(feed.stats()["logins"], 2);
    assert_eq!(feed.error().expect("trouble")["retryable"], true);
}

#[test]
fn close_ends_it_at_once_whatever_it_waits_for() {
    for action in [
        FaultAction::Hang,
        FaultAction::Delay(Duration::from_secs(3600)),
        FaultAction::Stall { after_bytes: 40 },
        status(503),
    ] {
        let emulator = emulator(slow());
        let (feed, session) = with_refused(&emulator, &config(&emulator, json!({})));
        login_meets(&emulator, 1000, action);
        let token = text(&session, "sessionToken");
        thread::scope(|scope| {
            let waiting: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| feed.renew_session(token, FOR_EVER)))
                .collect();
            waits_for_login(&emulator, 2);
            feed.close_at_once();
            for thread in waiting {
                assert_eq!(thread.join().expect("a thread"), Err(DATAFEED_CLOSED));
            }
        });
        assert_eq!(feed.renew_session(token, FOR_EVER), Err(DATAFEED_CLOSED));
        assert_eq!(feed.renew_session("not in use", 0), Err(DATAFEED_CLOSED));
    }
}

#[test]
fn close_ends_the_wait_for_the_first_login() {
    let emulator = emulator(slow());
    login_meets(&emulator, 1000, FaultAction::Hang);
    let feed = Feed::open(&config(&emulator, json!({})));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| feed.renew_session("none yet", FOR_EVER));
        waits_for_login(&emulator, 1);
        feed.close_at_once();
        assert_eq!(waiting.join().expect("a thread"), Err(DATAFEED_CLOSED));
    });
}

#[test]
fn a_feed_that_has_failed_says_so() {
    let emulator = emulator(slow());
    emulator.reject_logins(true);
    login_meets(&emulator, 1, FaultAction::Delay(Duration::from_millis(300)));
    let feed = Feed::open(&config(&emulator, json!({})));
    // While it waits, and afterwards.
    assert_eq!(feed.renew_session("none yet", FOR_EVER), Err(DATAFEED_FAILED));
    assert_eq!(feed.renew_session("none yet", 0), Err(DATAFEED_FAILED));
    let error = feed.error().expect("the reason");
    assert_eq!(
        (&error["code"], &error["retryable"]),
        (&json!("AUTH_REJECTED"), &json!(false))
    );
    feed.close();
    assert_eq!(feed.renew_session("none yet", 0), Err(DATAFEED_CLOSED));
}

#[test]
fn a_failure_ends_a_renewal_that_is_under_way() {
    let emulator = emulator(quick());
    let settings = json!({"datafeed": {"retry": {"maxAttempts": 1}}});
    let (feed, session) = with_refused(&emulator, &config(&emulator, settings));
    login_meets(&emulator, 1000, FaultAction::Hang);
    thread::scope(|scope| {
        let waiting = scope.spawn(|| feed.renew_session(text(&session, "sessionToken"), FOR_EVER));
        waits_for_login(&emulator, 2);
        emulator.fault(Fault {
            endpoint: Endpoint::Read,
            times: 1,
            action: status(503),
            after: false,
        });
        assert_eq!(feed.next(FOR_EVER), Err(DATAFEED_FAILED));
        assert_eq!(waiting.join().expect("a thread"), Err(DATAFEED_FAILED));
    });
}

#[test]
fn a_refused_common_jwt_is_renewed_with_the_session() {
    let emulator = emulator(with_jwt());
    let settings = json!({"commonJwt": {"enabled": true}});
    let (feed, mut session) = reading(&emulator, &config(&emulator, settings));
    for (number, with_bearer) in [(1, true), (2, false)] {
        emulator.expire_sessions();
        assert_eq!(agent_answers(&emulator, &session), 401);
        let bearer = text(&session, "authorizationToken");
        let token = if with_bearer {
            bearer
        } else {
            bearer.strip_prefix("Bearer ").expect("a bearer token")
        };
        let renewed = feed.renew_session(token, FOR_EVER).expect("another");
        for member in ["authorizationToken", "sessionToken", "keyManagerToken"] {
            assert_ne!(text(&renewed, member), text(&session, member), "{member}");
        }
        assert_eq!(agent_answers(&emulator, &renewed), 200);
        works(&emulator, &feed, number);
        waits_in_read(&emulator, number + 2);
        session = renewed;
    }
    assert_eq!(feed.stats()["logins"], 3);
    assert_eq!(feed.stats()["retries"], 0);
}

#[test]
fn a_wrong_clock_is_allowed_for_as_in_the_feeds_own_logins() {
    let emulator = emulator(Settings {
        logins_follow_clock: true,
        ..slow()
    });
    emulator.advance(Duration::from_secs(600));
    let (feed, session) = with_refused(&emulator, &config(&emulator, json!({})));
    let renewed = feed
        .renew_session(text(&session, "sessionToken"), 20_000)
        .expect("another");
    assert_eq!(agent_answers(&emulator, &renewed), 200);
}
