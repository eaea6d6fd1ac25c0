//! Reading a configuration never panics, and what it says about one is fit to be shown.

#![no_main]

use datafeed::{Code, Config};
use libfuzzer_sys::{Corpus, fuzz_target};

/// Stands for a whole key in the input, so that what lies behind a good key is reached.
const STAND_IN: &str = "RSA_TEST_KEY";
const KEY: &str = include_str!("../../tests/data/keys/rsa-pkcs8.pem");

fuzz_target!(|text: &str| -> Corpus {
    // Without a brace at the start it is the path of a file, and any file could be opened.
    if !text.trim_start().starts_with('{') || names_a_file(text) {
        return Corpus::Reject;
    }
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

/// Whether a key or a certificate is to be read from a file.
fn names_a_file(text: &str) -> bool {
    let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    [
        "/bot/privateKey/path",
        "/bot/privateKeyPath",
        "/ssl/trustStore/path",
        "/ssl/trustStorePath",
    ]
    .iter()
    .any(|path| value.pointer(path).is_some_and(serde_json::Value::is_string))
}
