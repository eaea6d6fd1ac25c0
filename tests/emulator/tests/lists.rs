//! Lists that are stale, and dates that tell little.

mod common;

use std::time::Duration;

use common::{Client, start};
use datafeed_emulator::Settings;

const SECOND: Duration = Duration::from_secs(1);

fn ids(client: &Client) -> Vec<String> {
    let listed = client.list();
    listed
        .iter()
        .map(|feed| feed["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_stale_list_shows_what_was_there() {
    let emulator = start(|settings| settings.list_stale = 5 * SECOND..=5 * SECOND);
    let client = Client::of(&emulator);
    let first = client.create();
    assert_eq!(ids(&client), [""; 0], "not there yet, five seconds ago");
    emulator.advance(5 * SECOND);
    assert_eq!(ids(&client), [&*first]);
    let second = emulator.create_feed(None);
    emulator.add_foreign_feed("6f2e_p_be940", "datahose", None);
    assert_eq!(
        client
            .send("DELETE", &format!("/agent/v5/datafeeds/{first}"), "")
            .status,
        204
    );
    assert_eq!(ids(&client), [&*first], "it is gone, and still listed");
    assert_eq!(client.read(&first, "").status, 400);
    emulator.advance(5 * SECOND);
    assert_eq!(ids(&client), [&*second, "6f2e_p_be940"]);
    emulator.remove_feeds();
    assert_eq!(ids(&client), [&*second, "6f2e_p_be940"]);
    emulator.advance(5 * SECOND);
    assert_eq!(ids(&client), ["6f2e_p_be940"]);
    assert_eq!(emulator.feeds().len(), 1, "the books are never stale");
}

#[test]
fn a_feed_that_nobody_reads_dies_in_stale_lists_too() {
    let emulator = start(|settings| settings.list_stale = 5 * SECOND..=5 * SECOND);
    let client = Client::of(&emulator);
    let feed = client.create();
    emulator.advance(30 * 60 * SECOND);
    assert_eq!(ids(&client), [&*feed]);
    assert_eq!(client.read(&feed, "").status, 400);
    emulator.advance(5 * SECOND);
    assert_eq!(ids(&client), [""; 0]);
}

#[test]
fn how_stale_is_drawn_from_the_seed_for_each_list() {
    let drawn = |seed| -> Vec<bool> {
        let emulator = start(|settings| {
            settings.seed = seed;
            settings.list_stale = Duration::ZERO..=2_000_000 * SECOND;
        });
        emulator.add_foreign_feed("6f2e_p_be940", "datahose", None);
        // Half of the range, beside which the time that passes in a test is nothing.
        emulator.advance(1_000_000 * SECOND);
        let client = Client::of(&emulator);
        (0..64).map(|_| ids(&client).len() == 1).collect()
    };
    let draws = drawn(1);
    let fresh = draws.iter().filter(|fresh| **fresh).count();
    assert!((16..=48).contains(&fresh), "{draws:?}");
    assert_eq!(draws, drawn(1));
    assert_ne!(draws, drawn(2));
}

#[test]
fn dates_may_be_coarse() {
    const DAY: u64 = 24 * 60 * 60 * 1000;
    let emulator = start(|settings| settings.created_at_step = Duration::from_millis(DAY));
    let client = Client::of(&emulator);
    let created = client.send("POST", "/agent/v5/datafeeds", "{}").json();
    assert_eq!(created["createdAt"].as_u64().unwrap() % DAY, 0);
    assert_eq!(client.list(), std::slice::from_ref(&created));
    emulator.change_settings(|settings| settings.created_at_step = Settings::default().created_at_step);
    let exact = client.list()[0]["createdAt"].as_u64().unwrap();
    let coarse = created["createdAt"].as_u64().unwrap();
    assert!((coarse..coarse + DAY).contains(&exact), "{coarse} {exact}");
}
