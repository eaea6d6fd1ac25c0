//! Doors for the project's own tests and fuzz targets. Not part of the interface; anything here may change.

use std::sync::Arc;
use std::time::Duration;

use crate::batch::{Batch, Filter, Form};
use crate::ffi::handle::datafeed;
use crate::net::Cutoff;
use crate::protocol::{AgentApi, Tokens};
use crate::{Config, Error};

/// Moves the time of the feed behind this handle forward and lets its threads look at it. Answers whether it is one.
pub fn advance_clock(handle: *const datafeed, by: Duration) -> bool {
    let Some(feed) = crate::ffi::feed_of(handle) else {
        return false;
    };
    feed.advance_clock(by);
    true
}

/// What a read brings: the events' texts and the ackId.
pub type Found = (Vec<String>, Option<String>);

/// Splits the answer to a read as a feed does, or nothing if it is refused.
pub fn split_body(body: &[u8]) -> Option<Found> {
    Batch::parse(body.to_vec(), Form::Batch, 0, &Filter::default())
        .ok()
        .map(found)
}

/// Reads once from the agent of this configuration, with this token for both services, over a connection of its own.
pub fn read_once(config: &Config, token: &str) -> Result<Found, Error> {
    let cutoff = Arc::new(Cutoff::new().expect("a descriptor"));
    let mut agent = AgentApi::new(config, &cutoff, 0)?;
    agent.use_tokens(&Tokens {
        session: token.to_owned(),
        key_manager: Some(token.to_owned()),
        common_jwt: None,
    })?;
    let answer = agent.read("feed", "").and_then(|mut asked| agent.wait_for(&mut asked));
    Ok(found(answer.map_err(|trouble| trouble.to_error())?.value))
}

fn found(batch: Batch) -> Found {
    let batch = Arc::new(batch);
    let events = batch.events().map(|(_, event)| event.as_str().to_owned()).collect();
    (events, batch.ack_id().map(str::to_owned))
}

/// The names of the policy's rows.
pub fn policy_rules() -> Vec<&'static str> {
    crate::policy::TABLE.iter().map(|row| row.rule).collect()
}

/// The path of every setting that is asked for when this configuration is read: `*` stands for a name that anybody may
/// choose, `[]` for the items of a list. All of them need every section and an item in every list.
pub fn known_settings(config: &str) -> Result<std::collections::BTreeSet<String>, Error> {
    Config::known_settings(config)
}
