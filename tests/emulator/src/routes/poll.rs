//! The read of a queue, of a datafeed or a datahose: the ackId is used, then it waits and takes.

use std::sync::Arc;

use tokio::time::Duration;

use super::Call;
use crate::clock::{Millis, millis};
use crate::entry::Entry;
use crate::queue::Ack;
use crate::render;
use crate::reply::Reply;
use crate::settings::{EmptyRead, StaleAck};
use crate::shared::{Shared, World};

pub fn unknown_feed() -> Reply {
    Reply::error(400, "Could not find a datafeed with the provided id")
}

/// `find` says which feed is read.
pub async fn read(
    call: &Call,
    entry: &mut Entry,
    ack_id: Option<String>,
    find: impl FnOnce(&mut World, Millis) -> Result<String, Reply>,
) -> Result<Reply, Reply> {
    entry.set_ack_id(ack_id.clone());
    let (reading, outlives) = call.shared.change(|world| {
        let now = world.settle();
        let feed = find(world, now)?;
        acknowledge(world, &feed, &ack_id.unwrap_or_default())?;
        let reading = Reading::begin(world, entry, feed, None);
        Ok::<_, Reply>((reading, world.settings.abandoned_reads_take))
    })?;
    let waiting = reading.finish(call.shared.clone());
    if !outlives {
        return waiting.await;
    }
    // A task of its own goes on when the client has left, and takes what comes.
    tokio::spawn(waiting)
        .await
        .unwrap_or_else(|_| Err(Reply::error(500, "The read has failed")))
}

/// The read of a client of Datafeed 1. It sends no ackId: what was read is acknowledged by the next read. So nothing
/// is taken when it leaves while it waits, as on Datafeed 1.
pub async fn read_by_bridge(call: &Call, entry: &mut Entry, limit: usize) -> Result<Reply, Reply> {
    let id = &call.named;
    let reading = call.shared.change(|world| {
        world.settle();
        let feed = world.bridge.feed(id).ok_or_else(unknown_feed)?.to_owned();
        let queue = world.feeds.queue(&feed).ok_or_else(unknown_feed)?;
        for ack_id in world.bridge.release(id) {
            queue.acknowledge(&ack_id);
        }
        let bridge = (id.clone(), limit);
        Ok::<_, Reply>(Reading::begin(world, entry, feed, Some(bridge)))
    })?;
    reading.finish(call.shared.clone()).await
}

fn acknowledge(world: &mut World, feed: &str, ack_id: &str) -> Result<(), Reply> {
    let queue = world.feeds.queue(feed).ok_or_else(unknown_feed)?;
    if ack_id.is_empty() {
        return Ok(());
    }
    match (queue.acknowledge(ack_id), world.settings.stale_ack) {
        (Ack::Live, _) | (Ack::Stale, StaleAck::Ignore) => Ok(()),
        (Ack::Stale, StaleAck::BadRequest) => Err(Reply::error(400, "The ackId is unknown or has expired")),
        (Ack::Malformed, _) => Err(Reply::error(400, "The ackId is malformed")),
    }
}

/// A read that waits.
struct Reading {
    feed: String,
    deadline: Millis,
    /// For a client of Datafeed 1: the id that it knows, and how many events it wants at most.
    bridge: Option<(String, usize)>,
}

impl Reading {
    fn begin(world: &mut World, entry: &mut Entry, feed: String, bridge: Option<(String, usize)>) -> Reading {
        let now = world.clock.now();
        world.feeds.touch(&feed, now);
        entry.show_in(&mut world.requests);
        Reading {
            feed,
            deadline: now.saturating_add(millis(world.settings.poll)),
            bridge,
        }
    }

    async fn finish(self, shared: Arc<Shared>) -> Result<Reply, Reply> {
        let mut news = shared.subscribe();
        loop {
            news.borrow_and_update();
            let (ready, now) = shared.look(|world| {
                let now = world.settle();
                let ready = match world.feeds.queue(&self.feed) {
                    Some(queue) => queue.has_waiting() || now >= self.deadline,
                    None => true,
                };
                (ready, now)
            });
            if ready && let Some(result) = shared.change(|world| self.take(world)) {
                return result;
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(self.deadline.saturating_sub(now))) => (),
                _ = news.changed() => (),
            }
        }
    }

    /// The answer, when there are events or the time is over. `None`: another reader was faster.
    fn take(&self, world: &mut World) -> Option<Result<Reply, Reply>> {
        let now = world.settle();
        let World {
            feeds,
            bridge,
            settings,
            rng,
            ..
        } = world;
        let Some(queue) = feeds.queue(&self.feed) else {
            return Some(Err(unknown_feed()));
        };
        let empty = !queue.has_waiting();
        if empty && now < self.deadline {
            return None;
        }
        if empty && (settings.empty_read == EmptyRead::NoContent || self.bridge.is_some()) {
            return Some(Ok(Reply::no_content()));
        }
        let limit = self.bridge.as_ref().map_or(usize::MAX, |(_, limit)| *limit);
        let most = rng.usize(settings.batch.clone()).min(limit);
        let until = now.saturating_add(millis(settings.visibility_timeout));
        let batch = queue.take(most, until, settings.order, rng);
        let Some((id, _)) = &self.bridge else {
            let body = render::read_body(&batch, settings.layout, rng);
            return Some(Ok(Reply::json(200, body)));
        };
        let body = render::list(&batch.events);
        bridge.keep(id, batch.ack_id);
        Some(Ok(Reply::json(200, body)))
    }
}
