//! Datafeed 2: find, create and read a queue that the service keeps.
//!
//! Facts from the public OpenAPI description of the agent (25.8.1), `/agent/v5/datafeeds`.

use serde_json::Value;
use ureq::http::Method;

use super::Answer;
use super::agent::AgentApi;
use super::read::{Asked, Reading};
use super::trouble::Trouble;
use crate::batch::Form;
use crate::clock::wall_clock_millis;
use crate::net::MaxBody;

/// A feed of this account, as the agent lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FeedId {
    pub(crate) id: String,
    /// As the agent says it; agents that do not say give nothing.
    pub(crate) created_at: Option<u64>,
}

impl AgentApi {
    /// The account's own feeds, with the configured tag if there is one, the oldest first: every instance sees the same
    /// order, also where feeds are equally old or the agent does not tell how old they are.
    pub(crate) fn list(&self) -> Result<Answer<Vec<FeedId>>, Trouble> {
        let what = || format!("listing the feeds at {}", self.url());
        let uri = self.node().uri(&self.list_path)?;
        let (reply, trace_id) = self.call(Method::GET, &uri, None, MaxBody::Short, what)?;
        if reply.status != 200 {
            return Err(Trouble::status(what(), trace_id, &reply, &self.sent()));
        }
        let Ok(Value::Array(listed)) = serde_json::from_slice(&reply.body) else {
            return Err(Trouble::malformed(
                what(),
                trace_id,
                &reply,
                self.sent(),
                "it is no JSON list",
            ));
        };
        let mut feeds: Vec<FeedId> = listed.iter().filter_map(FeedId::from_listed).collect();
        feeds.sort_unstable_by(|one, other| one.rank().cmp(&other.rank()));
        Ok(Answer { value: feeds, trace_id })
    }

    pub(crate) fn create(&self) -> Result<Answer<FeedId>, Trouble> {
        let what = || format!("creating a feed at {}", self.url());
        let uri = self.node().uri("/agent/v5/datafeeds")?;
        let body = Some(self.create_body.as_str());
        let asked = wall_clock_millis();
        // A second create would leave a feed that nobody reads.
        let (reply, trace_id) = self.call_if(false, Method::POST, &uri, body, MaxBody::Short, what)?;
        if reply.status != 201 && reply.status != 200 {
            return Err(Trouble::status(what(), trace_id, &reply, &self.sent()));
        }
        let created = serde_json::from_slice(&reply.body).unwrap_or_default();
        match FeedId::from_created(&created, asked) {
            Some(value) => Ok(Answer { value, trace_id }),
            None => Err(Trouble::malformed(
                what(),
                trace_id,
                &reply,
                self.sent(),
                "it holds no usable id of a feed",
            )),
        }
    }

    /// Deletes a feed, with whatever is in it.
    pub(crate) fn delete(&self, feed: &str) -> Result<(), Trouble> {
        let uri = self.node().feed_uri("/agent/v5/datafeeds/", feed, "")?;
        let what = || format!("deleting a feed at {}", self.url());
        let (reply, trace_id) = self.call(Method::DELETE, &uri, None, MaxBody::Short, what)?;
        match reply.status {
            200 | 204 => Ok(()),
            _ => Err(Trouble::status(what(), trace_id, &reply, &self.sent())),
        }
    }

    /// The long poll: waits at the service until there are events or its time is over. `ack_id` acknowledges the
    /// batch that it came with; `""` acknowledges nothing.
    pub(crate) fn read(&self, feed: &str, ack_id: &str) -> Result<Asked, Trouble> {
        let body = format!("{{\"ackId\":{}}}", Value::from(ack_id));
        Ok(self.ask(Reading {
            method: Method::POST,
            uri: self.node().feed_uri("/agent/v5/datafeeds/", feed, "/read")?,
            body: Some(&body),
            form: Form::Batch,
            noun: "feed",
            repeatable: true,
        }))
    }
}

