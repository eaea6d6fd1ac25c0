//! The table of what a bot can do in which language, against the header and the sources of the wrappers.

use std::fs;
use std::path::Path;

const PAGE: &str = include_str!("../docs/languages.md");
const HEADER: &str = include_str!("../include/datafeed.h");

/// A language's column, where its wrapper is, and what the beginning of a line says that defines a name there.
struct Language {
    name: &'static str,
    /// The folder, and what the names of its sources end with.
    sources: (&'static str, &'static str),
    /// What belongs to whom: the word before the name in the table, the file, and the definitions; `@` stands for the
    /// name.
    owners: &'static [(&'static str, &'static str, &'static [&'static str])],
    /// How a loop is written, and what makes it possible.
    loops: &'static [(&'static str, &'static str)],
}

const LANGUAGES: [Language; 4] = [
    Language {
        name: "C++",
        sources: ("include", ".hpp"),
        owners: &[
            ("feed", "include/datafeed.hpp", CPP),
            ("event", "include/datafeed/event.hpp", CPP),
            ("errc", "include/datafeed/error.hpp", &["    @ = DATAFEED_"]),
            (
                "",
                "include/datafeed.hpp",
                &["class [[nodiscard]] @ {", "[[nodiscard]] inline std::string_view @("],
            ),
        ],
        loops: &[("for (symphony::Event &event : feed)", "begin")],
    },
    Language {
        name: "Python",
        sources: ("bindings/python/src/symphony_datafeed", ".py"),
        owners: &[
            ("feed", "bindings/python/src/symphony_datafeed/_feed.py", PYTHON),
            ("event", "bindings/python/src/symphony_datafeed/_event.py", PYTHON),
            ("", "bindings/python/src/symphony_datafeed/__init__.py", &["    \"@\","]),
            (
                "",
                "bindings/python/src/symphony_datafeed/_logs.py",
                &["LOGGER = logging.getLogger(\"@\")"],
            ),
        ],
        loops: &[
            ("for event in feed", "__iter__"),
            ("async for event in feed", "__aiter__"),
            ("for letter in feed.dead_letters()", "dead_letters"),
        ],
    },
    Language {
        name: "Go",
        sources: ("bindings/go", ".go"),
        owners: &[
            ("feed", "bindings/go", &["func (f *Feed) @("]),
            ("event", "bindings/go", &["func (e *Event) @("]),
            ("", "bindings/go", &["func @(", "type @ ", "\t@ = errors.New("]),
        ],
        loops: &[
            ("for event, err := range feed.Events(ctx)", "Events"),
            ("for letter, err := range feed.DeadLetters()", "DeadLetters"),
        ],
    },
    Language {
        name: "Rust",
        sources: ("src", ".rs"),
        owners: &[
            ("feed", "src/feed/mod.rs", &["    pub fn @("]),
            ("feed", "src/feed/letters.rs", &["    pub fn @("]),
            ("Datafeed", "src/feed/mod.rs", &["    pub fn @("]),
            ("event", "src/feed/event.rs", &["    pub fn @("]),
            ("NoEvent", "src/feed/refusals.rs", RUST_VARIANT),
            ("NotAcknowledged", "src/feed/refusals.rs", RUST_VARIANT),
            ("NoLetter", "src/feed/refusals.rs", RUST_VARIANT),
            ("", "src/lib.rs", &["pub const @:", "pub use error::{Code, @};"]),
        ],
        loops: &[],
    },
];

/// Members stand four spaces deep, calls deeper.
const CPP: &[&str] = &["    ~* @("];
const PYTHON: &[&str] = &["    def @(", "    async def @(", "    @: "];
const RUST_VARIANT: &[&str] = &["    @,", "    @("];

/// Functions that a wrapper has no use for, since its language has other means: told in the table by "not needed".
const NOT_NEEDED: &str = "not needed:";

/// The sources at this path, or in and below this folder.
fn sources(path: &Path, suffix: &str) -> String {
    if path.is_file() {
        return fs::read_to_string(path).expect("a source");
    }
    let mut source = String::new();
    for entry in fs::read_dir(path).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        if path.is_dir() || (name.ends_with(suffix) && !name.ends_with("_test.go")) {
            source.push_str(&sources(&path, suffix));
        }
    }
    source
}

impl Language {
    fn sources(&self, path: &str) -> String {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(path), self.sources.1)
    }

    /// Whether there is what the table writes so.
    fn has(&self, code: &str) -> bool {
        let (owner, name) = match self.loops.iter().find(|(spelled, _)| *spelled == code) {
            Some((_, method)) => ("feed", *method),
            None => owner_and_name(code),
        };
        let mut owners = self.owners.iter().filter(|(other, ..)| *other == owner);
        owners.any(|(_, path, definitions)| {
            let source = self.sources(path);
            source
                .lines()
                .any(|line| definitions.iter().any(|definition| defines(line, definition, name)))
        })
    }
}

/// Whether the line begins with the definition of the name. `~*` stands for a type.
fn defines(line: &str, definition: &str, name: &str) -> bool {
    let definition = definition.replace('@', name);
    match definition.split_once("~*") {
        None => line.starts_with(&definition),
        Some((indentation, rest)) => {
            let Some(member) = line.strip_prefix(indentation) else {
                return false;
            };
            let is_code = !member.starts_with([' ', '/', '}']) && !member.starts_with("return ");
            is_code && member.contains(rest)
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

/// The rows of a table of the page, as cells: what, C, and the languages.
fn rows(table: usize) -> Vec<Vec<&'static str>> {
    let mut tables = PAGE
        .split("\n\n")
        .filter(|part| part.starts_with("| | C | C++ | Python | Go | Rust |"));
    let rows = tables.nth(table).expect("the table").lines().skip(2);
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

/// `feed.next_event(timeout)` is `next_event` of a feed; `Open(config)` is nobody's.
fn owner_and_name(code: &str) -> (&str, &str) {
    let call = code.split('(').next().expect("a beginning").trim_start_matches('*');
    let owned = call.rsplit_once("::").or_else(|| call.rsplit_once('.'));
    owned.unwrap_or(("", call))
}

#[test]
fn every_function_of_the_header_has_its_row() {
    let functions = functions_of_the_header();
    assert!(functions.len() > 10, "{functions:?}");
    let rows = rows(0);
    let mut shown: Vec<&str> = rows.iter().flat_map(|row| spelled(row[1])).collect();
    shown.sort_unstable();
    shown.dedup();
    assert_eq!(shown, functions);
}

/// What belongs to the language itself.
const OF_THE_LANGUAGE: [&str; 4] = ["None", "False", "false", "ctx.Err()"];

#[test]
fn every_language_has_what_the_tables_say() {
    let mut missing = Vec::new();
    for row in [rows(0), rows(1)].concat() {
        for (column, language) in LANGUAGES.iter().enumerate() {
            let cell = row[column + 2].split(NOT_NEEDED).next().expect("a beginning");
            for code in spelled(cell).filter(|code| !OF_THE_LANGUAGE.contains(code)) {
                if !language.has(code) {
                    missing.push(format!("{}: {}: {code}", language.name, row[0]));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_status_that_the_tables_name_is_in_the_header() {
    for row in rows(1) {
        for status in spelled(row[1]) {
            assert!(HEADER.contains(&format!("#define {status} ")), "{status}");
        }
    }
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
        let source = language.sources(language.sources.0);
        for row in rows(0) {
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
