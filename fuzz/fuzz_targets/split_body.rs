//! The splitter of response bodies against a slow, obvious one (serde_json): both refuse, or both find the same.

#![no_main]

mod obvious;

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|body: &[u8]| -> Corpus {
    if obvious::depth(body) > obvious::MAX_DEPTH {
        return Corpus::Reject;
    }
    let found = datafeed::internals::split_body(body);
    let expected = obvious::split(body);
    assert_eq!(found, expected, "of {:?}", String::from_utf8_lossy(body));
    Corpus::Keep
});
