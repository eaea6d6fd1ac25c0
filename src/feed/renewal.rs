//! Another session, for a bot whose own request was refused.

use std::time::Duration;

use serde_json::json;

use super::NoSession;
use crate::log::Level;
use crate::policy::{Outcome, Situation, decide};
use crate::session::{NotRenewed, Setback};
use crate::shared::Shared;

pub(super) fn renew(shared: &Shared, refused: &str, timeout: Option<Duration>) -> Result<(), NoSession> {
    let renewed = shared.session.renew(
        refused,
        timeout,
        |logged_in| {
            shared.lock().watch.logins += 1;
            let details = json!({
                "pod": shared.urls.pod,
                "traceId": logged_in.trace_id,
                "keyManagerTraceId": logged_in.key_manager_trace_id,
            });
            shared.info("logged in, since the bot asked for another session", details);
        },
        |setback| tell(shared, setback),
    );
    renewed.map_err(|reason| match reason {
        NotRenewed::Timeout => NoSession::Timeout,
        NotRenewed::Closed => NoSession::Closed,
        NotRenewed::Failed(error) => NoSession::Failed(error),
    })
}

/// The line of a failure, with the row of the policy that a login meets that has worked before.
fn tell(shared: &Shared, setback: &Setback) {
    let error = &setback.error;
    shared.remember_trouble(error);
    let mut details = error.details();
    if let Some((operation, kind)) = setback.request {
        let situation = Situation {
            logged_in_before: true,
            served_before: true,
            ..Situation::default()
        };
        let row = decide(operation, Outcome::Failed(kind), &situation);
        details["rule"] = json!(row.rule);
        details["action"] = json!(row.action.as_str());
    }
    details["retryInMillis"] = json!(setback.rest.as_millis() as u64);
    shared.log.write(Level::Warn, error.message(), details);
}
