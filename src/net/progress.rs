//! How far an exchange has come, seen from outside the TLS layer.
//!
//! Two questions hang on it. After a failure: can the service have handled the request? And at close: has the
//! acknowledgement that a read carries left the house?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

use super::Cutoff;

#[derive(Debug)]
pub(crate) struct Progress {
    origin: Instant,
    /// Microseconds after the origin at which the request had been written; 0: not yet.
    sent_at: AtomicU64,
    writing: AtomicBool,
    answered: AtomicBool,
    reused: AtomicBool,
}

impl Progress {
    pub(crate) fn new() -> Arc<Progress> {
        Arc::new(Progress {
            origin: Instant::now(),
            sent_at: AtomicU64::new(0),
            writing: AtomicBool::new(false),
            answered: AtomicBool::new(false),
            reused: AtomicBool::new(false),
        })
    }

    pub(crate) fn start(&self) {
        self.sent_at.store(0, Ordering::SeqCst);
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

    /// How long ago the whole request had been written.
    pub(crate) fn sent_for(&self) -> Option<Duration> {
        match self.sent_at.load(Ordering::SeqCst) {
            0 => None,
            at => Some(self.origin.elapsed().saturating_sub(Duration::from_micros(at))),
        }
    }
}

/// The last link of the chain of connectors.
#[derive(Debug)]
pub(super) struct Observe {
    pub(super) progress: Arc<Progress>,
    pub(super) cutoff: Arc<Cutoff>,
}

impl<In: Transport> Connector<In> for Observe {
    type Out = Observed<In>;

    fn connect(&self, _: &ConnectionDetails, chained: Option<In>) -> Result<Option<Observed<In>>, Error> {
        Ok(chained.map(|inner| Observed {
            inner,
            progress: Arc::clone(&self.progress),
            cutoff: Arc::clone(&self.cutoff),
            served: false,
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
        if self.progress.sent_at.load(Ordering::Relaxed) == 0 {
            let micros = self.progress.origin.elapsed().as_micros() as u64;
            self.progress.sent_at.store(micros.max(1), Ordering::SeqCst);
            self.cutoff.sent();
        }
        let progressed = self.inner.await_input(timeout)?;
        if progressed {
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
