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
    /// It is taken, and will be stored, but `stateDir` does not take it at the moment: a crash before could bring the event
    /// again. There is nothing to be done with this event.
    NotStored,
    /// The feed is closed. The event is released, and the service delivers it again to the next reader.
    Closed,
}

impl fmt::Display for NoEvent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            NoEvent::Timeout => "no event came in time",
            NoEvent::Interrupted => "the wait was interrupted",
            NoEvent::Closed => "the feed is closed",
            NoEvent::Failed(error) => return error.fmt(formatter),
            NoEvent::SecondConsumer => "another thread is waiting, and with \"ack\": \"implicit\" only one may",
        })
    }
}

impl std::error::Error for NoEvent {}

impl fmt::Display for NoSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            NoSession::Timeout => "there was no other session in time",
            NoSession::Closed => "the feed is closed",
            NoSession::Failed(error) => return error.fmt(formatter),
        })
    }
}

impl std::error::Error for NoSession {}

impl fmt::Display for NotAcknowledged {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            NotAcknowledged::UnknownDelivery => "this delivery number is not held",
            NotAcknowledged::NotStored => "it is taken, but could not be stored in stateDir yet",
            NotAcknowledged::Closed => "the feed is closed",
        })
    }
}

impl std::error::Error for NotAcknowledged {}

/// Why nothing was done about an event that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoLetter {
    /// There is none of this id.
    Unknown,
    /// Nothing was done, since `stateDir` takes nothing at the moment. Try again later.
    NotStored,
    /// The feed is closed.
    Closed,
    /// `stateDir` could not be read, for this reason.
    Failed(Error),
}

impl fmt::Display for NoLetter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            NoLetter::Unknown => "no event of this id is set aside",
            NoLetter::NotStored => "nothing was done, since stateDir takes nothing at the moment",
            NoLetter::Closed => "the feed is closed",
            NoLetter::Failed(error) => return error.fmt(formatter),
        })
    }
}

impl std::error::Error for NoLetter {}

/// Why the bot's events were not all settled when the feed was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotDrained {
    /// The time is over, and the bot still held events. They are delivered again to the next reader.
    Timeout,
    /// The feed had been closed before, or was closed meanwhile.
    Closed,
}

impl fmt::Display for NotDrained {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            NotDrained::Timeout => "the bot still held events when the time was over",
            NotDrained::Closed => "the feed is closed",
        })
    }
}

impl std::error::Error for NotDrained {}

/// The feed had been closed before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlreadyClosed;

impl fmt::Display for AlreadyClosed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the feed is closed already")
    }
}

impl std::error::Error for AlreadyClosed {}
