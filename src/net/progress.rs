//! How far an exchange has come, seen from outside the TLS layer.
//!
//! Two questions hang on it. After a failure: can the service have handled the request? And at close: has the
//! acknowledgement that a read carries left the house? The second is the [`Cutoff`]'s to answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, Either, NextTimeout, Transport};

use super::Cutoff;

#[derive(Debug, Default)]
pub(crate) struct Progress {
    writing: AtomicBool,
    answered: AtomicBool,
    reused: AtomicBool,
}

impl Progress {
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
