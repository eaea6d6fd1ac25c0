//! Finding a feed, keeping a session, and every kind of trouble that the service makes.

mod common;

use std::time::Duration;

use common::*;
use datafeed_emulator::{EmptyRead, Endpoint, Fault, FaultAction, RequestLog, Settings};
use serde_json::{Value, json};

fn count(requests: &[RequestLog], endpoint: Endpoint) -> usize {
    requests
        .iter()
        .filter(|request| request.endpoint == Some(endpoint))
        .count()
}

#[test]
fn a_feed_is_created_when_there_is_none() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    assert_eq!(emulator.feeds().len(), 1);
    assert_eq!(feed.stats()["feedId"], emulator.feeds()[0].id.as_str());
    assert_eq!(feed.stats()["feedsCreated"], 1);
    works(&emulator, &feed, 0);
}

#[test]
fn the_bot_s_own_feed_is_found_again_and_nothing_else_is_taken_for_it() {
    for created_at in [true, false] {
        let emulator = emulator(Settings { created_at, ..quick() });
        emulator.add_foreign_feed("371f465fb97b5d1027d20a5e7085863a_p_be940", "datahose", None);
        emulator.add_foreign_feed("471f465fb97b5d1027d20a5e7085863a_p_be941", "fanout", None);
        let own = emulator.create_feed(None);
        emulator.publish([numbered(0)]);
        let feed = Feed::open(&config(&emulator, json!({})));
        assert_eq!(number_of(&feed.must_next_and_ack()), 0, "what waited in it arrives");
        assert_eq!(feed.stats()["feedId"], own.as_str());
        assert_eq!(count(&emulator.requests(), Endpoint::Create), 0);
    }
}

#[test]
fn the_oldest_of_several_feeds_is_taken() {
    let emulator = emulator(quick());
    let oldest = emulator.create_feed(None);
    emulator.advance(Duration::from_secs(1));
    emulator.create_feed(None);
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    assert_eq!(feed.stats()["feedId"], oldest.as_str());
}

#[test]
fn a_tag_selects_and_names_the_feed() {
    let emulator = emulator(quick());
    let untagged = emulator.create_feed(None);
    let tagged = emulator.create_feed(Some("desk 1/é"));
    let feed = open_and_wait(&emulator, &config(&emulator, json!({"datafeed": {"tag": "desk 1/é"}})));
    assert_eq!(feed.stats()["feedId"], tagged.as_str());
    let other = Feed::open(&config(&emulator, json!({"datafeed": {"tag": "desk 2"}})));
    other.wait_for_log("created a feed");
    let created = emulator.feeds();
    assert!(created.iter().any(|feed| feed.tag.as_deref() == Some("desk 2")));
    assert_ne!(other.stats()["feedId"], untagged.as_str());
}

#[test]
fn no_tag_parameter_is_sent_without_a_tag() {
    let emulator = emulator(quick());
    let _feed = open_and_wait(&emulator, &config(&emulator, json!({"datafeed": {"tag": ""}})));
    let requests = emulator.requests();
    let lists: Vec<&RequestLog> = requests
        .iter()
        .filter(|request| request.endpoint == Some(Endpoint::List))
        .collect();
    assert!(!lists.is_empty());
    assert!(lists.iter().all(|list| list.path == "/agent/v5/datafeeds"), "{lists:?}");
}

#[test]
fn a_context_path_is_used() {
    let emulator = emulator(Settings {
        context: "/bots/agent".into(),
        ..quick()
    });
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    works(&emulator, &feed, 0);
}

#[test]
fn a_204_and_an_empty_list_are_no_trouble() {
    for empty_read in [EmptyRead::NoContent, EmptyRead::List] {
        let emulator = emulator(Settings {
            empty_read,
            poll: Duration::from_millis(20),
            ..quick()
        });
        let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
        assert!(emulator.wait_for_requests(PATIENCE, |requests| count(requests, Endpoint::Read) > 5));
        works(&emulator, &feed, 0);
        assert_eq!(feed.stats()["retries"], 0);
        assert_eq!(feed.error(), None);
    }
}

