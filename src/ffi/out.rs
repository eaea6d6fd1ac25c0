//! What goes out through pointers.

use std::ffi::{CString, c_char};
use std::ptr;

/// A place that the caller gave for an answer; may be NULL, and then nothing is written.
pub(super) struct Out<T>(*mut T);

impl<T> Out<T> {
    /// # Safety
    ///
    /// `place` is NULL, or valid for writing a `T` until the call ends.
    pub(super) unsafe fn new(place: *mut T) -> Out<T> {
        Out(place)
    }

    pub(super) fn is_null(&self) -> bool {
        self.0.is_null()
    }

    pub(super) fn set(&self, value: T) {
        if !self.0.is_null() {
            // SAFETY: not NULL, and so valid for writing by the promise made to `new`.
            unsafe { self.0.write(value) };
        }
    }
}

impl Out<*mut c_char> {
    /// Hands out a string that the caller gives back with `datafeed_string_free`.
    pub(super) fn set_json(&self, json: String) {
        if self.is_null() {
            return;
        }
        // JSON text has no NUL: within strings it is written as an escape.
        let text = CString::new(json).map_or(ptr::null_mut(), CString::into_raw);
        self.set(text);
    }
}
