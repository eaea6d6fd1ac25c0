//! Datafeed 1: reads that cannot be repeated, and feeds that fill up.

mod common;

use std::time::{Duration, Instant};

use common::{Client, LONG, start, v1_path};
use datafeed_emulator::{Emulator, Endpoint, Fault, FaultAction, V1Books};
use serde_json::{Value, json};

fn numbers(range: std::ops::RangeInclusive<u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

fn values(numbers: &[u32]) -> Vec<Value> {
    numbers.iter().copied().map(Value::from).collect()
}

/// The equation holds, and no hand-out is lost twice.
fn balanced(emulator: &Emulator) -> V1Books {
    let books = emulator.v1_books();
    assert_eq!(
        books.routed,
        books.handed_out + books.expired + books.queued,
        "{books:?}"
    );
    assert!(books.handed_out >= books.lost, "{books:?}");
    books
}

fn reads_waiting(emulator: &Emulator, count: usize) {
    assert!(emulator.wait_for_requests(LONG, |log| {
        let reads = log.iter().filter(|r| r.endpoint == Some(Endpoint::V1Read));
        reads.count() == count
    }));
}

fn fault(endpoint: Endpoint, action: FaultAction, after: bool) -> Fault {
    Fault {
        endpoint,
        times: 1,
        action,
        after,
    }
}

fn status(status: u16) -> FaultAction {
    FaultAction::Status {
        status,
        body: None,
        retry_after: None,
    }
}

#[test]
fn an_event_is_read_once() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let feed = client.create_v1();
    let lengths: Vec<usize> = feed.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12], "{feed}");
    assert_ne!(client.create_v1(), feed);
    emulator.publish([r#"{"a" : 1}"#, "2"]);
    assert_eq!(client.read_v1(&feed, "").text, r#"[{"a" : 1},2]"#);
    let empty = client.read_v1(&feed, "");
    assert_eq!((empty.status, &*empty.text), (204, ""));
    emulator.advance(Duration::from_secs(3600));
    assert_eq!(client.read_v1(&feed, "").status, 204);
    let books = balanced(&emulator);
    assert_eq!((books.routed, books.handed_out, books.queued), (4, 2, 2));
    assert_eq!((books.lost, books.concurrent_reads), (0, 0));
    // It is no feed of Datafeed 2, and its events are routed all the same.
    assert!(client.list().is_empty());
    assert_eq!((emulator.books().published, emulator.books().unrouted), (2, 0));
}

#[test]
fn a_read_waits_for_an_event_or_its_time() {
    let emulator = start(|settings| settings.poll = Duration::from_secs(300));
    let client = Client::of(&emulator);
    let feed = client.create_v1();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| client.take_v1(&feed));
        reads_waiting(&emulator, 1);
        emulator.publish(["1"]);
        assert_eq!(reading.join().unwrap(), values(&[1]));
        let reading = scope.spawn(|| client.read_v1(&feed, "").status);
        reads_waiting(&emulator, 2);
        emulator.advance(Duration::from_secs(300));
        assert_eq!(reading.join().unwrap(), 204);
    });
    assert!(begun.elapsed() < LONG);
}

#[test]
fn the_limit_bounds_the_list() {
    let emulator = start(|settings| settings.batch = 3..=3);
    let client = Client::of(&emulator);
    let feed = client.create_v1();
    emulator.publish(numbers(1..=6));
    assert_eq!(client.read_v1(&feed, "?limit=2").json(), json!([1, 2]));
    assert_eq!(client.read_v1(&feed, "?limit=50").json(), json!([3, 4, 5]));
    for limit in ["0", "-1", "x", ""] {
        assert_eq!(client.read_v1(&feed, &format!("?limit={limit}")).status, 400, "{limit}");
    }
    assert_eq!(balanced(&emulator).queued, 1);
}

#[test]
fn a_feed_expires_when_it_is_full() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let feed = client.create_v1();
    emulator.publish(numbers(1..=250));
    assert_eq!(client.take_v1(&feed).len(), 100);
    emulator.publish(numbers(1..=100));
    assert_eq!((balanced(&emulator).queued, emulator.v1_feeds().len()), (250, 1));
    emulator.publish(["one too many"]);
    let answer = client.read_v1(&feed, "");
    assert_eq!(answer.status, 400);
    assert_eq!(answer.message(), "Could not find a datafeed with the provided id");
    assert_eq!(answer.message(), client.read_v1("never-was", "").message());
    let books = balanced(&emulator);
    assert_eq!((books.expired, books.queued), (251, 0));
    assert!(emulator.v1_feeds().is_empty());
    assert!(emulator.wait_until_v1(LONG, |books| books.expired == 251));
}

