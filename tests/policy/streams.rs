//! Rows for streams other than Datafeed 2.

use std::path::PathBuf;

use datafeed_emulator::{Endpoint, Settings};
use serde_json::json;

use super::common::*;
use super::{balanced, brisk, check_retried, check_traced, fault};

/// A place for the id of a feed, gone when dropped.
struct IdFolder(PathBuf);

impl IdFolder {
    fn new(name: &str) -> IdFolder {
        let path = std::env::temp_dir().join(format!("datafeed-policy-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        IdFolder(path)
    }
}

impl Drop for IdFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn v1_is_read(emulator: &datafeed_emulator::Emulator, feed: &Feed) {
    let reading = emulator.wait_for_requests(PATIENCE, |requests| {
        requests
            .iter()
            .any(|request| request.endpoint == Some(Endpoint::V1Read))
    });
    assert!(reading, "the feed never read: {:#}", feed.stats());
}

pub fn feed_expired() {
    let emulator = emulator(Settings {
        v1_capacity: 5,
        ..brisk()
    });
    let folder = IdFolder::new("expired");
    let feed = Feed::open(&config(
        &emulator,
        json!({"datafeed": {"version": "v1", "idFilePath": folder.0}, "maxUnacknowledged": 1}),
    ));
    v1_is_read(&emulator, &feed);
    emulator.publish([numbered(0)]);
    let held = feed.must_next();
    // The bot is at its limit, so nothing is read, and one more than the feed holds is too many.
    assert!(emulator.wait_until_v1(PATIENCE, |books| books.handed_out == 1));
    emulator.publish((1..8).map(numbered));
    assert_eq!(feed.ack(held.delivery), DATAFEED_OK);
    let line = feed.wait_for_rule("feed-expired");
    assert_eq!(line["action"], "CREATE", "{line}");
    check_traced(&emulator, &line);
    feed.wait_for_log("created a feed");
    let trouble = feed.error().expect("it is told");
    assert_eq!(
        (&trouble["code"], &trouble["retryable"]),
        (&json!("FEED_GONE"), &json!(true))
    );
    // It counts as received.
    assert!(feed.must_next_and_ack().contains("DATAFEEDGAP"));
    v1_is_read(&emulator, &feed);
    assert!(emulator.wait_for_requests(PATIENCE, |requests| {
        let last = requests
            .iter()
            .rfind(|request| request.endpoint == Some(Endpoint::V1Read));
        last.is_some_and(|read| read.status != Some(400))
    }));
    works(&emulator, &feed, 100);
}

pub fn bound_to_node() {
    let emulator = emulator(brisk());
    let folder = IdFolder::new("bound");
    let mut settings = config(
        &emulator,
        json!({"datafeed": {"version": "v1", "idFilePath": folder.0}}),
    );
    let other = json!({"host": "127.0.0.1", "port": 1});
    settings["agent"] = json!({"loadBalancing": {"nodes": [{"host": "127.0.0.1", "port": emulator.port()}, other]}});
    let feed = Feed::open(&settings);
    v1_is_read(&emulator, &feed);
    works(&emulator, &feed, 0);
    fault(&emulator, Endpoint::V1Read, 2, status(503));
    emulator.publish([numbered(1)]);
    check_retried(&emulator, &feed.wait_for_rule("bound-to-node"), "BACK_OFF");
    let gap = feed.must_next_and_ack();
    assert!(gap.contains("ANSWER_LOST"), "a gateway may have said that: {gap}");
    assert_eq!(number_of(&feed.must_next_and_ack()), 1);
    assert_eq!(feed.stats()["feedsCreated"], 1);
}

pub fn node_gone() {
    let one = emulator(brisk());
    let two = one.start_node_of(brisk()).expect("a second node");
    let folder = IdFolder::new("gone");
    let mut settings = config(&one, json!({"datafeed": {"version": "v1", "idFilePath": folder.0}}));
    let node = |port: u16| json!({"host": "127.0.0.1", "port": port});
    // A kept feed at a node that is not there, though it is configured.
    settings["agent"] = json!({"loadBalancing": {"nodes": [node(two.port()), node(1)]}});
    std::fs::write(folder.0.join("datafeed.id"), "kept@http://127.0.0.1:1/agent").expect("a file");
    let feed = Feed::open(&settings);
    feed.wait_for_rule("bound-to-node");
    feed.advance(std::time::Duration::from_secs(31 * 60));
    let line = feed.wait_for_rule("node-gone");
    assert_eq!(
        (&line["level"], &line["action"], &line["code"]),
        (&json!("error"), &json!("CREATE"), &json!("FEED_GONE"))
    );
    let line = feed.wait_for_log("created a feed");
    assert_eq!(
        (&line["replacedFeedId"], &line["agent"]),
        (&json!("kept"), &json!(two.url())),
        "{line}"
    );
    works(&two, &feed, 0);
}

fn datahose() -> serde_json::Value {
    json!({"stream": "datahose", "datahose": {"tag": "desk", "eventTypes": ["MESSAGESENT"]}})
}

pub fn datahose_refused() {
    let emulator = emulator(brisk());
    fault(&emulator, Endpoint::DatahoseRead, 1000, status(400));
    let feed = Feed::open(&config(&emulator, datahose()));
    assert_eq!(feed.next(-1), Err(DATAFEED_FAILED));
    let line = feed.wait_for_rule("datahose-refused");
    assert!(line["message"].to_string().contains("datahose.eventTypes"), "{line}");
    check_traced(&emulator, &line);
}

pub fn datahose_forbidden() {
    let emulator = emulator(Settings {
        datahose_entitled: false,
        ..brisk()
    });
    let feed = Feed::open(&config(&emulator, datahose()));
    assert_eq!(feed.next(-1), Err(DATAFEED_FAILED));
    let error = feed.error().expect("the reason");
    assert_eq!(
        (&error["code"], &error["httpStatus"]),
        (&json!("FORBIDDEN"), &json!(403))
    );
    let line = feed.wait_for_rule("datahose-forbidden");
    assert!(
        line["message"].to_string().contains("not entitled to the datahose"),
        "{line}"
    );
    check_traced(&emulator, &line);

    // What once worked is tried for ever.
    let emulator = super::common::emulator(brisk());
    let feed = Feed::open(&config(&emulator, datahose()));
    let reading = emulator.wait_for_requests(PATIENCE, |requests| {
        requests
            .iter()
            .any(|request| request.endpoint == Some(Endpoint::DatahoseRead))
    });
    assert!(reading);
    works(&emulator, &feed, 0);
    fault(&emulator, Endpoint::DatahoseRead, 2, status(403));
    check_retried(&emulator, &feed.wait_for_rule("anything-else"), "BACK_OFF");
    works(&emulator, &feed, 1);
    balanced(&emulator, 2);
}
