//! Many small tests at once, which wait for the most part, and one outcome.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

const AT_ONCE: usize = 16;

/// Does the same with each; panics with those that failed.
#[track_caller]
pub fn side_by_side<T: Display + Send>(all: Vec<T>, test: impl Fn(&T) + Sync) {
    let left = Mutex::new(all.into_iter());
    let failed = Mutex::new(Vec::new());
    let next = || left.lock().expect("what is left").next();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(one) = next() {
                    if catch_unwind(AssertUnwindSafe(|| test(&one))).is_err() {
                        failed.lock().expect("what failed").push(one.to_string());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("what failed");
    assert!(failed.is_empty(), "failed: {failed:#?}");
}
