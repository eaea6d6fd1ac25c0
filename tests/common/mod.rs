//! The C interface as the tests call it, and an emulator to call it against.

#![allow(dead_code, reason = "each test binary uses a part")]

pub mod folder;
pub mod process;
pub mod raw;
pub mod reads;
pub mod side_by_side;

use std::ffi::{CStr, CString, c_char};
use std::ptr;
use std::time::Duration;

use ::datafeed::ffi::event::{datafeed_ack, datafeed_attempt, datafeed_copied, datafeed_nack, datafeed_next_event};
use datafeed::ffi::feed::{datafeed_close, datafeed_create, datafeed_drain, datafeed_fd, datafeed_interrupt};
use datafeed::ffi::handle::datafeed as Handle;
use datafeed::ffi::letters::{datafeed_dead_letters, datafeed_discard, datafeed_resubmit};
use datafeed::ffi::report::{
    datafeed_error, datafeed_next_log, datafeed_renew_session, datafeed_session, datafeed_stats, datafeed_string_free,
};
pub use datafeed::ffi::status::*;
use datafeed_emulator::{Emulator, FaultAction, Settings};
use serde_json::{Value, json};

/// Long enough that only a hanging test reaches it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A feed through the C interface. Closed when dropped.
#[derive(Debug)]
pub struct Feed(pub *mut Handle);

// SAFETY: the interface may be called from any thread.
unsafe impl Send for Feed {}
unsafe impl Sync for Feed {}

/// An event as C sees it; valid until it is given back, so tests copy the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub delivery: u64,
    pub text: String,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("an event is JSON")
    }
}

pub fn owned(json: *mut c_char) -> Option<Value> {
    if json.is_null() {
        return None;
    }
    // SAFETY: the library gave it out as a NUL-terminated string, and it is freed once.
    unsafe {
        let value = serde_json::from_slice(CStr::from_ptr(json).to_bytes()).expect("what is owned is JSON");
        datafeed_string_free(json);
        Some(value)
    }
}

impl Feed {
    /// The status and error object of a create that is expected to fail, or the feed.
    pub fn try_open(config: &str) -> Result<Feed, (i32, Value)> {
        let config = CString::new(config).expect("no NUL");
        let (mut feed, mut error) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: all three are valid for the call.
        let status = unsafe { datafeed_create(config.as_ptr(), &mut feed, &mut error) };
        let error = owned(error);
        if status == DATAFEED_OK {
            assert!(!feed.is_null() && error.is_none());
            return Ok(Feed(feed));
        }
        assert!(feed.is_null());
        Err((status, error.expect("a failure has an error object")))
    }

    #[track_caller]
    pub fn open(config: &Value) -> Feed {
        Feed::try_open(&config.to_string()).expect("a configuration that works")
    }

    pub fn next(&self, timeout_ms: i32) -> Result<Received, i32> {
        let (mut delivery, mut text, mut length) = (1, ptr::dangling(), 1);
        // SAFETY: the places are valid for the call.
        let status = unsafe { datafeed_next_event(self.0, timeout_ms, &mut delivery, &mut text, &mut length) };
        if status != DATAFEED_OK {
            assert!(delivery == 0 && text.is_null() && length == 0, "written on OK only");
            return Err(status);
        }
        // SAFETY: lent until the delivery is given back.
        let text = unsafe { CStr::from_ptr(text) }.to_str().expect("events are UTF-8");
        assert_eq!(text.len(), length);
        Ok(Received {
            delivery,
            text: text.to_owned(),
        })
    }

    /// The next event, for which a working feed needs no more than a moment.
    #[track_caller]
    pub fn must_next(&self) -> Received {
        match self.next(PATIENCE.as_millis() as i32) {
            Ok(event) => event,
            Err(status) => panic!("no event but status {status}; {:#}", self.stats()),
        }
    }

    #[track_caller]
    pub fn must_next_and_ack(&self) -> String {
        let event = self.must_next();
        assert_eq!(self.ack(event.delivery), DATAFEED_OK);
        event.text
    }