#[test]
fn the_capacity_can_be_set_and_feeds_be_removed() {
    let emulator = start(|settings| settings.v1_capacity = 1);
    let client = Client::of(&emulator);
    let (read, unread) = (client.create_v1(), client.create_v1());
    emulator.publish(["1"]);
    client.take_v1(&read);
    emulator.publish(["2"]);
    assert_eq!(client.read_v1(&unread, "").status, 400);
    assert_eq!(emulator.v1_feeds()[0].id, read);
    emulator.remove_feeds();
    assert_eq!(client.read_v1(&read, "").status, 400);
    let books = balanced(&emulator);
    assert_eq!((books.handed_out, books.expired), (1, 3));
}

#[test]
fn a_waiting_read_learns_at_once_that_its_feed_is_gone() {
    let emulator = start(|settings| settings.poll = LONG);
    let client = Client::of(&emulator);
    let feed = client.create_v1();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| client.read_v1(&feed, "").status);
        reads_waiting(&emulator, 1);
        emulator.remove_feeds();
        assert_eq!(reading.join().unwrap(), 400);
    });
}

#[test]
fn too_many_feeds_are_refused() {
    let emulator = start(|settings| settings.v1_max_feeds = 1);
    let client = Client::of(&emulator);
    client.create_v1();
    let answer = client.send("POST", "/agent/v4/datafeed/create", "");
    assert_eq!((answer.status, &answer.json()["code"]), (503, &json!(503)));
    emulator.change_settings(|settings| settings.v1_max_feeds = 2);
    client.create_v1();
}

#[test]
fn two_readers_at_once_get_events_in_turn() {
    let emulator = start(|settings| settings.poll = LONG);
    let client = Client::of(&emulator);
    let feed = client.create_v1();
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2).map(|_| scope.spawn(|| client.take_v1(&feed))).collect();
        reads_waiting(&emulator, 2);
        emulator.publish(numbers(1..=5));
        let mut lists: Vec<_> = readers.into_iter().map(|r| r.join().unwrap()).collect();
        lists.sort_by_key(|list| list[0].as_u64());
        assert_eq!(lists, [values(&[1, 3, 5]), values(&[2, 4])]);
    });
    assert_eq!(balanced(&emulator).concurrent_reads, 1);
    // One reader alone gets all again.
    emulator.publish(numbers(6..=7));
    assert_eq!(client.take_v1(&feed), values(&[6, 7]));
    assert_eq!(balanced(&emulator).concurrent_reads, 1);
}

#[test]
fn what_a_damaged_answer_carried_is_lost() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let feed = client.create_v1();
    let cut = 60;
    let damages = [
        FaultAction::Reset { after_bytes: cut },
        FaultAction::Truncate { after_bytes: cut },
        FaultAction::LateReset {
            after_bytes: cut,
            after_millis: 1,
        },
        status(500),
    ];
    for (lost, damage) in (1..).zip(damages) {
        emulator.publish(["1"]);
        emulator.fault(fault(Endpoint::V1Read, damage.clone(), true));
        let answer = client.try_send("GET", &v1_path(&feed), "");
        assert!(answer.map_or(true, |answer| answer.status == 500), "{damage:?}");
        assert!(emulator.wait_until_v1(LONG, |books| books.lost == lost), "{damage:?}");
        assert_eq!(client.read_v1(&feed, "").status, 204, "{damage:?}");
    }
    // What is late or slow arrives; what was never read is still there.
    for (action, after) in [
        (FaultAction::Delay(Duration::from_millis(1)), true),
        (
            FaultAction::Drip {
                after_bytes: cut,
                every_millis: 1,
            },
            true,
        ),
        (
            FaultAction::Reset {
                after_bytes: usize::MAX >> 1,
            },
            false,
        ),
        (status(503), false),
    ] {
        emulator.publish(["2"]);
        emulator.fault(fault(Endpoint::V1Read, action.clone(), after));
        if !after {
            let _ = client.try_send("GET", &v1_path(&feed), "");
        }
        assert_eq!(client.take_v1(&feed), values(&[2]), "{action:?}");
    }
    let books = balanced(&emulator);
    assert_eq!((books.handed_out, books.lost), (8, 4));
}

#[test]
fn what_a_client_did_not_wait_for_is_lost() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let feed = client.create_v1();
    emulator.publish(["1"]);
    emulator.fault(fault(Endpoint::V1Read, FaultAction::Hang, true));
    let reading = client.begin(&format!("GET {}", v1_path(&feed)));
    reads_waiting(&emulator, 1);
    drop(reading);
    assert!(emulator.wait_until_v1(LONG, |books| books.lost == 1));
    // More than any socket holds, of which nothing is read.
    emulator.publish([format!("\"{}\"", "x".repeat(50_000_000))]);
    let reading = client.begin(&format!("GET {}", v1_path(&feed)));
    assert!(emulator.wait_until_v1(LONG, |books| books.handed_out == 2));
    drop(reading);
    assert!(emulator.wait_until_v1(LONG, |books| books.lost == 2));
}

