//! Symphony's real-time events for any program: a thread that polls a datafeed, behind a handful of calls.
//!
//! The C interface is in [`ffi`] and in `include/datafeed.h`; this is the same in Rust. Start with [`Datafeed`].
//!
//! Inside, data flows one way: bytes ([`net`]) become a batch ([`batch`]), the batch goes into the ledger
//! ([`ledger`]), and the ledger hands out to the bot ([`feed`]). What the endpoints are ([`protocol`]), what to do after
//! each outcome ([`policy`]) and the thread that does it ([`poller`]) are apart.

#![deny(unsafe_code, missing_docs)]
#![allow(rustdoc::private_intra_doc_links)]

mod batch;
mod clock;
mod config;
mod error;
mod feed;
pub mod ffi;
mod hash;
mod id_file;
mod ledger;
mod log;
mod net;
mod policy;
mod poller;
mod protocol;
mod session;
mod shared;
mod sync;

#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;

pub use config::Config;
pub use error::{Code, Error};
pub use feed::{AlreadyClosed, Datafeed, Event, NoEvent, NoSession, NotAcknowledged, NotDrained};
pub use log::{Level, LogLine, NoLine};
