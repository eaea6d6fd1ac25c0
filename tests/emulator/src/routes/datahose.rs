//! The agent's endpoint for the datahose: every event of the pod of the types that are asked for.

use serde::Deserialize;

use super::{Call, auth, input, poll};
use crate::entry::Entry;
use crate::feeds::Filter;
use crate::reply::Reply;

const LONGEST_TAG: usize = 80;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    #[serde(rename = "type")]
    kind: Option<String>,
    tag: Option<String>,
    #[serde(default)]
    event_types: Vec<String>,
    #[serde(default)]
    scopes: Vec<String>,
    ack_id: Option<String>,
    #[serde(rename = "updatePresence")]
    _update_presence: Option<bool>,
}

/// There is nothing to create: clients share a feed when they ask for the same.
pub async fn read(call: &Call, entry: &mut Entry) -> Result<Reply, Reply> {
    auth::check_tokens(call)?;
    let body: Read = input::object(call)?;
    if !call.shared.look(|world| world.settings.datahose_entitled) {
        return Err(Reply::error(403, "This account is not entitled to the datahose"));
    }
    let tag = check(&body).map_err(|message| Reply::error(400, message))?;
    let filter = Filter::new(body.event_types, body.scopes);
    poll::read(call, entry, body.ack_id, |world, now| {
        Ok(world.feeds.datahose(tag, filter, now))
    })
    .await
}

/// The tag, when the request makes sense.
fn check(body: &Read) -> Result<String, &'static str> {
    if body.kind.as_deref() != Some("datahose") {
        return Err("The type is not datahose");
    }
    let tag = body.tag.clone().unwrap_or_default();
    if !(1..=LONGEST_TAG).contains(&tag.chars().count()) {
        return Err("The tag is not of 1 to 80 characters");
    }
    match body.event_types.is_empty() {
        true => Err("The eventTypes are missing"),
        false => Ok(tag),
    }
}
