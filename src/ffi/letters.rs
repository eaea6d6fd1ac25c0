//! Events that were tried too often: looked at, handed out again, or thrown away.

use std::ffi::c_char;

use super::guard::with_feed;
use super::handle::datafeed;
use super::report::give;
use super::status::{DATAFEED_CLOSED, DATAFEED_INVALID_ARGUMENT, DATAFEED_NOT_STORED, DATAFEED_OK};
use crate::{DeadLetter, NoLetter};

/// The events that were set aside because each was handed out `maxAttempts` times in vain: at most 100 with an id greater
/// than `after`, the oldest first. To see all of them begin with 0, and go on with the last id until the list is empty.
///
/// `letters_json`: set to a list `[{"id","at","attempts","event"}]` that the caller frees with datafeed_string_free(), or to
/// NULL. `id` counts up and is never used again; `at` is when it was set aside, in milliseconds since 1970; `attempts` how
/// often it had been handed out; `event` the event, exactly as the agent sent it. They stay in `stateDir` until they are resubmitted or discarded, also
/// when the process ends. Without `stateDir` the list is empty. Must not be NULL.
///
/// Returns DATAFEED_OK; DATAFEED_INVALID_ARGUMENT; DATAFEED_CLOSED; DATAFEED_NOT_STORED when `stateDir` cannot be read, and
/// datafeed_error() says why; DATAFEED_FORKED.
///
/// # Safety
///
/// `letters_json` is NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn datafeed_dead_letters(feed: *mut datafeed, after: u64, letters_json: *mut *mut c_char) -> i32 {
    // SAFETY: promised by the caller.
    unsafe {
        give(feed, letters_json, |feed| {
            feed.dead_letters(after)
                .map(|letters| Some(list(&letters)))
                .map_err(|none| status(&none))
        })
    }
}

/// Hands out an event again that was set aside, as if it were new: under a new delivery number, its attempts counted from 1.
/// It is no dead letter any more.
///
/// `letter`: the `id` that datafeed_dead_letters() gave.
///
/// Returns DATAFEED_OK; DATAFEED_INVALID_ARGUMENT when there is none of this id; DATAFEED_NOT_STORED when nothing
/// was done, since `stateDir` takes nothing at the moment: try again later; DATAFEED_CLOSED; DATAFEED_FORKED.
#[unsafe(no_mangle)]
pub extern "C" fn datafeed_resubmit(feed: *mut datafeed, letter: u64) -> i32 {
    with_feed(feed, |feed| answer(feed.resubmit(letter)))
}

/// Throws away an event that was set aside.
///
/// `letter`: the `id` that datafeed_dead_letters() gave.
///
/// Returns as datafeed_resubmit() does.
#[unsafe(no_mangle)]
pub extern "C" fn datafeed_discard(feed: *mut datafeed, letter: u64) -> i32 {
    with_feed(feed, |feed| answer(feed.discard(letter)))
}

/// The events' own texts are not written anew: that could change a long number.
fn list(letters: &[DeadLetter]) -> String {
    let objects: Vec<String> = letters
        .iter()
        .map(|letter| {
            let (id, at, attempts) = (letter.id(), letter.at(), letter.attempts());
            format!(
                r#"{{"id":{id},"at":{at},"attempts":{attempts},"event":{}}}"#,
                letter.json()
            )
        })
        .collect();
    format!("[{}]", objects.join(","))
}

fn answer(result: Result<(), NoLetter>) -> i32 {
    match result {
        Ok(()) => DATAFEED_OK,
        Err(none) => status(&none),
    }
}

fn status(none: &NoLetter) -> i32 {
    match none {
        NoLetter::Unknown => DATAFEED_INVALID_ARGUMENT,
        NoLetter::Closed => DATAFEED_CLOSED,
        NoLetter::NotStored | NoLetter::Failed(_) => DATAFEED_NOT_STORED,
    }
}
