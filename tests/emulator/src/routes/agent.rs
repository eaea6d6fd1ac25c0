//! The agent's endpoints for Datafeed 2, and who the bot is.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::poll::unknown_feed;
use super::{Call, auth, input, poll};
use crate::bot;
use crate::clock::{Millis, millis};
use crate::entry::Entry;
use crate::feeds::Feed;
use crate::reply::Reply;
use crate::settings::Settings;

const LONGEST_TAG: usize = 100;

fn check_tag(tag: Option<String>) -> Result<Option<String>, Reply> {
    match &tag {
        Some(text) if text.chars().count() > LONGEST_TAG => {
            Err(Reply::error(400, "The tag is longer than 100 characters"))
        }
        _ => Ok(tag),
    }
}

pub fn list(call: &Call) -> Result<Reply, Reply> {
    auth::check_tokens(call)?;
    let tag = form_urlencoded::parse(call.query.as_bytes())
        .find(|(name, _)| name == "tag")
        .map(|(_, tag)| tag.into_owned());
    let tag = check_tag(tag)?;
    let feeds: Vec<Value> = call.shared.look(|world| {
        let now = world.settle();
        let at = now.saturating_sub(staleness(&world.settings.list_stale, &mut world.rng));
        let feeds = world.feeds.list(at).into_iter();
        feeds
            .filter(|feed| tag.is_none() || feed.tag == tag)
            .map(|feed| shown(feed, &world.settings))
            .collect()
    });
    Ok(Reply::of(200, &feeds))
}

fn staleness(range: &RangeInclusive<Duration>, rng: &mut fastrand::Rng) -> Millis {
    let (min, max) = (millis(*range.start()), millis(*range.end()));
    match min < max {
        true => rng.u64(min..=max),
        false => min,
    }
}

/// A feed as clients see it: created in real time, since they cannot see that the clock was moved.
fn shown(feed: &Feed, settings: &Settings) -> Value {
    let mut shown = json!({"id": feed.id, "type": feed.kind});
    if settings.created_at {
        shown["createdAt"] = json!(feed.made - feed.made % millis(settings.created_at_step));
    }
    shown
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    tag: Option<String>,
    #[serde(rename = "includeInvisible")]
    _include_invisible: Option<bool>,
}

pub fn create(call: &Call) -> Result<Reply, Reply> {
    auth::check_tokens(call)?;
    let body: Create = input::object(call)?;
    let tag = check_tag(body.tag)?;
    call.shared.change(|world| {
        let now = world.settle();
        if world.feeds.count() >= world.settings.max_feeds {
            return Err(Reply::error(403, "The limit of active datafeeds is reached"));
        }
        let id = world.feeds.create(tag, now);
        let created = world.feeds.get(&id).map(|feed| shown(feed, &world.settings));
        Ok(Reply::of(201, &created))
    })
}

pub fn delete(call: &Call) -> Result<Reply, Reply> {
    auth::check_tokens(call)?;
    let deleted = call.shared.change(|world| {
        let now = world.settle();
        world.feeds.delete(&call.named, now)
    });
    match deleted {
        true => Ok(Reply::no_content()),
        false => Err(unknown_feed()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    ack_id: Option<String>,
    #[serde(rename = "updatePresence")]
    _update_presence: Option<bool>,
}

pub async fn read(call: &Call, entry: &mut Entry) -> Result<Reply, Reply> {
    auth::check_tokens(call)?;
    let body: Read = input::object(call)?;
    poll::read(call, entry, body.ack_id, |world, _| {
        match world.feeds.is_datafeed(&call.named) {
            true => Ok(call.named.clone()),
            false => Err(unknown_feed()),
        }
    })
    .await
}

/// Asks for no session, as on the service.
pub fn info(call: &Call) -> Result<Reply, Reply> {
    Ok(call.shared.look(|world| {
        let url = call.shared.address.url();
        Reply::of(
            200,
            &json!({
                "version": world.settings.version(),
                "serverFqdn": world.settings.server_fqdn.as_ref().unwrap_or(&url),
                "hostname": "127.0.0.1",
                "ipAddress": "127.0.0.1",
                "url": format!("{url}{}/agent", world.settings.context),
                "onPrem": true,
            }),
        )
    }))
}

pub fn session_info(call: &Call) -> Result<Reply, Reply> {
    auth::check_session(call)?;
    let info = call.shared.look(|world| bot::session_info(&world.settings.username));
    Ok(Reply::of(200, &info))
}

pub fn health() -> Reply {
    Reply::of(200, &json!({"status": "UP"}))
}
