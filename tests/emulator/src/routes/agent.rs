//! The agent's endpoints for Datafeed 2, and who the bot is.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Duration;

use super::{Call, auth, input};
use crate::bot;
use crate::clock::{Millis, millis};
use crate::entry::Entry;
use crate::queue::Ack;
use crate::render;
use crate::reply::Reply;
use crate::session::Kind;
use crate::settings::{EmptyRead, StaleAck};
use crate::shared::{Shared, World};

const LONGEST_TAG: usize = 100;

fn unknown_feed() -> Reply {
    Reply::error(400, "Could not find a datafeed with the provided id")
}

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
        world.settle();
        let shown = world.settings.created_at;
        let feeds = world.feeds.list();
        feeds
            .filter(|feed| tag.is_none() || feed.tag == tag)
            .map(|feed| match shown {
                true => json!({"id": feed.id, "type": feed.kind, "createdAt": feed.created}),
                false => json!({"id": feed.id, "type": feed.kind}),
            })
            .collect()
    });
    Ok(Reply::of(200, &feeds))
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
        let body = match world.settings.created_at {
            true => json!({"id": id, "type": "fanout", "createdAt": now}),
            false => json!({"id": id, "type": "fanout"}),
        };
        Ok(Reply::of(201, &body))
    })
}

pub fn delete(call: &Call) -> Result<Reply, Reply> {
    auth::check_tokens(call)?;
    let deleted = call.shared.change(|world| {
        world.settle();
        world.feeds.delete(&call.named)
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
    entry.set_ack_id(body.ack_id.clone());
    let ack_id = body.ack_id.unwrap_or_default();
    let (deadline, outlives) = call.shared.change(|world| {
        let begun = begin_read(world, &call.named, &ack_id)?;
        entry.show_in(&mut world.requests);
        Ok::<_, Reply>(begun)
    })?;
    let waiting = wait_for_events(call.shared.clone(), call.named.clone(), deadline);
    if !outlives {
        return waiting.await;
    }
    // A task of its own goes on when the client has left, and takes what comes.
    tokio::spawn(waiting)
        .await
        .unwrap_or_else(|_| Err(Reply::error(500, "The read has failed")))
}

/// Uses the ackId. Until when the read waits, and whether it does so without its client.
fn begin_read(world: &mut World, feed: &str, ack_id: &str) -> Result<(Millis, bool), Reply> {
    let now = world.settle();
    let queue = world.feeds.queue(feed).ok_or_else(unknown_feed)?;
    if !ack_id.is_empty() {
        match (queue.acknowledge(ack_id), world.settings.stale_ack) {
            (Ack::Live, _) | (Ack::Stale, StaleAck::Ignore) => (),
            (Ack::Stale, StaleAck::BadRequest) => {
                return Err(Reply::error(400, "The ackId is unknown or has expired"));
            }
            (Ack::Malformed, _) => return Err(Reply::error(400, "The ackId is malformed")),
        }
    }
    world.feeds.touch(feed, now);
    let deadline = now.saturating_add(millis(world.settings.poll));
    Ok((deadline, world.settings.abandoned_reads_take))
}

async fn wait_for_events(shared: Arc<Shared>, feed: String, deadline: Millis) -> Result<Reply, Reply> {
    let mut news = shared.subscribe();
    loop {
        news.borrow_and_update();
        let (ready, now) = shared.look(|world| {
            let now = world.settle();
            let ready = match world.feeds.queue(&feed) {
                Some(queue) => queue.has_waiting() || now >= deadline,
                None => true,
            };
            (ready, now)
        });
        if ready && let Some(result) = shared.change(|world| take(world, &feed, deadline)) {
            return result;
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(deadline.saturating_sub(now))) => (),
            _ = news.changed() => (),
        }
    }
}

/// The answer, when there are events or the time is over. `None`: another reader was faster.
fn take(world: &mut World, feed: &str, deadline: Millis) -> Option<Result<Reply, Reply>> {
    let now = world.settle();
    let World {
        feeds, settings, rng, ..
    } = world;
    let Some(queue) = feeds.queue(feed) else {
        return Some(Err(unknown_feed()));
    };
    let empty = !queue.has_waiting();
    if empty && now < deadline {
        return None;
    }
    if empty && settings.empty_read == EmptyRead::NoContent {
        return Some(Ok(Reply::no_content()));
    }
    let most = rng.usize(settings.batch.clone());
    let until = now.saturating_add(millis(settings.visibility_timeout));
    let batch = queue.take(most, until, settings.order, rng);
    let body = render::read_body(&batch, settings.layout, rng);
    Some(Ok(Reply::json(200, body)))
}

/// Asks for no session, as on the service.
pub fn info(call: &Call) -> Result<Reply, Reply> {
    Ok(call.shared.look(|world| {
        let url = call.shared.address.url();
        Reply::of(
            200,
            &json!({
                "version": world.settings.agent_version,
                "serverFqdn": url,
                "hostname": "127.0.0.1",
                "ipAddress": "127.0.0.1",
                "url": format!("{url}{}/agent", world.settings.context),
                "onPrem": true,
            }),
        )
    }))
}

pub fn session_info(call: &Call) -> Result<Reply, Reply> {
    auth::check_token(call, Kind::Session)?;
    let info = call.shared.look(|world| bot::session_info(&world.settings.username));
    Ok(Reply::of(200, &info))
}

pub fn health() -> Reply {
    Reply::of(200, &json!({"status": "UP"}))
}
