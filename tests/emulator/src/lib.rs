//! An agent, pod and key manager on loopback, for bots and tests that need a Symphony datafeed without a pod.
//!
//! ```
//! use datafeed_emulator::{Emulator, Settings, chat};
//!
//! let emulator = Emulator::start(Settings::default())?;
//! println!("{}", emulator.config()); // what a bot connects with
//! emulator.publish([chat::message_sent(1, "hello")]);
//! assert_eq!(emulator.books().published, 1);
//! # Ok::<(), std::io::Error>(())
//! ```

#![forbid(unsafe_code)]

mod address;
mod agents;
mod books;
mod bot;
mod bridge;
mod certificates;
mod chaos;
pub mod chat;
mod client_certificates;
mod clock;
mod control_settings;
mod emulator;
mod entry;
mod event_types;
mod faults;
mod feeds;
mod gateway;
pub mod keys;
mod pkcs12;
mod pod;
mod ports;
pub mod proxy;
mod queue;
mod render;
mod reply;
mod requests;
mod routes;
mod server;
mod session;
mod settings;
mod shared;
pub mod socks;
mod stream;
mod v1;

pub use books::{Books, EventBook, FeedInfo, V1Books, V1EventBook, V1FeedInfo};
pub use certificates::Certificate;
pub use chaos::ChaosBooks;
pub use client_certificates::ClientCertificate;
pub use emulator::Emulator;
pub use event_types::EVENT_TYPES;
pub use faults::{Endpoint, Fault, FaultAction};
pub use requests::{Outcome, RequestLog};
pub use settings::{EmptyRead, Layout, Order, Settings, StaleAck};
pub use v1::V1Stream;

/// The user id of the bot: what `GET /pod/v2/sessioninfo` answers as `id`.
pub const BOT_USER_ID: i64 = 349_026_222_344_902;
