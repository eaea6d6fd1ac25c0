//! What went wrong, for the person who has to do something about it.

use std::fmt;

use serde_json::{Map, Value, json};

/// The kind of an error. The names are part of the interface: they appear as `code` in error objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// The configuration is not JSON, or a setting is missing, has the wrong type or an impossible value.
    ConfigInvalid,
    /// A file that the configuration names cannot be read, or does not hold what it should.
    FileInvalid,
    /// The login was refused: unknown user, wrong key, or the key is not registered for the user.
    AuthRejected,
    /// The account is not entitled to what the request asked for.
    Forbidden,
    /// The host could not be reached, or the connection broke.
    Network,
    /// The answer did not come in time.
    Timeout,
    /// The service answered with an error status.
    ServiceError,
    /// The service asked to slow down.
    RateLimited,
    /// What came was not what the protocol says.
    ResponseInvalid,
    /// A response was larger than `maxResponseBytes`.
    ResponseTooLarge,
    /// The feed that was read no longer exists at the service.
    FeedGone,
    /// The file with the id of a feed of Datafeed 1 is in use by another feed, here or in another process.
    FeedInUse,
    /// `stateDir` is in use by another feed, here or in another process.
    StateInUse,
    /// `stateDir` cannot be read or written, as when its disk is full.
    StateUnavailable,
    /// What was stored in `stateDir` is damaged, and is set aside.
    StateDamaged,
    /// This machine's clock and the service's are too far apart for a login token, which lives five minutes.
    ClocksApart,
    /// A fault in this library.
    Internal,
}

impl Code {
    /// Every code.
    pub const ALL: [Code; 17] = [
        Code::ConfigInvalid,
        Code::FileInvalid,
        Code::AuthRejected,
        Code::Forbidden,
        Code::Network,
        Code::Timeout,
        Code::ServiceError,
        Code::RateLimited,
        Code::ResponseInvalid,
        Code::ResponseTooLarge,
        Code::FeedGone,
        Code::FeedInUse,
        Code::StateInUse,
        Code::StateUnavailable,
        Code::StateDamaged,
        Code::ClocksApart,
        Code::Internal,
    ];

    /// The name used in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::ConfigInvalid => "CONFIG_INVALID",
            Code::FileInvalid => "FILE_INVALID",
            Code::AuthRejected => "AUTH_REJECTED",
            Code::Forbidden => "FORBIDDEN",
            Code::Network => "NETWORK",
            Code::Timeout => "TIMEOUT",
            Code::ServiceError => "SERVICE_ERROR",
            Code::RateLimited => "RATE_LIMITED",
            Code::ResponseInvalid => "RESPONSE_INVALID",
            Code::ResponseTooLarge => "RESPONSE_TOO_LARGE",
            Code::FeedGone => "FEED_GONE",
            Code::FeedInUse => "FEED_IN_USE",
            Code::StateInUse => "STATE_IN_USE",
            Code::StateUnavailable => "STATE_UNAVAILABLE",
            Code::StateDamaged => "STATE_DAMAGED",
            Code::ClocksApart => "CLOCKS_APART",
            Code::Internal => "INTERNAL",
        }
    }
}

/// An error object: what happened, to which setting, file or host, and what to do about it.
///
/// It never holds a secret: no token, no key, no password. `Debug` shows the same as `Display`, since that is what a `main`
/// that returns it prints.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    code: Code,
    message: String,
    field: Option<String>,
    file: Option<String>,
    http_status: Option<u16>,
    trace_id: Option<String>,
    retryable: bool,
}

impl Error {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Error {
        Error {
            code,
            message: message.into(),
            field: None,
            file: None,
            http_status: None,
            trace_id: None,
            retryable: false,
        }
    }

    pub(crate) fn config(field: impl Into<String>, message: impl Into<String>) -> Error {
        Error::new(Code::ConfigInvalid, message).with_field(field)
    }

    pub(crate) fn with_field(mut self, field: impl Into<String>) -> Error {
        self.field = Some(field.into());
        self
    }

    pub(crate) fn with_file(mut self, file: impl Into<String>) -> Error {
        self.file = Some(file.into());
        self
    }

    pub(crate) fn with_status(mut self, status: u16) -> Error {
        self.http_status = Some(status);
        self
    }

    pub(crate) fn with_trace_id(mut self, trace_id: impl Into<String>) -> Error {
        self.trace_id = Some(trace_id.into());
        self
    }

    pub(crate) fn retryable(mut self) -> Error {
        self.retryable = true;
        self
    }

    /// With what to do about it.
    pub(crate) fn advised(mut self, advice: &str) -> Error {
        self.message = format!("{}; {advice}", self.message);
        self
    }

    /// The same error as the end of the feed, with what to do about it.
    pub(crate) fn finally(self, advice: &str) -> Error {
        Error {
            retryable: false,
            ..self.advised(advice)
        }
    }

    /// What a log line tells beside the message.
    pub(crate) fn details(&self) -> Value {
        let mut object = self.to_json();
        if let Value::Object(members) = &mut object {
            members.remove("message");
            members.remove("retryable");
        }
        object
    }

    /// The kind of the error.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What happened and what to do, in a sentence or two.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The setting at fault, as a path in the configuration: `bot.privateKey.path`.
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// The file at fault.
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The status of the HTTP response that told of the error.
    pub fn http_status(&self) -> Option<u16> {
        self.http_status
    }

    /// The `X-Trace-Id` of the request, which stands in the service's logs too.
    pub fn trace_id(&self) -> Option<&str> {
        self.trace_id.as_deref()
    }

    /// Whether the feed is still trying. A final error is not retryable.
    pub fn is_retryable(&self) -> bool {
        self.retryable
    }

    /// The error object: `{"code","message","retryable","field"?,"file"?,"httpStatus"?,"traceId"?}`.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("code".into(), json!(self.code.as_str()));
        object.insert("message".into(), json!(self.message));
        object.insert("retryable".into(), json!(self.retryable));
        let optional = [
            ("field", self.field.as_ref().map(|field| json!(field))),
            ("file", self.file.as_ref().map(|file| json!(file))),
            ("httpStatus", self.http_status.map(|status| json!(status))),
            ("traceId", self.trace_id.as_ref().map(|id| json!(id))),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                object.insert(name.into(), value);
            }
        }
        Value::Object(object)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code.as_str(), self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl std::error::Error for Error {}
