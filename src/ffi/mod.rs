//! The C interface: the only place with `unsafe`.
//!
//! One file for each noun of the interface ([`feed`], [`event`], [`report`]). The idioms they share are in [`registry`]
//! (handles), [`guard`] (what every call begins with) and [`out`] (what goes out through pointers). `include/datafeed.h`
//! is generated from these files' signatures and comments; a test compares the two.

#![allow(unsafe_code)]

pub mod event;
pub mod feed;
mod guard;
mod out;
mod registry;
pub mod report;
mod signals;
pub mod status;
#[cfg(test)]
mod tests;
