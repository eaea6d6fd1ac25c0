//! What an endpoint answered when it did not answer what was asked for.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ureq::http::header::{DATE, RETRY_AFTER};

use super::said::{Said, Sent};
use crate::error::{Code, Error};
use crate::net::{Failure, FailureKind, Reply};

/// An exchange that did not bring what was asked for.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) kind: TroubleKind,
    /// The request may have been handled all the same.
    pub(crate) may_be_handled: bool,
    pub(crate) retry_after: Option<Duration>,
    /// The service's clock, if it showed it: seconds since 1970.
    pub(crate) service_seconds: Option<i64>,
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
    fn new(kind: TroubleKind, what: String, trace_id: String, reason: String) -> Trouble {
        Trouble {
            kind,
            may_be_handled: false,
            retry_after: None,
            service_seconds: None,
            what,
            reason,
            trace_id,
        }
    }

    pub(super) fn no_answer(what: String, trace_id: String, failure: Failure, sent: &Sent) -> Trouble {
        Trouble {
            may_be_handled: failure.sent,
            // It may hold the first words of what was no answer.
            ..Trouble::new(
                TroubleKind::Network(failure.kind),
                what,
                trace_id,
                sent.clean(&failure.reason),
            )
        }
    }

    pub(super) fn status(what: String, trace_id: String, reply: &Reply, sent: &Sent) -> Trouble {
        let reason = Said::of_refusal(reply, sent).after(&format!("answered {}", reply.status));
        let date = reply.header(DATE).and_then(parse_date);
        Trouble {
            retry_after: reply
                .header(RETRY_AFTER)
                .and_then(|value| parse_retry_after(value, date.unwrap_or_else(SystemTime::now))),
            service_seconds: date.and_then(|date| Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs() as i64)),
            ..Trouble::new(TroubleKind::Status(reply.status), what, trace_id, reason)
        }
    }

    pub(super) fn malformed(what: String, trace_id: String, reply: &Reply, sent: Sent, reason: &str) -> Trouble {
        Trouble::unusable(what, trace_id, Said::of(reply, || sent), reason)
    }

    pub(super) fn unusable(what: String, trace_id: String, said: Said, reason: &str) -> Trouble {
        Trouble {
            may_be_handled: true,
            ..Trouble::new(TroubleKind::Malformed, what, trace_id, said.after(reason))
        }
    }

    /// The service gave a feed an id that no address can hold.
    pub(super) fn unreadable_feed(base_url: &str, reason: &dyn fmt::Display) -> Trouble {
        let what = format!("reading the feed from {base_url}");
        Trouble::new(TroubleKind::Malformed, what, String::new(), reason.to_string())
    }

    /// The load balancer's answer names no node that can be gone to.
    pub(super) fn unusable_node(what: String, trace_id: String, reason: &str) -> Trouble {
        Trouble::new(TroubleKind::Malformed, what, trace_id, reason.to_owned())
    }

    /// With what the status means here, beyond what the service says.
    pub(super) fn explained(mut self, meaning: &str) -> Trouble {
        self.reason = format!("{}; {meaning}", self.reason);
        self
    }

    pub(crate) fn trace_id(&self) -> &str {
        &self.trace_id
    }

    /// The error object that tells of it. Retryable: that a feed gives up is the policy's decision.
    pub(crate) fn to_error(&self) -> Error {
        let (code, verb) = match self.kind {
            TroubleKind::Network(FailureKind::TimedOut) => (Code::Timeout, "failed: no answer in time"),
            TroubleKind::Network(FailureKind::TooLarge) => (Code::ResponseTooLarge, "failed"),
            TroubleKind::Network(FailureKind::NotHttp) => (Code::ResponseInvalid, "failed"),
            TroubleKind::Network(FailureKind::NameUnknown) => {
                (Code::Network, "failed: the host's name was not resolved")
            }
            TroubleKind::Network(FailureKind::NotConnected) => (Code::Network, "failed: no connection"),
            TroubleKind::Network(FailureKind::Tls) => (Code::Network, "failed in TLS"),
            TroubleKind::Network(_) => (Code::Network, "failed: the connection broke"),
            TroubleKind::Status(429) => (Code::RateLimited, "was refused"),
            TroubleKind::Status(401) => (Code::AuthRejected, "was refused"),
            TroubleKind::Status(403) => (Code::Forbidden, "was refused"),
            TroubleKind::Status(_) => (Code::ServiceError, "failed"),
            TroubleKind::Malformed => (Code::ResponseInvalid, "brought an answer that cannot be used"),
        };
        let message = format!("{} {verb} ({})", self.what, self.reason);
        let error = Error::new(code, message)
            .with_trace_id(self.trace_id.as_str())
            .retryable();
        match self.kind {
            TroubleKind::Status(status) => error.with_status(status),
            _ => error,
        }
    }
}

fn parse_date(value: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(value.trim()).ok()
}

/// Seconds, or a date (RFC 9110, section 10.2.3), which is one by the service's clock.
fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Too many digits are a long time.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    Some(parse_date(value)?.duration_since(now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date_by_the_service_s_clock() {
        let now = parse_date("Wed, 21 Oct 2015 07:28:00 GMT").expect("a date");
        let wait = |value: &str| parse_retry_after(value, now);
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("Wed, 21 Oct 2015 07:29:30 GMT"), Some(Duration::from_secs(90)));
        assert_eq!(wait("Wed, 21 Oct 2015 07:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("99999999999999999999999"), Some(Duration::from_secs(u64::MAX)));
        assert_eq!(wait("soon"), None);
        assert_eq!(wait(""), None);
    }
}
