//! TCP sockets whose every wait is cut when the feed is closed.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Instant;

use rustix::event::PollFlags;
use socket2::{Domain, Protocol, Socket, Type};
use ureq::unversioned::transport::time::Duration;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Error, Timeout};

use super::Cutoff;
use super::cutoff::{Cut, left};

/// The link of the chain of connectors that opens sockets.
#[derive(Debug)]
pub(super) struct TcpConnector {
    pub(super) cutoff: Arc<Cutoff>,
}

impl<In: Transport> Connector<In> for TcpConnector {
    type Out = Either<In, TcpTransport>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        if chained.is_some() {
            return Ok(chained.map(Either::A));
        }
        self.open(&details.addrs, details).map(|opened| Some(Either::B(opened)))
    }
}

impl TcpConnector {
    /// Opens a socket to the first of these addresses that takes it.
    pub(super) fn open(&self, addresses: &[SocketAddr], details: &ConnectionDetails) -> Result<TcpTransport, Error> {
        let connected_by = details.config.timeouts().connect.map(|limit| Instant::now() + limit);
        let stream = self.connect_any(addresses, details.timeout)?;
        if details.config.no_delay() {
            stream.set_nodelay(true)?;
        }
        let buffers = LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(TcpTransport {
            stream,
            cutoff: Arc::clone(&self.cutoff),
            connected_by,
            buffers,
            unsent: Vec::new(),
            answer_pending: false,
        })
    }

    /// Tries one address after the other, each with its share of the time.
    fn connect_any(&self, addresses: &[SocketAddr], timeout: NextTimeout) -> Result<TcpStream, Error> {
        let mut last_error = Error::ConnectionFailed;
        let mut timeout = timeout;
        if !timeout.after.is_not_happening() {
            let share = *timeout.after / addresses.len().max(1) as u32;
            timeout.after = Duration::Exact(share);
        }
        for address in addresses {
            if self.cutoff.is_over() {
                return Err(Cut.into());
            }
            match self.connect_one(*address, timeout) {
                Ok(stream) => return Ok(stream),
                Err(error) if self.cutoff.is_over() => return Err(error),
                Err(error) => last_error = error,
            }
        }
        Err(last_error)
    }

    fn connect_one(&self, address: SocketAddr, timeout: NextTimeout) -> Result<TcpStream, Error> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        match socket.connect(&address.into()) {
            Ok(()) => {}
            Err(error) if in_progress(&error) => {
                self.cutoff
                    .wait(socket.as_fd(), PollFlags::OUT, timeout)
                    .map_err(|error| match error {
                        Error::Timeout(_) => Error::Timeout(Timeout::Connect),
                        other => other,
                    })?;
                if let Some(error) = socket.take_error()? {
                    return Err(error.into());
                }
            }
            Err(error) => return Err(error.into()),
        }
        Ok(socket.into())
    }
}

fn in_progress(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock
        || error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
        || error.kind() == ErrorKind::Interrupted
}

#[derive(Debug)]
pub(super) struct TcpTransport {
    /// Non-blocking: waiting is done by the cutoff.
    stream: TcpStream,
    cutoff: Arc<Cutoff>,
    /// By when the way to the service has to stand, whatever is waited for how often until then.
    connected_by: Option<Instant>,
    buffers: LazyBuffers,
    /// ureq hands out a request's head and body apart. They are sent together, when the answer is waited for: one
    /// packet, and the other side wakes once.
    unsent: Vec<u8>,
    /// Something was written and nothing read since: the next read has to wait, so it need not be tried first.
    answer_pending: bool,
}

/// What is collected before it is sent without waiting for the rest.
const SEND_AT: usize = 16 << 10;

impl TcpTransport {
    /// What is left of the time for the connection, if that is what the wait is a part of.
    ///
    /// A proxy may answer byte by byte, and ureq gives each wait the whole time anew.
    fn left_to_connect(&self, mut timeout: NextTimeout) -> Result<NextTimeout, Error> {
        let Some(end) = self.connected_by.filter(|_| timeout.reason == Timeout::Connect) else {
            return Ok(timeout);
        };
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::Timeout(Timeout::Connect));
        }
        timeout.after = timeout.after.min(Duration::Exact(left));
        Ok(timeout)
    }

    fn send(&mut self, timeout: NextTimeout) -> Result<(), Error> {
        let mut sent = 0;
        while sent < self.unsent.len() {
            match self.stream.write(&self.unsent[sent..]) {
                Ok(0) => return Err(io::Error::from(ErrorKind::WriteZero).into()),
                Ok(count) => sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.cutoff
                        .wait(self.stream.as_fd(), PollFlags::OUT, timeout.for_write())?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.unsent.clear();
        self.answer_pending = true;
        Ok(())
    }
}

impl Transport for TcpTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.unsent.extend_from_slice(&self.buffers.output()[..amount]);
        if self.unsent.len() >= SEND_AT {
            self.send(timeout)?;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = self.left_to_connect(timeout)?;
        if !self.unsent.is_empty() {
            self.send(timeout)?;
        }
        loop {
            if self.answer_pending {
                self.cutoff
                    .wait(self.stream.as_fd(), PollFlags::IN, timeout.for_read())?;
            }
            // The other side may send without a pause, so that nothing is ever waited for.
            if self.cutoff.is_over() {
                return Err(Cut.into());
            }
            if !self.answer_pending && self.cutoff.has_to_leave() {
                // Whoever goes on reads something first, or nobody would as long as somebody else is called away.
                self.answer_pending = true;
                return Err(left());
            }
            match self.stream.read(self.buffers.input_append_buf()) {
                Ok(count) => {
                    self.answer_pending = false;
                    self.buffers.input_appended(count);
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.answer_pending = true,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether it is open and there is nothing to read.
    fn is_open(&mut self) -> bool {
        let mut byte = [0];
        matches!(self.stream.peek(&mut byte), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
}