#[test]
fn null_events_are_skipped_and_told() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    emulator.fault(Fault {
        endpoint: Endpoint::Read,
        times: 1,
        action: body(200, &format!(r#"{{"events":[null,{},null],"ackId":""}}"#, numbered(7))),
        after: false,
    });
    assert_eq!(number_of(&feed.must_next_and_ack()), 7);
    feed.wait_for_log("no events");
    works(&emulator, &feed, 8);
}

#[test]
fn an_expired_session_is_renewed_without_losing_or_repeating_an_event() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    for number in 0..10 {
        works(&emulator, &feed, number);
        emulator.expire_sessions();
    }
    works(&emulator, &feed, 10);
    assert!(feed.stats()["logins"].as_u64().unwrap() > 5);
    assert_eq!(emulator.feeds().len(), 1);
    assert!(emulator.wait_until(PATIENCE, |books| books.acknowledged == 11));
    assert_eq!(emulator.books().redelivered, 0);
}

#[test]
fn a_login_refused_from_the_start_is_final_and_says_why() {
    let emulator = emulator(quick());
    emulator.reject_logins(true);
    let feed = Feed::open(&config(&emulator, json!({})));
    assert_eq!(feed.next(-1), Err(DATAFEED_FAILED));
    assert_eq!(feed.next(0), Err(DATAFEED_FAILED));
    let error = feed.error().expect("the reason");
    assert_eq!(error["code"], "AUTH_REJECTED");
    assert_eq!(error["httpStatus"], 401);
    assert_eq!(error["retryable"], false);
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains(&emulator.url()) && message.contains("bot.privateKey"),
        "{message}"
    );
    assert_eq!(feed.stats()["state"], "FAILED");
    assert_eq!(feed.close(), DATAFEED_OK);
    assert_eq!(feed.error().expect("also after close")["code"], "AUTH_REJECTED");
}

#[test]
fn a_login_that_worked_once_is_tried_for_ever() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    works(&emulator, &feed, 0);
    emulator.reject_logins(true);
    emulator.expire_sessions();
    let trying = emulator.wait_for_requests(PATIENCE, |requests| count(requests, Endpoint::SessionLogin) > 10);
    assert!(trying);
    emulator.publish([numbered(1)]);
    emulator.reject_logins(false);
    assert_eq!(number_of(&feed.must_next_and_ack()), 1);
}

#[test]
fn twenty_feeds_are_explained() {
    let emulator = emulator(quick());
    for number in 0..20 {
        emulator.create_feed(Some(&format!("other {number}")));
    }
    let feed = Feed::open(&config(&emulator, json!({"datafeed": {"tag": "mine"}})));
    assert_eq!(feed.next(-1), Err(DATAFEED_FAILED));
    let error = feed.error().unwrap();
    assert_eq!(error["code"], "FORBIDDEN");
    assert!(error["message"].as_str().unwrap().contains("20 feeds"), "{error}");
}

#[test]
fn trouble_of_every_kind_passes_and_nothing_is_lost_or_repeated() {
    let kinds = [
        status(408),
        status(429),
        status(500),
        status(502),
        status(503),
        status(504),
        status(302),
        FaultAction::Reset { after_bytes: 0 },
        FaultAction::Reset { after_bytes: 40 },
        FaultAction::Truncate { after_bytes: 120 },
        body(200, "{\"events\":[{\"a\":"),
        body(200, ""),
        body(200, "<html>gateway</html>"),
    ];
    for endpoint in [
        Endpoint::SessionLogin,
        Endpoint::KeyManagerLogin,
        Endpoint::List,
        Endpoint::Create,
        Endpoint::Read,
    ] {
        let emulator = emulator(quick());
        for action in &kinds {
            emulator.fault(Fault {
                endpoint,
                times: 2,
                action: action.clone(),
                after: false,
            });
        }
        let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
        works(&emulator, &feed, 0);
        feed.wait_for_log("the trouble is over");
        works(&emulator, &feed, 1);
        assert!(
            emulator.wait_until(PATIENCE, |books| books.acknowledged == 2),
            "{endpoint:?}"
        );
        assert!(
            feed.stats()["retries"].as_u64().unwrap() >= 20,
            "{endpoint:?}: {:#}",
            feed.stats()
        );
        let trouble = feed.error().expect("the latest trouble stays readable");
        assert_eq!(trouble["retryable"], true);
        assert!(
            trouble["message"].as_str().unwrap().contains(&emulator.url()),
            "{trouble}"
        );
        assert_eq!(emulator.feeds().len(), 1);
    }
}

