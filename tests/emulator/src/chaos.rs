//! Faults at random: which requests they hit, and what they are. Everything is drawn from the seed.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::millis;
use crate::faults::{Endpoint, Fault, FaultAction};
use crate::settings::Settings;

/// What was dealt at random so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChaosBooks {
    /// Requests that might have been hit.
    pub requests: u64,
    /// Of those, requests that were hit.
    pub hit: u64,
    /// Of those, requests that had their effect first.
    pub after: u64,
    /// How often each kind was dealt.
    pub kinds: BTreeMap<String, u64>,
}

/// What a request is hit with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blow {
    Fault(Fault),
    /// Every session ends, just before the request is handled.
    ExpireSessions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Status(u16),
    Reset,
    Truncate,
    Html,
    MalformedJson,
    Stall,
    Hang,
    Delay,
    ExpireSessions,
}

const KINDS: [Kind; 17] = [
    Kind::Status(400),
    Kind::Status(401),
    Kind::Status(403),
    Kind::Status(408),
    Kind::Status(429),
    Kind::Status(500),
    Kind::Status(502),
    Kind::Status(503),
    Kind::Status(504),
    Kind::Reset,
    Kind::Truncate,
    Kind::Html,
    Kind::MalformedJson,
    Kind::Stall,
    Kind::Hang,
    Kind::Delay,
    Kind::ExpireSessions,
];

/// Where an answer is cut: within the head, within the body, or beyond the end of a small one.
const CUTS: Range<usize> = 0..1500;

const HTML: &str = "<!DOCTYPE html><html><body><h1>The service is being maintained</h1></body></html>";

/// Each is no JSON, or stops too soon.
const MALFORMED: [&str; 6] = [
    "",
    "{",
    r#"{"events":[{"id":"1"},"#,
    r#"{"events":[],"ackId":"a"#,
    r#"{"token":"a","name":}"#,
    r#"[{"id":"a","type":"fanout"}"#,
];

impl Kind {
    fn name(self) -> String {
        match self {
            Kind::Status(status) => format!("status{status}"),
            Kind::Reset => "reset".into(),
            Kind::Truncate => "truncate".into(),
            Kind::Html => "html".into(),
            Kind::MalformedJson => "malformedJson".into(),
            Kind::Stall => "stall".into(),
            Kind::Hang => "hang".into(),
            Kind::Delay => "delay".into(),
            Kind::ExpireSessions => "expireSessions".into(),
        }
    }

    /// Whether it may happen here. A refusal before anything has worked tells a client that it never will.
    fn suits(self, endpoint: Endpoint, has_worked: bool) -> bool {
        match self {
            Kind::Status(400) => has_worked && matches!(endpoint, Endpoint::Read | Endpoint::DatahoseRead),
            Kind::Status(401 | 403) | Kind::ExpireSessions => has_worked,
            _ => true,
        }
    }
}

#[derive(Debug)]
pub struct Chaos {
    rng: fastrand::Rng,
    /// Whether a read was answered in full.
    has_worked: bool,
    books: ChaosBooks,
}

impl Chaos {
    pub fn new(seed: u64) -> Chaos {
        Chaos {
            rng: fastrand::Rng::with_seed(seed ^ 0xc4a05),
            has_worked: false,
            books: ChaosBooks::default(),
        }
    }

    pub fn books(&self) -> &ChaosBooks {
        &self.books
    }

    pub fn a_read_worked(&mut self) {
        self.has_worked = true;
    }

    /// What this request is hit with.
    pub fn strike(&mut self, endpoint: Endpoint, settings: &Settings) -> Option<Blow> {
        match endpoint {
            Endpoint::SessionLogin
            | Endpoint::KeyManagerLogin
            | Endpoint::List
            | Endpoint::Create
            | Endpoint::Read
            | Endpoint::DatahoseRead
                if settings.chaos > 0.0 => {}
            _ => return None,
        }
        self.books.requests += 1;
        if self.rng.f64() * 100.0 >= settings.chaos {
            return None;
        }
        let suiting: Vec<Kind> = KINDS
            .into_iter()
            .filter(|kind| kind.suits(endpoint, self.has_worked))
            .collect();
        let kind = suiting[self.rng.usize(..suiting.len())];
        self.books.hit += 1;
        *self.books.kinds.entry(kind.name()).or_default() += 1;
        let Some(action) = self.action(kind, settings.chaos_pause) else {
            return Some(Blow::ExpireSessions);
        };
        let after = self.rng.bool();
        self.books.after += u64::from(after);
        Some(Blow::Fault(Fault {
            endpoint,
            times: 1,
            action,
            after,
        }))
    }

    /// None for what is no fault of an answer.
    fn action(&mut self, kind: Kind, longest: Duration) -> Option<FaultAction> {
        let pause = self.rng.u64(0..=millis(longest));
        let after_bytes = self.rng.usize(CUTS);
        Some(match kind {
            Kind::Status(status) => FaultAction::Status {
                status,
                body: None,
                retry_after: (status == 429).then(|| "1".into()),
            },
            Kind::Reset => FaultAction::Reset { after_bytes },
            Kind::Truncate => FaultAction::Truncate { after_bytes },
            Kind::Html => body("text/html;charset=UTF-8", HTML),
            Kind::MalformedJson => {
                let text = MALFORMED[self.rng.usize(..MALFORMED.len())];
                body("application/json", text)
            }
            Kind::Stall => FaultAction::LateReset {
                after_bytes,
                after_millis: pause,
            },
            Kind::Hang => FaultAction::LateReset {
                after_bytes: 0,
                after_millis: pause,
            },
            Kind::Delay => FaultAction::Delay(Duration::from_millis(pause)),
            Kind::ExpireSessions => return None,
        })
    }
}

fn body(content_type: &str, body: &str) -> FaultAction {
    FaultAction::Body {
        status: 200,
        content_type: content_type.into(),
        body: body.into(),
    }
}

#[cfg(test)]
mod tests;
