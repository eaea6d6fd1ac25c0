//! The log of requests.

use serde::{Deserialize, Serialize};

use crate::clock::Millis;
use crate::faults::Endpoint;

/// One request to the service. Requests to the control interface are not logged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestLog {
    /// From 1, in the order in which they came to wait for something or to their end.
    pub sequence: u64,
    pub method: String,
    /// The path with its query, the context included.
    pub path: String,
    /// `None` for a path that the service does not have.
    pub endpoint: Option<Endpoint>,
    /// The status answered. `None` while waiting, and where no whole answer was given.
    pub status: Option<u16>,
    pub outcome: Outcome,
    /// The ackId of a read, as it was sent.
    pub ack_id: Option<String>,
    /// When it arrived, on the emulator's clock.
    pub at_ms: Millis,
    /// The `X-Trace-Id` header.
    pub trace_id: Option<String>,
}

/// How far a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It has not been answered yet.
    Waiting,
    Answered,
    /// A fault ended the answer: reset or truncated.
    Damaged,
    /// The client left before it was answered.
    Abandoned,
}

/// How many requests are remembered at least.
const KEPT: usize = 100_000;

#[derive(Debug, Default)]
pub struct Requests {
    log: Vec<RequestLog>,
    last: u64,
}

impl Requests {
    pub fn add(&mut self, mut request: RequestLog) -> u64 {
        if self.log.len() >= 2 * KEPT {
            self.log.drain(..KEPT);
        }
        self.last += 1;
        request.sequence = self.last;
        self.log.push(request);
        self.last
    }

    pub fn get(&mut self, sequence: u64) -> Option<&mut RequestLog> {
        let first = self.log.first()?.sequence;
        let index = usize::try_from(sequence.checked_sub(first)?).ok()?;
        self.log.get_mut(index)
    }

    pub fn all(&self) -> &[RequestLog] {
        &self.log
    }
}
