//! What takes more than a status, or is a promise about more than one endpoint.

use std::time::Duration;

use datafeed_emulator::Endpoint::{self, *};
use datafeed_emulator::{EVENT_TYPES, FaultAction, RequestLog};
use serde_json::{Value, json};

use super::common::side_by_side::side_by_side;
use super::common::*;
use super::row::{Row, Then, Try, When};
use super::world::{Kind, LONGEST_PAUSE, World};

/// Whoever asks for time is given it, up to the longest pause.
#[test]
fn every_endpoint_may_ask_to_slow_down() {
    let rows = [
        (SessionLogin, Kind::Datafeed2, "login-failed"),
        (KeyManagerLogin, Kind::Datafeed2, "login-failed"),
        (CertificateSessionLogin, Kind::Certificate, "login-failed"),
        (CertificateKeyManagerLogin, Kind::Certificate, "login-failed"),
        (CommonJwt, Kind::CommonJwt, "pod-slow"),
        (SessionInfo, Kind::Datafeed2, "pod-slow"),
        (AgentInfo, Kind::ExternalNodes, "slow-down"),
        (List, Kind::Datafeed2, "slow-down"),
        (Create, Kind::Datafeed2, "slow-down"),
        (Read, Kind::Datafeed2, "slow-down"),
        (DatahoseRead, Kind::Datahose, "slow-down"),
        (V1Create, Kind::Datafeed1, "slow-down"),
        (V1Read, Kind::Datafeed1, "slow-down"),
        (FirehoseCreate, Kind::Firehose, "slow-down"),
        (FirehoseRead, Kind::Firehose, "slow-down"),
    ];
    let rows = rows.into_iter().flat_map(|(endpoint, kind, rule)| {
        let asked_again = !matches!(endpoint, SessionInfo | CommonJwt);
        let times = [When::First, When::Later];
        times
            .into_iter()
            .take(1 + usize::from(asked_again))
            .map(move |when| Row {
                endpoint,
                status: 429,
                kind,
                when,
                then: Then::GoesOn(rule, "BACK_OFF", "answered 429"),
            })
    });
    side_by_side(Try::each(rows), |one| {
        let answer = FaultAction::Status {
            status: 429,
            body: None,
            retry_after: Some("1".into()),
        };
        one.run_with(answer, |line| {
            assert_eq!(line["code"], "RATE_LIMITED", "{line}");
            assert_eq!(line["retryInMillis"], LONGEST_PAUSE, "{line}");
        });
    });
}

fn row(endpoint: Endpoint, status: u16, kind: Kind, when: When) -> Row {
    Row {
        endpoint,
        status,
        kind,
        when,
        then: Then::Nothing,
    }
}

#[test]
fn an_empty_list_is_no_trouble_to_the_first_datafeed() {
    let streams = [(V1Read, Kind::Datafeed1), (FirehoseRead, Kind::Firehose)];
    let rows = streams
        .into_iter()
        .flat_map(|(endpoint, kind)| [When::First, When::Later].map(|when| row(endpoint, 200, kind, when)));
    side_by_side(Try::each(rows), |one| one.run_with(body(200, "[]"), |_| {}));
}

#[test]
fn several_events_of_one_answer_arrive_in_their_order() {
    let streams = [
        (Kind::Datafeed2, false),
        (Kind::Datahose, false),
        (Kind::Datafeed1, true),
        (Kind::Firehose, true),
    ];
    for (kind, first) in streams {
        for tls in [false, true] {
            let world = World::new(kind, tls);
            let feed = Feed::open(&world.config);
            world.wait_for_a_read();
            // Of one publication, a waiting read takes all.
            world.emulator.publish((0..50).map(numbered));
            for number in 0..50 {
                assert_eq!(number_of(&feed.must_next_and_ack()), number, "{kind:?}");
            }
            if first {
                assert_eq!(world.emulator.v1_books().handed_out, 50);
            } else {
                assert!(world.emulator.wait_until(PATIENCE, |books| books.acknowledged == 50));
            }
        }
    }
}

#[test]
fn a_feed_that_was_made_in_vain_may_refuse_to_be_deleted() {
    let statuses = [400, 401, 500].map(|status| row(Delete, status, Kind::Datafeed2, When::First));
    side_by_side(Try::each(statuses), |Try { row, tls }| {
        let world = World::new(Kind::Datafeed2, *tls);
        let older = world.emulator.create_feed(None);
        world.emulator.advance(Duration::from_secs(1));
        world.fail_once(List, body(200, "[]"));
        world.fail_once(Delete, status(row.status));
        let feed = Feed::open(&world.config);
        let line = feed.wait_for_log("it goes by itself");
        assert_eq!(
            (&line["level"], &line["httpStatus"]),
            (&json!("info"), &json!(row.status)),
            "{line}"
        );
        world.check_traced(&line);
        works(&world.emulator, &feed, 0);
        assert_eq!(feed.stats()["feedId"], older.as_str());
        let feeds = world.emulator.feeds().len();
        assert_eq!((feeds, feed.error()), (2, None), "it is no trouble");
    });
}

