//! Why a call did not do what it was asked for.

use std::fmt;

use crate::error::Error;

/// Why no event was returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoEvent {
    /// The time is over.
    Timeout,
    /// [`Datafeed::interrupt`](crate::Datafeed::interrupt) was called.
    Interrupted,
    /// The feed is closed.
    Closed,
    /// The feed has stopped for good, for this reason, and every event that it had is handed out.
    Failed(Error),
    /// With implicit acknowledgement, another thread is in the same call; only one consumer is possible.
    SecondConsumer,
}

/// Why there is no other session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoSession {
    /// The time is over. [`Datafeed::error`](crate::Datafeed::error) tells what went wrong, if anything did.
    Timeout,
    /// The feed is closed.
    Closed,
    /// The feed has stopped for good, for this reason.
    Failed(Error),
}

/// Why an acknowledgement was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAcknowledged {
    /// The number was never handed out, or is acknowledged or refused already.
    UnknownDelivery,
    /// The feed is closed. The event is released, and the service delivers it again to the next reader.
    Closed,
}

impl fmt::Display for NotAcknowledged {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            NotAcknowledged::UnknownDelivery => "this delivery number is not held",
            NotAcknowledged::Closed => "the feed is closed",
        })
    }
}

impl std::error::Error for NotAcknowledged {}

/// The feed had been closed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlreadyClosed;

impl fmt::Display for AlreadyClosed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the feed is closed already")
    }
}

impl std::error::Error for AlreadyClosed {}
