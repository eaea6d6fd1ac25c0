//! Where events may have been missed the bot is told so, in its place, by an event of the library's own.

#[path = "../common/mod.rs"]
mod common;

mod first;
mod restarts;
mod second;
mod told;
mod world;
