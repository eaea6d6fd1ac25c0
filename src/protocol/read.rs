//! A long poll that is under way.

use ureq::http::{Method, Uri};

use super::agent::AgentApi;
use super::said::Said;
use super::trouble::Trouble;
use super::{Answer, trace};
use crate::batch::{Batch, Form, Malformed};
use crate::net::{Pending, Reply, Request};

/// A read whose answer is not here yet. It can be left, and gone on with by another thread.
pub(crate) struct Asked {
    pending: Pending,
    trace_id: String,
    form: Form,
    /// What is read, for messages.
    noun: &'static str,
}

/// What a read says, beyond what every request does.
pub(super) struct Reading<'a> {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) body: Option<&'a str>,
    pub(super) form: Form,
    pub(super) noun: &'static str,
    /// It does no harm if the service handles it twice.
    pub(super) repeatable: bool,
}

impl Asked {
    /// Whether it was handed to a connection.
    pub(crate) fn is_sent(&self) -> bool {
        self.pending.is_sent()
    }
}

impl AgentApi {
    pub(super) fn ask(&self, reading: Reading) -> Asked {
        let trace_id = trace::new_id();
        let pending = self.node().http.begin(&Request {
            method: reading.method,
            uri: &reading.uri,
            headers: &self.headers,
            body: reading.body,
            trace_id: &trace_id,
            max_body: self.max_response,
            repeatable: reading.repeatable,
        });
        Asked {
            pending,
            trace_id,
            form: reading.form,
            noun: reading.noun,
        }
    }

    /// Whether a read would go over a connection that is there already.
    pub(crate) fn has_connection(&self) -> bool {
        self.node().http.has_connection()
    }

    /// Sends the read if it is not sent, and waits for its answer. Nothing: whoever waits has to leave, and it has to be gone
    /// on with, at the same node.
    pub(crate) fn go_on(&self, asked: &mut Asked) -> Option<Result<Answer<Batch>, Trouble>> {
        let what = || format!("reading the {} from {}", asked.noun, self.url());
        Some(match self.node().http.go_on(&mut asked.pending)? {
            Ok(reply) => self.take_batch(asked.form, what, reply, asked.trace_id.clone()),
            Err(failure) => Err(Trouble::no_answer(
                what(),
                asked.trace_id.clone(),
                failure,
                &self.sent(),
            )),
        })
    }

    /// Waits for the answer, however long that takes.
    pub(crate) fn wait_for(&self, asked: &mut Asked) -> Result<Answer<Batch>, Trouble> {
        loop {
            if let Some(result) = self.go_on(asked) {
                return result;
            }
        }
    }

    /// The events of an answer to a read.
    fn take_batch(
        &self,
        form: Form,
        what: impl Fn() -> String,
        reply: Reply,
        trace_id: String,
    ) -> Result<Answer<Batch>, Trouble> {
        match reply.status {
            200 => {
                let said = Said::of(&reply, || self.sent());
                match Batch::parse(reply.body, form, self.identity_seed, &self.filter) {
                    Ok(value) => Ok(Answer { value, trace_id }),
                    Err(Malformed { at, expected }) => {
                        let reason = format!("at byte {at} it should have {expected}");
                        Err(Trouble::unusable(what(), trace_id, said, &reason))
                    }
                }
            }
            204 => Ok(Answer {
                value: Batch::empty(),
                trace_id,
            }),
            _ => Err(Trouble::status(what(), trace_id, &reply, &self.sent())),
        }
    }
}
