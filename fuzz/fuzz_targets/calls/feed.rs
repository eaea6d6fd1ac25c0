//! A handle and what is known of it: each call, and what it may answer.

use std::ffi::c_char;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard};

use ::datafeed::ffi::event::{datafeed_ack, datafeed_attempt, datafeed_copied, datafeed_nack, datafeed_next_event};
use datafeed::ffi::feed::{datafeed_close, datafeed_create, datafeed_drain, datafeed_fd, datafeed_interrupt};
use datafeed::ffi::handle::datafeed as Handle;
use datafeed::ffi::report::{datafeed_error, datafeed_next_log, datafeed_session, datafeed_stats};
use datafeed::ffi::status::*;
use serde_json::Value;

use crate::lent::{Known, Lent, Number};
use crate::owned;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Explicit,
    /// Asking for an event acknowledges the one before.
    Implicit,
    /// Its login was refused.
    Failed,
    /// The pointer is no handle.
    Nothing,
}

pub struct Feed {
    pub handle: *mut Handle,
    kind: Kind,
    /// A close has begun.
    closing: AtomicBool,
    /// A close has returned.
    closed: AtomicBool,
    interrupted: AtomicBool,
    /// A descriptor stays with a feed for ever, so few feeds are asked for one.
    fd_allowed: bool,
    fd: AtomicI32,
    lent: Mutex<Lent>,
}

// SAFETY: the interface may be called from any thread.
unsafe impl Send for Feed {}
unsafe impl Sync for Feed {}

type Report = unsafe extern "C" fn(*mut Handle, *mut *mut c_char) -> i32;

/// Whether a call may answer so.
macro_rules! allow {
    ($status:expr, $($allowed:pat $(if $condition:expr)?),+ $(,)?) => {
        match $status {
            $($allowed $(if $condition)? => {})+
            status => panic!("status {status} is not allowed here"),
        }
    };
}

impl Feed {
    pub fn open(config: &Value, kind: Kind, fd_allowed: bool) -> Feed {
        let config = std::ffi::CString::new(config.to_string()).expect("no NUL");
        let (mut handle, mut error) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: all three are valid for the call.
        let status = unsafe { datafeed_create(config.as_ptr(), &mut handle, &mut error) };
        assert_eq!((status, owned::take(error)), (DATAFEED_OK, None));
        Feed {
            fd_allowed,
            ..Feed::new(handle, kind)
        }
    }

    pub fn new(handle: *mut Handle, kind: Kind) -> Feed {
        Feed {
            handle,
            kind,
            closing: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            interrupted: AtomicBool::new(false),
            fd_allowed: false,
            fd: AtomicI32::new(-1),
            lent: Mutex::default(),
        }
    }

