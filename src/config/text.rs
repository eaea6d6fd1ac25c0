//! Where a configuration is, in which language it is written, and the object that it is.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::file;
use super::yaml::{self, MAX_NESTING};
use crate::error::{Code, Error};

/// A configuration before any setting of it was looked at.
pub(super) struct Document {
    pub(super) members: Map<String, Value>,
    /// What relative paths count from.
    pub(super) folder: PathBuf,
    /// The file that it came from, as it was given.
    pub(super) file: Option<String>,
}

/// A text that starts with `{` is JSON, and one of several lines is YAML; everything else is the path of a file that
/// holds either.
pub(super) fn load(text_or_path: &str) -> Result<Document, Error> {
    if text_or_path.trim().is_empty() {
        return Err(Error::new(
            Code::ConfigInvalid,
            "the configuration is empty; give a JSON object, or the path of a JSON or YAML file",
        ));
    }
    let is_text = text_or_path.trim_start().starts_with(['{', '[', '\u{feff}']) || text_or_path.trim().contains('\n');
    if is_text {
        return Ok(Document {
            members: parse(text_or_path)?,
            folder: PathBuf::new(),
            file: None,
        });
    }
    let path = Path::new(text_or_path);
    let bytes = file::read(
        path,
        "the configuration, read as a path because it does not start with '{'",
    )?;
    let text = String::from_utf8(bytes).map_err(|_| {
        let message = format!("{text_or_path} is not valid UTF-8");
        Error::new(Code::FileInvalid, message).with_file(text_or_path)
    })?;
    Ok(Document {
        members: parse_file(&text, path).map_err(|error| error.with_file(text_or_path))?,
        folder: path.parent().map(Path::to_owned).unwrap_or_default(),
        file: Some(text_or_path.to_owned()),
    })
}

/// A file that is called so is YAML, also if it begins like JSON, which is a part of YAML.
fn parse_file(text: &str, path: &Path) -> Result<Map<String, Value>, Error> {
    let is_yaml = path.extension().is_some_and(|name| name == "yaml" || name == "yml");
    match parse(text) {
        Err(_) if is_yaml => parse_yaml(text.trim_start_matches('\u{feff}')).and_then(members),
        result => result,
    }
}

fn parse(text: &str) -> Result<Map<String, Value>, Error> {
    // Some editors begin UTF-8 files with a mark that neither language has.
    let text = text.trim_start_matches('\u{feff}');
    let invalid = |message: String| Error::new(Code::ConfigInvalid, message);
    let value = if text.trim_start().starts_with(['{', '[']) {
        if nesting(text) > MAX_NESTING {
            return Err(invalid(format!(
                "the configuration is nested deeper than {MAX_NESTING} levels, which no setting needs"
            )));
        }
        // The parser's own words name the place and what it expected, never a value.
        serde_json::from_str(text).map_err(|error| invalid(format!("the configuration is not valid JSON: {error}")))?
    } else {
        parse_yaml(text)?
    };
    members(value)
}

fn parse_yaml(text: &str) -> Result<Value, Error> {
    yaml::parse(text).map_err(|fault| {
        let message = format!(
            "the configuration is not valid YAML: {} at line {} column {}",
            fault.what, fault.line, fault.column
        );
        Error::new(Code::ConfigInvalid, message)
    })
}

fn members(value: Value) -> Result<Map<String, Value>, Error> {
    let invalid = |message: &str| Err(Error::new(Code::ConfigInvalid, message));
    match value {
        Value::Object(members) => Ok(members),
        Value::Null => invalid("the configuration holds no settings"),
        _ => invalid("the configuration must be a JSON object, or a mapping in YAML"),
    }
}

/// How deep arrays and objects go if the text is JSON, and at least that if it is not.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let mut in_string = false;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => {
                bytes.next();
            }
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
