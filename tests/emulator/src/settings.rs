//! How an emulator behaves. Everything here but the address, the certificate and the bot can be changed while it runs.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::certificates::Certificate;

/// The behaviour of one emulator. `Settings::default()` is the documented behaviour of the service.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Serve over HTTPS only, with this certificate. The control interface is then on a port of its own, in plain HTTP.
    pub tls: Option<Certificate>,
    /// With `tls`, serve everything in plain HTTP besides, on the port of the control interface: for a bot that logs in
    /// by certificate and reads the agent in plain.
    pub plain_too: bool,
    /// With `tls`, the port of the control interface on 127.0.0.1; 0 takes a free one.
    pub control_port: u16,
    /// How many agents (nodes) serve the same account, each at a port of its own: the feeds of Datafeed 2 are to be had at
    /// any, those of Datafeed 1 at the one that made them.
    pub agents: usize,
    /// The bot's username: the `sub` of its login tokens.
    pub username: String,
    /// A base path before every path of the service, such as `/my-context`; empty for none.
    pub context: String,
    /// How long a read without events waits.
    pub poll: Duration,
    /// How long events that were read stay hidden before they come back.
    pub visibility_timeout: Duration,
    /// How long a feed lives without a read.
    pub feed_ttl: Duration,
    /// How long a session token or key manager token is good for.
    pub session_ttl: Duration,
    /// How many datafeeds may exist; one more is answered 403. Foreign entries do not count.
    pub max_feeds: usize,
    /// How many feeds of Datafeed 1 and its firehose may exist; one more is answered 503.
    pub v1_max_feeds: usize,
    /// How many events may wait in a feed of Datafeed 1; one more, and the feed expires.
    pub v1_capacity: usize,
    /// The same for a feed of the firehose.
    pub firehose_capacity: usize,
    /// Whether feeds of Datafeed 1 that are created are served from Datafeed 2. The firehose is not.
    pub bridge: bool,
    /// Whether the account may read the datahose; it is answered 403 otherwise.
    pub datahose_entitled: bool,
    /// How many events a read returns at most: drawn anew for each read.
    pub batch: RangeInclusive<usize>,
    /// The seed of everything that is drawn.
    pub seed: u64,
    /// In which order waiting events are handed out.
    pub order: Order,
    /// How a read without events is answered.
    pub empty_read: EmptyRead,
    /// What a well-formed ackId that removes nothing does.
    pub stale_ack: StaleAck,
    /// Whether a read that the client has left still takes the events that arrive within its poll time.
    pub abandoned_reads_take: bool,
    /// How the answer to a read is laid out.
    pub layout: Layout,
    /// Whether the list of feeds shows `createdAt`.
    pub created_at: bool,
    /// `createdAt` is shown in whole steps of this, rounded down.
    pub created_at_step: Duration,
    /// The list of feeds shows what was there so long ago: drawn anew for each list.
    pub list_stale: RangeInclusive<Duration>,
    /// The bot's public key as PEM. `None`: the emulator makes a pair, and its configuration holds the private key.
    pub public_key_pem: Option<String>,
    /// Whether the agent asks for the key manager token besides the session token.
    pub require_key_manager_token: bool,
    /// Whether the session token is enough: it then claims `canUseSimplifiedKeyDelivery`, and the agent does not ask for
    /// the key manager token.
    pub simplified_key_delivery: bool,
    /// Whether the pod gives out the common JWT, which the agent then takes in place of the session token.
    pub common_jwt: bool,
    /// How long a common JWT is good for.
    pub common_jwt_ttl: Duration,
    /// Whether `exp` of a login token is judged by the emulator's moved clock, which the `Date` of every answer then
    /// shows. By default it is judged by the
    /// wall clock: a client cannot see that [`advance`](crate::Emulator::advance) was called, and its tokens
    /// would all be expired after a move of five minutes.
    pub logins_follow_clock: bool,
    /// Of a hundred requests to an RSA login, the list, create, read or the datahose, so many go wrong at random; 0 is none.
    pub chaos: f64,
    /// How long a random fault keeps a client waiting at most.
    pub chaos_pause: Duration,
    /// A header that every request to the service must carry, by name and value, as a gateway before it asks for; without it
    /// a request is answered 401.
    pub gateway_header: Option<(String, String)>,
    /// What `GET /agent/v1/info` calls the agent's version. Left at its default, it is `Agent-24.12.0` with
    /// `simplified_key_delivery`.
    pub agent_version: String,
    /// What `GET /agent/v1/info` answers as `serverFqdn`. `None`: where the emulator is, without a context.
    pub server_fqdn: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            port: 0,
            tls: None,
            plain_too: false,
            control_port: 0,
            agents: 1,
            username: "emulator-bot".into(),
            context: String::new(),
            poll: Duration::from_secs(30),
            visibility_timeout: Duration::from_secs(30),
            feed_ttl: Duration::from_secs(30 * 60),
            session_ttl: Duration::from_secs(14 * 24 * 60 * 60),
            max_feeds: 20,
            v1_max_feeds: 100,
            v1_capacity: 250,
            firehose_capacity: 500,
            bridge: false,
            datahose_entitled: true,
            batch: 100..=100,
            seed: 1,
            order: Order::Fifo,
            empty_read: EmptyRead::List,
            stale_ack: StaleAck::Ignore,
            abandoned_reads_take: true,
            layout: Layout::Compact,
            created_at: true,
            created_at_step: Duration::from_millis(1),
            list_stale: Duration::ZERO..=Duration::ZERO,
            public_key_pem: None,
            require_key_manager_token: true,
            simplified_key_delivery: false,
            common_jwt: false,
            common_jwt_ttl: Duration::from_secs(5 * 60),
            logins_follow_clock: false,
            gateway_header: None,
            chaos: 0.0,
            chaos_pause: Duration::from_secs(2),
            agent_version: DEFAULT_VERSION.into(),
            server_fqdn: None,
        }
    }
}

