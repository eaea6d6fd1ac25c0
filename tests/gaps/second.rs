//! Datafeed 2: feeds that are gone, or as good as gone.

use std::time::Duration;

use datafeed_emulator::{Endpoint, Fault, FaultAction, RequestLog, Settings};
use serde_json::json;

use super::common::*;
use super::world::{World, another_millisecond, gap, now};

/// A read that finds nothing tells that everything has come, when no other read can have taken something.
#[track_caller]
fn is_caught_up(world: &World, feed: &Feed) {
    feed.advance(Duration::from_secs(61));
    let reads = world.reads();
    // The first has begun before.
    world.wait_for_read_after(reads + 2);
}

#[test]
fn a_feed_that_nobody_read_for_too_long() {
    let world = World::new();
    let feed = world.open(&world.second(json!({})));
    let before = another_millisecond();
    is_caught_up(&world, &feed);
    world.publish(0);
    // It is read no more while the bot holds something and does not ask.
    let held = feed.must_next();
    let lost = world.publish(1);
    world.outlive();
    assert_eq!(world.emulator.books().removed_unacknowledged, 2);
    assert_eq!(feed.ack(held.delivery), DATAFEED_OK);
    let gap = gap(&feed);
    gap.covers(lost..=lost, "FEED_GONE");
    gap.is_within(before..=now());
    world.next_is(&feed, 2);
}

#[test]
fn a_feed_that_was_deleted() {
    let world = World::new();
    let begin = now();
    let feed = world.open(&world.second(json!({})));
    for number in 0..3 {
        world.next_is(&feed, 2 * number);
        let since = another_millisecond();
        world.emulator.remove_feeds();
        let gap = gap(&feed);
        // Until the other one is there, nothing that is published comes.
        gap.covers(since..=since, "FEED_GONE");
        assert!(gap.from.is_none_or(|from| from >= begin) && gap.to <= now(), "{gap:?}");
        world.next_is(&feed, 2 * number + 1);
    }
}

#[test]
fn a_feed_that_refused_everything_for_a_minute() {
    let world = World::new();
    let feed = world.open(&world.second(json!({})));
    feed.wait_for_log("created a feed");
    world.next_is(&feed, 0);
    world.emulator.fault(Fault {
        endpoint: Endpoint::Read,
        times: 6,
        action: status(400),
        after: false,
    });
    let refused = |requests: &[RequestLog]| requests.iter().filter(|request| request.status == Some(400)).count();
    assert!(
        world
            .emulator
            .wait_for_requests(PATIENCE, |requests| refused(requests) >= 3)
    );
    let lost = another_millisecond();
    feed.advance(Duration::from_secs(61));
    feed.wait_for_log("created a feed");
    let gap = gap(&feed);
    gap.covers(lost..=lost, "FEED_REFUSED");
    world.next_is(&feed, 2);
}

#[test]
fn there_is_no_gap_at_the_first_start_nor_after_trouble_that_loses_nothing() {
    // Short, so that what a lost answer held comes again by itself.
    let visibility = Duration::from_millis(600);
    let world = World::with(Settings {
        visibility_timeout: visibility,
        ..quick()
    });
    let config = world.stored(world.second(json!({"visibilityTimeout": visibility.as_millis() as u64})));
    let feed = world.open(&config);
    world.next_is(&feed, 0);
    let troubles = [
        (status(503), false),
        (status(502), true),
        (status(401), false),
        (FaultAction::Reset { after_bytes: 0 }, false),
        (FaultAction::Truncate { after_bytes: 150 }, true),
    ];
    for (number, (action, after)) in (1..).zip(troubles) {
        world.fault(Endpoint::Read, action, after);
        let reads = world.reads();
        world.wait_for_read_after(reads);
        world.publish(number);
        assert_eq!(number_of(&feed.must_next_and_ack()), number);
    }
    world.emulator.expire_sessions();
    world.next_is(&feed, 10);
}
