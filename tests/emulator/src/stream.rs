//! A connection whose answers can be cut: the faults that happen below HTTP.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// Where the next answer of a connection is cut.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// After how many bytes, the head included.
    pub after: usize,
    /// By RST rather than in good order.
    pub reset: bool,
    /// The length of the answer's body.
    pub body: usize,
}

/// Handed to the service of a connection, which may cut its own answer.
#[derive(Clone, Debug, Default)]
pub struct Scissors(Arc<Mutex<Option<Cut>>>);

impl Scissors {
    pub fn cut(&self, cut: Cut) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cut);
    }

    fn get(&self) -> Option<Cut> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the bytes of HTTP go through, in plain or by TLS.
pub trait Socket: AsyncRead + AsyncWrite + Unpin {
    fn tcp(&self) -> &TcpStream;
}

impl Socket for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Socket for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

#[derive(Debug)]
pub struct Stream<S> {
    inner: S,
    scissors: Scissors,
    /// How many bytes may still be written, once the answer to be cut has begun.
    left: Option<usize>,
}

impl<S: Socket> Stream<S> {
    pub fn new(inner: S, scissors: Scissors) -> Self {
        Stream {
            inner,
            scissors,
            left: None,
        }
    }

    /// How many bytes of an answer beginning with `head` may be written.
    fn allowance(cut: Cut, head: &[u8]) -> usize {
        if cut.reset {
            return cut.after;
        }
        let head = head
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .map_or(head.len(), |end| end + 4);
        cut.after.min((head + cut.body).saturating_sub(1))
    }

    fn end(&self, cut: Cut) -> io::Error {
        if cut.reset {
            // Nothing that can be done about a failure, and none is known.
            let _ = self.inner.tcp().set_zero_linger();
        }
        io::Error::other("cut by a fault")
    }
}

impl<S: Socket> AsyncRead for Stream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<S: Socket> AsyncWrite for Stream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Some(cut) = self.scissors.get() else {
            return Pin::new(&mut self.inner).poll_write(cx, bytes);
        };
        let left = *self.left.get_or_insert_with(|| Self::allowance(cut, bytes));
        if left == 0 {
            // TLS may still hold bytes back. Nothing follows them: no close_notify makes a cut look like an end.
            ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
            return Poll::Ready(Err(self.end(cut)));
        }
        let most = left.min(bytes.len());
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, &bytes[..most]))?;
        self.left = Some(left - written);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A reset later than the answer's end comes here.
        if let Some(cut) = self.scissors.get() {
            ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
            return Poll::Ready(Err(self.end(cut)));
        }
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
