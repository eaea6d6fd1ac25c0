//! The datahose: every event of the pod of the types that are asked for.
//!
//! Facts from the public OpenAPI description of the agent (25.8.1), `/agent/v5/events/read`. There is nothing to create:
//! readers of the same account, tag and filters share a queue.

use serde_json::{Value, json};
use ureq::http::Method;

use super::agent::AgentApi;
use super::read::{Asked, Reading};
use super::trouble::Trouble;
use crate::batch::Form;

impl AgentApi {
    /// The long poll, as that of a datafeed. `ack_id`: `""` acknowledges nothing.
    pub(crate) fn read_datahose(&self, ack_id: &str) -> Result<Asked, Trouble> {
        let mut body = self.datahose_body.clone();
        body.insert("ackId".into(), json!(ack_id));
        let body = Value::Object(body).to_string();
        Ok(self.ask(Reading {
            method: Method::POST,
            uri: self.node().uri("/agent/v5/events/read")?,
            body: Some(&body),
            form: Form::Batch,
            noun: "datahose",
            repeatable: true,
        }))
    }
}
