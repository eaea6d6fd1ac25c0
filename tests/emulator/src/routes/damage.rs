//! What a fault makes of an answer.

use std::time::Duration;

use tokio::sync::watch;

use crate::faults::FaultAction;
use crate::reply::Reply;
use crate::stream::Then;

/// `release` rings for what is held. The answer to give, after how many bytes to cut it, and what comes then. `handled` is the answer that the request would have got, when it
/// was handled.
pub async fn damage(
    action: FaultAction,
    handled: Option<Reply>,
    mut release: watch::Receiver<()>,
) -> (Reply, Option<(usize, Then)>) {
    match action {
        FaultAction::Status {
            status,
            body,
            retry_after,
        } => {
            let reply = match body {
                Some(body) => Reply::json(status, body),
                None => Reply::error(status, "A fault of the emulator"),
            };
            (reply.retry_after(retry_after), None)
        }
        FaultAction::Body {
            status,
            content_type,
            body,
        } => (Reply::new(status, &content_type, body), None),
        FaultAction::Delay(delay) => {
            tokio::time::sleep(delay).await;
            (handled.unwrap_or_else(Reply::no_content), None)
        }
        FaultAction::Reset { after_bytes } => cut(after_bytes, Then::Reset, handled),
        FaultAction::Truncate { after_bytes } => cut(after_bytes, Then::Close, handled),
        FaultAction::Stall { after_bytes } => cut(after_bytes, Then::Silence, handled),
        FaultAction::LateReset {
            after_bytes,
            after_millis,
        } => {
            let pause = Duration::from_millis(after_millis);
            cut(after_bytes, Then::LateReset(pause), handled)
        }
        FaultAction::Drip {
            after_bytes,
            every_millis,
        } => {
            let pause = Duration::from_millis(every_millis);
            cut(after_bytes, Then::Drip(pause), handled)
        }
        FaultAction::Hold => {
            let _ = release.changed().await;
            (handled.unwrap_or_else(Reply::no_content), None)
        }
        FaultAction::Hang => std::future::pending().await,
    }
}

fn cut(after: usize, then: Then, handled: Option<Reply>) -> (Reply, Option<(usize, Then)>) {
    // A request that was not handled has no answer: an unfinished one, long enough to be cut within.
    let reply = handled.unwrap_or_else(|| {
        let mut body = b"{\"events\":[".to_vec();
        body.resize(after + 1024, b' ');
        Reply::json(200, body)
    });
    (reply, Some((after, then)))
}
