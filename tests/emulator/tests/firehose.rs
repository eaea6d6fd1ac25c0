//! The firehose of version 1: a Datafeed 1 with other paths and more room.

mod common;

use common::{Client, LONG, start, v1_path};
use datafeed_emulator::{Endpoint, Fault, FaultAction, V1Stream};
use serde_json::json;

fn read(client: &Client, feed: &str, query: &str) -> common::Answer {
    client.send("GET", &format!("/agent/v4/firehose/{feed}/read{query}"), "")
}

#[test]
fn it_hands_out_everything_once() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let feed = client.create_v1_of("firehose");
    emulator.publish(["1", "2", "3"]);
    assert_eq!(read(&client, &feed, "?limit=2").json(), json!([1, 2]));
    assert_eq!(read(&client, &feed, "").json(), json!([3]));
    assert_eq!(read(&client, &feed, "").status, 204);
    assert_eq!(emulator.v1_feeds()[0].stream, V1Stream::Firehose);
}

#[test]
fn it_expires_with_five_hundred_and_one_unread_events() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let (firehose, datafeed) = (client.create_v1_of("firehose"), client.create_v1());
    emulator.publish((0..500).map(|number| number.to_string()));
    assert_eq!(client.read_v1(&datafeed, "").status, 400);
    assert_eq!(emulator.v1_feeds()[0].books.queued, 500);
    emulator.publish(["one too many"]);
    assert_eq!(read(&client, &firehose, "").status, 400);
    assert_eq!(emulator.v1_books().expired, 251 + 501);
}

#[test]
fn an_id_of_one_stream_is_unknown_to_the_other() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let (firehose, datafeed) = (client.create_v1_of("firehose"), client.create_v1());
    assert_eq!(client.read_v1(&firehose, "").status, 400);
    assert_eq!(read(&client, &datafeed, "").status, 400);
}

#[test]
fn its_requests_need_a_session_and_can_go_wrong() {
    let emulator = start(|settings| settings.firehose_capacity = 1);
    let stranger = Client::stranger(&emulator);
    assert_eq!(stranger.send("POST", "/agent/v4/firehose/create", "").status, 401);
    let client = Client::of(&emulator);
    let fault = |endpoint, after| {
        emulator.fault(Fault {
            endpoint,
            times: 1,
            action: FaultAction::Truncate { after_bytes: 9 },
            after,
        });
    };
    fault(Endpoint::FirehoseCreate, false);
    assert!(client.try_send("POST", "/agent/v4/firehose/create", "").is_err());
    let feed = client.create_v1_of("firehose");
    assert_eq!(read(&stranger, &feed, "").status, 401);
    emulator.publish(["1"]);
    fault(Endpoint::FirehoseRead, true);
    assert!(
        client
            .try_send("GET", &v1_path(&feed).replace("datafeed", "firehose"), "")
            .is_err()
    );
    assert!(emulator.wait_until_v1(LONG, |books| books.lost == 1));
}
