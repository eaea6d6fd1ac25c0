//! What an endpoint answered when it did not answer what was asked for.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::error::{Code, Error};
use crate::net::{Failure, FailureKind, Reply};

/// Longest piece of a service's own words that is repeated in an error.
const QUOTED: usize = 300;

/// The ids of feeds have about 40 characters; a token has hundreds.
const LONGEST_ID: usize = 60;

/// An exchange that did not bring what was asked for.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) kind: TroubleKind,
    /// The request may have been handled all the same.
    pub(crate) may_be_handled: bool,
    pub(crate) retry_after: Option<Duration>,
    /// What was asked of whom, as `reading the feed from https://host`.
    what: String,
    reason: String,
    trace_id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TroubleKind {
    Network(FailureKind),
    Status(u16),
    /// A success whose body is not what the protocol says.
    Malformed,
}

impl Trouble {
    pub(super) fn no_answer(what: String, trace_id: String, failure: Failure) -> Trouble {
        Trouble {
            kind: TroubleKind::Network(failure.kind),
            may_be_handled: failure.sent,
            retry_after: None,
            what,
            reason: failure.reason,
            trace_id,
        }
    }

    /// `secrets`: what was sent that must not be repeated, should the service quote it.
    pub(super) fn status(what: String, trace_id: String, reply: &Reply, secrets: &[&str]) -> Trouble {
        let said = message_in(&reply.body, secrets).map_or_else(String::new, |message| format!(": {message}"));
        Trouble {
            kind: TroubleKind::Status(reply.status),
            may_be_handled: false,
            retry_after: reply.retry_after.as_deref().and_then(parse_retry_after),
            what,
            reason: format!("answered {}{said}", reply.status),
            trace_id,
        }
    }

    pub(super) fn malformed(what: String, trace_id: String, reason: String) -> Trouble {
        Trouble {
            kind: TroubleKind::Malformed,
            may_be_handled: true,
            retry_after: None,
            what,
            reason,
            trace_id,
        }
    }

    /// The error object that tells of it. Retryable: that a feed gives up is the policy's decision.
    pub(crate) fn to_error(&self) -> Error {
        let (code, verb) = match self.kind {
            TroubleKind::Network(FailureKind::TimedOut) => (Code::Timeout, "failed: no answer in time"),
            TroubleKind::Network(FailureKind::TooLarge) => (Code::ResponseTooLarge, "failed"),
            TroubleKind::Network(FailureKind::NotHttp) => (Code::ResponseInvalid, "failed"),
            TroubleKind::Network(FailureKind::NameUnknown) => (Code::Network, "failed: the host's name has no address"),
            TroubleKind::Network(FailureKind::NotConnected) => (Code::Network, "failed: no connection"),
            TroubleKind::Network(FailureKind::Tls) => (Code::Network, "failed in TLS"),
            TroubleKind::Network(_) => (Code::Network, "failed: the connection broke"),
            TroubleKind::Status(429) => (Code::RateLimited, "was refused"),
            TroubleKind::Status(401) => (Code::AuthRejected, "was refused"),
            TroubleKind::Status(403) => (Code::Forbidden, "was refused"),
            TroubleKind::Status(_) => (Code::ServiceError, "failed"),
            TroubleKind::Malformed => (Code::ResponseInvalid, "brought an answer that cannot be used"),
        };
        let advice = match code {
            Code::ResponseTooLarge => "; raise maxResponseBytes if such responses are to be accepted",
            _ => "",
        };
        let message = format!("{} {verb} ({}){advice}", self.what, self.reason);
        let error = Error::new(code, message)
            .with_trace_id(self.trace_id.as_str())
            .retryable();
        match self.kind {
            TroubleKind::Status(status) => error.with_status(status),
            _ => error,
        }
    }
}

/// The `message` of a service's error body, shortened and on one line.
fn message_in(body: &[u8], secrets: &[&str]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let mut message = value.get("message")?.as_str()?.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        message = message.replace(secret, "[secret]");
    }
    // Nor what looks like a part of one: a run of characters longer than any id.
    let words: Vec<&str> = message
        .split(' ')
        .map(|word| if word.len() > LONGEST_ID { "[long word]" } else { word })
        .collect();
    let message = words.join(" ");
    let clean = message.chars().map(|c| if c.is_control() { ' ' } else { c });
    Some(clean.take(QUOTED).collect())
}

/// Seconds, or a date (RFC 9110, section 10.2.3).
fn parse_retry_after(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value.trim()).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_as_seconds_or_date() {
        assert_eq!(parse_retry_after("7"), Some(Duration::from_secs(7)));
        assert_eq!(parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(90));
        let wait = parse_retry_after(&soon).expect("a date");
        assert!(wait > Duration::from_secs(60) && wait <= Duration::from_secs(90));
        assert_eq!(parse_retry_after("soon"), None);
    }

    #[test]
    fn a_service_s_words_are_shortened_and_kept_on_one_line() {
        let body = format!("{{\"message\":\"first\\nsecond {}\"}}", "word ".repeat(200));
        let message = message_in(body.as_bytes(), &[]).expect("a message");
        assert!(message.starts_with("first second word"));
        assert_eq!(message.chars().count(), QUOTED);
        assert_eq!(message_in(b"<html>", &[]), None);
    }

    #[test]
    fn secrets_that_a_service_quotes_are_not_repeated() {
        let token = "eyJ".repeat(100);
        let body = format!("{{\"message\":\"bad token s3cret and {token} and {}\"}}", &token[..100]);
        let message = message_in(body.as_bytes(), &["s3cret", &token]).expect("a message");
        assert_eq!(message, "bad token [secret] and [secret] and [long word]");
    }
}
