//! What lies at the edge of a block or of a chunk is found as elsewhere. A scanner that looks nothing up goes byte by byte
//! and is compared with serde_json; one that does has to find the same, and to refuse the same in the same words.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch, u8x64};
use proptest::prelude::*;
use serde_json::value::RawValue;

use super::super::blocks::{BLOCK, Marks};
use super::super::nesting::Nesting;
use super::super::scan::Scanner;
use super::{agrees_with_the_obvious, parse_batch};

/// Lengths of what stands before, so that what follows lies around the edges of the first two blocks and chunks.
fn lengths() -> impl Iterator<Item = usize> {
    (0..=2 * BLOCK + 2).chain([1024, 2048].into_iter().flat_map(|edge| edge - 80..edge + 10))
}

/// Compares the ways to scan one value that is the whole text.
fn all_ways_agree(text: &[u8]) {
    let scan = |mut scanner: Scanner| {
        let found = scanner.value().and_then(|value| scanner.end().map(|()| value));
        (found, scanner.was_too_deep())
    };
    let found = scan(Scanner::new(text));
    let shown = String::from_utf8_lossy(text);
    assert_eq!(found, scan(Scanner::of_short(text)), "{shown:?}");
    if std::str::from_utf8(text).is_ok() {
        let expected = serde_json::from_slice::<&RawValue>(text).is_ok();
        assert_eq!(found.0.is_ok(), expected, "{shown:?}");
    }
}

/// Of what a string may hold and of what it may not, whatever depends on a byte's neighbours.
const CONTENTS: [&[u8]; 22] = [
    b"",
    b"x",
    b"\\\"",
    b"\\\\",
    b"\\\\\\\"",
    b"\\\\\\\\\\\\",
    b"\\\\\\\\\\\\\\\"\\n",
    b"\\n\\/\\b",
    b"\\u00e9",
    b"\\ud83d\\ude00x",
    "\u{e9}\u{20ac}\u{1f600}".as_bytes(),
    b"\x7f",
    // And these are refused.
    b"\\",
    b"\\\\\\",
    b"\"",
    b"\x1f",
    b"\0",
    b"\n",
    b"\\x",
    b"\\u00e",
    b"\\\\\\u00g0",
    b"\\\x01",
];

#[test]
fn strings_end_where_they_do_at_every_place() {
    for length in lengths() {
        let (letters, spaces) = ("a".repeat(length), " ".repeat(length));
        let empty = "\"\",".repeat(length / 3);
        for content in CONTENTS {
            for (before, after) in [
                (format!("\"{letters}"), "\""),
                (format!("{spaces}\""), "\""),
                (format!("[{empty}{}\"", " ".repeat(length % 3)), "\",\"\"]"),
                (format!("{{\"{letters}\":\"b\",\""), "\":\"c\",\"d\":{}}"),
                (format!("[\"{letters}"), ""),
            ] {
                all_ways_agree(&[before.as_bytes(), content, after.as_bytes()].concat());
            }
        }
    }
}

#[test]
fn text_is_utf8_at_every_place_or_is_refused() {
    for length in lengths() {
        let letters = "a".repeat(length);
        for (bytes, is_text) in [
            ("\u{1f600}".as_bytes(), true),
            (b"\xf0\x9f\x98", false),
            (b"\x80", false),
            (b"\xed\xa0\x80", false),
        ] {
            let body = [b"{\"events\":[{\"a\":\"", letters.as_bytes(), bytes, b"\"}]}"].concat();
            agrees_with_the_obvious(&body);
            match parse_batch(body, 7) {
                Ok(_) => assert!(is_text),
                Err(malformed) => assert_eq!((malformed.at, is_text), (17 + length, false)),
            }
        }
    }
}

#[test]
fn numbers_end_where_they_do_at_every_place() {
    for length in (0..=20).chain(lengths().filter(|length| length % 7 == 0)) {
        let digits = "1234567890".repeat(3);
        for count in 0..=digits.len() {
            for after in ["", ".5", ".", "e", "E+10", "e-", "/", ":", "a", "\u{b9}", "]"] {
                let digits = &digits[..count];
                all_ways_agree(format!("{}-{digits}{after}", " ".repeat(length)).as_bytes());
                all_ways_agree(format!("[{}{digits}{after}        ]", " ".repeat(length)).as_bytes());
            }
        }
    }
    for byte in 0..=u8::MAX {
        for place in 0..9 {
            let mut text = *b"[123456789012]";
            text[1 + place] = byte;
            all_ways_agree(&text);
            assert!(
                byte.is_ascii() || Scanner::new(&text).value().is_err(),
                "{byte} {place}"
            );
        }
    }
}

#[test]
fn members_without_white_space_are_no_other_than_those_with_it() {
    let members = [
        r#""a":"b""#,
        r#""":"""#,
        r#""c":1"#,
        r#""d":{"e":"f"}"#,
        r#""g""#,
        r#"7"#,
        r#""h","i""#,
        "",
    ];
    for length in lengths().filter(|length| length % 3 == 0) {
        for first in members {
            for second in members {
                for (separator, end) in [
                    (",", "}"),
                    (" , ", " }"),
                    (";", "}"),
                    (",", "]"),
                    (",", ""),
                    (",", ",}"),
                ] {
                    let padding = "a".repeat(length);
                    let text = format!("{{\"{padding}\":\"\",\"b\":\"\",{first}{separator}{second}{end}");
                    all_ways_agree(text.as_bytes());
                }
            }
        }
    }
}

#[test]
fn every_byte_is_marked_at_every_place_on_every_processor() {
    let mut levels = vec![Level::baseline(), Level::new()];
    #[cfg(target_arch = "x86_64")]
    {
        levels.extend(Level::new().as_sse4_2().map(Level::Sse4_2));
        levels.extend(Level::new().as_avx2().map(Level::Avx2));
    }
    for level in levels {
        for byte in 0..=u8::MAX {
            for place in 0..BLOCK {
                let mut block = [b'a'; BLOCK];
                block[place] = byte;
                let marks = dispatch!(level, simd => Marks::of(u8x64::from_slice(simd, &block)));
                let bit = |is: bool| u64::from(is) << place;
                assert_eq!(marks.quotes, bit(byte == b'"'), "{level:?} {byte} {place}");
                assert_eq!(marks.backslashes, bit(byte == b'\\'), "{level:?} {byte} {place}");
                assert_eq!(marks.controls, bit(byte < 0x20), "{level:?} {byte} {place}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Seldom JSON, but never far from it.
    #[test]
    fn any_text_is_scanned_alike_looked_up_or_not(
        padding in 0..140_usize,
        parts in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\\\\", "\\\"", "\"a\":\"b\",", "\"a\":", "\"\"", "a", "aaaaaaaa", "1",
            "-0.5e1", "true", "null", " ", "\n", "\u{1}", "\u{e9}", "\\u0041",
        ]), 0..60),
    ) {
        let text = format!("[\"{}\",{}", "a".repeat(padding), parts.concat());
        all_ways_agree(text.as_bytes());
    }

    #[test]
    fn containers_are_remembered_at_every_depth(steps in prop::collection::vec((any::<bool>(), 1..150_usize), 1..30)) {
        let (mut nesting, mut model) = (Nesting::default(), Vec::new());
        for (index, (push, count)) in steps.into_iter().enumerate() {
            for step in 0..count {
                if push {
                    let object = (index + step) % 3 == 0;
                    nesting.push(object);
                    model.push(object);
                } else if model.pop().is_some() {
                    nesting.pop();
                }
                prop_assert_eq!(nesting.innermost_is_object(), model.last().copied());
            }
        }
    }
}