const DEFAULT_VERSION: &str = "Agent-24.1.0";

impl Settings {
    /// What the agent calls itself. Simplified key delivery came with 24.12.
    pub(crate) fn version(&self) -> &str {
        match self.simplified_key_delivery && self.agent_version == DEFAULT_VERSION {
            true => "Agent-24.12.0",
            false => &self.agent_version,
        }
    }

    /// Whether an emulator can behave so; if not, the reason names the field.
    pub(crate) fn check(&self) -> Result<(), String> {
        let context = self.context.as_str();
        if !context.is_empty() && (!context.starts_with('/') || context.ends_with('/')) {
            return Err("context: it begins with a slash and does not end with one".into());
        }
        if context == "/emulator" || context.starts_with("/emulator/") {
            return Err("context: /emulator is the control interface".into());
        }
        if self.plain_too && self.tls.is_none() {
            return Err("plain_too: there is nothing but plain HTTP without tls".into());
        }
        if self.agents == 0 {
            return Err("agents: there is 1 or more".into());
        }
        if *self.batch.start() == 0 || self.batch.is_empty() {
            return Err("batch: it goes from 1 or more to that or more".into());
        }
        if self.created_at_step < Duration::from_millis(1) {
            return Err("created_at_step: it is a millisecond or more".into());
        }
        if self.list_stale.is_empty() {
            return Err("list_stale: it goes from a time to that or more".into());
        }
        if !(0.0..=100.0).contains(&self.chaos) {
            return Err("chaos: it is from 0 to 100".into());
        }
        Ok(())
    }
}

/// In which order waiting events are handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Order {
    /// As they were published; events that come back go to the front.
    Fifo,
    /// Drawn from the seed.
    Shuffled,
}

/// How a read without events is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EmptyRead {
    /// 200 with an empty list and an ackId.
    List,
    /// 204 without a body.
    NoContent,
}

/// What a well-formed ackId does whose lease has lapsed or is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StaleAck {
    /// Nothing; the read goes on.
    Ignore,
    /// The read is answered 400.
    BadRequest,
}

/// How the answer to a read is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Layout {
    /// `{"events":[...],"ackId":"..."}`.
    Compact,
    /// Drawn from the seed: members in any order, white space, unknown members, `null` among the events.
    /// The bytes of each event stay as they were published.
    Varied,
}
