//! Several instances of a bot on one feed of Datafeed 2: they agree on it when all start at once and when all see it
//! vanish at once, share its events, and lose none when one of them is killed.

#[path = "../common/mod.rs"]
mod common;

mod killed;
mod scene;
mod settling;

use std::ops::RangeInclusive;
use std::time::Duration;

use common::side_by_side::side_by_side;
use scene::{Making, Scene, When};

const FRESH: RangeInclusive<Duration> = Duration::ZERO..=Duration::ZERO;
const STALE: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(5);
const STALEST: RangeInclusive<Duration> = Duration::from_secs(5)..=Duration::from_secs(5);

/// In some of these the feed that is made first has the smallest id of three, in others the second or third.
const SEEDS: RangeInclusive<u64> = 5..=8;

const EXACT: Option<Duration> = Some(Duration::from_millis(1));
/// All feeds of a test look equally old.
const COARSE: Option<Duration> = Some(Duration::from_secs(24 * 60 * 60));

#[track_caller]
fn play(when: When, making: Making, lists: RangeInclusive<Duration>, dates: Option<Duration>) {
    let scene = |seed| Scene {
        when,
        lists: lists.clone(),
        making,
        dates,
        seed,
    };
    side_by_side(SEEDS.map(scene).collect(), Scene::play);
}

#[test]
fn all_start_at_once() {
    play(When::AtTheStart, Making::Together, FRESH, EXACT);
}

#[test]
fn all_start_at_once_and_lists_are_stale() {
    play(When::AtTheStart, Making::Together, STALE, EXACT);
}

#[test]
fn they_start_within_a_moment_and_lists_are_stale() {
    play(When::AtTheStart, Making::AsItComes, STALE, EXACT);
}

#[test]
fn they_start_one_after_the_other_and_lists_are_stale() {
    play(When::AtTheStart, Making::FarApart, STALEST, EXACT);
}

#[test]
fn all_see_it_vanish_at_once() {
    play(When::ItVanishes, Making::Together, FRESH, EXACT);
}

#[test]
fn they_see_it_vanish_and_lists_are_stale() {
    play(When::ItVanishes, Making::AsItComes, STALE, EXACT);
}

#[test]
fn they_make_feeds_that_are_equally_old() {
    play(When::AtTheStart, Making::Together, FRESH, COARSE);
}

#[test]
fn all_start_at_once_and_nobody_tells_how_old_feeds_are() {
    play(When::AtTheStart, Making::Together, STALE, None);
}

#[test]
fn they_start_one_after_the_other_and_nobody_tells_how_old_feeds_are() {
    play(When::AtTheStart, Making::FarApart, STALEST, None);
}
