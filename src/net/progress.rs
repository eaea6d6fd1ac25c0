//! How far an exchange has come, seen from outside the TLS layer.
//!
//! Two questions hang on it. After a failure: can the service have handled the request? And at close: has the
//! acknowledgement that a read carries left the house? The second is the [`Cutoff`]'s to answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::{error, fmt};

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, Either, NextTimeout, Transport};

use super::Cutoff;

#[derive(Debug, Default)]
pub(crate) struct Progress {
    writing: AtomicBool,
    answered: AtomicBool,
    reused: AtomicBool,
    beginning: Mutex<Beginning>,
}

/// The first bytes of an answer, which tell what it is if it is not HTTP.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Beginning {
    bytes: [u8; 32],
    length: usize,
}

impl Beginning {
    fn of(answer: &[u8]) -> Beginning {
        let mut beginning = Beginning::default();
        beginning.length = answer.len().min(beginning.bytes.len());
        beginning.bytes[..beginning.length].copy_from_slice(&answer[..beginning.length]);
        beginning
    }

    /// The reason why an answer is not HTTP, with what it looks like.
    pub(super) fn told_with(&self, reason: &str) -> String {
        let bytes = &self.bytes[..self.length];
        // A record of TLS: its kind, and the first byte of its version.
        if matches!(bytes, [0x14..=0x17, 3, ..]) {
            return format!("{reason}; it begins like TLS: should scheme be https?");
        }
        let line = bytes.split(|byte| matches!(byte, b'\r' | b'\n')).next();
        let text = line.and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
        if text.is_empty()
            || text.len() == self.bytes.len()
            || text.starts_with("HTTP/1")
            || text.contains(char::is_control)
        {
            return reason.to_owned();
        }
        format!("{reason}; it begins with {text:?}")
    }
}

/// The error of a part of an answer that is short by its nature and has no end.
#[derive(Debug)]
struct Endless(usize);

impl fmt::Display for Endless {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "a header, or the size of a chunk, does not end within {} bytes",
            self.0
        )
    }
}

impl error::Error for Endless {}

impl Progress {
    /// What the answer at hand begins with.
    pub(super) fn beginning(&self) -> Beginning {
        *self.beginning.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn start(&self) {
        self.writing.store(false, Ordering::SeqCst);
        self.answered.store(false, Ordering::SeqCst);
        self.reused.store(false, Ordering::SeqCst);
    }

    /// Whether any of the request may have reached the service.
    pub(crate) fn began_to_write(&self) -> bool {
        self.writing.load(Ordering::SeqCst)
    }

    /// Whether any of the answer arrived.
    pub(crate) fn answered(&self) -> bool {
        self.answered.load(Ordering::SeqCst)
    }

    /// Whether the connection had served an earlier request.
    pub(crate) fn reused(&self) -> bool {
        self.reused.load(Ordering::SeqCst)
    }
}

/// The last link of the chain of connectors.
#[derive(Debug)]
pub(super) struct Observe {
    pub(super) progress: Arc<Progress>,
    pub(super) cutoff: Arc<Cutoff>,
    /// Connections go through a proxy.
    pub(super) proxied: bool,
}

impl<In: Transport> Connector<In> for Observe {
    type Out = Either<In, Observed<In>>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        // The way to the proxy is made by the same chain, with a configuration without a proxy. What travels there is
        // no request yet.
        let to_the_proxy = self.proxied && details.config.proxy().is_none();
        Ok(chained.map(|inner| {
            if to_the_proxy {
                return Either::A(inner);
            }
            Either::B(Observed {
                inner,
                progress: Arc::clone(&self.progress),
                cutoff: Arc::clone(&self.cutoff),
                served: false,
            })
        }))
    }
}

#[derive(Debug)]
pub(super) struct Observed<T> {
    inner: T,
    progress: Arc<Progress>,
    cutoff: Arc<Cutoff>,
    /// An answer came over this connection before.
    served: bool,
}

impl<T: Transport> Transport for Observed<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.progress.writing.store(true, Ordering::SeqCst);
        self.progress.reused.store(self.served, Ordering::SeqCst);
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.cutoff.request_sent();
        if self.inner.buffers().input_append_buf().is_empty() {
            // Reading on would read nothing, which looks like the end of the connection.
            return Err(Error::Other(Box::new(Endless(self.inner.buffers().input().len()))));
        }
        let progressed = self.inner.await_input(timeout)?;
        if progressed {
            if !self.progress.answered() {
                let beginning = Beginning::of(self.inner.buffers().input());
                *self.progress.beginning.lock().unwrap_or_else(PoisonError::into_inner) = beginning;
            }
            self.progress.answered.store(true, Ordering::SeqCst);
            self.served = true;
        }
        Ok(progressed)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
