//! Streams other than the usual one, what is filtered, and where the agent is, through the C interface.

#[path = "../common/mod.rs"]
mod common;

mod bridge;
mod datahose;
mod filters;
mod first;
mod folder;
mod id_file;
mod jwt;
mod ways;
