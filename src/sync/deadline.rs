//! Until when network operations may wait, and whether the request at hand has left the house: the numbers behind
//! `net::Cutoff`, without sockets and without a clock of their own.
//!
//! A feed that closes lets a request go out that carries an acknowledgement, and does not wait for its answer. It is
//! closed by one thread while another sends, so either may come first: whoever comes second must see the other. All
//! accesses are sequentially consistent, and each side writes its own number before it reads the other's.

use super::primitives::{AtomicBool, AtomicU64, Ordering};

const NEVER: u64 = u64::MAX;

/// Times are milliseconds on one clock, which whoever calls reads.
#[derive(Debug)]
pub(crate) struct Deadline {
    at: AtomicU64,
    /// When the request at hand had been written, plus one; 0: not yet.
    sent_at: AtomicU64,
    /// The request at hand, and those that follow, are the last: their answers are not waited for.
    closing: AtomicBool,
    /// How long a request is left alone after it was sent when its answer is not waited for.
    linger: u64,
}

impl Deadline {
    pub(crate) fn new(linger: u64) -> Deadline {
        Deadline {
            at: AtomicU64::new(NEVER),
            sent_at: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            linger,
        }
    }

    /// Nothing waits any longer.
    pub(crate) fn cut(&self) {
        self.at.store(0, Ordering::SeqCst);
    }

    /// Nothing waits longer than until `end`.
    pub(crate) fn end_at(&self, end: u64) {
        self.at.fetch_min(end, Ordering::SeqCst);
    }

    /// Another request is at hand, of which nothing is sent.
    pub(crate) fn request_begins(&self) {
        self.sent_at.store(0, Ordering::SeqCst);
    }

    /// The request at hand has been written. Later calls for the same request change nothing.
    pub(crate) fn request_sent(&self, now: u64) {
        if self.sent_at.load(Ordering::SeqCst) != 0 {
            return;
        }
        self.sent_at.store(now + 1, Ordering::SeqCst);
        if self.closing.load(Ordering::SeqCst) {
            self.at.fetch_min(now + self.linger, Ordering::SeqCst);
        }
    }

    /// Lets a request be sent until `end`, after a cut too. Once it is sent, or if it was, only a moment is waited, for
    /// it to arrive, and not for its answer.
    pub(crate) fn let_send_until(&self, end: u64) {
        self.closing.store(true, Ordering::SeqCst);
        self.at.store(end, Ordering::SeqCst);
        // If it is sent between these two lines, the sender has seen that the feed is closing; perhaps before the line
        // above, which is why it is looked at after it.
        if let Some(sent_at) = self.sent_at() {
            self.at.fetch_min(sent_at + self.linger, Ordering::SeqCst);
        }
    }

    /// When the request at hand had been written, if it was.
    pub(crate) fn sent_at(&self) -> Option<u64> {
        self.sent_at.load(Ordering::SeqCst).checked_sub(1)
    }

    /// Whether waiting ends at all; if not, nobody has to read a clock.
    pub(crate) fn is_set(&self) -> bool {
        self.at.load(Ordering::SeqCst) != NEVER
    }

    /// How much longer may be waited; nothing: for ever.
    pub(crate) fn remaining(&self, now: u64) -> Option<u64> {
        match self.at.load(Ordering::SeqCst) {
            NEVER => None,
            at => Some(at.saturating_sub(now)),
        }
    }
}