#[test]
fn an_answer_lost_on_its_way_repeats_nothing() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    works(&emulator, &feed, 0);
    for action in [
        FaultAction::Reset { after_bytes: 0 },
        FaultAction::Truncate { after_bytes: 150 },
        FaultAction::Reset { after_bytes: 150 },
    ] {
        emulator.fault(Fault {
            endpoint: Endpoint::Read,
            times: 1,
            action,
            after: true,
        });
    }
    emulator.publish((1..20).map(numbered));
    // The first hand-outs are lost with their answers, and come back when their lease has lapsed.
    let mut numbers = Vec::new();
    while numbers.len() < 19 {
        match feed.next(100) {
            Ok(event) => {
                numbers.push(number_of(&event.text));
                assert_eq!(feed.ack(event.delivery), DATAFEED_OK);
            }
            Err(_) => {
                feed.advance(Duration::from_secs(31));
                emulator.advance(Duration::from_secs(31));
            }
        }
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..20).collect::<Vec<_>>());
    feed.advance(Duration::from_secs(31));
    emulator.advance(Duration::from_secs(31));
    assert!(
        emulator.wait_until(PATIENCE, |books| books.acknowledged == 20),
        "{:?}",
        emulator.books()
    );
    assert_eq!(feed.next(0), Err(DATAFEED_TIMEOUT));
}

#[test]
fn a_feed_that_is_gone_is_looked_for_twice_and_then_replaced() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    works(&emulator, &feed, 0);
    let before = count(&emulator.requests(), Endpoint::List);
    emulator.remove_feeds();
    feed.wait_for_log("no longer exists");
    let replaced = feed.wait_for_log("created a feed");
    works(&emulator, &feed, 1);
    assert_eq!(feed.stats()["feedId"], replaced["feedId"]);
    assert!(count(&emulator.requests(), Endpoint::List) >= before + 2);
    assert_eq!(count(&emulator.requests(), Endpoint::Delete), 0);
}

#[test]
fn a_loss_is_told_once_however_long_it_takes_to_make_another() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    works(&emulator, &feed, 0);
    emulator.fault(Fault {
        endpoint: Endpoint::Create,
        times: 5,
        action: status(503),
        after: false,
    });
    emulator.remove_feeds();
    feed.wait_for_log("no longer exists");
    works_when_created(&emulator, &feed);
    feed.close();
    while let Ok(line) = feed.next_log(0) {
        assert!(!line["message"].to_string().contains("no longer exists"), "{line}");
    }
    assert_eq!(feed.stats()["retriesByCause"]["FEED_GONE"], 1);
}

fn works_when_created(emulator: &datafeed_emulator::Emulator, feed: &Feed) {
    let created = |requests: &[RequestLog]| {
        let creates = requests
            .iter()
            .filter(|request| request.endpoint == Some(Endpoint::Create));
        creates.filter(|create| create.status == Some(201)).count() == 2
    };
    assert!(emulator.wait_for_requests(PATIENCE, created));
    works(emulator, feed, 1);
}

#[test]
fn a_listed_feed_that_refuses_for_a_minute_is_left_alone_and_another_made() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    works(&emulator, &feed, 0);
    emulator.fault(Fault {
        endpoint: Endpoint::Read,
        times: 6,
        action: status(400),
        after: false,
    });
    let refused = |requests: &[RequestLog]| requests.iter().filter(|request| request.status == Some(400)).count();
    assert!(emulator.wait_for_requests(PATIENCE, |requests| refused(requests) >= 3));
    assert_eq!(emulator.feeds().len(), 1, "a minute is not over");
    feed.advance(Duration::from_secs(61));
    feed.wait_for_log("refused every read for a minute");
    feed.wait_for_log("created a feed");
    assert_eq!(emulator.feeds().len(), 2, "the old one may hold events");
    assert_eq!(count(&emulator.requests(), Endpoint::Delete), 0);
    works(&emulator, &feed, 1);
}

