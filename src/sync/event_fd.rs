//! A descriptor that is readable while it is raised.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

#[derive(Debug)]
pub(crate) struct EventFd {
    reader: OwnedFd,
    /// Where the system has no eventfd, the writing end of a pipe.
    writer: Option<OwnedFd>,
}

impl EventFd {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn new() -> io::Result<EventFd> {
        use rustix::event::{EventfdFlags, eventfd};
        Ok(EventFd {
            reader: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            writer: None,
        })
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(crate) fn new() -> io::Result<EventFd> {
        let (reader, writer) = rustix::pipe::pipe()?;
        for end in [&reader, &writer] {
            rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
            rustix::io::ioctl_fionbio(end, true)?;
        }
        Ok(EventFd {
            reader,
            writer: Some(writer),
        })
    }

    /// Makes it readable, for every thread that polls it, until it is lowered.
    pub(crate) fn raise(&self) {
        let writer = self.writer.as_ref().unwrap_or(&self.reader);
        // A full counter or pipe is readable already.
        let _ = rustix::io::write(writer, &1u64.to_ne_bytes());
    }

    pub(crate) fn lower(&self) {
        let mut buffer = [0u8; 64];
        while matches!(rustix::io::read(&self.reader, &mut buffer), Ok(n) if n == buffer.len()) {}
    }
}

impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}
