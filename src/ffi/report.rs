//! What a feed tells about itself, as JSON strings that the caller frees.

use std::ffi::{CStr, CString, c_char};
use std::ptr;

use super::event::timeout;
use super::guard::with_feed;
use super::handle::datafeed;
use super::out::Out;
use super::status::{DATAFEED_CLOSED, DATAFEED_FAILED, DATAFEED_INVALID_ARGUMENT, DATAFEED_OK, DATAFEED_TIMEOUT};
use crate::{Datafeed, NoLine, NoSession};

/// Sets `place` to the JSON that `produce` answers, or to NULL with the status that it answers instead.
///
/// # Safety
///
/// `place` is NULL or valid for writing.
pub(super) unsafe fn give<J: ToString>(
    feed: *mut datafeed,
    place: *mut *mut c_char,
    produce: impl FnOnce(&Datafeed) -> Result<Option<J>, i32>,
) -> i32 {
    // SAFETY: promised by the caller.
    let place = unsafe { Out::new(place) };
    place.set(ptr::null_mut());
    with_feed(feed, |feed| {
        if place.is_null() {
            return DATAFEED_INVALID_ARGUMENT;
        }
        match produce(feed) {
            Ok(value) => {
                if let Some(value) = value {
                    place.set_json(value.to_string());
                }
                DATAFEED_OK
            }
            Err(status) => status,
        }
    })
}

/// Why the feed has stopped for good, or else the latest trouble that it is dealing with or has overcome. Also after
/// close.
///
/// `error_json`: set to `{"code","message","retryable","field"?,"file"?,"httpStatus"?,"traceId"?}`, or to NULL when
/// there never was any trouble. The caller frees it with datafeed_string_free(). `retryable` is true while the feed goes
/// on trying.
///
/// Returns DATAFEED_OK; DATAFEED_INVALID_ARGUMENT; DATAFEED_FORKED.
///
/// # Safety
///
/// `error_json` is NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datafeed_error(feed: *mut datafeed, error_json: *mut *mut c_char) -> i32 {
    // SAFETY: promised by the caller.
    unsafe { give(feed, error_json, |feed| Ok(feed.error().map(|error| error.to_json()))) }
}

/// What the feed is doing and has done. Also after close.
///
/// `stats_json`: set to an object that the caller frees with datafeed_string_free(), or to NULL. Its members: `version`
/// of the library; `state`: LOGGING_IN, FINDING_FEED, READING, WAITING_FOR_BOT (nothing to read for: the bot holds
/// events, or `maxUnacknowledged` is reached), WAITING_FOR_STORE (`stateDir` takes nothing, as when its disk is full, and
/// is tried again), BACKING_OFF, FAILED or CLOSED; `retryAt` (ms since 1970: when the back-off ends, else null);
/// `agentUrl` (the node of the agent that is read), `stream` (datafeed, datahose or firehose), `feedId`, `tag`;
/// `lastReadAt`, `lastEventAt` (ms since 1970, or null); counts of events now: `queued` for the bot, `held` by it,
/// `postponed` after a nack, `remembered` as acknowledged, `deadLetters` set aside in `stateDir`; counts since the start:
/// `received`, `filtered` (left out as the configuration says, and acknowledged), `handedOut`, `acknowledged`, `nacked`,
/// `setAside` (handed out `maxAttempts` times in vain), `redelivered` (arrivals that were known), `confirmed`
/// (acknowledgements that the service confirmed), `keepAliveReads`, `forgottenEarly` (acknowledged events forgotten before
/// 15 minutes were over), `logins`, `feedsCreated`, `retries`, and `retriesByCause`, an object with a count for each error
/// code; `clockOffsetSeconds` (by how much the service's clock is ahead, if login tokens had to allow for it, else 0);
/// `latestTrouble`: null or an error object with `at` (ms since 1970).
///
/// Returns DATAFEED_OK; DATAFEED_INVALID_ARGUMENT; DATAFEED_FORKED.
///
/// # Safety
///
/// `stats_json` is NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datafeed_stats(feed: *mut datafeed, stats_json: *mut *mut c_char) -> i32 {
    // SAFETY: promised by the caller.
    unsafe { give(feed, stats_json, |feed| Ok(Some(feed.stats()))) }
}

/// What a bot needs to call Symphony's other endpoints with its own HTTP client, for instance to answer a message.
///
/// `session_json`: set to `{"podUrl","agentUrl","keyManagerUrl","username","userId","sessionToken","keyManagerToken",
/// "authorizationToken"}`, or to NULL. The tokens are null until the login succeeded; `keyManagerToken` stays null where
/// the agent delivers keys to the session alone, and `authorizationToken` (`Bearer ...`, the common JWT, sent as header
/// `Authorization`) without `commonJwt.enabled`. They are secrets. `userId` is the bot's own id, or null while it is not
/// known. The caller frees the string with datafeed_string_free().
///
/// Where a request with these is answered 401, datafeed_renew_session() gets others.
///
/// Returns DATAFEED_OK; DATAFEED_CLOSED; DATAFEED_INVALID_ARGUMENT; DATAFEED_FORKED.
///
/// # Safety
///
/// `session_json` is NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datafeed_session(feed: *mut datafeed, session_json: *mut *mut c_char) -> i32 {
    let produce = |feed: &Datafeed| feed.session().map(Some).map_err(|_| DATAFEED_CLOSED);
    // SAFETY: promised by the caller.
    unsafe { give(feed, session_json, produce) }
}

