//! Another session, for a bot whose own request was refused.

use std::time::Duration;

use serde_json::json;

use super::NoSession;
use crate::log::Level;
use crate::session::NotRenewed;
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
        |error| {
            shared.remember_trouble(error);
            shared.log.write(Level::Warn, error.message(), error.details());
        },
    );
    renewed.map_err(|reason| match reason {
        NotRenewed::Timeout => NoSession::Timeout,
        NotRenewed::Closed => NoSession::Closed,
        NotRenewed::Failed(error) => NoSession::Failed(error),
    })
}
