//! Things that go wrong on request.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use hyper::header::HeaderValue;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Something that goes wrong with the next requests to an endpoint. Faults of one endpoint wait in a line:
/// the second begins when the first was used up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    pub endpoint: Endpoint,
    /// To how many requests it happens; 0 is none.
    #[serde(default = "once")]
    pub times: u32,
    pub action: FaultAction,
    /// `false`: it happens instead of handling the request. `true`: the request takes its effect, and then it
    /// happens to the answer.
    #[serde(default)]
    pub after: bool,
}

fn once() -> u32 {
    1
}

/// What a fault can happen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Endpoint {
    /// `POST /login/pubkey/authenticate`
    SessionLogin,
    /// `POST /relay/pubkey/authenticate`
    KeyManagerLogin,
    /// `POST /sessionauth/v1/authenticate`
    CertificateSessionLogin,
    /// `POST /keyauth/v1/authenticate`
    CertificateKeyManagerLogin,
    /// `POST /login/idm/tokens`
    CommonJwt,
    /// `GET /agent/v5/datafeeds`
    List,
    /// `POST /agent/v5/datafeeds`
    Create,
    /// `POST /agent/v5/datafeeds/{id}/read`
    Read,
    /// `DELETE /agent/v5/datafeeds/{id}`
    Delete,
    /// `POST /agent/v5/events/read`
    DatahoseRead,
    /// `POST /agent/v4/datafeed/create`
    V1Create,
    /// `GET /agent/v4/datafeed/{id}/read`
    V1Read,
    /// `POST /agent/v4/firehose/create`
    FirehoseCreate,
    /// `GET /agent/v4/firehose/{id}/read`
    FirehoseRead,
    /// `POST /agent/v4/stream/{sid}/message/create`
    CreateMessage,
    /// `GET /agent/v1/info`
    AgentInfo,
    /// `GET /pod/v2/sessioninfo`
    SessionInfo,
    /// `GET /agent/v3/health`
    Health,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum FaultAction {
    /// This status. Without a body, the service's usual error body.
    Status {
        status: u16,
        #[serde(default)]
        body: Option<String>,
        /// The value of a `Retry-After` header.
        #[serde(default)]
        retry_after: Option<String>,
    },
    /// The request is handled as usual, this much later; with `after`, it is handled at once and answered later.
    #[serde(rename = "delayMillis")]
    Delay(#[serde(with = "as_millis")] Duration),
    /// The connection is reset (RST) after this many bytes of the response, its head included.
    Reset { after_bytes: usize },
    /// The connection is closed in good order after this many bytes of the response, its head included: always
    /// at least one byte short of what was promised.
    Truncate { after_bytes: usize },
    /// This many bytes of the response are sent, its head included, and then nothing until the client leaves. The
    /// connection stays open, and at least one byte is missing.
    Stall { after_bytes: usize },
    /// The same, but after so long the connection is reset (RST).
    LateReset { after_bytes: usize, after_millis: u64 },
    /// This many bytes of the response are sent, its head included, and then one byte each so often.
    Drip { after_bytes: usize, every_millis: u64 },
    /// This answer. As JSON, the body is a string or a list of bytes.
    Body {
        status: u16,
        content_type: String,
        #[serde(with = "as_text")]
        body: Vec<u8>,
    },
    /// No answer, until the client leaves.
    Hang,
    /// The request is handled as usual, once [`release`](crate::Emulator::release) is called; with `after`, it is handled
    /// at once and answered then.
    Hold,
}

impl Fault {
    /// Whether it can be sent; if not, the reason names the field.
    pub(crate) fn check(&self) -> Result<(), String> {
        let status = match &self.action {
            FaultAction::Status { status, .. } | FaultAction::Body { status, .. } => *status,
            _ => 200,
        };
        if !(200..600).contains(&status) {
            return Err("status: it is from 200 to 599".into());
        }
        let header = match &self.action {
            FaultAction::Status { retry_after, .. } => ("retryAfter", retry_after.as_deref()),
            FaultAction::Body { content_type, .. } => ("contentType", Some(&**content_type)),
            _ => ("", None),
        };
        match header {
            (name, Some(value)) if HeaderValue::from_str(value).is_err() => {
                Err(format!("{name}: it cannot be a header"))
            }
            _ => Ok(()),
        }
    }
}

impl FaultAction {
    /// Whether the client gets another answer than the one that its request would have got.
    pub(crate) fn replaces(&self) -> bool {
        matches!(self, FaultAction::Status { .. } | FaultAction::Body { .. })
    }
}

/// The faults that wait.
#[derive(Debug, Default)]
pub struct Faults(HashMap<Endpoint, VecDeque<Fault>>);

impl Faults {
    pub fn add(&mut self, fault: Fault) {
        if fault.times > 0 {
            self.0.entry(fault.endpoint).or_default().push_back(fault);
        }
    }

    /// What goes wrong with this request.
    pub fn next(&mut self, endpoint: Endpoint) -> Option<Fault> {
        let line = self.0.get_mut(&endpoint)?;
        let first = line.front_mut()?;
        first.times -= 1;
        let fault = first.clone();
        if fault.times == 0 {
            line.pop_front();
        }
        Some(fault)
    }

    /// How many requests will meet one.
    pub fn waiting(&self) -> u64 {
        self.0.values().flatten().map(|fault| u64::from(fault.times)).sum()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

mod as_millis {
    use super::*;

    pub fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(crate::clock::millis(*duration))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

mod as_text {
    use super::*;

    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => to.serialize_str(text),
            Err(_) => bytes.serialize(to),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a string or a list of bytes")]
        enum Either {
            Text(String),
            Bytes(Vec<u8>),
        }
        Either::deserialize(from).map(|either| match either {
            Either::Text(text) => text.into_bytes(),
            Either::Bytes(bytes) => bytes,
        })
    }
}
