//! Datafeed 1 and its firehose: a feed at one node of the agent, which forgets what it has handed out.
//!
//! Facts from the public OpenAPI description of the agent (25.8.1), `/agent/v4/datafeed`; the firehose's two endpoints are
//! those of old clients, with the same shapes.

use serde_json::Value;
use ureq::http::Method;

use super::Answer;
use super::agent::AgentApi;
use super::datafeed2::is_usable;
use super::read::{Asked, Reading};
use super::trouble::Trouble;
use crate::batch::Form;
use crate::config::Datafeed1;
use crate::net::MaxBody;

/// Under which path a feed is.
fn path(settings: &Datafeed1) -> &'static str {
    if settings.firehose {
        "/agent/v4/firehose/"
    } else {
        "/agent/v4/datafeed/"
    }
}

impl AgentApi {
    /// Makes a feed; answers its id. There is no way to list or delete one.
    pub(crate) fn create_first(&self, settings: &Datafeed1) -> Result<Answer<String>, Trouble> {
        let what = || format!("creating a feed at {}", self.url());
        let uri = self.node().uri(&format!("{}create", path(settings)))?;
        let (reply, trace_id) = self.call_if(false, Method::POST, &uri, None, MaxBody::Short, what)?;
        match reply.status {
            200 | 201 => {}
            503 => {
                let trouble = Trouble::status(what(), trace_id, &reply, &self.sent());
                return Err(trouble.explained(
                    "the agent has as many feeds of Datafeed 1 as it can; they go when nobody reads them, or \
                     datafeed.version can be v2",
                ));
            }
            _ => return Err(Trouble::status(what(), trace_id, &reply, &self.sent())),
        }
        let created: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        match created.get("id").and_then(Value::as_str).filter(|id| is_usable(id)) {
            Some(id) => Ok(Answer {
                value: id.to_owned(),
                trace_id,
            }),
            None => {
                let reason = "it holds no usable id of a feed";
                Err(Trouble::malformed(what(), trace_id, &reply, self.sent(), reason))
            }
        }
    }

    /// The long poll. What it brings is gone from the service.
    pub(crate) fn read_first(&self, settings: &Datafeed1, feed: &str) -> Result<Asked, Trouble> {
        let after = match settings.limit {
            None => "/read".to_owned(),
            Some(limit) => format!("/read?limit={limit}"),
        };
        Ok(self.ask(Reading {
            method: Method::GET,
            uri: self.node().feed_uri(path(settings), feed, &after)?,
            body: None,
            form: Form::List,
            noun: "feed",
            // What a lost answer held is lost, which the bot is to be told.
            repeatable: false,
        }))
    }
}
