//! A feed from its creation to its end.

use std::ffi::{CStr, c_char, c_int};
use std::os::fd::AsRawFd;
use std::ptr;

use super::event::timeout;
use super::forks;
use super::guard::{no_panic, with_feed};
use super::handle::datafeed;
use super::out::Out;
use super::registry;
use super::signals::with_signals_blocked;
use super::status::{DATAFEED_CLOSED, DATAFEED_FAILED, DATAFEED_INVALID_ARGUMENT, DATAFEED_OK, DATAFEED_TIMEOUT};
use crate::{Code, Config, Datafeed, Error, NotDrained};

/// Opens a feed: checks the configuration and starts the thread that polls. Does not wait for the network.
///
/// `config`: NUL-terminated UTF-8. JSON if it starts with `{`, YAML if it has more than one line, otherwise the path of a
/// file in either. It is not kept.
/// `feed`: set to the new handle, or to NULL. Must not be NULL.
/// `error_json`: set to NULL, or when the call fails to an error object
/// `{"code","message","retryable","field"?,"file"?}` that the caller frees with datafeed_string_free(). May be NULL.
///
/// Returns DATAFEED_OK; DATAFEED_INVALID_ARGUMENT when `feed` or `config` is NULL or the configuration cannot be used, also
/// since another feed has the file of the id (FEED_IN_USE) or `stateDir` (STATE_IN_USE), or that folder cannot be used
/// (STATE_UNAVAILABLE); DATAFEED_FAILED when the process has no thread or descriptor left.
///
/// # Safety
///
/// The pointers are NULL or valid for the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datafeed_create(
    config: *const c_char,
    feed: *mut *mut datafeed,
    error_json: *mut *mut c_char,
) -> i32 {
    // SAFETY: promised by the caller.
    let (feed, error_json) = unsafe { (Out::new(feed), Out::new(error_json)) };
    feed.set(ptr::null_mut());
    error_json.set(ptr::null_mut());
    no_panic(|| {
        let invalid = |message: &str| Error::new(Code::ConfigInvalid, message);
        let result = if feed.is_null() {
            Err(invalid("datafeed_create needs a place for the feed, but it is NULL"))
        } else if config.is_null() {
            Err(invalid(
                "the configuration is NULL; give a JSON object, or the path of a JSON or YAML file",
            ))
        } else {
            // SAFETY: not NULL, and by the caller's promise NUL-terminated and valid for the call.
            let config = unsafe { CStr::from_ptr(config) };
            match config.to_str() {
                Ok(config) => Config::parse(config),
                Err(_) => Err(invalid("the configuration is not valid UTF-8")),
            }
        };
        let opened = result.and_then(|config| {
            let nothing_left = || {
                Error::new(
                    Code::Internal,
                    "the process has no descriptor or no memory left for a feed",
                )
            };
            forks::while_none_happens(|| with_signals_blocked(|| Datafeed::open(config)))
                .unwrap_or_else(|| Err(nothing_left()))
        });
        let registered = opened.and_then(|opened| {
            let too_many = || Error::new(Code::Internal, "this process has created too many feeds");
            registry::register(opened).ok_or_else(too_many)
        });
        match registered {
            Ok(handle) => {
                feed.set(handle);
                DATAFEED_OK
            }
            Err(error) => {
                error_json.set_json(error.to_json().to_string());
                match error.code() {
                    Code::Internal => DATAFEED_FAILED,
                    _ => DATAFEED_INVALID_ARGUMENT,
                }
            }
        }
    })
}

/// Stops the feed. Any thread may call it, also while others are blocked: they return DATAFEED_CLOSED at once.
///
/// Acknowledgements of batches whose every event is acknowledged, and that were not sent yet, are written first, for
/// about `closeTimeout` (1000 ms). Without any, it returns within milliseconds. What is not acknowledged is delivered
/// again to the next reader; what Datafeed 1 has handed over, to the next feed with the same `stateDir`, and without one
/// to nobody. Events in the bot's hands stay readable, and keep their memory, until each is given to datafeed_ack(),
/// datafeed_nack() or datafeed_copied(), which then answer DATAFEED_CLOSED.
///
/// Returns DATAFEED_OK; DATAFEED_CLOSED when it was closed already, which is harmless, or is being closed by another
/// thread, which is waited for; DATAFEED_INVALID_ARGUMENT; DATAFEED_FORKED.
#[unsafe(no_mangle)]
pub extern "C" fn datafeed_close(feed: *mut datafeed) -> i32 {
    with_feed(feed, |feed| match feed.close() {
        Ok(()) => DATAFEED_OK,
        Err(_) => DATAFEED_CLOSED,
    })
}

