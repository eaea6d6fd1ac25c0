//! Strings that the library gives away.

use std::ffi::{CStr, c_char};

use datafeed::ffi::report::datafeed_string_free;
use serde_json::Value;

/// Reads the string as JSON and frees it.
pub fn take(json: *mut c_char) -> Option<Value> {
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

/// Whether it is an error object.
pub fn check_error(error: &Value) {
    let text = |name: &str| error[name].as_str().is_some_and(|text| !text.is_empty());
    assert!(
        text("code") && text("message") && error["retryable"].is_boolean(),
        "{error}"
    );
}
