//! The end of all waiting: until when network operations may wait, which another thread can change at any moment.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{error, fmt, io};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use ureq::unversioned::transport::NextTimeout;

use crate::sync::EventFd;

const NEVER: u64 = u64::MAX;

type Chore = Box<dyn Fn() -> Option<Duration> + Send + Sync>;

/// Shared by a feed's connections and by whoever may end their waiting.
pub(crate) struct Cutoff {
    origin: Instant,
    /// Milliseconds after the origin.
    at: AtomicU64,
    changed: EventFd,
    chore: OnceLock<Chore>,
    /// What is sent from now on is the last: its answer is not waited for.
    closing: AtomicBool,
}

/// How long a request is left alone after it was sent when its answer is not waited for.
const LINGER: Duration = Duration::from_millis(50);

impl fmt::Debug for Cutoff {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Cutoff").field("at", &self.at).finish()
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

impl Cutoff {
    pub(crate) fn new() -> io::Result<Cutoff> {
        Ok(Cutoff {
            origin: Instant::now(),
            at: AtomicU64::new(NEVER),
            changed: EventFd::new()?,
            chore: OnceLock::new(),
            closing: AtomicBool::new(false),
        })
    }

    /// Something small to do while the network is waited for; it answers when it wants to be called again.
    pub(crate) fn set_chore(&self, chore: impl Fn() -> Option<Duration> + Send + Sync + 'static) {
        let _ = self.chore.set(Box::new(chore));
    }

    /// Ends every wait now, and every later one.
    pub(crate) fn cut(&self) {
        self.at.store(0, Ordering::SeqCst);
        self.changed.raise();
    }

    /// Lets a request be sent until then, after a cut too. Once it is sent (`sent_for`: it was, so long ago) only a
    /// moment is waited, for it to arrive, and not for its answer.
    pub(crate) fn let_send_until(&self, end: Instant, sent_for: Option<Duration>) {
        self.closing.store(true, Ordering::SeqCst);
        let end = match sent_for {
            None => end,
            Some(sent_for) => end.min(Instant::now() + LINGER.saturating_sub(sent_for)),
        };
        let millis = end.saturating_duration_since(self.origin).as_millis();
        self.at.store(u64::try_from(millis).unwrap_or(NEVER), Ordering::SeqCst);
        self.changed.raise();
    }

    /// A request was sent.
    pub(crate) fn sent(&self) {
        if self.closing.load(Ordering::SeqCst) {
            let linger = (Instant::now() + LINGER)
                .saturating_duration_since(self.origin)
                .as_millis();
            self.at
                .fetch_min(u64::try_from(linger).unwrap_or(NEVER), Ordering::SeqCst);
        }
    }

    /// Calls the chore anew from whatever wait is going on.
    pub(crate) fn nudge(&self) {
        self.changed.raise();
    }

    pub(crate) fn is_over(&self) -> bool {
        self.remaining().is_some_and(|remaining| remaining.is_zero())
    }

    fn remaining(&self) -> Option<Duration> {
        match self.at.load(Ordering::SeqCst) {
            NEVER => None,
            at => Some(Duration::from_millis(at).saturating_sub(self.origin.elapsed())),
        }
    }

    /// Waits until the descriptor is ready; fails with a timeout, or with [`Cut`].
    pub(crate) fn wait(&self, fd: BorrowedFd, flags: PollFlags, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let started = Instant::now();
        let limit = timeout.not_zero().map(|limit| *limit);
        loop {
            let until_timeout = limit.map(|limit| limit.saturating_sub(started.elapsed()));
            if until_timeout.is_some_and(|left| left.is_zero()) {
                return Err(ureq::Error::Timeout(timeout.reason));
            }
            let until_cut = self.remaining();
            if until_cut.is_some_and(|left| left.is_zero()) {
                return Err(ureq::Error::Other(Box::new(Cut)));
            }
            let until_chore = self.chore.get().and_then(|chore| chore());
            let wait = [until_timeout, until_cut, until_chore].into_iter().flatten().min();
            if self.poll_once(fd, flags, wait)? {
                return Ok(());
            }
        }
    }

    fn poll_once(&self, fd: BorrowedFd, flags: PollFlags, wait: Option<Duration>) -> Result<bool, ureq::Error> {
        // Rounded up, or the last fraction of a wait would be spent polling.
        let wait = wait.and_then(|wait| Timespec::try_from(wait + Duration::from_micros(50)).ok());
        let mut fds = [
            PollFd::from_borrowed_fd(fd, flags),
            PollFd::from_borrowed_fd(self.changed.as_fd(), PollFlags::IN),
        ];
        match poll(&mut fds, wait.as_ref()) {
            Err(rustix::io::Errno::INTR) | Ok(0) => return Ok(false),
            Err(error) => return Err(ureq::Error::Io(error.into())),
            Ok(_) => {}
        }
        let (ready, changed) = (!fds[0].revents().is_empty(), !fds[1].revents().is_empty());
        if changed && !self.is_over() {
            self.changed.lower();
            // A cut between the two lines above must not be lost.
            if self.is_over() {
                self.changed.raise();
            }
        }
        Ok(ready && !self.is_over())
    }
}
