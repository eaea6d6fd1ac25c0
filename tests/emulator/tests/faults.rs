//! Every fault, at every endpoint.

mod common;

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use common::{Client, LONG, drain, login_token, read_path, start};
use datafeed_emulator::{Emulator, Endpoint, Fault, FaultAction, Outcome, RequestLog};

fn fault(endpoint: Endpoint, action: FaultAction) -> Fault {
    Fault {
        endpoint,
        times: 1,
        action,
        after: false,
    }
}

fn status(status: u16) -> FaultAction {
    FaultAction::Status {
        status,
        body: None,
        retry_after: None,
    }
}

/// An emulator, a client, and a feed with one event.
fn with_a_feed() -> (Emulator, Client, String) {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let feed = client.create();
    emulator.publish([r#"{"one":1}"#]);
    (emulator, client, feed)
}

#[test]
fn each_endpoint_can_be_faulted_alone() {
    let (emulator, client, feed) = with_a_feed();
    let token = format!(r#"{{"token":"{}"}}"#, login_token("emulator-bot", 60));
    let delete = format!("/agent/v5/datafeeds/{feed}");
    for (endpoint, method, path, body, usual) in [
        (
            Endpoint::SessionLogin,
            "POST",
            "/login/pubkey/authenticate",
            &*token,
            200,
        ),
        (
            Endpoint::KeyManagerLogin,
            "POST",
            "/relay/pubkey/authenticate",
            &*token,
            200,
        ),
        (Endpoint::List, "GET", "/agent/v5/datafeeds", "", 200),
        (Endpoint::Create, "POST", "/agent/v5/datafeeds", "{}", 201),
        (Endpoint::Read, "POST", &*read_path(&feed), "{}", 200),
        (Endpoint::AgentInfo, "GET", "/agent/v1/info", "", 200),
        (Endpoint::SessionInfo, "GET", "/pod/v2/sessioninfo", "", 200),
        (Endpoint::Health, "GET", "/agent/v3/health", "", 200),
        (Endpoint::Delete, "DELETE", &*delete, "", 204),
    ] {
        emulator.fault(fault(endpoint, status(503)));
        assert_eq!(client.send(method, path, body).status, 503, "{endpoint:?}");
        assert_eq!(client.send(method, path, body).status, usual, "{endpoint:?}");
        let log = emulator.requests();
        let [.., faulted, handled] = &log[..] else { panic!() };
        assert_eq!((faulted.endpoint, faulted.status), (Some(endpoint), Some(503)));
        assert_eq!(handled.status, Some(usual));
    }
}

#[test]
fn faults_of_an_endpoint_wait_in_line() {
    let (emulator, client, _) = with_a_feed();
    let twice = Fault {
        times: 2,
        ..fault(Endpoint::List, status(500))
    };
    let never = Fault {
        times: 0,
        ..twice.clone()
    };
    for fault in [never, twice, fault(Endpoint::List, status(429))] {
        emulator.fault(fault);
    }
    assert_eq!(emulator.waiting_faults(), 3);
    let list = || client.send("GET", "/agent/v5/datafeeds", "").status;
    assert_eq!([list(), list(), list(), list()], [500, 500, 429, 200]);
    emulator.fault(fault(Endpoint::List, status(500)));
    assert_eq!(emulator.waiting_faults(), 1);
    emulator.clear_faults();
    assert_eq!((emulator.waiting_faults(), list()), (0, 200));
}

#[test]
fn held_requests_go_on_together_when_they_are_released() {
    let (emulator, client, _) = with_a_feed();
    for after in [false, true] {
        let before = emulator.feeds().len();
        emulator.fault(Fault {
            times: 3,
            after,
            ..fault(Endpoint::Create, FaultAction::Hold)
        });
        std::thread::scope(|scope| {
            let creating: Vec<_> = (0..3).map(|_| scope.spawn(|| client.create())).collect();
            let held =
                |log: &[RequestLog]| log.iter().filter(|request| request.outcome == Outcome::Waiting).count() == 3;
            assert!(emulator.wait_for_requests(LONG, held));
            let made = if after { 3 } else { 0 };
            assert_eq!(emulator.feeds().len(), before + made, "after: {after}");
            assert!(creating.iter().all(|thread| !thread.is_finished()));
            emulator.release();
            for thread in creating {
                thread.join().unwrap();
            }
        });
        assert_eq!(emulator.feeds().len(), before + 3);
    }
    // Nothing was kept for those that come later.
    emulator.fault(fault(Endpoint::Create, FaultAction::Hold));
    std::thread::scope(|scope| {
        let creating = scope.spawn(|| client.create());
        let held = |log: &[RequestLog]| log.last().is_some_and(|last| last.outcome == Outcome::Waiting);
        assert!(emulator.wait_for_requests(LONG, held));
        assert_eq!(emulator.feeds().len(), 7);
        emulator.release();
        creating.join().unwrap();
    });
}

#[test]
fn a_status_can_have_a_body_and_a_retry_after() {
    let (emulator, client, _) = with_a_feed();
    let action = FaultAction::Status {
        status: 429,
        body: Some(r#"{"slow":"down"}"#.into()),
        retry_after: Some("3".into()),
    };
    emulator.fault(fault(Endpoint::List, action));
    let answer = client.send("GET", "/agent/v5/datafeeds", "");
    assert_eq!((answer.status, &*answer.text), (429, r#"{"slow":"down"}"#));
    assert_eq!(answer.headers["retry-after"], "3");
    emulator.fault(fault(Endpoint::List, status(500)));
    let answer = client.send("GET", "/agent/v5/datafeeds", "");
    assert_eq!(answer.json()["code"], 500);
}

#[test]
fn any_body_can_be_sent() {
    let (emulator, client, feed) = with_a_feed();
    let action = FaultAction::Body {
        status: 200,
        content_type: "text/html".into(),
        body: b"<html>\xff".to_vec(),
    };
    emulator.fault(fault(Endpoint::Read, action));
    let mut response = client
        .agent
        .post(format!("{}{}", client.url, read_path(&feed)))
        .send("")
        .unwrap();
    assert_eq!(response.headers()["content-type"], "text/html");
    assert_eq!(response.body_mut().read_to_vec().unwrap(), b"<html>\xff");
    assert_eq!(emulator.books().handed_out, 0);
}

#[test]
fn after_means_that_the_request_has_its_effect() {
    for (after, handed_out) in [(false, 0), (true, 1)] {
        let (emulator, client, feed) = with_a_feed();
        emulator.fault(Fault {
            after,
            ..fault(Endpoint::Read, status(502))
        });
        assert_eq!(client.read(&feed, "").status, 502);
        assert_eq!(emulator.books().handed_out, handed_out);
    }
}

#[test]
fn a_delay_comes_before_or_after_the_effect() {
    for after in [false, true] {
        let (emulator, client, feed) = with_a_feed();
        let delay = Duration::from_millis(150);
        emulator.fault(Fault {
            after,
            ..fault(Endpoint::Read, FaultAction::Delay(delay))
        });
        std::thread::scope(|scope| {
            let begun = Instant::now();
            let reading = scope.spawn(|| client.take(&feed, "").0.len());
            let waits = |log: &[_]| log.len() == 4;
            assert!(emulator.wait_for_requests(LONG, waits));
            if after {
                assert!(emulator.wait_until(LONG, |books| books.handed_out == 1));
            }
            let outcome = emulator.requests()[3].outcome;
            let handed_out = emulator.books().handed_out;
            if begun.elapsed() < delay {
                assert_eq!((outcome, handed_out), (Outcome::Waiting, u64::from(after)));
            }
            assert_eq!(reading.join().unwrap(), 1);
            assert!(begun.elapsed() >= delay);
        });
    }
}

#[test]
fn a_reset_comes_after_so_many_bytes() {
    for (after, bytes) in [
        (false, 0),
        (true, 0),
        (false, 40),
        (true, 40),
        (false, 5000),
        (true, 5000),
    ] {
        let (emulator, client, feed) = with_a_feed();
        emulator.fault(Fault {
            after,
            ..fault(Endpoint::Read, FaultAction::Reset { after_bytes: bytes })
        });
        let (text, end) = drain(client.begin_read(&feed));
        assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset, "{after} {bytes}");
        if after && bytes == 5000 {
            // All of an answer that is shorter.
            assert!(text.contains(r#"{"one":1}"#), "{text}");
            assert!(text.ends_with("\"}"), "{text}");
        } else {
            assert_eq!(text.len(), bytes);
        }
        assert_eq!(emulator.books().handed_out, u64::from(after));
        let log = emulator.requests();
        let last = log.last().unwrap();
        assert_eq!((last.outcome, last.status), (Outcome::Damaged, None));
    }
}

#[test]
fn a_truncated_answer_ends_in_good_order_and_too_soon() {
    for (after, bytes) in [
        (false, 0),
        (true, 0),
        (false, 40),
        (true, 40),
        (false, 5000),
        (true, 5000),
    ] {
        let (emulator, client, feed) = with_a_feed();
        emulator.fault(Fault {
            after,
            ..fault(Endpoint::Read, FaultAction::Truncate { after_bytes: bytes })
        });
        let (text, end) = drain(client.begin_read(&feed));
        end.unwrap();
        if after && bytes == 5000 {
            // All but the last byte.
            assert!(text.ends_with('"'), "{text}");
        } else {
            assert_eq!(text.len(), bytes);
        }
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.split("content-length: ").nth(1).unwrap();
            let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
            assert!(body.len() < length);
        }
        assert_eq!(emulator.books().handed_out, u64::from(after));
    }
}

#[test]
fn a_large_answer_can_be_cut_too() {
    let (emulator, client, feed) = with_a_feed();
    emulator.publish([format!("\"{}\"", "x".repeat(4_000_000))]);
    for action in [
        FaultAction::Truncate { after_bytes: 3_000_000 },
        FaultAction::Reset { after_bytes: 3_000_000 },
    ] {
        let reset = matches!(action, FaultAction::Reset { .. });
        emulator.fault(Fault {
            after: true,
            ..fault(Endpoint::Read, action)
        });
        let (text, end) = drain(client.begin_read(&feed));
        assert_eq!(end.is_err(), reset);
        // What a reset overtakes is lost.
        assert!(text.len() == 3_000_000 || reset && text.len() < 3_000_000);
        emulator.advance(Duration::from_secs(31));
    }
    assert_eq!(client.take(&feed, "").0.len(), 2);
}

#[test]
fn other_connections_are_not_touched() {
    let (emulator, client, feed) = with_a_feed();
    emulator.fault(fault(Endpoint::Read, FaultAction::Reset { after_bytes: 0 }));
    assert!(drain(client.begin_read(&feed)).1.is_err());
    assert_eq!(client.take(&feed, "").0.len(), 1);
}

#[test]
fn a_hanging_request_is_never_answered() {
    for (after, handed_out) in [(false, 0), (true, 1)] {
        let (emulator, client, feed) = with_a_feed();
        emulator.fault(Fault {
            after,
            ..fault(Endpoint::Read, FaultAction::Hang)
        });
        let reading = client.begin_read(&feed);
        let waits = |log: &[datafeed_emulator::RequestLog]| log.last().unwrap().outcome == Outcome::Waiting;
        assert!(emulator.wait_for_requests(LONG, waits));
        emulator.advance(Duration::from_secs(10));
        reading.set_read_timeout(Some(Duration::from_millis(30))).unwrap();
        let (text, end) = drain(reading);
        assert_eq!((&*text, end.is_err()), ("", true));
        let left = |log: &[datafeed_emulator::RequestLog]| log.last().unwrap().outcome == Outcome::Abandoned;
        assert!(emulator.wait_for_requests(LONG, left));
        assert_eq!(emulator.books().handed_out, handed_out);
    }
}

#[test]
#[should_panic(expected = "status")]
fn a_fault_that_cannot_be_sent_is_refused() {
    start(|_| ()).fault(fault(Endpoint::List, status(100)));
}

#[test]
fn a_body_in_chunks_is_not_taken() {
    let (_emulator, client, _) = with_a_feed();
    let request = ureq::http::Request::builder()
        .method("POST")
        .uri(format!("{}/agent/v4/datafeed/create", client.url))
        .body(())
        .unwrap();
    assert_eq!(client.agent.run(request).unwrap().status().as_u16(), 411);
}