#[test]
fn a_client_that_left_a_waiting_read_loses_nothing() {
    let emulator = start(|settings| settings.poll = LONG);
    let client = Client::of(&emulator);
    let feed = client.create_v1();
    let reading = client.begin(&format!("GET {}", v1_path(&feed)));
    reads_waiting(&emulator, 1);
    drop(reading);
    assert!(emulator.wait_for_requests(LONG, |log| {
        let last = log.last().unwrap();
        last.endpoint == Some(Endpoint::V1Read) && last.outcome == datafeed_emulator::Outcome::Abandoned
    }));
    emulator.publish(["1"]);
    assert_eq!(client.take_v1(&feed), values(&[1]));
    let books = balanced(&emulator);
    assert_eq!((books.lost, books.concurrent_reads), (0, 0));
}

#[test]
fn both_need_a_session_and_can_go_wrong() {
    let emulator = start(|_| ());
    let client = Client::of(&emulator);
    let feed = client.create_v1();
    let stranger = Client::stranger(&emulator);
    assert_eq!(stranger.send("POST", "/agent/v4/datafeed/create", "").status, 401);
    assert_eq!(stranger.read_v1(&feed, "").status, 401);
    emulator.fault(fault(Endpoint::V1Create, status(429), false));
    assert_eq!(client.send("POST", "/agent/v4/datafeed/create", "").status, 429);
    client.create_v1();
    assert_eq!(client.send("POST", &v1_path(&feed), "").status, 405);
}

#[test]
fn the_control_interface_shows_it() {
    let emulator = start(|settings| settings.v1_capacity = 7);
    let client = Client::of(&emulator);
    let settings = client.send("GET", "/emulator/settings", "").json();
    assert_eq!(
        (&settings["v1Capacity"], &settings["v1MaxFeeds"]),
        (&json!(7), &json!(100))
    );
    let feed = client.create_v1();
    emulator.publish(["1"]);
    let books = client.send("GET", "/emulator/books/v1", "").json();
    assert_eq!(serde_json::from_value::<V1Books>(books).unwrap(), emulator.v1_books());
    let feeds = client.send("GET", "/emulator/feeds/v1", "").json();
    assert_eq!(
        (&feeds[0]["id"], &feeds[0]["books"]["queued"]),
        (&json!(feed), &json!(1))
    );
    let waited = client.send("GET", "/emulator/wait?v1Books=queued", "").json();
    assert_eq!(waited["queued"], 1);
}

#[test]
fn the_books_tell_what_became_of_each_event() {
    let emulator = start(|settings| settings.v1_capacity = 3);
    let client = Client::of(&emulator);
    emulator.publish(["nobody's"]);
    let before = common::wall_seconds() * 1000;
    let feed = client.create_v1();
    // Real time: the emulator's clock is another one by now.
    emulator.advance(Duration::from_secs(3600));
    emulator.publish(numbers(2..=3));
    assert_eq!(client.read_v1(&feed, "?limit=1").text, "[2]");
    emulator.fault(fault(Endpoint::V1Read, status(503), true));
    assert_eq!(client.read_v1(&feed, "").status, 503);
    emulator.publish(numbers(4..=4));
    let fates = || -> Vec<(u64, bool, bool, bool)> {
        let fate = |book: datafeed_emulator::V1EventBook| {
            assert_eq!(book.feed, feed);
            assert!((before..before + 600_000).contains(&book.feed_made_ms));
            let [handed_out, expired] = [book.handed_out_ms, book.expired_ms]
                .map(|at| at.is_some_and(|at| (before..before + 600_000).contains(&at)));
            (book.sequence, handed_out, book.lost, expired)
        };
        emulator.v1_event_books().into_iter().map(fate).collect()
    };
    let (read, lost) = ((2, true, false, false), (3, true, true, false));
    assert_eq!(fates(), [read, lost, (4, false, false, false)]);
    assert!(emulator.v1_feeds()[0].last_read_ms.abs_diff(emulator.now_ms()) < 600_000);
    emulator.publish(numbers(5..=7));
    let expired = |number| (number, false, false, true);
    assert_eq!(fates(), [read, lost, expired(4), expired(5), expired(6), expired(7)]);
    assert_eq!((balanced(&emulator).expired, balanced(&emulator).lost), (4, 1));
}

#[test]
fn the_books_tell_who_has_read_each_event() {
    let emulator = start(|settings| settings.batch = 1..=1);
    let mut client = Client::of(&emulator);
    let feed = client.create_v1();
    emulator.publish(numbers(1..=4));
    client.take_v1(&feed);
    client.reader = "one".into();
    client.take_v1(&feed);
    client.reader = "two".into();
    // Whatever becomes of the answer.
    emulator.fault(fault(Endpoint::V1Read, status(503), true));
    assert_eq!(client.read_v1(&feed, "").status, 503);
    let readers = emulator.v1_event_books().into_iter().map(|book| book.reader);
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(readers.collect::<Vec<_>>(), [None, named("one"), named("two"), None]);
}
