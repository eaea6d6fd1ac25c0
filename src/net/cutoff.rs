//! The end of all waiting: until when network operations may wait, which another thread can change at any moment.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use std::{error, fmt, io};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ureq::unversioned::transport::NextTimeout;

use crate::sync::{Deadline, EventFd};

type Chore = Box<dyn Fn() -> Option<Duration> + Send + Sync>;

/// Shared by a feed's connections and by whoever may end their waiting.
pub(crate) struct Cutoff {
    origin: Instant,
    /// In milliseconds after the origin.
    deadline: Deadline,
    changed: EventFd,
    chore: OnceLock<Chore>,
    lent: Mutex<Option<Lent>>,
}

/// When somebody has to leave who waits for an answer.
#[derive(Debug, Clone)]
pub(crate) struct Lent {
    /// Readable: at once.
    pub(crate) bell: Arc<EventFd>,
    pub(crate) until: Option<Instant>,
}

/// How long a request is left alone after it was sent when its answer is not waited for.
const LINGER_MILLIS: u64 = 50;

impl fmt::Debug for Cutoff {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Cutoff")
            .field("deadline", &self.deadline)
            .finish()
    }
}

/// The error of an operation that was cut.
#[derive(Debug)]
pub(crate) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the operation was cut short because the feed is closing")
    }
}

impl error::Error for Cut {}

impl From<Cut> for ureq::Error {
    fn from(cut: Cut) -> ureq::Error {
        ureq::Error::Other(Box::new(cut))
    }
}

impl Cutoff {
    pub(crate) fn new() -> io::Result<Cutoff> {
        Ok(Cutoff {
            origin: Instant::now(),
            deadline: Deadline::new(LINGER_MILLIS),
            changed: EventFd::new()?,
            chore: OnceLock::new(),
            lent: Mutex::default(),
        })
    }

    /// Something small to do while the network is waited for; it answers when it wants to be called again.
    pub(crate) fn set_chore(&self, chore: impl Fn() -> Option<Duration> + Send + Sync + 'static) {
        let _ = self.chore.set(Box::new(chore));
    }

    /// Ends every wait now, and every later one.
    pub(crate) fn cut(&self) {
        self.deadline.cut();
        self.changed.raise();
    }

    /// Ends every wait after so long at the latest.
    pub(crate) fn end_after(&self, span: Duration) {
        let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        self.deadline.end_at(self.now().saturating_add(span));
        self.changed.raise();
    }

    /// Lets a request be sent for so long, after a cut too. Its answer is not waited for.
    pub(crate) fn let_send_for(&self, span: Duration) {
        let span = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        self.deadline.let_send_until(self.now().saturating_add(span));
        self.changed.raise();
    }

    /// Another request is at hand.
    pub(crate) fn request_begins(&self) {
        self.deadline.request_begins();
    }

    /// The request at hand was sent.
    pub(crate) fn request_sent(&self) {
        self.deadline.request_sent(self.now());
    }

    /// Whether the request at hand was sent.
    pub(crate) fn was_sent(&self) -> bool {
        self.deadline.sent_at().is_some()
    }

    /// Whoever waits for an answer from now on may have to leave: the wait then fails with [`io::ErrorKind::WouldBlock`], and
    /// whoever comes next waits on. Nothing: waits end with what they wait for.
    pub(crate) fn lend(&self, lent: Option<Lent>) {
        *self.lent.lock().unwrap_or_else(PoisonError::into_inner) = lent;
    }

    /// Whether whoever waits may have to leave.
    pub(crate) fn is_lent(&self) -> bool {
        self.lent.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Whether whoever waits has to leave now.
    pub(crate) fn has_to_leave(&self) -> bool {
        let lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner).clone();
        lent.is_some_and(|Lent { bell, until }| {
            let is_late = until.is_some_and(|until| until <= Instant::now());
            let mut bell = [PollFd::from_borrowed_fd(bell.as_fd(), PollFlags::IN)];
            is_late || poll(&mut bell, Some(&Timespec::default())).is_ok_and(|rung| rung > 0)
        })
    }