/// A graceful end, as for a service that gets SIGTERM: hands out nothing more, waits until the bot has settled what it
/// holds, and closes.
///
/// datafeed_next_event() answers DATAFEED_CLOSED from now on, blocked calls at once, so that the loops of worker threads
/// end. Everything else goes on. When every event in the bot's hands was given to datafeed_ack() or datafeed_nack(), or
/// the time is over, the feed is closed as by datafeed_close(). Call it from a thread that holds no event itself. A batch
/// of which a part was still queued is delivered again as a whole to the next reader, since the service knows no parts;
/// with `stateDir` that reader knows what was acknowledged of it. With Datafeed 1 and without `stateDir`, events that were
/// received already are still handed out first, since nobody else has them: somebody has to go on asking for them.
///
/// `timeout_ms`: milliseconds; negative waits for ever, 0 does not wait.
///
/// Returns DATAFEED_OK: everything was settled; DATAFEED_TIMEOUT: the bot still held events, which are delivered again to
/// the next reader (the feed is closed all the same); DATAFEED_CLOSED: it was closed before, or by another thread
/// meanwhile; DATAFEED_INVALID_ARGUMENT; DATAFEED_FORKED. datafeed_interrupt() does not wake it, datafeed_close() does.
#[unsafe(no_mangle)]
pub extern "C" fn datafeed_drain(feed: *mut datafeed, timeout_ms: i32) -> i32 {
    with_feed(feed, |feed| match feed.drain(timeout(timeout_ms)) {
        Ok(()) => DATAFEED_OK,
        Err(NotDrained::Timeout) => DATAFEED_TIMEOUT,
        Err(NotDrained::Closed) => DATAFEED_CLOSED,
    })
}

/// Wakes every thread that is blocked in datafeed_next_event(): each returns DATAFEED_INTERRUPTED. If none is, the next
/// call of any thread returns so. Also makes the descriptor of datafeed_fd() readable until a call has returned so.
/// With several consumers it cannot be aimed at one, and misses a thread that is between two calls: to stop them all use
/// datafeed_drain() or datafeed_close(). May be called from any thread and from a signal handler: it takes no lock and allocates nothing.
///
/// Returns DATAFEED_OK, also for a closed feed; DATAFEED_INVALID_ARGUMENT; DATAFEED_FORKED.
#[unsafe(no_mangle)]
pub extern "C" fn datafeed_interrupt(feed: *mut datafeed) -> i32 {
    with_feed(feed, |feed| {
        feed.interrupt();
        DATAFEED_OK
    })
}

/// A descriptor for poll(), epoll or an event loop: readable while an event, an interruption or the end of the feed is
/// waiting. When it is readable call datafeed_next_event() with a timeout of 0 until it returns DATAFEED_TIMEOUT. It
/// may be readable once too often. Also after close.
///
/// `fd`: set to the descriptor, or to -1. It belongs to the library: do not read, write or close it. It stays open and
/// readable after the end of the feed, so that nobody watches a number that was given to something else.
///
/// Returns DATAFEED_OK; DATAFEED_FAILED when the process has no descriptor left; DATAFEED_INVALID_ARGUMENT;
/// DATAFEED_FORKED.
///
/// # Safety
///
/// `fd` is NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datafeed_fd(feed: *mut datafeed, fd: *mut c_int) -> i32 {
    // SAFETY: promised by the caller.
    let fd = unsafe { Out::new(fd) };
    fd.set(-1);
    with_feed(feed, |feed| {
        if fd.is_null() {
            return DATAFEED_INVALID_ARGUMENT;
        }
        match feed.event_fd() {
            Ok(made) => {
                fd.set(made.as_raw_fd());
                DATAFEED_OK
            }
            Err(_) => DATAFEED_FAILED,
        }
    })
}
