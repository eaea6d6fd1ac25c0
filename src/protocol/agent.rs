//! The agent: its nodes, what requests to it carry, and what it says about itself.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use ureq::http::{HeaderName, HeaderValue, Method, Uri};

use super::node::{Node, percent_encode};
use super::said::Sent;
use super::tokens::Tokens;
use super::trouble::Trouble;
use super::{Answer, base_url, trace};
use crate::batch::Filter;
use crate::config::{Config, NodeOrder, Service, Stream};
use crate::error::Error;
use crate::net::{Cutoff, MaxBody, Reply, Request};

/// The agent's endpoints, at one of its nodes at a time.
pub(crate) struct AgentApi {
    pub(super) nodes: Vec<Node>,
    current: usize,
    order: NodeOrder,
    /// Where the agent, or the load balancer before its nodes, is.
    first: Service,
    cutoff: Arc<Cutoff>,
    /// What lists and creates say of the feed.
    pub(super) list_path: String,
    pub(super) create_body: String,
    /// What a read of the datahose says but for its ackId.
    pub(super) datahose_body: Map<String, Value>,
    pub(super) max_response: MaxBody,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) identity_seed: u64,
    pub(super) filter: Filter,
}

/// What an agent says about itself.
pub(crate) struct AgentInfo {
    /// Year and month of the release, as `Agent-24.12.3` has them.
    release: Option<(u32, u32)>,
    /// Where the node that answered is: an address, or a host.
    pub(crate) server_fqdn: Option<String>,
}

/// From this release on, agents deliver keys to those who have a session alone.
const SIMPLIFIED_KEY_DELIVERY: (u32, u32) = (24, 12);

impl AgentInfo {
    pub(crate) fn delivers_keys(&self) -> bool {
        self.release.is_some_and(|release| release >= SIMPLIFIED_KEY_DELIVERY)
    }

    fn read(answer: &Value) -> AgentInfo {
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        AgentInfo {
            release: text("version").and_then(read_release),
            server_fqdn: text("serverFqdn").filter(|fqdn| !fqdn.is_empty()).map(str::to_owned),
        }
    }
}