    pub fn ack(&self, delivery: u64) -> i32 {
        datafeed_ack(self.0, delivery)
    }

    pub fn nack(&self, delivery: u64) -> i32 {
        datafeed_nack(self.0, delivery)
    }

    pub fn copied(&self, delivery: u64) -> i32 {
        datafeed_copied(self.0, delivery)
    }

    pub fn drain(&self, timeout_ms: i32) -> i32 {
        datafeed_drain(self.0, timeout_ms)
    }

    pub fn attempt(&self, delivery: u64) -> Result<u32, i32> {
        let mut attempt = 9;
        // SAFETY: the place is valid for the call.
        match unsafe { datafeed_attempt(self.0, delivery, &mut attempt) } {
            DATAFEED_OK => Ok(attempt),
            status => Err(status),
        }
    }

    /// A page of the events that were set aside.
    pub fn dead_letters(&self, after: u64) -> Result<Vec<Value>, i32> {
        let mut json = ptr::dangling_mut();
        // SAFETY: the place is valid for the call.
        let status = unsafe { datafeed_dead_letters(self.0, after, &mut json) };
        if status != DATAFEED_OK {
            assert!(json.is_null(), "written on OK only");
            return Err(status);
        }
        let letters = owned(json).expect("a list");
        Ok(letters.as_array().expect("a list").clone())
    }

    pub fn resubmit(&self, letter: u64) -> i32 {
        datafeed_resubmit(self.0, letter)
    }

    pub fn discard(&self, letter: u64) -> i32 {
        datafeed_discard(self.0, letter)
    }

    pub fn close(&self) -> i32 {
        datafeed_close(self.0)
    }

    /// Closes, and checks that nothing was waited for: whatever could be takes a minute or more.
    #[track_caller]
    pub fn close_at_once(&self) {
        let started = std::time::Instant::now();
        assert_eq!(self.close(), DATAFEED_OK);
        assert!(
            started.elapsed() < Duration::from_secs(10),
            "close waited for something"
        );
    }

    pub fn interrupt(&self) -> i32 {
        datafeed_interrupt(self.0)
    }

    pub fn fd(&self) -> i32 {
        let mut fd = 0;
        // SAFETY: the place is valid for the call.
        assert_eq!(unsafe { datafeed_fd(self.0, &mut fd) }, DATAFEED_OK);
        fd
    }

    /// Waits until the descriptor is readable, and answers whether it was in time.
    pub fn readable(&self, timeout: Duration) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        // SAFETY: the descriptor stays open as long as the process lives.
        let fd = unsafe { std::os::fd::BorrowedFd::borrow_raw(self.fd()) };
        let timeout = Timespec::try_from(timeout).expect("a timeout");
        poll(&mut [PollFd::from_borrowed_fd(fd, PollFlags::IN)], Some(&timeout)).expect("it can be polled") == 1
    }

    pub fn stats(&self) -> Value {
        let mut json = ptr::null_mut();
        // SAFETY: the place is valid for the call.
        assert_eq!(unsafe { datafeed_stats(self.0, &mut json) }, DATAFEED_OK);
        owned(json).expect("statistics")
    }

    pub fn error(&self) -> Option<Value> {
        let mut json = ptr::null_mut();
        // SAFETY: the place is valid for the call.
        assert_eq!(unsafe { datafeed_error(self.0, &mut json) }, DATAFEED_OK);
        owned(json)
    }

    pub fn session(&self) -> Result<Value, i32> {
        let mut json = ptr::null_mut();
        // SAFETY: the place is valid for the call.
        match unsafe { datafeed_session(self.0, &mut json) } {
            DATAFEED_OK => Ok(owned(json).expect("a session")),
            status => Err(status),
        }
    }

    pub fn renew_session(&self, refused: &str, timeout_ms: i32) -> Result<Value, i32> {
        let refused = CString::new(refused).expect("no NUL");
        let mut json = ptr::dangling_mut();
        // SAFETY: the token and the place are valid for the call.
        let status = unsafe { datafeed_renew_session(self.0, refused.as_ptr(), timeout_ms, &mut json) };
        if status != DATAFEED_OK {
            assert!(json.is_null(), "written on OK only");
            return Err(status);
        }
        Ok(owned(json).expect("a session"))
    }

    pub fn next_log(&self, timeout_ms: i32) -> Result<Value, i32> {
        let mut json = ptr::null_mut();
        // SAFETY: the place is valid for the call.
        match unsafe { datafeed_next_log(self.0, timeout_ms, &mut json) } {
            DATAFEED_OK => Ok(owned(json).expect("a line")),
            status => Err(status),
        }
    }

    /// Waits for a line of the log that holds this text.
    #[track_caller]
    pub fn wait_for_log(&self, text: &str) -> Value {
        loop {
            match self.next_log(PATIENCE.as_millis() as i32) {
                Ok(line) if line["message"].as_str().is_some_and(|message| message.contains(text)) => return line,
                Ok(_) => {}
                Err(status) => panic!("no line with {text:?}, but status {status}; {:#}", self.stats()),
            }
        }
    }

    /// Waits for the log to tell of this row of the policy.
    #[track_caller]
    pub fn wait_for_rule(&self, rule: &str) -> Value {
        loop {
            match self.next_log(PATIENCE.as_millis() as i32) {
                Ok(line) if line["rule"] == rule => return line,
                Ok(_) => {}
                Err(status) => panic!("no line of {rule}, but status {status}; {:#}", self.stats()),
            }
        }
    }

    /// Moves the feed's clock.
    pub fn advance(&self, by: Duration) {
        assert!(::datafeed::internals::advance_clock(self.0, by));
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.close();
    }
}