    /// Calls the chore anew from whatever wait is going on.
    pub(crate) fn nudge(&self) {
        self.changed.raise();
    }

    pub(crate) fn is_over(&self) -> bool {
        self.remaining().is_some_and(|remaining| remaining.is_zero())
    }

    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn remaining(&self) -> Option<Duration> {
        if !self.deadline.is_set() {
            return None;
        }
        self.deadline.remaining(self.now()).map(Duration::from_millis)
    }

    /// Waits until the descriptor is ready; fails with a timeout, with [`Cut`], or because whoever waits has to
    /// [leave](Cutoff::lend), which is only to be expected of what waits to read.
    pub(crate) fn wait(&self, fd: BorrowedFd, flags: PollFlags, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let started = Instant::now();
        let limit = timeout.not_zero().map(|limit| *limit);
        // What is sent is sent whole: it takes no time worth mentioning.
        let lent = match flags {
            PollFlags::IN => self.lent.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            _ => None,
        };
        loop {
            let until_timeout = limit.map(|limit| limit.saturating_sub(started.elapsed()));
            if until_timeout.is_some_and(|left| left.is_zero()) {
                return Err(ureq::Error::Timeout(timeout.reason));
            }
            let until_cut = self.remaining();
            if until_cut.is_some_and(|left| left.is_zero()) {
                return Err(Cut.into());
            }
            let until_chore = self.chore.get().and_then(|chore| chore());
            let until_left = lent.as_ref().and_then(|lent| lent.until);
            let until_left = until_left.map(|until| until.saturating_duration_since(Instant::now()));
            let wait = [until_timeout, until_cut, until_chore, until_left];
            let bell = lent.as_ref().map(|lent| &*lent.bell);
            match self.poll_once(fd, flags, bell, wait.into_iter().flatten().min())? {
                Woken::Ready => return Ok(()),
                Woken::Rung => return Err(left()),
                Woken::Otherwise if until_left.is_some_and(|left| left.is_zero()) => return Err(left()),
                Woken::Otherwise => {}
            }
        }
    }

    fn poll_once(
        &self,
        fd: BorrowedFd,
        flags: PollFlags,
        bell: Option<&EventFd>,
        wait: Option<Duration>,
    ) -> Result<Woken, ureq::Error> {
        // Rounded up, or the last fraction of a wait would be spent polling.
        let wait = wait.and_then(|wait| Timespec::try_from(wait + Duration::from_micros(50)).ok());
        let mut fds = [
            PollFd::from_borrowed_fd(fd, flags),
            PollFd::from_borrowed_fd(self.changed.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(bell.unwrap_or(&self.changed).as_fd(), PollFlags::IN),
        ];
        let count = if bell.is_some() { 3 } else { 2 };
        match poll(&mut fds[..count], wait.as_ref()) {
            Err(rustix::io::Errno::INTR) | Ok(0) => return Ok(Woken::Otherwise),
            Err(error) => return Err(ureq::Error::Io(error.into())),
            Ok(_) => {}
        }
        let [ready, changed, rung] = fds.map(|fd| !fd.revents().is_empty());
        if changed && !self.is_over() {
            self.changed.lower();
            // A cut between the two lines above must not be lost.
            if self.is_over() {
                self.changed.raise();
            }
        }
        Ok(match (ready, rung) {
            _ if self.is_over() => Woken::Otherwise,
            (true, _) => Woken::Ready,
            (false, true) => Woken::Rung,
            (false, false) => Woken::Otherwise,
        })
    }
}

/// What a wait ended with.
enum Woken {
    Ready,
    /// Whoever waits has to leave at once.
    Rung,
    /// Time passed, or something changed.
    Otherwise,
}

/// The error of a wait that had to be left.
pub(super) fn left() -> ureq::Error {
    ureq::Error::Io(io::ErrorKind::WouldBlock.into())
}
