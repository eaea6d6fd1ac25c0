//! One step of a thread, as three bytes say it: what to do, with which handle, and how.

use std::ffi::CString;
use std::ptr;

use datafeed::ffi::feed::datafeed_create;
use datafeed::ffi::report::{datafeed_string_free, datafeed_version};
use datafeed::ffi::status::DATAFEED_INVALID_ARGUMENT;

use crate::feed::Feed;
use crate::lent::Number;
use crate::owned;
use crate::world::Pool;

#[derive(Debug, Clone, Copy)]
pub struct Step {
    what: u8,
    whom: u8,
    how: u8,
}

/// Small, since each is waited for; those that wait for ever are ended by other threads.
const TIMEOUTS: [i32; 8] = [0, 0, 1, 1, 2, 3, -1, i32::MIN];

impl Step {
    pub fn decode(&[what, whom, how]: &[u8; 3]) -> Step {
        Step { what, whom, how }
    }

    pub fn run(self, pool: &Pool) {
        let how = self.how;
        let feed = &*self.feed(pool);
        match self.what % 20 {
            0..=4 => {
                feed.next_event(TIMEOUTS[usize::from(how % 8)], how / 8);
            }
            5..=6 => feed.ack(number(how)),
            7 => feed.nack(number(how)),
            9 => feed.copied(number(how)),
            8 => feed.attempt(number(how), how % 16 == 0),
            11 => feed.interrupt(),
            // What is closed has to be opened again for the next run, and that takes time.
            12 if how % 4 == 0 => feed.close(),
            12 if how % 4 == 1 => feed.drain(TIMEOUTS[usize::from(how / 4 % 8)]),
            13 => feed.fd(how % 16 == 0),
            14 => feed.error(how % 16 == 0),
            15 => {
                feed.stats(how % 16 == 0);
            }
            16 => feed.session(how % 16 == 0),
            // Only a close ends the waiting for a line, so it is rare.
            17 if how == 255 => feed.next_log(-1, false),
            17 => feed.next_log(i32::from(how % 4), how % 16 == 0),
            18 => pool.publish(1 + usize::from(how % 4)),
            19 => without_feed(how),
            _ => feed.read_again(how),
        }
    }

    fn feed(self, pool: &Pool) -> std::sync::Arc<Feed> {
        match self.whom % 16 {
            0..=7 => pool.explicit.clone(),
            8..=11 => pool.implicit.clone(),
            12 => pool.failed.clone(),
            13 => pool.closed.clone(),
            _ => pool.nothing(self.whom / 16),
        }
    }
}

/// A number that is held, has been given back, or is out of the air.
fn number(how: u8) -> Number {
    match how % 8 {
        0..=4 => Number::Held(how / 8),
        5 => Number::Spent(how / 8),
        6 => Number::Near(how / 8),
        _ => Number::Any([0, 1, u64::MAX, 1 << 63][usize::from(how / 8 % 4)]),
    }
}

fn without_feed(how: u8) {
    match how % 8 {
        0 => {
            // SAFETY: NULL is allowed.
            unsafe { datafeed_string_free(ptr::null_mut()) };
        }
        1 => {
            // SAFETY: the string is static.
            let version = unsafe { std::ffi::CStr::from_ptr(datafeed_version()) };
            assert!(version.to_bytes().starts_with(b"0."));
        }
        2 => create(None, how & 8 == 0, how & 16 == 0),
        3 => create(Some(b"{}"), how & 8 == 0, how & 16 == 0),
        4 => create(Some(b"{\xff"), how & 8 == 0, how & 16 == 0),
        5 => create(
            Some(b"{\"host\":\"127.0.0.1\",\"bot\":{\"username\":\"bot\"}}"),
            true,
            true,
        ),
        6 => create(Some(b""), how & 8 == 0, how & 16 == 0),
        // A good configuration without a place for the feed.
        _ => create(Some(crate::world::CONFIG.as_bytes()), false, how & 8 == 0),
    }
}

/// A create that has to fail.
fn create(config: Option<&[u8]>, feed_place: bool, error_place: bool) {
    let config = config.map(|config| CString::new(config).expect("no NUL"));
    let mut feed = ptr::dangling_mut();
    let mut error = ptr::dangling_mut();
    // SAFETY: each place is NULL or valid for the call.
    let status = unsafe {
        datafeed_create(
            config.as_ref().map_or(ptr::null(), |config| config.as_ptr()),
            if feed_place { &mut feed } else { ptr::null_mut() },
            if error_place { &mut error } else { ptr::null_mut() },
        )
    };
    assert_eq!(status, DATAFEED_INVALID_ARGUMENT);
    assert!(!feed_place || feed.is_null());
    if error_place {
        let error = owned::take(error).expect("an error object");
        owned::check_error(&error);
        assert_eq!(error["retryable"], false);
    }
}