/// The first two numbers of a version.
fn read_release(version: &str) -> Option<(u32, u32)> {
    let numbers = version.trim_start_matches(|c: char| !c.is_ascii_digit());
    let mut numbers = numbers.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

impl AgentApi {
    /// `identity_seed` keys the identities of events.
    pub(crate) fn new(config: &Config, cutoff: &Arc<Cutoff>, identity_seed: u64) -> Result<AgentApi, Error> {
        let services = &config.agent.services;
        let nodes: Result<Vec<Node>, Error> = services.iter().map(|service| Node::new(service, cutoff)).collect();
        let tag = config.stream.tag();
        let mut create = Map::new();
        let mut datahose_body = Map::new();
        match &config.stream {
            Stream::Datafeed2 { tag, include_invisible } => {
                if let Some(tag) = tag {
                    create.insert("tag".into(), json!(tag));
                }
                if let Some(include) = include_invisible {
                    create.insert("includeInvisible".into(), json!(include));
                }
            }
            Stream::Datahose(datahose) => {
                datahose_body.insert("type".into(), json!("datahose"));
                datahose_body.insert("tag".into(), json!(datahose.tag));
                datahose_body.insert("eventTypes".into(), json!(datahose.event_types));
                if !datahose.scopes.is_empty() {
                    datahose_body.insert("scopes".into(), json!(datahose.scopes));
                }
            }
            Stream::Datafeed1(_) => {}
        }
        Ok(AgentApi {
            nodes: nodes?,
            current: match config.agent.order {
                NodeOrder::RoundRobin | NodeOrder::External => 0,
                NodeOrder::Random => fastrand::usize(..services.len()),
            },
            order: config.agent.order,
            first: services[0].clone(),
            cutoff: Arc::clone(cutoff),
            list_path: match tag {
                None => "/agent/v5/datafeeds".to_owned(),
                Some(tag) => format!("/agent/v5/datafeeds?tag={}", percent_encode(tag)),
            },
            create_body: Value::Object(create).to_string(),
            datahose_body,
            max_response: MaxBody::Configured(config.max_response_bytes as u64),
            headers: Vec::new(),
            identity_seed,
            filter: Filter::new(&config.filter.event_types),
        })
    }

    /// Requests carry these tokens from now on, and configured headers their values of this moment.
    ///
    /// # Errors
    ///
    /// A file with a header's value that cannot be read: the old value is kept.
    pub(crate) fn use_tokens(&mut self, tokens: &Tokens) -> Result<(), Error> {
        self.headers = tokens.headers();
        let mut result = Ok(());
        for node in &mut self.nodes {
            result = result.and(node.http.read_headers());
        }
        result
    }

    /// Events that this user has caused are left out from now on.
    pub(crate) fn ignore_own(&mut self, user_id: Option<i64>, username: Option<&str>) {
        self.filter.ignore_own(user_id, username);
    }

    pub(super) fn node(&self) -> &Node {
        &self.nodes[self.current]
    }

    /// The base URL of the node that requests go to.
    pub(crate) fn url(&self) -> &str {
        &self.node().base_url
    }

    /// Whether the node to go to has to be asked for first.
    pub(crate) fn needs_node(&self) -> bool {
        self.order == NodeOrder::External && self.current == 0
    }

    /// Whether there is another node to move to.
    pub(crate) fn has_other_nodes(&self) -> bool {
        self.order == NodeOrder::External || self.nodes.len() > 1
    }

    /// Requests go to another node from now on. Answers whether there is one; where a load balancer names it, it has to be
    /// asked again.
    pub(crate) fn move_on(&mut self) -> bool {
        let others = self.nodes.len() - 1;
        let step = match self.order {
            NodeOrder::External => {
                self.nodes.truncate(1);
                return std::mem::take(&mut self.current) > 0;
            }
            _ if others == 0 => return false,
            NodeOrder::RoundRobin => 1,
            NodeOrder::Random => fastrand::usize(1..=others),
        };
        self.current = (self.current + step) % self.nodes.len();
        true
    }

    /// Requests go to the node of this normalized base URL from now on, if it is one of the agent's. Which those are is known, but
    /// where a load balancer names them: there, an address will do that is near the balancer's.
    pub(crate) fn go_to(&mut self, base_url: &str) -> bool {
        if let Some(known) = self
            .nodes
            .iter()
            .position(|node| node.base_url.eq_ignore_ascii_case(base_url))
        {
            self.current = known;
            return true;
        }
        self.order == NodeOrder::External && self.first.is_near(base_url) && self.add_external(base_url)
    }

    /// What the agent says about itself. It asks for no session. Agents too old to say anything say nothing.
    pub(crate) fn info(&self) -> Result<Answer<AgentInfo>, Trouble> {
        let what = || format!("asking the agent at {} about itself", self.url());
        let (reply, trace_id) = self.call(Method::GET, &self.node().info_uri, None, MaxBody::Short, what)?;
        match reply.status {
            200 => {
                let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
                if !answer.is_object() {
                    let reason = "it is no JSON object";
                    return Err(Trouble::malformed(what(), trace_id, &reply, self.sent(), reason));
                }
                Ok(Answer {
                    value: AgentInfo::read(&answer),
                    trace_id,
                })
            }
            404 => Ok(Answer {
                value: AgentInfo::read(&Value::Null),
                trace_id,
            }),
            _ => Err(Trouble::status(what(), trace_id, &reply, &self.sent())),
        }
    }

    /// Asks the load balancer for a node, and goes there.
    pub(crate) fn ask_for_node(&mut self) -> Result<Answer<String>, Trouble> {
        let Answer { value: info, trace_id } = self.info()?;
        let what = format!("asking the agent at {} for a node", self.url());
        let reason = match info.server_fqdn.map(|named| self.add_external(&named)) {
            Some(true) => {
                return Ok(Answer {
                    value: self.url().to_owned(),
                    trace_id,
                });
            }
            Some(false) => {
                "what it names as serverFqdn is no address, or one in plain http, which allowPlaintext would have to allow"
            }
            None => "it names none as serverFqdn",
        };
        Err(Trouble::unusable_node(what, trace_id, reason))
    }

    /// Goes to the node of this address, if it is one, and is to be reached as the load balancer is.
    fn add_external(&mut self, named: &str) -> bool {
        let service = base_url_of(named, &self.first.base_url).and_then(|base_url| self.first.at(&base_url));
        let Some(node) = service.and_then(|service| Node::new(&service, &self.cutoff).ok()) else {
            return false;
        };
        self.nodes.truncate(1);
        self.nodes.push(node);
        self.current = 1;
        true
    }

    pub(super) fn sent(&self) -> Sent<'_> {
        let tokens = self.headers.iter().filter_map(|(_, value)| value.to_str().ok());
        // A bearer token is known with its scheme and without.
        let tokens = tokens.flat_map(|value| [Some(value), value.strip_prefix("Bearer ")].into_iter().flatten());
        Sent {
            service: "agent",
            secrets: tokens.chain(self.node().http.secrets()).collect(),
        }
    }

    pub(super) fn call(
        &self,
        method: Method,
        uri: &Uri,
        body: Option<&str>,
        max_body: MaxBody,
        what: impl Fn() -> String,
    ) -> Result<(Reply, String), Trouble> {
        self.call_if(true, method, uri, body, max_body, what)
    }

    /// Sends a request. `repeatable`: it does no harm if the service handles it twice.
    pub(super) fn call_if(
        &self,
        repeatable: bool,
        method: Method,
        uri: &Uri,
        body: Option<&str>,
        max_body: MaxBody,
        what: impl Fn() -> String,
    ) -> Result<(Reply, String), Trouble> {
        let trace_id = trace::new_id();
        let request = Request {
            method,
            uri,
            headers: &self.headers,
            body,
            trace_id: &trace_id,
            max_body,
            repeatable,
        };
        match self.node().http.call(&request) {
            Ok(reply) => Ok((reply, trace_id)),
            Err(failure) => Err(Trouble::no_answer(what(), trace_id, failure, &self.sent())),
        }
    }
}

/// The base URL of a node that is named by an address or by a host, as seen from the load balancer's own.
fn base_url_of(named: &str, first: &str) -> Option<String> {
    if named.contains("://") {
        return base_url::normalized(named);
    }
    base_url::of_host(named.trim(), first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_named_by_an_address_or_by_a_host() {
        let balancer = "https://lb.example:8443/gateway";
        for (named, expected) in [
            ("https://agent-1.example", Some("https://agent-1.example:443")),
            ("agent-1.example", Some("https://agent-1.example:8443/gateway")),
            ("nowhere at all", None),
        ] {
            assert_eq!(base_url_of(named, balancer).as_deref(), expected, "{named}");
        }
    }

    #[test]
    fn keys_are_delivered_from_a_release_on() {
        for (version, delivers) in [
            ("Agent-24.12.0", true),
            ("Agent-24.12", true),
            ("Agent-25.1.0-1234", true),
            ("24.12", true),
            ("Agent-24.11.9", false),
            ("Agent-20.14.1", false),
            ("Agent", false),
            ("", false),
        ] {
            let info = AgentInfo::read(&json!({ "version": version }));
            assert_eq!(info.delivers_keys(), delivers, "{version}");
        }
    }
}
