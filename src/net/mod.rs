//! How bytes travel: HTTP over connections that can be cut at any moment.
//!
//! A connection is made by ureq's connectors ([`connector`]). The sockets are our own ([`socket`]), as is the way to a host's
//! address ([`resolver`]), so that every wait ends at once when the feed is closed ([`cutoff`]), and so is HTTP/1.1 ([`http`]), so
//! that a wait can be left to another thread.

mod connection;
mod connector;
mod cutoff;
mod http;
mod resolver;
mod socket;
mod socks;
mod trust;

pub(crate) use cutoff::{Cutoff, Lent};
pub(crate) use http::{Failure, FailureKind, Http, MaxBody, Pending, Reply, Request, warm_up};
