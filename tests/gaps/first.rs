//! Datafeed 1: a feed that overflows, and answers that are lost with what is in them.

use datafeed_emulator::{Endpoint, FaultAction, Settings};
use serde_json::json;

use super::common::*;
use super::world::{World, gap, now};

#[test]
fn a_feed_that_overflowed() {
    let world = World::with(Settings {
        v1_capacity: 3,
        ..quick()
    });
    let feed = world.open(&world.first(json!({"maxUnacknowledged": 1})));
    let before = world.publish(0);
    let held = feed.must_next();
    feed.wait_for_log("reading waits for the bot");
    let lost = world.publish(1);
    for number in 2..5 {
        world.publish(number);
    }
    assert_eq!(world.emulator.v1_books().expired, 4);
    let last = now();
    assert_eq!(feed.ack(held.delivery), DATAFEED_OK);
    let gap = gap(&feed);
    gap.covers(lost..=last, "FEED_GONE");
    gap.is_within(before..=now());
    world.next_is(&feed, 5);
}

#[test]
fn an_answer_that_is_cut_at_any_byte() {
    let world = World::with(Settings::default());
    let feed = world.open(&world.first(json!({})));
    for (number, after_bytes) in (0..).step_by(2).zip((0..400).step_by(13)) {
        // A reset beyond the end of the answer would lose nothing.
        let action = match after_bytes < 100 && number % 4 == 0 {
            true => FaultAction::Reset { after_bytes },
            false => FaultAction::Truncate { after_bytes },
        };
        let before = world.meet(&feed, number, action, true);
        let lost = world.publish(number + 1);
        world.tells_of(&feed, lost, before);
    }
}

#[test]
fn an_answer_that_a_gateway_replaced() {
    let world = World::with(Settings::default());
    let feed = world.open(&world.first(json!({})));
    let bad = [500, 502, 503, 504, 408].map(status);
    for (number, action) in (0..).step_by(2).zip(bad.into_iter().chain([body(200, "<html>")])) {
        let before = world.meet(&feed, number, action, true);
        let lost = world.publish(number + 1);
        world.tells_of(&feed, lost, before);
    }
}

#[test]
fn a_refusal_that_loses_nothing_is_no_gap() {
    let world = World::with(Settings::default());
    let feed = world.open(&world.first(json!({})));
    for (number, action) in (0..).zip([401, 403, 429].map(status)) {
        world.meet(&feed, number, action, false);
    }
    world.next_is(&feed, 3);
    world.emulator.expire_sessions();
    world.next_is(&feed, 4);
    world.next_is(&feed, 5);
}

/// The gap is told after what was received before it, though that is not handed out yet.
#[test]
fn a_gap_is_told_in_its_place() {
    let world = World::with(Settings::default());
    let feed = world.open(&world.first(json!({})));
    let reads = world.reads();
    world.fault(Endpoint::V1Read, status(502), true);
    let before = world.publish(0);
    world.wait_for_read_after(reads);
    let lost = world.publish(1);
    feed.wait_for_log("502");
    world.publish(2);
    assert_eq!(number_of(&feed.must_next_and_ack()), 0);
    let gap = gap(&feed);
    gap.covers(lost..=lost, "ANSWER_LOST");
    gap.is_within(before..=now());
    assert_eq!(number_of(&feed.must_next_and_ack()), 2);
}

/// A read that something is about to happen to.
struct Met {
    /// When the event before it came.
    came: u64,
    /// How many reads there were before it.
    reads: usize,
}

impl World {
    /// An event comes, and the read after it meets this. Answers when the event was published.
    #[track_caller]
    fn meet(&self, feed: &Feed, number: usize, action: FaultAction, after: bool) -> Met {
        self.until_it_is_read();
        let reads = self.reads();
        self.fault(Endpoint::V1Read, action, after);
        let came = self.next_is(feed, number);
        self.wait_for_read_after(reads);
        Met { came, reads }
    }

    /// The event of this time is lost with its answer, which is told when the next read is answered.
    #[track_caller]
    fn tells_of(&self, feed: &Feed, lost: u64, before: Met) {
        feed.wait_for_log("reading the feed from");
        self.publish(1000);
        let gap = gap(feed);
        gap.covers(lost..=lost, "ANSWER_LOST");
        gap.is_within(before.came..=now());
        assert_eq!(number_of(&feed.must_next_and_ack()), 1000);
        // The one that failed, the one that brought this, and the one after it: the log may show the one before still as
        // waiting.
        self.wait_for_read_after(before.reads + 2);
    }
}
