//! The datahose: every event of the pod of the types that are asked for.
//!
//! Facts from the public OpenAPI description of the agent (25.8.1), `/agent/v5/events/read`. There is nothing to create:
//! readers of the same account, tag and filters share a queue.

use serde_json::{Value, json};
use ureq::http::Method;

use super::Answer;
use super::agent::AgentApi;
use super::trouble::Trouble;
use crate::batch::{Batch, Form};

impl AgentApi {
    /// The long poll, as that of a datafeed. `ack_id`: `""` acknowledges nothing.
    pub(crate) fn read_datahose(&self, ack_id: &str) -> Result<Answer<Batch>, Trouble> {
        let uri = self.node().uri("/agent/v5/events/read")?;
        let what = || format!("reading the datahose from {}", self.url());
        let mut body = self.datahose_body.clone();
        body.insert("ackId".into(), json!(ack_id));
        let body = Value::Object(body).to_string();
        let (reply, trace_id) = self.call(Method::POST, &uri, Some(&body), self.max_response, what)?;
        self.take_batch(Form::Batch, what, reply, trace_id)
    }
}
