//! Events: received, acknowledged, refused.

use std::ffi::c_char;
use std::ptr;
use std::time::Duration;

use super::guard::with_feed;
use super::handle::datafeed;
use super::out::Out;
use super::status::{
    DATAFEED_CLOSED, DATAFEED_FAILED, DATAFEED_INTERRUPTED, DATAFEED_INVALID_ARGUMENT, DATAFEED_NOT_STORED,
    DATAFEED_OK, DATAFEED_TIMEOUT,
};
use crate::batch::EventText;
use crate::{NoEvent, NotAcknowledged};

/// A C timeout: negative waits for ever, 0 does not wait.
pub(super) fn timeout(timeout_ms: i32) -> Option<Duration> {
    u64::try_from(timeout_ms).ok().map(Duration::from_millis)
}

/// Waits for the next event. Any number of threads may wait; each event goes to one of them.
///
/// `timeout_ms`: milliseconds; negative waits for ever, 0 does not wait.
/// `delivery`: set to the number to acknowledge the event by, or to 0. Numbers count up and are never used again.
/// `event_json`: set to the event, or to NULL: one JSON object as NUL-terminated UTF-8, exactly as the agent sent it. One of
/// the type DATAFEEDGAP is the library's own, where events may have been missed (unless `gapEvents` is false):
/// `payload.datafeedGap` is `{"from","to","reason","feedId"}`, as docs/delivery.md tells.
/// The string is lent: it is valid until this delivery is given to datafeed_ack(), datafeed_nack() or datafeed_copied(),
/// also if the feed is closed meanwhile. Do not change or free it.
/// `length`: set to the string's length in bytes without the NUL, or to 0. May be NULL; the others must not.
///
/// With `"ack": "implicit"` in the configuration the call first acknowledges the event that the one before returned,
/// whatever the call then returns; that event's string is no longer valid. One thread at a time may then be in the call:
/// a second one gets DATAFEED_INVALID_ARGUMENT.
///
/// Returns DATAFEED_OK; DATAFEED_TIMEOUT; DATAFEED_INTERRUPTED; DATAFEED_CLOSED; DATAFEED_FAILED when the feed has
/// stopped for good and the events that it had are handed out; DATAFEED_INVALID_ARGUMENT; DATAFEED_FORKED.
///
/// # Safety
///
/// The pointers are NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datafeed_next_event(
    feed: *mut datafeed,
    timeout_ms: i32,
    delivery: *mut u64,
    event_json: *mut *const c_char,
    length: *mut usize,
) -> i32 {
    // SAFETY: promised by the caller.
    let (delivery, event_json, length) = unsafe { (Out::new(delivery), Out::new(event_json), Out::new(length)) };
    delivery.set(0);
    event_json.set(ptr::null());
    length.set(0);
    with_feed(feed, |feed| {
        if delivery.is_null() || event_json.is_null() {
            return DATAFEED_INVALID_ARGUMENT;
        }
        // The ledger keeps the batch that holds the text until the delivery is given back.
        let lend = |event: &EventText| (event.with_nul().as_ptr(), event.length());
        match feed.next_event_as(timeout(timeout_ms), lend) {
            Ok(out) => {
                let (text, bytes) = out.event;
                delivery.set(out.delivery);
                event_json.set(text.cast());
                length.set(bytes);
                DATAFEED_OK
            }
            Err(NoEvent::Timeout) => DATAFEED_TIMEOUT,
            Err(NoEvent::Interrupted) => DATAFEED_INTERRUPTED,
            Err(NoEvent::Closed) => DATAFEED_CLOSED,
            Err(NoEvent::Failed(_)) => DATAFEED_FAILED,
            Err(NoEvent::SecondConsumer) => DATAFEED_INVALID_ARGUMENT,
        }
    })
}

/// The bot is done with this event: it is never handed out again by this process, with `stateDir` nor by those after it,
/// and the service is told when every event of its batch is acknowledged. Any thread, in any order. Ends the life of the
/// event's string. A feed that has FAILED tells the service what was acknowledged before; what is acknowledged afterwards
/// will be delivered again.
///
/// Returns DATAFEED_OK, and then with `stateDir` the end of the process, however it ends, does not undo it;
/// DATAFEED_NOT_STORED when it is taken but could not be stored yet: it will be, and there is nothing to be done with the
/// event; DATAFEED_INVALID_ARGUMENT when the number is not held: never handed out, or acknowledged or refused already;
/// DATAFEED_CLOSED, whatever the number, when the feed is closed: the string is released, and the event will be delivered
/// again to the next reader; DATAFEED_FORKED.
#[unsafe(no_mangle)]
pub extern "C" fn datafeed_ack(feed: *mut datafeed, delivery: u64) -> i32 {
    with_feed(feed, |feed| answer(feed.ack(delivery)))
}

/// The bot is not done with this event: it alone is handed out again, under a new delivery number, after `nackDelay`
/// (1000 ms), which doubles with each attempt up to 5 minutes. With `maxAttempts`, an event that was handed out so often is
/// set aside instead: see datafeed_dead_letters(). Any thread. Ends the life of the event's string.
///
/// Returns as datafeed_ack() does.
#[unsafe(no_mangle)]
pub extern "C" fn datafeed_nack(feed: *mut datafeed, delivery: u64) -> i32 {
    with_feed(feed, |feed| answer(feed.nack(delivery)))
}

/// For a bot that has copied the event's string, or needs it no more: ends the life of the string. The event stays held,
/// to be acknowledged or refused as ever. Nothing that was copied is kept for the bot when the feed is closed, which spares
/// wrappers of other languages from giving back what their users forgot.
///
/// Returns as datafeed_ack() does.
#[unsafe(no_mangle)]
pub extern "C" fn datafeed_copied(feed: *mut datafeed, delivery: u64) -> i32 {
    with_feed(feed, |feed| answer(feed.copied(delivery)))
}

/// How often the event with this delivery number has been handed out by this feed, this time included: 1, and one more
/// after each datafeed_nack(). With `maxAttempts` the processes before this one count, too.
///
/// `attempt`: set to the count, or to 0. Must not be NULL.
///
/// Returns DATAFEED_OK; DATAFEED_INVALID_ARGUMENT when the number is not held; DATAFEED_FORKED. Also after close, as long
/// as the string is valid.
///
/// # Safety
///
/// `attempt` is NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datafeed_attempt(feed: *mut datafeed, delivery: u64, attempt: *mut u32) -> i32 {
    // SAFETY: promised by the caller.
    let attempt = unsafe { Out::new(attempt) };
    attempt.set(0);
    with_feed(feed, |feed| match feed.attempt(delivery) {
        Ok(count) if !attempt.is_null() => {
            attempt.set(count);
            DATAFEED_OK
        }
        _ => DATAFEED_INVALID_ARGUMENT,
    })
}

fn answer(result: Result<(), NotAcknowledged>) -> i32 {
    match result {
        Ok(()) => DATAFEED_OK,
        Err(NotAcknowledged::UnknownDelivery) => DATAFEED_INVALID_ARGUMENT,
        Err(NotAcknowledged::NotStored) => DATAFEED_NOT_STORED,
        Err(NotAcknowledged::Closed) => DATAFEED_CLOSED,
    }
}
