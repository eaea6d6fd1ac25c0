//! Rows for a feed that was just made, and is read only when it is settled that it is the oldest.

use std::time::Duration;

use datafeed_emulator::{Emulator, Endpoint, FaultAction};
use serde_json::json;

use super::common::*;
use super::{balanced, brisk, check_traced, fault};

fn count(emulator: &Emulator, endpoint: Endpoint) -> usize {
    let requests = emulator.requests();
    let of_endpoint = requests.iter().filter(|request| request.endpoint == Some(endpoint));
    of_endpoint.count()
}

/// From the second list on, nothing is listed.
fn hide(emulator: &Emulator, times: u32) {
    fault(emulator, Endpoint::List, 1, FaultAction::Delay(Duration::ZERO));
    fault(emulator, Endpoint::List, times, body(200, "[]"));
}

pub fn made_first() {
    let emulator = emulator(brisk());
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    let line = feed.wait_for_log("created a feed");
    assert_eq!(line["feedId"], emulator.feeds()[0].id);
    assert_eq!(
        (count(&emulator, Endpoint::List), count(&emulator, Endpoint::Create)),
        (2, 1)
    );
    works(&emulator, &feed, 0);
    balanced(&emulator, 1);
}

pub fn made_later() {
    let emulator = emulator(brisk());
    let older = emulator.create_feed(None);
    emulator.publish([numbered(0)]);
    emulator.advance(Duration::from_secs(1));
    fault(&emulator, Endpoint::List, 1, body(200, "[]"));
    let feed = open_and_wait(&emulator, &config(&emulator, json!({})));
    let line = feed.wait_for_rule("made-later");
    assert_eq!(
        (&line["level"], &line["action"]),
        (&json!("info"), &json!("YIELD")),
        "{line}"
    );
    assert_eq!(line["feedId"], older);
    assert_ne!(line["madeFeedId"], older);
    check_traced(&emulator, &line);
    assert_eq!(
        number_of(&feed.must_next_and_ack()),
        0,
        "what waited in the older one arrives"
    );
    balanced(&emulator, 1);
    assert_eq!((emulator.feeds().len(), count(&emulator, Endpoint::Delete)), (1, 1));
}

pub fn made_just_now() {
    let emulator = emulator(brisk());
    hide(&emulator, 2);
    let feed = Feed::open(&config(&emulator, json!({})));
    let line = feed.wait_for_rule("made-just-now");
    assert_eq!(
        (&line["level"], &line["action"]),
        (&json!("info"), &json!("SETTLE")),
        "{line}"
    );
    check_traced(&emulator, &line);
    // Once is enough.
    let next = feed.next_log(PATIENCE.as_millis() as i32).expect("a line");
    assert_eq!(
        (&next["message"], &next["feedId"]),
        (&json!("created a feed"), &line["feedId"])
    );
    assert_eq!(
        (count(&emulator, Endpoint::List), count(&emulator, Endpoint::Create)),
        (4, 1)
    );
    works(&emulator, &feed, 0);
    balanced(&emulator, 1);
}

pub fn made_unlisted() {
    let emulator = emulator(brisk());
    hide(&emulator, 1000);
    let feed = Feed::open(&config(&emulator, json!({})));
    let made = feed.wait_for_rule("made-just-now")["feedId"].clone();
    assert_eq!(count(&emulator, Endpoint::Read), 0);
    feed.advance(Duration::from_secs(11));
    let line = feed.wait_for_rule("made-unlisted");
    assert_eq!(
        (&line["level"], &line["action"], &line["feedId"]),
        (&json!("warn"), &json!("KEEP"), &made),
        "{line}"
    );
    check_traced(&emulator, &line);
    works(&emulator, &feed, 0);
    balanced(&emulator, 1);
    assert_eq!(feed.error(), None);
}
