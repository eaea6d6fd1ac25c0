//! A connection whose answers can be cut: the faults that happen below HTTP.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};
use tokio_rustls::server::TlsStream;

use crate::entry::Entry;

/// Where the next answer of a connection is cut, and what comes then.
pub struct Cut {
    /// After how many bytes, the head included.
    pub after: usize,
    pub then: Then,
    /// The length of the answer's body.
    pub body: usize,
    pub status: u16,
    /// Ended where the answer ends; dropped with the connection when the client leaves before.
    pub entry: Entry,
}

/// What comes after the bytes that were let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// RST.
    Reset,
    /// The end of the connection, in good order as far as TCP goes.
    Close,
    /// Nothing until the client leaves.
    Silence,
    /// Nothing for so long, then RST.
    LateReset(Duration),
    /// The rest, one byte each so often.
    Drip(Duration),
    /// Nothing is cut: the entry ends when the answer has gone out whole.
    Whole,
}

/// Handed to the service of a connection, which may cut its own answer.
#[derive(Clone, Default)]
pub struct Scissors(Arc<Mutex<Option<Cut>>>);

impl Scissors {
    pub fn cut(&self, cut: Cut) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cut);
    }

    fn take(&self) -> Option<Cut> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
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

pub struct Stream<S> {
    inner: S,
    scissors: Scissors,
    cutting: Option<Cutting>,
}

/// An answer that is being cut.
struct Cutting {
    /// How many bytes may be written at once.
    allowed: usize,
    /// How many bytes of the whole answer are to come.
    left: usize,
    then: Then,
    status: u16,
    /// `None` when it has ended.
    entry: Option<Entry>,
    /// Until when nothing is written.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Cutting {
    /// Of an answer that begins with `head`.
    fn begin(cut: Cut, head: &[u8]) -> Cutting {
        let head = head
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .map_or(head.len(), |end| end + 4);
        let whole = head + cut.body;
        Cutting {
            allowed: match cut.then {
                Then::Reset | Then::Drip(_) | Then::Whole => cut.after,
                // The client has to miss something.
                Then::Close | Then::Silence | Then::LateReset(_) => cut.after.min(whole.saturating_sub(1)),
            },
            left: whole,
            then: cut.then,
            status: cut.status,
            entry: Some(cut.entry),
            pause: None,
        }
    }

    fn wrote(&mut self, bytes: usize) {
        self.allowed -= bytes;
        self.left = self.left.saturating_sub(bytes);
        if let (Then::Drip(_) | Then::Whole, 0) = (self.then, self.left)
            && let Some(entry) = self.entry.take()
        {
            entry.answered(self.status);
        }
    }

    /// Whether a wait that begins where there is none is over.
    fn poll_pause(&mut self, cx: &mut Context<'_>, time: Duration) -> Poll<()> {
        let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(time)));
        ready!(pause.as_mut().poll(cx));
        self.pause = None;
        Poll::Ready(())
    }
}

impl<S: Socket> Stream<S> {
    pub fn new(inner: S, scissors: Scissors) -> Self {
        Stream {
            inner,
            scissors,
            cutting: None,
        }
    }

    /// Ready when more may be written, or when the answer ends here.
    fn poll_allowance(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(cutting) = &mut self.cutting else {
            return Poll::Ready(Ok(()));
        };
        if cutting.allowed > 0 {
            return Poll::Ready(Ok(()));
        }
        // TLS may still hold bytes back.
        ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
        match cutting.then {
            Then::Reset | Then::Close | Then::Whole => (),
            // The client's leaving is seen by whoever reads.
            Then::Silence => return Poll::Pending,
            Then::LateReset(pause) => ready!(cutting.poll_pause(cx, pause)),
            Then::Drip(pause) => {
                ready!(cutting.poll_pause(cx, pause));
                cutting.allowed = 1;
                return Poll::Ready(Ok(()));
            }
        }
        Poll::Ready(Err(self.end()))
    }

    /// Nothing is written any more: no close_notify makes a cut look like an end.
    fn end(&mut self) -> io::Error {
        if let Some(cutting) = &mut self.cutting {
            if cutting.then != Then::Close {
                // Nothing that can be done about a failure, and none is known.
                let _ = self.inner.tcp().set_zero_linger();
            }
            if let Some(entry) = cutting.entry.take() {
                entry.damaged();
            }
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
        if let Some(cut) = self.scissors.take() {
            self.cutting = Some(Cutting::begin(cut, bytes));
        }
        ready!(self.poll_allowance(cx))?;
        let most = self.cutting.as_ref().map_or(usize::MAX, |cutting| cutting.allowed);
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, &bytes[..most.min(bytes.len())]))?;
        if let Some(cutting) = &mut self.cutting {
            cutting.wrote(written);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A reset later than the answer's end comes here.
        if self.cutting.as_ref().is_some_and(|cutting| cutting.then == Then::Reset) {
            ready!(Pin::new(&mut self.inner).poll_flush(cx))?;
            return Poll::Ready(Err(self.end()));
        }
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
