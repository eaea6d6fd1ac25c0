//! Pods that repeat themselves, ask for time or answer late, and gateways before them.

use std::time::Duration;

use datafeed_emulator::{Endpoint, Fault, FaultAction, Settings};
use serde_json::json;

use super::common::*;
use super::{FOR_EVER, agent_answers, is, login_meets, logins, reading, slow, text, with_jwt};

#[test]
fn a_login_that_brings_the_same_token_again_is_not_repeated_without_a_rest() {
    let emulator = emulator(slow());
    let (feed, session) = reading(&emulator, &config(&emulator, json!({})));
    let token = text(&session, "sessionToken");
    login_meets(&emulator, 1000, body(200, &json!({"token": token}).to_string()));
    let before = logins(&emulator);
    assert_eq!(feed.renew_session(token, 1000), Err(DATAFEED_TIMEOUT));
    let tries = logins(&emulator) - before;
    assert!(
        (1..=4).contains(&tries),
        "{tries} tries, with rests of 200, 400 and 800 ms at least"
    );
    let line = feed.wait_for_log("brought the token again that was refused");
    assert!(line["retryInMillis"].as_u64() >= Some(200), "{line}");
}

#[test]
fn what_the_pod_asks_for_is_waited_for() {
    let emulator = emulator(slow());
    let (feed, session) = reading(&emulator, &config(&emulator, json!({})));
    let slow_down = FaultAction::Status {
        status: 429,
        body: None,
        retry_after: Some("3600".to_owned()),
    };
    login_meets(&emulator, 1000, slow_down);
    let before = logins(&emulator);
    assert_eq!(
        feed.renew_session(text(&session, "sessionToken"), 1500),
        Err(DATAFEED_TIMEOUT)
    );
    assert_eq!(logins(&emulator) - before, 1);
    let line = feed.wait_for_rule("login-failed");
    assert_eq!(
        (&line["action"], &line["retryInMillis"]),
        (&json!("BACK_OFF"), &json!(300_000)),
        "{line}"
    );
}

#[test]
fn a_common_jwt_of_the_session_before_does_not_bring_that_back() {
    let emulator = emulator(Settings {
        poll: Duration::from_millis(200),
        ..with_jwt()
    });
    let (feed, session) = reading(&emulator, &config(&emulator, json!({"commonJwt": {"enabled": true}})));
    let refused = text(&session, "sessionToken");
    let jwts = |answered: usize| {
        emulator.wait_for_requests(PATIENCE, |requests| {
            let mut jwts = requests.iter().filter(|request| is(request, Endpoint::CommonJwt));
            jwts.clone().count() > 1 && jwts.by_ref().filter(|request| request.status.is_some()).count() >= answered
        })
    };
    emulator.fault(Fault {
        endpoint: Endpoint::CommonJwt,
        times: 1,
        action: FaultAction::Delay(Duration::from_secs(1)),
        after: false,
    });
    feed.advance(Duration::from_secs(220));
    assert!(jwts(1), "the poller's own renewal is under way");
    let renewed = feed.renew_session(refused, FOR_EVER).expect("another session");
    assert_ne!(text(&renewed, "sessionToken"), refused);
    assert!(jwts(3), "the poller's has its answer");
    works(&emulator, &feed, 10);
    works(&emulator, &feed, 11);
    let now = feed.session().expect("a session");
    assert_eq!(text(&now, "sessionToken"), text(&renewed, "sessionToken"));
    assert_eq!(agent_answers(&emulator, &now), 200);
}

#[test]
fn a_renewal_sends_the_headers_that_the_feed_has_where_their_file_is_gone() {
    let folder = std::env::temp_dir().join(format!("datafeed-session-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("gateway.key");
    std::fs::write(&path, "gateway-secret").expect("a file");
    let emulator = emulator(Settings {
        gateway_header: Some(("X-Gateway".to_owned(), "gateway-secret".to_owned())),
        ..slow()
    });
    let headers = json!({"defaultHeaders": {"X-Gateway": format!("${{file:{}}}", path.display())}});
    let (feed, session) = reading(&emulator, &config(&emulator, headers));
    std::fs::remove_dir_all(&folder).expect("the folder");
    let renewed = feed
        .renew_session(text(&session, "sessionToken"), FOR_EVER)
        .expect("another session");
    assert_ne!(renewed["sessionToken"], session["sessionToken"]);
    let line = feed.wait_for_log("there is no file");
    assert_eq!(line["code"], "FILE_INVALID", "{line}");
}
