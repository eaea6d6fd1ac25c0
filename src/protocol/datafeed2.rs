//! Datafeed 2: find, create and read a queue that the service keeps.
//!
//! Facts from the public OpenAPI description of the agent (25.8.1), `/agent/v5/datafeeds`.

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use ureq::http::{HeaderName, HeaderValue, Method, Uri};

use super::login::{Tokens, parse_uri};
use super::trace;
use super::trouble::Trouble;
use crate::batch::Batch;
use crate::config::Config;
use crate::error::Error;
use crate::net::{Cutoff, Http, Progress, Reply, Request};

/// A feed of this account, as the agent lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FeedId {
    pub(crate) id: String,
    /// As the agent says it; agents that do not say give nothing.
    created_at: Option<u64>,
}

/// What a read brought.
pub(crate) struct ReadAnswer {
    pub(crate) batch: Batch,
    pub(crate) trace_id: String,
}

/// The agent's datafeed endpoints.
pub(crate) struct AgentApi {
    http: Http,
    base_url: String,
    list_uri: Uri,
    create_uri: Uri,
    create_body: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The feed last read and its address, which is parsed once.
    read_uri: Option<(String, Uri)>,
    identity_seed: u64,
}

impl AgentApi {
    pub(crate) fn new(config: &Config, cutoff: &Arc<Cutoff>) -> Result<AgentApi, Error> {
        let base_url = config.agent.base_url.clone();
        let feeds = format!("{base_url}/agent/v5/datafeeds");
        let query = config
            .tag
            .as_ref()
            .map_or_else(String::new, |tag| format!("?tag={}", percent_encode(tag)));
        let mut create = Map::new();
        if let Some(tag) = &config.tag {
            create.insert("tag".into(), json!(tag));
        }
        if let Some(include) = config.include_invisible {
            create.insert("includeInvisible".into(), json!(include));
        }
        Ok(AgentApi {
            http: Http::new(&config.agent, cutoff, config.max_response_bytes),
            list_uri: parse_uri(&format!("{feeds}{query}"))?,
            create_uri: parse_uri(&feeds)?,
            create_body: Value::Object(create).to_string(),
            base_url,
            headers: Vec::new(),
            read_uri: None,
            identity_seed: fastrand::u64(..),
        })
    }

    /// Requests carry these tokens from now on.
    pub(crate) fn use_tokens(&mut self, tokens: &Tokens) {
        self.headers = tokens.headers();
    }

    pub(crate) fn progress(&self) -> &Arc<Progress> {
        self.http.progress()
    }

    /// The account's own feeds, with the configured tag if there is one, the oldest first.
    pub(crate) fn list(&self) -> Result<Vec<FeedId>, Trouble> {
        let what = || format!("listing the feeds at {}", self.base_url);
        let (reply, trace_id) = self.call(Method::GET, &self.list_uri, None, what)?;
        if reply.status != 200 {
            return Err(Trouble::status(what(), trace_id, &reply, &self.secrets()));
        }
        let Ok(Value::Array(listed)) = serde_json::from_slice(&reply.body) else {
            return Err(Trouble::malformed(what(), trace_id, "it is no JSON list".to_owned()));
        };
        let mut feeds: Vec<FeedId> = listed.iter().filter_map(FeedId::from_listed).collect();
        feeds.sort_by_key(|feed| feed.created_at.unwrap_or(u64::MAX));
        Ok(feeds)
    }

    pub(crate) fn create(&self) -> Result<FeedId, Trouble> {
        let what = || format!("creating a feed at {}", self.base_url);
        let (reply, trace_id) = self.call(Method::POST, &self.create_uri, Some(&self.create_body), what)?;
        if reply.status != 201 && reply.status != 200 {
            return Err(Trouble::status(what(), trace_id, &reply, &self.secrets()));
        }
        serde_json::from_slice(&reply.body)
            .ok()
            .and_then(|created: Value| FeedId::from_created(&created))
            .ok_or_else(|| Trouble::malformed(what(), trace_id, "it holds no usable id of a feed".to_owned()))
    }

    /// The long poll: waits at the service until there are events or its time is over. `ack_id` acknowledges the
    /// batch that it came with; `""` acknowledges nothing.
    pub(crate) fn read(&mut self, feed: &str, ack_id: &str) -> Result<ReadAnswer, Trouble> {
        let what = || format!("reading the feed from {}", self.base_url);
        let body = format!("{{\"ackId\":{}}}", Value::from(ack_id));
        let uri = match &self.read_uri {
            Some((known, uri)) if known == feed => uri.clone(),
            _ => {
                let text = format!("{}/agent/v5/datafeeds/{}/read", self.base_url, percent_encode(feed));
                let uri = text
                    .parse::<Uri>()
                    .map_err(|error| Trouble::malformed(what(), String::new(), error.to_string()))?;
                self.read_uri = Some((feed.to_owned(), uri.clone()));
                uri
            }
        };
        let (reply, trace_id) = self.call(Method::POST, &uri, Some(&body), what)?;
        let batch = match reply.status {
            200 => Batch::parse(reply.body, self.identity_seed).map_err(|malformed| {
                let reason = format!("at byte {} it should have {}", malformed.at, malformed.expected);
                Trouble::malformed(what(), trace_id.clone(), reason)
            })?,
            204 => Batch::empty(),
            _ => return Err(Trouble::status(what(), trace_id, &reply, &self.secrets())),
        };
        Ok(ReadAnswer { batch, trace_id })
    }

    /// What was sent that no error may repeat, should the service quote it.
    fn secrets(&self) -> Vec<&str> {
        self.headers
            .iter()
            .filter_map(|(_, value)| value.to_str().ok())
            .collect()
    }

    fn call(
        &self,
        method: Method,
        uri: &Uri,
        body: Option<&str>,
        what: impl Fn() -> String,
    ) -> Result<(Reply, String), Trouble> {
        let trace_id = trace::new_id();
        // A second create would leave a feed that nobody reads.
        let repeatable = method == Method::GET || *uri != self.create_uri;
        let request = Request {
            method,
            uri,
            headers: &self.headers,
            body,
            trace_id: &trace_id,
            repeatable,
        };
        match self.http.call(&request) {
            Ok(reply) => Ok((reply, trace_id)),
            Err(failure) => Err(Trouble::no_answer(what(), trace_id, failure)),
        }
    }
}

impl FeedId {
    /// Datahoses and whatever else the list may hold are not for us: they have another type, or an id of another form.
    fn from_listed(listed: &Value) -> Option<FeedId> {
        let id = listed.get("id")?.as_str()?;
        let kind = listed.get("type").and_then(Value::as_str);
        let of_ours = kind.is_none_or(|kind| kind.eq_ignore_ascii_case("fanout")) && is_fanout_id(id);
        of_ours.then(|| FeedId {
            id: id.to_owned(),
            created_at: listed.get("createdAt").and_then(Value::as_u64),
        })
    }

    fn from_created(created: &Value) -> Option<FeedId> {
        let id = created.get("id")?.as_str().filter(|id| !id.is_empty())?;
        Some(FeedId {
            id: id.to_owned(),
            created_at: None,
        })
    }
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

/// Everything but RFC 3986's unreserved characters is encoded in a path segment or a query value.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn tags_are_encoded_for_the_query() {
        assert_eq!(percent_encode("desk 1/é&x=y"), "desk%201%2F%C3%A9%26x%3Dy");
    }
}