#[test]
fn a_failed_list_proves_nothing() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    works(&emulator, &feed, 0);
    emulator.fault(Fault {
        endpoint: Endpoint::Read,
        times: 1,
        action: status(400),
        after: false,
    });
    emulator.fault(Fault {
        endpoint: Endpoint::List,
        times: 5,
        action: status(500),
        after: false,
    });
    feed.wait_for_log("the trouble is over");
    works(&emulator, &feed, 1);
    assert_eq!(emulator.feeds().len(), 1);
    assert_eq!(feed.stats()["feedsCreated"], 1);
}

#[test]
fn a_minute_of_failing_lists_does_not_count_as_refusals() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    works(&emulator, &feed, 0);
    emulator.fault(Fault {
        endpoint: Endpoint::List,
        times: 10,
        action: status(503),
        after: false,
    });
    emulator.fault(Fault {
        endpoint: Endpoint::Read,
        times: 1,
        action: status(400),
        after: false,
    });
    feed.wait_for_log("503");
    feed.advance(Duration::from_secs(90));
    feed.wait_for_log("the trouble is over");
    works(&emulator, &feed, 1);
    assert_eq!(emulator.feeds().len(), 1);
    assert_eq!(feed.stats()["feedsCreated"], 1);
}

#[test]
fn empty_answers_that_come_at_once_are_not_asked_for_in_a_hurry() {
    let emulator = emulator(Settings {
        poll: Duration::ZERO,
        ..quick()
    });
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    let before = count(&emulator.requests(), Endpoint::Read);
    assert_eq!(feed.next(1000), Err(DATAFEED_TIMEOUT));
    let reads = count(&emulator.requests(), Endpoint::Read) - before;
    assert!(reads <= 11, "{reads} reads in a second");
    works(&emulator, &feed, 0);
}

#[test]
fn a_response_larger_than_the_limit_is_refused_with_the_setting_s_name() {
    let emulator = emulator(quick());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({"maxResponseBytes": 4096})));
    emulator.fault(Fault {
        endpoint: Endpoint::Read,
        times: 1,
        action: body(200, &format!("{{\"events\":[{{\"a\":\"{}\"}}]}}", "x".repeat(10_000))),
        after: false,
    });
    feed.wait_for_log("maxResponseBytes");
    assert_eq!(feed.error().unwrap()["code"], "RESPONSE_TOO_LARGE");
    works(&emulator, &feed, 0);
}

#[test]
fn attempts_can_be_bounded() {
    let emulator = emulator(quick());
    emulator.fault(Fault {
        endpoint: Endpoint::List,
        times: 1000,
        action: status(500),
        after: false,
    });
    let settings = json!({"datafeed": {"retry": {"maxAttempts": 3}}});
    let feed = Feed::open(&config(&emulator, settings));
    assert_eq!(feed.next(-1), Err(DATAFEED_FAILED));
    let error = feed.error().unwrap();
    assert_eq!(error["code"], "SERVICE_ERROR");
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("datafeed.retry.maxAttempts")
    );
    assert_eq!(count(&emulator.requests(), Endpoint::List), 3);
}

#[test]
fn no_secret_is_told_anywhere() {
    let emulator = emulator(quick());
    let mut config = config(&emulator, json!({"defaultHeaders": {"X-Gateway": "gateway-secret"}}));
    config["unknownThing"] = json!("unknown-secret");
    let feed = open_and_wait(&emulator, &config);
    works(&emulator, &feed, 0);
    let session = feed.session().unwrap();
    let key = config["bot"]["privateKey"]["content"].as_str().unwrap();
    let key_line = key.lines().nth(3).unwrap().to_owned();
    emulator.expire_sessions();
    works(&emulator, &feed, 1);
    let mut told: Vec<Value> = vec![feed.stats()];
    told.extend(feed.error());
    feed.close();
    while let Ok(line) = feed.next_log(0) {
        told.push(line);
    }
    assert!(told.len() > 4);
    let told = Value::from(told).to_string();
    let secrets = [
        session["sessionToken"].as_str().unwrap(),
        session["keyManagerToken"].as_str().unwrap(),
        "gateway-secret",
        "unknown-secret",
        &key_line,
    ];
    for secret in secrets {
        assert!(!told.contains(secret));
    }
}