/// For a bot whose own request was answered 401: waits until the session is another one than that of the refused token.
///
/// Logs in on the calling thread, unless another thread does already or has done, so events go on meanwhile and a token
/// that is refused to many threads at once is renewed once. Failures are retried until the time is over;
/// datafeed_error() has the latest.
///
/// `refused_token`: any token of the session that was refused, NUL-terminated, with or without `Bearer `.
/// `timeout_ms`: milliseconds; negative waits for ever, 0 does not wait.
/// `session_json`: set to the new session as by datafeed_session(), which the caller frees with datafeed_string_free(), or
/// to NULL.
///
/// Returns DATAFEED_OK; DATAFEED_TIMEOUT; DATAFEED_FAILED (the feed has stopped for good: datafeed_error()
/// says why); DATAFEED_CLOSED; DATAFEED_INVALID_ARGUMENT; DATAFEED_FORKED. datafeed_interrupt() does not wake it,
/// datafeed_close() does.
///
/// # Safety
///
/// `refused_token` is NULL or a NUL-terminated string; `session_json` is NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datafeed_renew_session(
    feed: *mut datafeed,
    refused_token: *const c_char,
    timeout_ms: i32,
    session_json: *mut *mut c_char,
) -> i32 {
    let refused = if refused_token.is_null() {
        None
    } else {
        // SAFETY: not NULL, and so NUL-terminated by the caller's promise.
        unsafe { CStr::from_ptr(refused_token) }.to_str().ok()
    };
    let produce = |feed: &Datafeed| {
        let refused = refused.ok_or(DATAFEED_INVALID_ARGUMENT)?;
        match feed.renew_session(refused, timeout(timeout_ms)) {
            Ok(session) => Ok(Some(session)),
            Err(NoSession::Timeout) => Err(DATAFEED_TIMEOUT),
            Err(NoSession::Closed) => Err(DATAFEED_CLOSED),
            Err(NoSession::Failed(_)) => Err(DATAFEED_FAILED),
        }
    };
    // SAFETY: promised by the caller.
    unsafe { give(feed, session_json, produce) }
}

/// Waits for the next line of the feed's log. The last 1000 lines are kept for a program that fetches them late, and of
/// a closed feed the last 20. The environment variable DATAFEED_LOG (`error`, `warn` or `info`) shows the same lines on
/// stderr, but for those that it does not take at once.
///
/// `timeout_ms`: milliseconds; negative waits for ever, 0 does not wait.
/// `log_json`: set to `{"timestamp","level","message",...}` (ms since 1970; level `error`, `warn` or `info`), or to NULL.
/// Further members by the message: `code`, `httpStatus`, `field`, `file` as in an error object; `traceId` of the request,
/// which stands in the service's logs too; `rule` and `action`, the row of the retry policy that applies and what it
/// says; `retryInMillis`; `feedId`; `agent`, the node's URL. The caller frees it with datafeed_string_free().
///
/// Returns DATAFEED_OK; DATAFEED_TIMEOUT; DATAFEED_CLOSED when the feed is closed and every line was fetched;
/// DATAFEED_INVALID_ARGUMENT; DATAFEED_FORKED. datafeed_interrupt() does not wake it, datafeed_close() does.
///
/// # Safety
///
/// `log_json` is NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datafeed_next_log(feed: *mut datafeed, timeout_ms: i32, log_json: *mut *mut c_char) -> i32 {
    let produce = |feed: &Datafeed| match feed.next_log(timeout(timeout_ms)) {
        Ok(line) => Ok(Some(line.to_json())),
        Err(NoLine::Timeout) => Err(DATAFEED_TIMEOUT),
        Err(NoLine::Closed) => Err(DATAFEED_CLOSED),
    };
    // SAFETY: promised by the caller.
    unsafe { give(feed, log_json, produce) }
}

/// Frees a string that a `char **` parameter of this library gave out. Not for events, which are lent. NULL is allowed.
///
/// # Safety
///
/// `owned_json` is NULL, or came from this library and was not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datafeed_string_free(owned_json: *mut c_char) {
    if !owned_json.is_null() {
        // SAFETY: by the caller's promise it came from `CString::into_raw` in `Out::set_json`.
        drop(unsafe { CString::from_raw(owned_json) });
    }
}

/// The library's version, as `0.1.0`. The string is static: do not free it.
#[unsafe(no_mangle)]
pub extern "C" fn datafeed_version() -> *const c_char {
    const WITH_NUL: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    WITH_NUL.as_ptr().cast()
}
