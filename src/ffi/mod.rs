//! The C interface: the only place with `unsafe`.
//!
//! One file for each noun of the interface ([`feed`], [`event`], [`report`]). The idioms they share are in [`registry`]
//! (handles), [`forks`], [`guard`] (what every call begins with) and [`out`] (what goes out through pointers). `include/datafeed.h`
//! is generated from these files' signatures and comments; a test compares the two.

#![allow(unsafe_code)]

pub mod event;
pub mod feed;
mod forks;
mod guard;
pub mod handle;
pub mod letters;
mod out;
mod registry;
pub mod report;
mod signals;
pub mod status;

/// The feed that a handle of this process stands for.
#[cfg(feature = "internals")]
pub(crate) fn feed_of(handle: *const handle::datafeed) -> Option<&'static crate::Datafeed> {
    match registry::find(handle) {
        registry::Found::Feed(feed) => Some(feed),
        registry::Found::Parents | registry::Found::Nothing => None,
    }
}
