//! The statistics object.

use serde_json::{Value, json};

use crate::shared::{Phase, Shared};

pub(super) fn stats(shared: &Shared) -> Value {
    let state = shared.lock();
    let name = match &state.phase {
        Phase::Running => state.watch.doing.as_str(),
        Phase::Failed(_) => "FAILED",
        Phase::Closed => "CLOSED",
    };
    let counters = state.ledger.counters();
    let trouble = state.watch.latest_trouble.as_ref().map(|(at, error)| {
        let mut object = error.to_json();
        object["at"] = json!(at);
        object
    });
    json!({
        "version": crate::VERSION,
        "state": name,
        "agentUrl": state.watch.agent_url,
        "retryAt": state.watch.retry_at.filter(|_| name == "BACKING_OFF"),
        "feedId": state.watch.feed_id,
        "stream": shared.stream,
        "tag": shared.tag,
        "lastReadAt": state.watch.last_read_at,
        "lastEventAt": state.watch.last_event_at,
        "queued": state.ledger.queued(),
        "held": state.ledger.held(),
        "postponed": state.ledger.postponed(),
        "remembered": state.ledger.remembered(),
        "received": counters.received,
        "filtered": state.watch.filtered,
        "handedOut": counters.handed_out,
        "acknowledged": counters.acknowledged,
        "nacked": counters.nacked,
        "setAside": counters.set_aside,
        "deadLetters": state.ledger.letters(),
        "redelivered": counters.redelivered,
        "confirmed": counters.confirmed,
        "keepAliveReads": counters.keep_alive_reads,
        "forgottenEarly": counters.forgotten_early,
        "logins": state.watch.logins,
        "feedsCreated": state.watch.feeds_created,
        "retries": state.watch.retries.values().sum::<u64>(),
        "retriesByCause": state.watch.retries,
        "clockOffsetSeconds": state.watch.clock_offset,
        "latestTrouble": trouble,
    })
}