/// An emulator whose reads come back after half a second when there is nothing, so that what waits for a read in
/// flight does not wait long.
pub fn quick() -> Settings {
    Settings {
        poll: Duration::from_millis(500),
        ..Settings::default()
    }
}

pub fn emulator(settings: Settings) -> Emulator {
    Emulator::start(settings).expect("an emulator")
}

/// The emulator's configuration with quick retries and these settings on top.
pub fn config(emulator: &Emulator, settings: Value) -> Value {
    let mut config = emulator.config();
    config["retry"] = json!({"initialIntervalMillis": 5, "maxIntervalMillis": 50});
    for (name, value) in settings.as_object().into_iter().flatten() {
        config[name] = value.clone();
    }
    config
}

/// Opens a feed and waits until it has one at the service, so that what is published from now on reaches it.
#[track_caller]
pub fn open_and_wait(emulator: &Emulator, config: &Value) -> Feed {
    let feed = Feed::open(config);
    let reading = emulator.wait_for_requests(PATIENCE, |requests| {
        requests
            .iter()
            .any(|request| request.endpoint == Some(datafeed_emulator::Endpoint::Read))
    });
    assert!(reading, "the feed never read: {:#}", feed.stats());
    feed
}

/// An event with this number in it, recognisable and unlike any other.
pub fn numbered(number: usize) -> String {
    format!(
        r#"{{"id":"event-{number}","type":"MESSAGESENT","timestamp":{},"n":{number}}}"#,
        1_700_000_000_000u64 + number as u64
    )
}

pub fn number_of(text: &str) -> usize {
    let event: Value = serde_json::from_str(text).expect("JSON");
    event["n"].as_u64().expect("a numbered event") as usize
}

/// An event published now arrives, and is acknowledged. That a feed was replaced before is told first.
#[track_caller]
pub fn works(emulator: &Emulator, feed: &Feed, number: usize) {
    emulator.publish([numbered(number)]);
    let mut event = feed.must_next_and_ack();
    if event.contains("DATAFEEDGAP") {
        event = feed.must_next_and_ack();
    }
    assert_eq!(number_of(&event), number);
}

/// A status as a fault.
pub fn status(status: u16) -> FaultAction {
    FaultAction::Status {
        status,
        body: None,
        retry_after: None,
    }
}

/// A JSON answer as a fault.
pub fn body(status: u16, body: &str) -> FaultAction {
    FaultAction::Body {
        status,
        content_type: "application/json".into(),
        body: body.as_bytes().to_vec(),
    }
}
