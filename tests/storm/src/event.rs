//! The events of a storm: each with a number of its own, and the time at which it was published.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use crate::books::What;

/// Milliseconds since 1970.
pub fn wall() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// An event as the service publishes it, about as long as real ones.
pub fn publish(number: u32, timestamp: u64, rng: &mut fastrand::Rng) -> String {
    let text = "x".repeat(rng.usize(..1200));
    format!(
        r#"{{"id":"event-{number}","n":{number},"type":"MESSAGESENT","timestamp":{timestamp},"payload":{{"messageSent":{{"message":"{text}"}}}}}}"#
    )
}

#[derive(Deserialize)]
struct Received {
    #[serde(rename = "type")]
    kind: String,
    id: Option<String>,
    n: Option<u32>,
    payload: Option<Payload>,
}

#[derive(Deserialize)]
struct Payload {
    #[serde(rename = "datafeedGap")]
    gap: Option<Gap>,
}

#[derive(Deserialize)]
struct Gap {
    from: Option<u64>,
    to: u64,
}

/// What an event is that the library handed out. An error tells of one that nobody has published.
///
/// # Errors
/// When it is neither an event of ours nor a gap.
pub fn recognise(json: &str) -> Result<What, String> {
    let received: Received = serde_json::from_str(json).map_err(|error| format!("{error} in {json}"))?;
    if let Some(number) = received.n {
        return Ok(What::Event(number));
    }
    match (received.payload.and_then(|payload| payload.gap), received.id) {
        (Some(Gap { from, to }), Some(id)) if received.kind == "DATAFEEDGAP" => Ok(What::Gap { from, to, id }),
        _ => Err(format!("nobody has published {json}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_published_is_recognised() {
        let event = publish(17, 1_700_000_000_000, &mut fastrand::Rng::with_seed(1));
        assert_eq!(recognise(&event), Ok(What::Event(17)));
        let gap =
            r#"{"type":"DATAFEEDGAP","id":"g","timestamp":2,"payload":{"datafeedGap":{"from":1,"to":2,"reason":""}}}"#;
        let read = |from| What::Gap {
            from,
            to: 2,
            id: "g".into(),
        };
        assert_eq!(recognise(gap), Ok(read(Some(1))));
        assert_eq!(recognise(&gap.replace(r#""from":1"#, r#""from":null"#)), Ok(read(None)));
        for strange in [
            r#"{"type":"MESSAGESENT","id":"1"}"#,
            &gap.replace("DATAFEEDGAP", "OTHER"),
            "[]",
        ] {
            assert!(recognise(strange).is_err(), "{strange}");
        }
    }
}
