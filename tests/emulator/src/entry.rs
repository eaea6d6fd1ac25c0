//! The entry of a request in the log.

use std::sync::Arc;

use hyper::http::request::Parts;

use crate::faults::Endpoint;
use crate::reply::Reply;
use crate::requests::{Outcome, RequestLog, Requests};
use crate::shared::Shared;

/// An entry that is being written. Dropped without an end, it says that the client has left.
///
/// It shows in the log when the request waits for something, or at its end: so a test that sees a read in the
/// log knows that its ackId has been used and that it waits.
pub struct Entry {
    shared: Arc<Shared>,
    state: State,
    /// A feed of Datafeed 1, and which hand-out of it stands in the answer and nowhere else any more.
    carried: Option<(String, usize)>,
}

enum State {
    /// Not in the log yet.
    Hidden(RequestLog),
    /// In the log, under this number.
    Shown(u64),
    Ended,
}

impl Entry {
    pub fn open(shared: &Arc<Shared>, parts: &Parts, endpoint: Option<Endpoint>) -> Entry {
        let trace = parts.headers.get("x-trace-id");
        Entry {
            shared: shared.clone(),
            carried: None,
            state: State::Hidden(RequestLog {
                sequence: 0,
                method: parts.method.to_string(),
                path: parts.uri.to_string(),
                endpoint,
                status: None,
                outcome: Outcome::Waiting,
                ack_id: None,
                at_ms: shared.look(|world| world.clock.now()),
                trace_id: trace.map(|trace| String::from_utf8_lossy(trace.as_bytes()).into_owned()),
            }),
        }
    }

    /// Shows it from now on.
    pub fn show(&mut self) {
        let shared = self.shared.clone();
        shared.note(|requests| self.show_in(requests));
    }

    /// The same, together with something else that happens to the world. Its number.
    pub fn show_in(&mut self, requests: &mut Requests) -> Option<u64> {
        if let State::Hidden(request) = &self.state {
            self.state = State::Shown(requests.add(request.clone()));
        }
        match self.state {
            State::Shown(sequence) => Some(sequence),
            _ => None,
        }
    }

    /// Notes the ackId that a read sent.
    pub fn set_ack_id(&mut self, ack_id: Option<String>) {
        match &mut self.state {
            State::Hidden(request) => request.ack_id = ack_id,
            State::Shown(sequence) => self.shared.note(|requests| {
                if let Some(request) = requests.get(*sequence) {
                    request.ack_id = ack_id;
                }
            }),
            State::Ended => (),
        }
    }

    /// Notes what is gone unless the answer goes out whole.
    pub fn carry(&mut self, feed: &str, hand_out: usize) {
        self.carried = Some((feed.to_owned(), hand_out));
    }

    pub fn carries(&self) -> bool {
        self.carried.is_some()
    }

    /// Another answer is given than the one that carried the events.
    pub fn lose(&mut self) {
        if let Some((feed, hand_out)) = self.carried.take() {
            self.shared.change(|world| world.v1.lose(&feed, hand_out));
        }
    }

    pub fn close(self, reply: Reply) -> Reply {
        self.answered(reply.status);
        reply
    }

    pub fn answered(mut self, status: u16) {
        self.end(Outcome::Answered, Some(status));
    }

    pub fn damaged(mut self) {
        self.end(Outcome::Damaged, None);
    }

    fn end(&mut self, outcome: Outcome, status: Option<u16>) {
        if outcome != Outcome::Answered {
            self.lose();
        }
        let shared = self.shared.clone();
        shared.note(|requests| {
            let shown = self.show_in(requests);
            if let Some(request) = shown.and_then(|sequence| requests.get(sequence)) {
                request.outcome = outcome;
                request.status = status;
            }
        });
        self.state = State::Ended;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if !matches!(self.state, State::Ended) {
            self.end(Outcome::Abandoned, None);
        }
    }
}
