//! The wire cannot hurt: whatever an answer consists of, the feed says what came and goes on.

#[path = "../common/mod.rs"]
mod common;

mod bodies;
mod connections;
mod endpoints;
mod framing;
mod gateways;
mod wire;
mod words;
