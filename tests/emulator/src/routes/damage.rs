//! What a fault makes of an answer.

use crate::faults::FaultAction;
use crate::reply::Reply;
use crate::stream::Cut;

/// The answer to give, and where to cut it. `handled` is the answer that the request would have got, when it
/// was handled.
pub async fn damage(action: FaultAction, handled: Option<Reply>) -> (Reply, Option<Cut>) {
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
        FaultAction::Reset { after_bytes } => cut(after_bytes, true, handled),
        FaultAction::Truncate { after_bytes } => cut(after_bytes, false, handled),
        FaultAction::Hang => std::future::pending().await,
    }
}

fn cut(after: usize, reset: bool, handled: Option<Reply>) -> (Reply, Option<Cut>) {
    // A request that was not handled has no answer: an unfinished one, long enough to be cut within.
    let reply = handled.unwrap_or_else(|| {
        let mut body = b"{\"events\":[".to_vec();
        body.resize(after + 1024, b' ');
        Reply::json(200, body)
    });
    let body = reply.body.len();
    (reply, Some(Cut { after, reset, body }))
}