impl FeedId {
    /// Whether the agent told when it was created.
    pub(crate) fn has_date(&self) -> bool {
        self.created_at.is_some()
    }

    /// The smallest is the oldest.
    fn rank(&self) -> (u64, &str) {
        (self.created_at.unwrap_or(u64::MAX), &self.id)
    }

    /// Datahoses and whatever else the list may hold are not for us: they have another type, or an id of another form.
    fn from_listed(listed: &Value) -> Option<FeedId> {
        let id = listed.get("id")?.as_str()?;
        let kind = listed.get("type").and_then(Value::as_str);
        let of_ours = kind.is_none_or(|kind| kind.eq_ignore_ascii_case("fanout")) && is_fanout_id(id);
        (of_ours && is_usable(id)).then(|| FeedId {
            id: id.to_owned(),
            created_at: listed.get("createdAt").and_then(Value::as_u64),
        })
    }

    fn from_created(created: &Value, asked: u64) -> Option<FeedId> {
        let id = created.get("id")?.as_str().filter(|id| is_usable(id))?;
        Some(FeedId {
            id: id.to_owned(),
            // Nothing older is in it.
            created_at: Some(asked),
        })
    }
}

/// It goes into an address. Real ones have about 40 characters.
pub(crate) fn is_usable(id: &str) -> bool {
    !id.is_empty() && id.len() <= 200 && !id.contains(char::is_control)
}

/// `371f465fb97b5d1027d20a5e7085863a_f` or `e766c498eece0d113f035270ad6c3c63_f_f8001`.
fn is_fanout_id(id: &str) -> bool {
    let mut parts = id.split('_');
    let hash = parts.next().unwrap_or_default();
    let kind = parts.next();
    let rest: Vec<&str> = parts.collect();
    !id.contains(char::is_whitespace)
        && !hash.is_empty()
        && kind == Some("f")
        && rest.len() <= 1
        && rest.iter().all(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_oldest_comes_first_and_every_instance_agrees_on_it() {
        let feed = |id: &str, created_at: Option<u64>| FeedId {
            id: id.into(),
            created_at,
        };
        let order = [
            feed("z_f", Some(1)),
            feed("a_f", Some(2)),
            feed("b_f", Some(2)),
            feed("a_f", None),
            feed("b_f", None),
        ];
        for (place, one) in order.iter().enumerate() {
            for (other_place, other) in order.iter().enumerate() {
                assert_eq!(one.rank().cmp(&other.rank()), place.cmp(&other_place));
            }
        }
    }

    #[test]
    fn only_fanout_feeds_are_ours() {
        for (listed, ours) in [
            (
                json!({"id": "371f465fb97b5d1027d20a5e7085863a_f", "type": "fanout"}),
                true,
            ),
            (
                json!({"id": "e766c498eece0d113f035270ad6c3c63_f_f8001", "type": "fanout"}),
                true,
            ),
            (json!({"id": "371f465fb97b5d1027d20a5e7085863a_f"}), true),
            (
                json!({"id": "371f465fb97b5d1027d20a5e7085863a_p_be940", "type": "datahose"}),
                false,
            ),
            (
                json!({"id": "371f465fb97b5d1027d20a5e7085863a_p_be940", "type": "fanout"}),
                false,
            ),
            (
                json!({"id": "371f465fb97b5d1027d20a5e7085863a_f", "type": "datahose"}),
                false,
            ),
            (
                json!({"id": "b9e1c8a4-4b1e-4a4f-8a53-24d0e4c2f3d1", "type": "fanout"}),
                false,
            ),
            (json!({"id": "_f", "type": "fanout"}), false),
            (json!({"id": "a_f_", "type": "fanout"}), false),
            (json!({"id": "a b_f", "type": "fanout"}), false),
            (json!({"id": 7, "type": "fanout"}), false),
            (json!(null), false),
        ] {
            assert_eq!(FeedId::from_listed(&listed).is_some(), ours, "{listed}");
        }
    }
}