/// The limit itself, not only its status.
#[test]
fn too_many_feeds_of_the_first_datafeed_are_explained_until_there_is_room() {
    for kind in [Kind::Datafeed1, Kind::Firehose] {
        for tls in [false, true] {
            let world = World::new(kind, tls);
            world.emulator.change_settings(|settings| settings.v1_max_feeds = 0);
            let feed = Feed::open(&world.config);
            let line = feed.wait_for_rule("node-in-trouble");
            let message = line["message"].as_str().expect("a message");
            for words in [
                "There are too many datafeeds",
                "as many feeds of Datafeed 1 as it can",
                "they go when nobody reads them",
                "datafeed.version can be v2",
            ] {
                assert!(message.contains(words), "{message}");
            }
            assert_eq!(
                (&line["httpStatus"], &line["code"]),
                (&json!(503), &json!("SERVICE_ERROR"))
            );
            world.emulator.change_settings(|settings| settings.v1_max_feeds = 1);
            world.wait_for_a_read();
            world.check_an_event_arrives(&feed, &mut 0);
        }
    }
}

#[test]
fn a_datahose_that_one_is_not_entitled_to_is_explained() {
    for tls in [false, true] {
        let world = World::new(Kind::Datahose, tls);
        world
            .emulator
            .change_settings(|settings| settings.datahose_entitled = false);
        let feed = Feed::open(&world.config);
        assert_eq!(feed.next(-1), Err(DATAFEED_FAILED));
        let error = feed.error().expect("the reason");
        assert_eq!(
            (&error["code"], &error["httpStatus"]),
            (&json!("FORBIDDEN"), &json!(403))
        );
        let message = error["message"].as_str().expect("a message");
        assert!(
            message.contains("not entitled to the datahose, which is an add-on"),
            "{message}"
        );
        assert!(message.contains("\"stream\": \"datafeed\""), "{message}");
    }
}

#[test]
fn a_datahose_without_event_types_is_explained_before_anything_is_asked() {
    let world = World::new(Kind::Datahose, false);
    for types in [Value::Null, json!([])] {
        let mut config = world.config.clone();
        config["datahose"]["eventTypes"] = types;
        let (status, error) = Feed::try_open(&config.to_string()).expect_err("no types");
        assert_eq!(status, DATAFEED_INVALID_ARGUMENT);
        assert_eq!(
            (&error["code"], &error["field"]),
            (&json!("CONFIG_INVALID"), &json!("datahose.eventTypes"))
        );
        assert!(error["message"].to_string().contains(EVENT_TYPES[0].0), "{error}");
    }
    assert!(world.emulator.requests().is_empty());
}

fn count(requests: &[RequestLog], endpoint: Endpoint) -> usize {
    requests
        .iter()
        .filter(|request| request.endpoint == Some(endpoint))
        .count()
}

/// Where the agent does not say, the key manager may know better; and where that cannot be asked, the agent is asked again.
#[test]
fn the_key_manager_is_asked_where_the_agent_delivers_no_keys() {
    for (answer, asked) in [
        (None, 0),
        (Some(500), 1),
        (Some(429), 1),
        (Some(403), 1),
        (Some(404), 1),
    ] {
        for tls in [false, true] {
            let world = World::new(Kind::SimplifiedKeyDelivery, tls);
            if let Some(answer) = answer {
                world.fail_once(AgentInfo, status(answer));
            }
            let feed = Feed::open(&world.config);
            world.wait_for_a_read();
            world.check_an_event_arrives(&feed, &mut 0);
            let requests = world.emulator.requests();
            assert_eq!(count(&requests, KeyManagerLogin), asked, "{answer:?}");
            let session = feed.session().expect("a session");
            assert_eq!(session["keyManagerToken"].is_string(), asked == 1, "{answer:?}");
        }
    }
}

#[test]
fn an_agent_that_cannot_be_asked_is_asked_again_where_there_is_no_key_manager() {
    let world = World::new(Kind::SimplifiedKeyDelivery, false);
    for _ in 0..3 {
        world.fail_once(AgentInfo, status(500));
    }
    let mut config = world.config.clone();
    config["keyManager"] = json!({"port": 1});
    let feed = Feed::open(&config);
    let line = feed.wait_for_rule("node-in-trouble");
    assert_eq!(
        (&line["httpStatus"], &line["action"]),
        (&json!(500), &json!("BACK_OFF")),
        "{line}"
    );
    world.wait_for_a_read();
    assert!(feed.session().expect("a session")["keyManagerToken"].is_null());
}

#[test]
fn a_common_jwt_that_was_not_renewed_is_asked_for_again() {
    for answer in [403, 404, 500, 503] {
        for tls in [false, true] {
            let world = World::new(Kind::CommonJwt, tls);
            let feed = Feed::open(&world.config);
            world.wait_for_a_read();
            world.fail_once(CommonJwt, status(answer));
            let before = feed.session().expect("a session")["authorizationToken"].clone();
            world.bring_about(CommonJwt, &feed);
            feed.wait_for_rule("jwt-later");
            assert_eq!(feed.session().expect("a session")["authorizationToken"], before);
            feed.advance(std::time::Duration::from_secs(6));
            feed.wait_for_log("renewed the common JWT");
            assert_ne!(feed.session().expect("a session")["authorizationToken"], before);
            world.check_an_event_arrives(&feed, &mut 0);
            assert_eq!(feed.stats()["logins"], 1);
        }
    }
}
