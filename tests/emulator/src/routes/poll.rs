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
    let (feed, deadline, outlives) = call.shared.change(|world| {
        let now = world.settle();
        let feed = find(world, now)?;
        acknowledge(world, &feed, &ack_id.unwrap_or_default())?;
        world.feeds.touch(&feed, now);
        entry.show_in(&mut world.requests);
        let deadline = now.saturating_add(millis(world.settings.poll));
        Ok::<_, Reply>((feed, deadline, world.settings.abandoned_reads_take))
    })?;
    let waiting = wait_for_events(call.shared.clone(), feed, deadline);
    if !outlives {
        return waiting.await;
    }
    // A task of its own goes on when the client has left, and takes what comes.
    tokio::spawn(waiting)
        .await
        .unwrap_or_else(|_| Err(Reply::error(500, "The read has failed")))
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
