//! How threads meet: the [hand-over](handover) between a feed's callers and its poller, the event count that its sleepers
//! sleep on, the [desk] where the poller lies while nobody runs it, the descriptor for those that poll, and the deadline of
//! what waits on the network.
//!
//! These files but `event_fd.rs` use nothing of the library and take what they are made of from [`primitives`], so that
//! `tests/interleavings` can run them with every order of steps.

mod deadline;
mod desk;
mod event_count;
mod event_fd;
mod handover;
mod primitives;
#[cfg(test)]
mod tests;

pub(crate) use deadline::Deadline;
pub(crate) use desk::{Desk, Watch};
pub(crate) use event_count::{EventCount, Ticket};
pub(crate) use event_fd::EventFd;
pub(crate) use handover::{Guard, Handover, Look, NotTaken, Queue};
