//! The library's hand-over between threads (`src/sync`), built on shuttle's locks and atomics instead of the system's: a
//! scheduler chooses which thread makes each step, tries thousands of orders, and finds a thread that sleeps for ever.
//!
//! The files are the library's own. What they are made of is in [`primitives`] and [`event_fd`].

#![forbid(unsafe_code)]
#![cfg(test)]

#[path = "../../../src/sync/deadline.rs"]
#[allow(dead_code)]
mod deadline;
#[path = "../../../src/sync/desk.rs"]
#[allow(dead_code)]
mod desk;
#[path = "../../../src/sync/event_count.rs"]
mod event_count;
mod event_fd;
#[path = "../../../src/sync/handover.rs"]
#[allow(dead_code)]
mod handover;
mod leading;
mod primitives;
mod tests;

use event_count::EventCount;
use event_fd::EventFd;
