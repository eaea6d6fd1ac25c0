//! Symphony's real-time events for any program: a thread that polls a datafeed, behind a handful of calls.
//!
//! The C interface is in [`ffi`] and in `include/datafeed.h`; this is the same in Rust.
//!
//! ```
//! use datafeed::{Config, Datafeed, NoEvent};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let emulator = datafeed_emulator::Emulator::start(Default::default())?;
//! # let config = emulator.config().to_string();
//! // A path, or a text in JSON or YAML: {"host": "mybank.symphony.com", "bot": {...}}
//! let feed = Datafeed::open(Config::parse(&config)?)?;
//! # emulator.create_feed(None);
//! # emulator.publish([r#"{"type":"MESSAGESENT"}"#]);
//! # let bot = feed.clone();
//! # std::thread::spawn(move || { while bot.stats()["acknowledged"] == 0 { std::thread::yield_now() } bot.interrupt() });
//! loop {
//!     match feed.next_event(None) {
//!         Ok(event) => {
//!             println!("{}", event.json()); // exactly as the agent sent it
//!             feed.ack(event.delivery())?;
//!         }
//!         Err(NoEvent::Failed(error)) => return Err(error.into()),
//!         Err(_) => break, // interrupted or closed
//!     }
//! }
//! feed.close()?;
//! # Ok(())
//! # }
//! ```
//!
//! Opening checks the configuration and waits for nothing. A thread of the feed logs in, finds the bot's feed or creates
//! one, and reads; what can pass is retried, and [`Datafeed::error`] and [`Datafeed::next_log`] tell of it. What cannot
//! ends the feed, and is the reason in [`NoEvent::Failed`].
//!
//! An event is the bot's until it is acknowledged or refused, however long that takes and in whichever thread. Several
//! threads may wait for events of one feed; a service that is told to end lets them finish by [`Datafeed::drain`].
//!
//! Inside, data flows one way: bytes ([`net`]) become a batch ([`batch`]), the batch goes into the ledger
//! ([`ledger`]), and the ledger hands out to the bot ([`feed`]). What the endpoints are ([`protocol`]), what to do after
//! each outcome ([`policy`]) and the thread that does it ([`poller`]) are apart.

#![deny(unsafe_code, missing_docs)]
#![allow(rustdoc::private_intra_doc_links)]

mod batch;
mod buffer;
mod claim;
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
mod store;
mod sync;

#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod internals;

pub use config::Config;
pub use error::{Code, Error};
pub use feed::{AlreadyClosed, Datafeed, Event, NoEvent, NoLetter, NoSession, NotAcknowledged, NotDrained};
pub use log::{Level, LogLine, NoLine};
pub use store::DeadLetter;

/// The library's version, as `0.1.0`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
