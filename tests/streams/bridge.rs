//! The move from Datafeed 1 to 2 is one word, and an agent whose bridge is on serves the first from the second.

use datafeed_emulator::{Endpoint, Settings};
use serde_json::json;

use super::common::*;
use super::first::{first, leave, open_and_read, receive};
use super::folder::Folder;

#[test]
fn the_version_is_the_one_word_that_changes() {
    let emulator = emulator(quick());
    let folder = Folder::new();
    let mut config = first(&emulator, &folder, json!({"maxUnacknowledged": 100}));
    config["datafeed"]["retry"] = json!({"initialIntervalMillis": 5});
    config["datafeed"]["tag"] = json!("desk");
    for (version, endpoint) in [
        ("v1", Endpoint::V1Read),
        ("v2", Endpoint::Read),
        ("V1", Endpoint::V1Read),
    ] {
        config["datafeed"]["version"] = json!(version);
        let feed = open_and_read(&emulator, &config, endpoint);
        works(&emulator, &feed, 0);
        while let Ok(line) = feed.next_log(0) {
            assert_eq!(line["level"], "info", "nothing is odd about it: {line}");
        }
    }
}

#[test]
fn through_the_bridge_every_event_arrives_once() {
    let emulator = emulator(Settings {
        bridge: true,
        batch: 1..=5,
        ..quick()
    });
    let folder = Folder::new();
    let config = first(&emulator, &folder, json!({}));
    let feed = open_and_read(&emulator, &config, Endpoint::V1Read);
    emulator.publish((0..100).map(numbered));
    assert_eq!(receive(&feed, 100), (0..100).collect::<Vec<_>>());
    assert!(emulator.wait_until(PATIENCE, |books| books.acknowledged == 100));
    let id = feed.stats()["feedId"].clone();
    leave(&emulator, &feed);
    emulator.publish([numbered(100)]);
    let successor = Feed::open(&config);
    assert_eq!(receive(&successor, 1), [100]);
    assert_eq!(successor.stats()["feedId"], id);
}
