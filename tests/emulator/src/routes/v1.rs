//! The agent's endpoints for Datafeed 1 and its firehose, which differ in their paths and their capacity.

use std::sync::Arc;

use serde_json::json;
use tokio::time::Duration;

use super::poll::unknown_feed;
use super::{Call, auth, poll};
use crate::clock::{Millis, millis};
use crate::entry::Entry;
use crate::render;
use crate::reply::Reply;
use crate::shared::{Shared, World};
use crate::v1::{Feed, V1Stream};

pub fn create(call: &Call, stream: V1Stream) -> Result<Reply, Reply> {
    auth::check_tokens(call)?;
    call.shared.change(|world| {
        let now = world.settle();
        if stream == V1Stream::Datafeed && world.settings.bridge {
            return create_bridged(world, now);
        }
        if world.v1.count() >= world.settings.v1_max_feeds {
            return Err(too_many());
        }
        let capacity = match stream {
            V1Stream::Datafeed => world.settings.v1_capacity,
            V1Stream::Firehose => world.settings.firehose_capacity,
        };
        let id = world.v1.create(stream, call.agent, capacity, now);
        Ok(Reply::of(200, &json!({"id": id})))
    })
}

/// Served from a feed of Datafeed 2, whose limit it then counts against.
fn create_bridged(world: &mut World, now: Millis) -> Result<Reply, Reply> {
    if world.feeds.count() >= world.settings.max_feeds {
        return Err(too_many());
    }
    let feed = world.feeds.create(None, now);
    let id = world.bridge.lead_to(feed);
    Ok(Reply::of(200, &json!({"id": id})))
}

fn too_many() -> Reply {
    Reply::error(503, "There are too many datafeeds")
}

/// A read that is under way, until it is dropped: when it ends, or when its client leaves.
struct Reading {
    shared: Arc<Shared>,
    stream: V1Stream,
    agent: usize,
    feed: String,
    deadline: Millis,
}

impl Reading {
    fn begin(call: &Call, stream: V1Stream, entry: &mut Entry) -> Result<Reading, Reply> {
        let deadline = call.shared.change(|world| {
            let now = world.settle();
            let feed = world.v1.get(stream, call.agent, &call.named).ok_or_else(unknown_feed)?;
            feed.begin_read(now);
            entry.show_in(&mut world.requests);
            Ok::<_, Reply>(now.saturating_add(millis(world.settings.poll)))
        })?;
        Ok(Reading {
            shared: call.shared.clone(),
            stream,
            agent: call.agent,
            feed: call.named.clone(),
            deadline,
        })
    }

    fn of<'a>(&self, world: &'a mut World) -> Option<&'a mut Feed> {
        world.v1.get(self.stream, self.agent, &self.feed)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.shared.look(|world| {
            if let Some(feed) = self.of(world) {
                feed.end_read();
            }
        });
    }
}

/// A read whose client leaves while it waits takes nothing.
pub async fn read(call: &Call, stream: V1Stream, entry: &mut Entry) -> Result<Reply, Reply> {
    auth::check_tokens(call)?;
    let limit = limit(call)?;
    let bridged = call.shared.look(|world| world.bridge.feed(&call.named).is_some());
    if bridged && stream == V1Stream::Datafeed {
        return poll::read_by_bridge(call, entry, limit).await;
    }
    let reading = Reading::begin(call, stream, entry)?;
    let mut news = call.shared.subscribe();
    loop {
        news.borrow_and_update();
        let (ready, now) = call.shared.look(|world| {
            let now = world.settle();
            let waits = reading.of(world).is_some_and(|feed| !feed.has_waiting());
            (!waits || now >= reading.deadline, now)
        });
        if ready {
            return call
                .shared
                .change(|world| take(world, &reading, limit, reader(call), entry));
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(reading.deadline.saturating_sub(now))) => (),
            _ = news.changed() => (),
        }
    }
}

/// From here on the events are forgotten, whatever becomes of the answer.
fn take(
    world: &mut World,
    reading: &Reading,
    limit: usize,
    reader: Option<String>,
    entry: &mut Entry,
) -> Result<Reply, Reply> {
    let most = world.rng.usize(world.settings.batch.clone()).min(limit);
    let feed = reading.of(world).ok_or_else(unknown_feed)?;
    let Some(taken) = feed.take(most, reader) else {
        return Ok(Reply::no_content());
    };
    entry.carry(&reading.feed, taken.hand_out);
    Ok(Reply::json(200, render::list(&taken.events)))
}

/// Whom the client says it is: for a test that has to know which of several has got an event.
fn reader(call: &Call) -> Option<String> {
    let named = call.headers.get("x-reader")?;
    Some(String::from_utf8_lossy(named.as_bytes()).into_owned())
}

/// How many events the client wants at most.
fn limit(call: &Call) -> Result<usize, Reply> {
    let given = form_urlencoded::parse(call.query.as_bytes()).find(|(name, _)| name == "limit");
    match given {
        None => Ok(usize::MAX),
        Some((_, text)) => match text.parse() {
            Ok(limit) if limit > 0 => Ok(limit),
            _ => Err(Reply::error(400, "The limit is not a number of 1 or more")),
        },
    }
}
