//! How bytes travel: HTTP over connections that can be cut at any moment.
//!
//! ureq speaks HTTP and TLS. The sockets are our own ([`socket`]), as is the way to a host's address ([`resolver`]), so
//! that every wait ends at once when the feed is closed ([`cutoff`]).

mod cutoff;
mod http;
mod progress;
mod resolver;
mod socket;
mod socks;
mod trust;

pub(crate) use cutoff::Cutoff;
pub(crate) use http::{Failure, FailureKind, Http, MaxBody, Reply, Request, warm_up};
use progress::Progress;
