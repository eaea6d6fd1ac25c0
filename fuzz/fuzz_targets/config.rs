//! Reading a configuration never panics, and what it says about one is fit to be shown.

#![no_main]

use datafeed::{Code, Config};
use libfuzzer_sys::{Corpus, fuzz_target};

/// Stands for a whole key in the input, so that what lies behind a good key is reached.
const STAND_IN: &str = "RSA_TEST_KEY";
const KEY: &str = include_str!("../../tests/data/keys/rsa-pkcs8.pem");

fuzz_target!(|text: &str| -> Corpus {
    // With neither a brace at the start nor two lines it is the path of a file, and any file could be opened.
    let is_text = text.trim_start().starts_with(['{', '[']) || text.trim().contains('\n');
    if !is_text || may_name_a_file(text) {
        return Corpus::Reject;
    }
    // As it stands in a quoted text of either language.
    let text = text.replace(STAND_IN, &KEY.replace('\n', "\\n"));
    match Config::parse(&text) {
        Ok(config) => {
            let shown = format!("{config:?}");
            assert!(!shown.contains(key_text()), "the key is shown");
        }
        Err(error) => {
            let shown = error.to_json().to_string();
            assert!(!error.message().is_empty());
            assert!(!shown.contains(key_text()), "the key is shown: {shown}");
            assert_eq!(error.code(), Code::ConfigInvalid, "{shown}");
            assert!(!error.is_retryable());
        }
    }
    Corpus::Keep
});

/// The key's first line of secrets.
fn key_text() -> &'static str {
    KEY.lines().nth(3).expect("a key has many lines")
}

/// Whether a key, a certificate or a text may be read from a file. What is no JSON may be YAML, where a name can be written
/// in many ways, but not without its letters or a backslash.
fn may_name_a_file(text: &str) -> bool {
    match serde_json::from_str(text) {
        Ok(value) => names_a_file(&value),
        Err(_) => ["path", "Path", "${file:", "\\"].iter().any(|part| text.contains(part)),
    }
}

fn names_a_file(value: &serde_json::Value) -> bool {
    let given = |path: &str| value.pointer(path).is_some_and(serde_json::Value::is_string);
    let named = [
        "/bot/privateKey/path",
        "/bot/privateKeyPath",
        "/bot/certificate/path",
        "/bot/certificatePath",
        "/ssl/trustStore/path",
        "/ssl/trustStorePath",
    ]
    .iter()
    .any(|path| given(path));
    named || refers_to_a_file(value)
}

/// A reference may be made of escapes, so it is looked for in what they stand for.
fn refers_to_a_file(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains("${file:"),
        serde_json::Value::Array(items) => items.iter().any(refers_to_a_file),
        serde_json::Value::Object(members) => members.values().any(refers_to_a_file),
        _ => false,
    }
}
