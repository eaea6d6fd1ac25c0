//! References in the text of a setting: `${NAME}` and `${NAME:-default}` stand for a variable of the environment,
//! `${file:PATH}` for what is in a file. `$${` is a plain `${`.
//!
//! What has the form of none of these stays as it is, so that a password may hold a dollar.

use std::env;

/// A piece of a text with references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    /// The path of a file, as it is written.
    File(String),
}

/// A variable that is not set and has no default.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unset(pub(super) String);

impl Unset {
    /// What to do about it.
    pub(super) fn explain(&self) -> String {
        let name = &self.0;
        if name.contains('.') {
            return format!(
                "refers to ${{{name}}}, a system property of Java, which this library does not have; use a variable of \
                 the environment"
            );
        }
        format!(
            "refers to the environment variable {name}, which is not set; set it, or give a default: ${{{name}:-...}}"
        )
    }
}

/// Looks up every variable.
pub(super) fn resolve(text: &str) -> Result<Vec<Part>, Unset> {
    resolve_with(text, |name| match name {
        // The one system property of Java that the SDK's own examples use.
        "user.home" => env::var("HOME").ok(),
        _ => env::var(name).ok(),
    })
}

fn resolve_with(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Vec<Part>, Unset> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(dollar) = rest.find("${") {
        let (before, reference) = rest.split_at(dollar);
        if let Some(before) = before.strip_suffix('$') {
            plain.push_str(before);
            plain.push_str("${");
            rest = &reference[2..];
            continue;
        }
        plain.push_str(before);
        let Some((end, found)) = read_reference(reference) else {
            plain.push_str("${");
            rest = &reference[2..];
            continue;
        };
        rest = &reference[end..];
        match found {
            Reference::File(path) => {
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(Part::File(path.to_owned()));
            }
            Reference::Variable { name, default } => {
                let value = variable(name).or_else(|| default.map(str::to_owned));
                plain.push_str(&value.ok_or_else(|| Unset(name.to_owned()))?);
            }
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() || parts.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(parts)
}

enum Reference<'a> {
    File(&'a str),
    Variable { name: &'a str, default: Option<&'a str> },
}

/// The reference that a text begins with, and where it ends.
fn read_reference(text: &str) -> Option<(usize, Reference<'_>)> {
    let end = text.find('}')?;
    let inside = &text[2..end];
    let found = if let Some(path) = inside.strip_prefix("file:") {
        Reference::File(path)
    } else {
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        Reference::Variable { name, default }
    };
    let named = match &found {
        Reference::File(path) => !path.is_empty(),
        Reference::Variable { name, .. } => is_name(name),
    };
    named.then_some((end + 1, found))
}

fn is_name(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    starts
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str) -> Result<Vec<Part>, Unset> {
        resolve_with(text, |name| match name {
            "HOST" => Some("pod.example".to_owned()),
            "EMPTY" => Some(String::new()),
            "LOOKS" => Some("${HOST}${file:x}".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn references_are_replaced_once() {
        for (text, expected) in [
            ("", ""),
            ("plain", "plain"),
            ("${HOST}", "pod.example"),
            ("a-${HOST}:${PORT:-443}/${EMPTY}b", "a-pod.example:443/b"),
            ("${EMPTY:-default}", ""),
            ("${NONE:-}", ""),
            ("${NONE:-a:-b}", "a:-b"),
            ("$${HOST}", "${HOST}"),
            ("$$${HOST}", "$${HOST}"),
            ("$HOST $ {HOST} $", "$HOST $ {HOST} $"),
            ("${HOST", "${HOST"),
            ("${}${ HOST}${1A}${a-b}${file:}", "${}${ HOST}${1A}${a-b}${file:}"),
            ("${${HOST}", "${pod.example"),
            // What a variable holds is no reference.
            ("${LOOKS}", "${HOST}${file:x}"),
            ("pä$$ß${HOST}", "pä$$ßpod.example"),
        ] {
            assert_eq!(resolved(text), Ok(vec![Part::Text(expected.to_owned())]), "{text}");
        }
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        assert_eq!(resolved("${HOST}${NONE}"), Err(Unset("NONE".to_owned())));
        assert!(
            Unset("A_B".to_owned())
                .explain()
                .contains("variable A_B, which is not set")
        );
        assert!(
            Unset("os.name".to_owned())
                .explain()
                .contains("system property of Java")
        );
    }

    #[test]
    fn files_are_left_to_be_read() {
        let text = |text: &str| Part::Text(text.to_owned());
        let file = |path: &str| Part::File(path.to_owned());
        for (given, expected) in [
            ("${file:/run/key}", vec![file("/run/key")]),
            ("Bearer ${file:key}!", vec![text("Bearer "), file("key"), text("!")]),
            ("${file:a}${file:b}", vec![file("a"), file("b")]),
            ("$${file:a}", vec![text("${file:a}")]),
        ] {
            assert_eq!(resolved(given), Ok(expected), "{given}");
        }
    }
}
