//! How threads wake each other: an event count for threads that sleep, and a descriptor for threads that poll.

mod event_count;
mod event_fd;

pub(crate) use event_count::EventCount;
pub(crate) use event_fd::EventFd;
