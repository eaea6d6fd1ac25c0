//! The table of what a bot can do in which language, against the header and the sources of the wrappers.

use std::fs;
use std::path::Path;

const PAGE: &str = include_str!("../docs/languages.md");
const HEADER: &str = include_str!("../include/datafeed.h");

/// A language's column, where its wrapper is, and what a definition of a name looks like there.
struct Language {
    name: &'static str,
    sources: &'static [&'static str],
    suffix: &'static str,
    /// `@` stands for the name.
    definitions: &'static [&'static str],
    /// How a loop is written, and what makes it possible.
    loops: &'static [(&'static str, &'static str)],
}

const LANGUAGES: [Language; 4] = [
    Language {
        name: "C++",
        sources: &["include"],
        suffix: ".hpp",
        definitions: &[" @(", "class [[nodiscard]] @ {", "enum class errc {", "    @ = "],
        loops: &[("for (symphony::Event &event : feed)", " begin()")],
    },
    Language {
        name: "Python",
        sources: &["bindings/python/src"],
        suffix: ".py",
        definitions: &["def @(", "class @:", "class @(", "getLogger(\"@\")", "\"@\"", "    @: "],
        loops: &[
            ("for event in feed", "def __iter__("),
            ("async for event in feed", "def __aiter__("),
        ],
    },
    Language {
        name: "Go",
        sources: &["bindings/go"],
        suffix: ".go",
        definitions: &[") @(", "func @(", "\t@ = "],
        loops: &[("for event, err := range feed.Events(ctx)", ") Events(")],
    },
    Language {
        name: "Rust",
        sources: &["src"],
        suffix: ".rs",
        definitions: &["pub fn @(", "pub const @:"],
        loops: &[],
    },
];

/// Functions that a wrapper has no use for, since its language has other means: told in the table by "not needed".
const NOT_NEEDED: &str = "not needed:";

fn source_of(language: &Language) -> String {
    let mut source = String::new();
    for folder in language.sources {
        add_sources(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join(folder),
            language.suffix,
            &mut source,
        );
    }
    assert!(!source.is_empty(), "no sources for {}", language.name);
    source
}

fn add_sources(folder: &Path, suffix: &str, source: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        if path.is_dir() {
            add_sources(&path, suffix, source);
        } else if name.ends_with(suffix) && !name.ends_with("_test.go") {
            source.push_str(&fs::read_to_string(&path).expect("a source"));
        }
    }
}

fn functions_of_the_header() -> Vec<&'static str> {
    let declared = HEADER
        .lines()
        .filter(|line| !line.starts_with("//") && !line.starts_with(" *"));
    let mut names: Vec<&str> = declared
        .filter_map(|line| {
            let (before, _) = line.split_once('(')?;
            let name = before.rsplit([' ', '*']).next()?;
            name.starts_with("datafeed_").then_some(name)
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The rows of the first table, as cells: what, C, and the languages.
fn rows() -> Vec<Vec<&'static str>> {
    let table = PAGE.lines().skip_while(|line| !line.starts_with('|'));
    let rows = table.take_while(|line| line.starts_with('|')).skip(2);
    rows.map(|row| {
        row.trim_matches('|')
            .split(" | ")
            .map(|cell| cell.trim_matches([' ', '|']))
            .collect()
    })
    .collect()
}

fn spelled(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// `feed.next_event(timeout)` is about `next_event`.
fn name_in(code: &str) -> &str {
    let call = code.split('(').next().expect("a beginning");
    call.rsplit(['.', ':', ' ']).next().expect("an end")
}

#[test]
fn every_function_of_the_header_has_its_row() {
    let functions = functions_of_the_header();
    assert!(functions.len() > 10, "{functions:?}");
    let rows = rows();
    let mut shown: Vec<&str> = rows.iter().flat_map(|row| spelled(row[1])).collect();
    shown.sort_unstable();
    shown.dedup();
    assert_eq!(shown, functions);
}

#[test]
fn every_language_has_what_the_table_says() {
    let mut missing = Vec::new();
    for (column, language) in LANGUAGES.iter().enumerate() {
        let source = source_of(language);
        for row in rows() {
            let cell = row[column + 2];
            for code in spelled(cell.split(NOT_NEEDED).next().expect("a beginning")) {
                let is_there = match language.loops.iter().find(|(spelled, _)| *spelled == code) {
                    Some((_, method)) => source.contains(method),
                    None => {
                        let name = name_in(code);
                        let mut definitions = language.definitions.iter();
                        definitions.any(|definition| source.contains(&definition.replace('@', name)))
                    }
                };
                if !is_there {
                    missing.push(format!("{}: {}: {code}", language.name, row[0]));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Whether the function is called or passed on; comments write `datafeed_ack()`.
fn uses(source: &str, function: &str) -> bool {
    let takes_nothing = HEADER.contains(&format!("{function}(void)"));
    source.match_indices(function).any(|(place, _)| {
        let after = &source[place + function.len()..];
        let goes_on = after.starts_with(|letter: char| letter.is_ascii_alphanumeric() || "_\"`".contains(letter));
        !goes_on && (takes_nothing || !after.starts_with("()"))
    })
}

/// Rust is not asked: there the C interface is made of the other one.
#[test]
fn every_wrapper_calls_every_function_or_the_table_says_why_not() {
    let mut wrong = Vec::new();
    for (column, language) in LANGUAGES
        .iter()
        .enumerate()
        .filter(|(_, language)| language.name != "Rust")
    {
        let source = source_of(language);
        for row in rows() {
            let function = spelled(row[1]).next().expect("a function");
            if !uses(&source, function) && !row[column + 2].contains(NOT_NEEDED) {
                wrong.push(format!("{}: {function}", language.name));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "not called, and the table does not say why: {wrong:#?}"
    );
}
