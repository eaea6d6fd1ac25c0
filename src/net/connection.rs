//! One connection to a service, with whatever lies between: a proxy, TLS.

use std::time::{Duration, Instant};

use ureq::unversioned::transport::{NextTimeout, Transport};
use ureq::{Error, Timeout};

#[derive(Debug)]
pub(super) struct Connection {
    transport: Box<dyn Transport>,
}

/// What an answer may hold before its next part begins: a head, the size of a chunk, a trailer.
pub(super) const INPUT_BUFFER: usize = 64 << 10;

/// Why there is no more to read.
#[derive(Debug)]
pub(super) enum NoMore {
    /// The other side has ended the connection.
    Ended,
    /// The buffer is full: something does not end that is short by its nature.
    Full,
    /// Whoever drives the exchange has to leave; somebody else goes on.
    Left,
    Broken(Error),
}

impl Connection {
    pub(super) fn new(transport: Box<dyn Transport>) -> Connection {
        Connection { transport }
    }

    /// Hands over what is to be sent; the last of it goes out when the answer is waited for, in one packet.
    pub(super) fn send(&mut self, mut bytes: &[u8], until: Instant) -> Result<(), Error> {
        while !bytes.is_empty() {
            let output = self.transport.buffers().output();
            let count = output.len().min(bytes.len());
            output[..count].copy_from_slice(&bytes[..count]);
            self.transport
                .transmit_output(count, time_until(until, Timeout::SendRequest))?;
            bytes = &bytes[count..];
        }
        Ok(())
    }

    /// What has come and is not consumed.
    pub(super) fn input(&mut self) -> &[u8] {
        self.transport.buffers().input()
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.transport.buffers().input_consume(count);
    }

    /// Waits for more to come.
    pub(super) fn await_more(&mut self, until: Instant, reason: Timeout) -> Result<(), NoMore> {
        if self.transport.buffers().input_append_buf().is_empty() {
            return Err(NoMore::Full);
        }
        match self.transport.await_input(time_until(until, reason)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(NoMore::Ended),
            Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => Err(NoMore::Left),
            Err(error) => Err(NoMore::Broken(error)),
        }
    }

    /// Whether it is fit for another request. Anything to read between two requests means that it is not: it is the
    /// connection's end, or bytes that belong to no answer.
    pub(super) fn is_fit(&mut self) -> bool {
        self.transport.buffers().input().is_empty() && self.transport.is_open()
    }
}

fn time_until(until: Instant, reason: Timeout) -> NextTimeout {
    NextTimeout {
        // Not zero, which ureq takes for a second.
        after: until
            .saturating_duration_since(Instant::now())
            .max(Duration::from_millis(1))
            .into(),
        reason,
        ..NextTimeout::default()
    }
}
