//! The settings as the control interface shows and changes them: durations in milliseconds.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::clock::millis;
use crate::settings::{EmptyRead, Layout, Order, Settings, StaleAck};

/// What is to be changed; what is absent stays.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Patch {
    poll_millis: Option<u64>,
    visibility_timeout_millis: Option<u64>,
    feed_ttl_millis: Option<u64>,
    session_ttl_millis: Option<u64>,
    max_feeds: Option<usize>,
    v1_max_feeds: Option<usize>,
    v1_capacity: Option<usize>,
    firehose_capacity: Option<usize>,
    bridge: Option<bool>,
    datahose_entitled: Option<bool>,
    batch_min: Option<usize>,
    batch_max: Option<usize>,
    order: Option<Order>,
    empty_read: Option<EmptyRead>,
    stale_ack: Option<StaleAck>,
    abandoned_reads_take: Option<bool>,
    layout: Option<Layout>,
    created_at: Option<bool>,
    created_at_step_millis: Option<u64>,
    list_stale_min_millis: Option<u64>,
    list_stale_max_millis: Option<u64>,
    require_key_manager_token: Option<bool>,
    simplified_key_delivery: Option<bool>,
    common_jwt: Option<bool>,
    common_jwt_ttl_millis: Option<u64>,
    logins_follow_clock: Option<bool>,
    chaos: Option<f64>,
    chaos_pause_millis: Option<u64>,
    agent_version: Option<String>,
    /// `null` is a value too: the usual one.
    #[serde(deserialize_with = "given")]
    server_fqdn: Option<Option<String>>,
}

/// Tells what is `null` from what is absent.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Deserialize::deserialize(deserializer).map(Some)
}

impl Patch {
    pub fn apply(self, old: Settings) -> Settings {
        let duration = |new: Option<u64>, old| new.map_or(old, Duration::from_millis);
        Settings {
            poll: duration(self.poll_millis, old.poll),
            visibility_timeout: duration(self.visibility_timeout_millis, old.visibility_timeout),
            feed_ttl: duration(self.feed_ttl_millis, old.feed_ttl),
            session_ttl: duration(self.session_ttl_millis, old.session_ttl),
            max_feeds: self.max_feeds.unwrap_or(old.max_feeds),
            v1_max_feeds: self.v1_max_feeds.unwrap_or(old.v1_max_feeds),
            v1_capacity: self.v1_capacity.unwrap_or(old.v1_capacity),
            firehose_capacity: self.firehose_capacity.unwrap_or(old.firehose_capacity),
            bridge: self.bridge.unwrap_or(old.bridge),
            datahose_entitled: self.datahose_entitled.unwrap_or(old.datahose_entitled),
            batch: range(self.batch_min, self.batch_max, &old.batch),
            order: self.order.unwrap_or(old.order),
            empty_read: self.empty_read.unwrap_or(old.empty_read),
            stale_ack: self.stale_ack.unwrap_or(old.stale_ack),
            abandoned_reads_take: self.abandoned_reads_take.unwrap_or(old.abandoned_reads_take),
            layout: self.layout.unwrap_or(old.layout),
            created_at: self.created_at.unwrap_or(old.created_at),
            created_at_step: duration(self.created_at_step_millis, old.created_at_step),
            list_stale: range(
                self.list_stale_min_millis.map(Duration::from_millis),
                self.list_stale_max_millis.map(Duration::from_millis),
                &old.list_stale,
            ),
            require_key_manager_token: self.require_key_manager_token.unwrap_or(old.require_key_manager_token),
            simplified_key_delivery: self.simplified_key_delivery.unwrap_or(old.simplified_key_delivery),
            common_jwt: self.common_jwt.unwrap_or(old.common_jwt),
            common_jwt_ttl: duration(self.common_jwt_ttl_millis, old.common_jwt_ttl),
            logins_follow_clock: self.logins_follow_clock.unwrap_or(old.logins_follow_clock),
            chaos: self.chaos.unwrap_or(old.chaos),
            chaos_pause: duration(self.chaos_pause_millis, old.chaos_pause),
            agent_version: self.agent_version.unwrap_or(old.agent_version),
            server_fqdn: self.server_fqdn.unwrap_or(old.server_fqdn),
            ..old
        }
    }
}

/// One bound alone moves the other along where it must.
fn range<T: Copy + Ord>(min: Option<T>, max: Option<T>, old: &RangeInclusive<T>) -> RangeInclusive<T> {
    match (min, max) {
        (Some(min), Some(max)) => min..=max,
        (Some(min), None) => min..=min.max(*old.end()),
        (None, Some(max)) => max.min(*old.start())..=max,
        (None, None) => old.clone(),
    }
}

/// All that can be changed.
pub fn show(settings: &Settings) -> Patch {
    Patch {
        poll_millis: Some(millis(settings.poll)),
        visibility_timeout_millis: Some(millis(settings.visibility_timeout)),
        feed_ttl_millis: Some(millis(settings.feed_ttl)),
        session_ttl_millis: Some(millis(settings.session_ttl)),
        max_feeds: Some(settings.max_feeds),
        v1_max_feeds: Some(settings.v1_max_feeds),
        v1_capacity: Some(settings.v1_capacity),
        firehose_capacity: Some(settings.firehose_capacity),
        bridge: Some(settings.bridge),
        datahose_entitled: Some(settings.datahose_entitled),
        batch_min: Some(*settings.batch.start()),
        batch_max: Some(*settings.batch.end()),
        order: Some(settings.order),
        empty_read: Some(settings.empty_read),
        stale_ack: Some(settings.stale_ack),
        abandoned_reads_take: Some(settings.abandoned_reads_take),
        layout: Some(settings.layout),
        created_at: Some(settings.created_at),
        created_at_step_millis: Some(millis(settings.created_at_step)),
        list_stale_min_millis: Some(millis(*settings.list_stale.start())),
        list_stale_max_millis: Some(millis(*settings.list_stale.end())),
        require_key_manager_token: Some(settings.require_key_manager_token),
        simplified_key_delivery: Some(settings.simplified_key_delivery),
        common_jwt: Some(settings.common_jwt),
        common_jwt_ttl_millis: Some(millis(settings.common_jwt_ttl)),
        logins_follow_clock: Some(settings.logins_follow_clock),
        chaos: Some(settings.chaos),
        chaos_pause_millis: Some(millis(settings.chaos_pause)),
        agent_version: Some(settings.agent_version.clone()),
        server_fqdn: Some(settings.server_fqdn.clone()),
    }
}
