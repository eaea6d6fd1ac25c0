//! What the emulator can be asked about what happened.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::v1::V1Stream;

/// Counts of events, of one feed or of all feeds that ever were.
///
/// Always: `routed = acknowledged + removed_unacknowledged + queued + leased`
/// and `handed_out >= redelivered + acknowledged`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Books {
    /// Events published, each once, however many feeds got it.
    pub published: u64,
    /// Of those, events that no feed was there to get.
    pub unrouted: u64,
    /// Events put into feeds: one published with two feeds counts twice here and in all that follows.
    pub routed: u64,
    /// Hand-outs: an event handed out twice counts twice.
    pub handed_out: u64,
    /// Events removed by an ackId.
    pub acknowledged: u64,
    /// Hand-outs of an event after its first.
    pub redelivered: u64,
    /// Events that went with their feed: deleted, or dead after its time to live.
    pub removed_unacknowledged: u64,
    /// Events waiting to be handed out now.
    pub queued: u64,
    /// Events handed out, not acknowledged, and not yet come back.
    pub leased: u64,
}

impl AddAssign for Books {
    fn add_assign(&mut self, other: Books) {
        self.published += other.published;
        self.unrouted += other.unrouted;
        self.routed += other.routed;
        self.handed_out += other.handed_out;
        self.acknowledged += other.acknowledged;
        self.redelivered += other.redelivered;
        self.removed_unacknowledged += other.removed_unacknowledged;
        self.queued += other.queued;
        self.leased += other.leased;
    }
}

/// What happened to one event in one feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventBook {
    /// The feed's id.
    pub feed: String,
    /// Its number among all events published, from 1.
    pub sequence: u64,
    /// How often it was handed out.
    pub handed_out: u32,
    /// Whether an ackId removed it.
    pub acknowledged: bool,
    /// Whether it went with its feed, unacknowledged.
    pub removed: bool,
}

/// One entry of the list of feeds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FeedInfo {
    pub id: String,
    /// `fanout` for a datafeed, `datahose` for a datahose.
    #[serde(rename = "type")]
    pub kind: String,
    pub tag: Option<String>,
    pub created_at_ms: Millis,
    /// The last read, or the creation when there was none.
    pub last_read_ms: Millis,
    /// Whether it only stands in the list (see `add_foreign_feed`).
    pub foreign: bool,
    pub books: Books,
}

/// Counts of events in the feeds of Datafeed 1 and its firehose, of one or of all that ever were.
///
/// Always: `routed = handed_out + expired + queued` and `handed_out >= lost`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct V1Books {
    /// Events put into feeds: one published with two feeds counts twice.
    pub routed: u64,
    /// Events handed out: each once, since it is forgotten when its answer begins.
    pub handed_out: u64,
    /// Of those, events whose answer did not go out whole.
    pub lost: u64,
    /// Events that were not read when their feed expired.
    pub expired: u64,
    /// Events waiting to be handed out now.
    pub queued: u64,
    /// Reads that began while another read of the same feed was under way.
    pub concurrent_reads: u64,
}

impl AddAssign for V1Books {
    fn add_assign(&mut self, other: V1Books) {
        self.routed += other.routed;
        self.handed_out += other.handed_out;
        self.lost += other.lost;
        self.expired += other.expired;
        self.queued += other.queued;
        self.concurrent_reads += other.concurrent_reads;
    }
}

/// One feed of Datafeed 1 or its firehose that has not expired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct V1FeedInfo {
    pub id: String,
    pub stream: V1Stream,
    /// Which agent has made it, from 0.
    pub agent: usize,
    pub created_at_ms: Millis,
    /// The last read, or the creation when there was none.
    pub last_read_ms: Millis,
    pub books: V1Books,
}

/// What happened to one event in one feed of Datafeed 1 or its firehose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct V1EventBook {
    /// The feed's id.
    pub feed: String,
    /// When the feed was made, in real time.
    pub feed_made_ms: Millis,
    /// Its number among all events published, from 1.
    pub sequence: u64,
    /// When it was handed out, in real time: as a client's clock has it, wherever the emulator's was moved.
    pub handed_out_ms: Option<Millis>,
    /// Whether it was handed out in an answer that did not go out whole.
    pub lost: bool,
    /// The `X-Reader` of the read that took it, if it had one.
    pub reader: Option<String>,
    /// When its feed expired with it unread, in real time.
    pub expired_ms: Option<Millis>,
}