    fn lent(&self) -> MutexGuard<'_, Lent> {
        self.lent.lock().expect("no panic before")
    }

    fn is_nothing(&self) -> bool {
        self.kind == Kind::Nothing
    }

    /// Looked at after a call: was there reason for CLOSED?
    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// `places`: which of the places are NULL, seldom any.
    pub fn next_event(&self, timeout_ms: i32, places: u8) -> i32 {
        let call = (self.kind == Kind::Implicit).then(|| self.lent().asking_begins());
        let was_closed = self.is_closed();
        let (mut delivery, mut text, mut length) = (1, ptr::dangling(), 1);
        let no_delivery = places == 29;
        let no_text = places == 30;
        let no_length = places == 31;
        // SAFETY: each place is NULL or valid for the call.
        let status = unsafe {
            datafeed_next_event(
                self.handle,
                timeout_ms,
                if no_delivery { ptr::null_mut() } else { &mut delivery },
                if no_text { ptr::null_mut() } else { &mut text },
                if no_length { ptr::null_mut() } else { &mut length },
            )
        };
        let mut lent = self.lent();
        let is_lent = call.is_none_or(|call| lent.asking_ends(call));
        if status == DATAFEED_OK && is_lent {
            lent.take(delivery, text, (!no_length).then_some(length));
        }
        drop(lent);
        if status != DATAFEED_OK {
            assert!(no_delivery || delivery == 0, "written on OK only");
            assert!(no_text || text.is_null(), "written on OK only");
            assert!(no_length || length == 0, "written on OK only");
        }
        if self.is_nothing() || no_delivery || no_text {
            assert_eq!(status, DATAFEED_INVALID_ARGUMENT);
            return status;
        }
        allow!(
            status,
            DATAFEED_CLOSED if self.is_closing(),
            // One thread at a time may be in the call.
            DATAFEED_INVALID_ARGUMENT if self.kind == Kind::Implicit,
            DATAFEED_OK if !was_closed && self.kind != Kind::Failed,
            DATAFEED_FAILED if !was_closed && self.kind == Kind::Failed,
            DATAFEED_INTERRUPTED if !was_closed && self.interrupted.load(Ordering::SeqCst),
            DATAFEED_TIMEOUT if !was_closed && timeout_ms >= 0 && self.kind != Kind::Failed,
        );
        status
    }

    pub fn ack(&self, number: Number) {
        self.give_back(number, datafeed_ack);
    }

    pub fn nack(&self, number: Number) {
        self.give_back(number, datafeed_nack);
    }

    /// The text is not read any more; the number goes on being held.
    pub fn copied(&self, number: Number) {
        let number = {
            let mut lent = self.lent();
            let (number, _) = lent.find(number);
            lent.copy(number);
            number
        };
        let was_closed = self.is_closed();
        let status = datafeed_copied(self.handle, number);
        allow!(
            status,
            DATAFEED_OK if !was_closed && !self.is_nothing(),
            DATAFEED_CLOSED if self.is_closing() && !self.is_nothing(),
            // Another thread may have given it back meanwhile.
            DATAFEED_INVALID_ARGUMENT,
        );
    }

    fn give_back(&self, number: Number, call: extern "C" fn(*mut Handle, u64) -> i32) {
        let (number, known) = {
            let mut lent = self.lent();
            let found = lent.find(number);
            lent.give_back(found.0);
            found
        };
        let was_closed = self.is_closed();
        let status = call(self.handle, number);
        if self.is_nothing() {
            return assert_eq!(status, DATAFEED_INVALID_ARGUMENT);
        }
        allow!(
            status,
            DATAFEED_OK if !was_closed && known != Known::Spent,
            DATAFEED_CLOSED if self.is_closing(),
            // A call that asks for the next event may have been faster.
            DATAFEED_INVALID_ARGUMENT if known != Known::Held || self.kind == Kind::Implicit,
        );
        if status != DATAFEED_INVALID_ARGUMENT {
            self.lent().was_taken_back(number);
        }
    }

    pub fn attempt(&self, number: Number, no_place: bool) {
        // Under the lock, so that what is held stays so.
        let lent = self.lent();
        let (number, known) = lent.find(number);
        // Of what was copied, a close leaves nothing.
        let copied = lent.is_copied(number);
        let mut attempt = 9;
        let place = if no_place { ptr::null_mut() } else { &mut attempt };
        // SAFETY: the place is NULL or valid for the call.
        let status = unsafe { datafeed_attempt(self.handle, number, place) };
        allow!(
            status,
            DATAFEED_OK if !no_place && !self.is_nothing() && known != Known::Spent,
            DATAFEED_INVALID_ARGUMENT if no_place || known != Known::Held || (copied && self.is_closing()),
        );
        assert!(no_place || (status == DATAFEED_OK) == (attempt > 0));
    }

    pub fn read_again(&self, index: u8) {
        self.lent().read_again(index);
    }

    pub fn interrupt(&self) {
        self.interrupted.store(true, Ordering::SeqCst);
        let expected = if self.is_nothing() {
            DATAFEED_INVALID_ARGUMENT
        } else {
            DATAFEED_OK
        };
        assert_eq!(datafeed_interrupt(self.handle), expected);
    }

    pub fn close(&self) {
        self.end(|feed| datafeed_close(feed));
    }

    pub fn drain(&self, timeout_ms: i32) {
        self.end(|feed| datafeed_drain(feed, timeout_ms));
    }

    fn end(&self, call: impl Fn(*mut Handle) -> i32) {
        self.closing.store(true, Ordering::SeqCst);
        let was_closed = self.is_closed();
        let status = call(self.handle);
        if self.is_nothing() {
            return assert_eq!(status, DATAFEED_INVALID_ARGUMENT);
        }
        // Only a drain has a time that can be over.
        allow!(status, DATAFEED_OK | DATAFEED_TIMEOUT if !was_closed, DATAFEED_CLOSED);
        if status != DATAFEED_CLOSED {
            let twice = self.closed.swap(true, Ordering::SeqCst);
            assert!(!twice, "closed twice");
        }
    }

    pub fn fd(&self, no_place: bool) {
        if !(self.fd_allowed || self.is_nothing() || no_place) {
            return;
        }
        let mut fd = 0;
        let place = if no_place { ptr::null_mut() } else { &mut fd };
        // SAFETY: the place is NULL or valid for the call.
        let status = unsafe { datafeed_fd(self.handle, place) };
        if self.is_nothing() || no_place {
            assert!(no_place || fd == -1);
            return assert_eq!(status, DATAFEED_INVALID_ARGUMENT);
        }
        assert_eq!(status, DATAFEED_OK);
        let before = self.fd.swap(fd, Ordering::SeqCst);
        assert!(fd >= 0 && (before == -1 || before == fd), "{before}, then {fd}");
    }

    pub fn error(&self, no_place: bool) {
        let (status, error) = self.report(no_place, datafeed_error);
        if status == DATAFEED_OK {
            error.iter().for_each(owned::check_error);
            let refused = error.is_some_and(|error| error["code"] == "AUTH_REJECTED" && error["retryable"] == false);
            assert_eq!(refused, self.kind == Kind::Failed);
        }
    }

    pub fn stats(&self, no_place: bool) -> Option<Value> {
        let was_closed = self.is_closed();
        let (_, stats) = self.report(no_place, datafeed_stats);
        if let Some(stats) = &stats {
            let closed = stats["state"] == "CLOSED";
            assert!(closed || !was_closed, "{stats}");
            assert!(!closed || self.is_closing(), "{stats}");
        }
        stats
    }

    pub fn session(&self, no_place: bool) {
        let was_closed = self.is_closed();
        let (status, session) = self.report(no_place, datafeed_session);
        allow!(
            status,
            DATAFEED_OK if !was_closed,
            DATAFEED_CLOSED if self.is_closing(),
            DATAFEED_INVALID_ARGUMENT,
        );
        assert!(session.is_none_or(|session| session["username"].is_string()));
    }

    pub fn next_log(&self, timeout_ms: i32, no_place: bool) {
        let was_closed = self.is_closed();
        // SAFETY: the place is NULL or valid for the call.
        let call = |place| unsafe { datafeed_next_log(self.handle, timeout_ms, place) };
        let (status, line) = self.owned(no_place, call);
        allow!(
            status,
            DATAFEED_OK,
            DATAFEED_TIMEOUT if timeout_ms >= 0 && !was_closed,
            DATAFEED_CLOSED if self.is_closing(),
            DATAFEED_INVALID_ARGUMENT,
        );
        assert!(line.is_none_or(|line| line["message"].is_string() && line["timestamp"].is_u64()));
    }

    fn report(&self, no_place: bool, call: Report) -> (i32, Option<Value>) {
        // SAFETY: the place is NULL or valid for the call.
        self.owned(no_place, |place| unsafe { call(self.handle, place) })
    }

    /// The status, and the owned JSON: its place is written on OK only.
    fn owned(&self, no_place: bool, call: impl Fn(*mut *mut c_char) -> i32) -> (i32, Option<Value>) {
        let mut json = ptr::dangling_mut();
        let status = call(if no_place { ptr::null_mut() } else { &mut json });
        let invalid = self.is_nothing() || no_place;
        assert_eq!(status == DATAFEED_INVALID_ARGUMENT, invalid, "status {status}");
        if no_place {
            return (status, None);
        }
        assert!(status == DATAFEED_OK || json.is_null(), "written on OK only");
        (status, owned::take(json))
    }

    /// Gives back everything that is lent, after a last look at it. No other thread is in a call.
    pub fn give_all_back(&self) {
        self.lent().read_all_again();
        while !self.lent().is_empty() {
            self.ack(Number::Held(0));
        }
        self.lent().forget();
    }

    /// Takes and acknowledges what is left, and reports the interruptions that nobody has seen.
    pub fn empty(&self) {
        while matches!(self.next_event(0, 0), DATAFEED_OK | DATAFEED_INTERRUPTED) {
            self.give_all_back();
        }
        self.interrupted.store(false, Ordering::SeqCst);
    }
}
