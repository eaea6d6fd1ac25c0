//! Reads settings out of a section, one by one: references in a text are looked up, and the type of each is checked.

use serde_json::Value;

use super::file;
use super::section::Section;
use super::template::{self, Part};
use crate::error::Error;

impl Section<'_> {
    pub(super) fn wrong_type(&self, name: &str, expected: &str, found: &Value) -> Error {
        let kind = match found {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        let path = self.path(name);
        let message = match found {
            // A number may be written as a text, which then is the wrong one and not of the wrong kind.
            Value::String(_) if expected.contains("number") => {
                format!("{path} must be {expected}, but is a string that is not one")
            }
            _ => format!("{path} must be {expected}, but is {kind}"),
        };
        Error::config(path, message)
    }

    /// A text, its references replaced. What a template left empty is there, and is empty.
    pub(crate) fn string(&self, name: &'static str) -> Result<Option<String>, Error> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => self.filled_in(&self.path(name), text).map(Some),
            Some(other) => Err(self.wrong_type(name, "a string", other)),
        }
    }

    /// The same, where an empty text says nothing.
    pub(crate) fn filled(&self, name: &'static str) -> Result<Option<String>, Error> {
        Ok(self.string(name)?.filter(|text| !text.is_empty()))
    }

    /// The text with every reference replaced.
    fn filled_in(&self, path: &str, text: &str) -> Result<String, Error> {
        let mut whole = String::new();
        for part in parts(path, text)? {
            match part {
                Part::Text(text) => whole.push_str(&text),
                Part::File(file) => whole.push_str(&file::read_text(&self.locate(&file), path)?),
            }
        }
        Ok(whole)
    }

    /// The value of a setting that is not a text by its nature, but may be written as one: templates often leave quotes,
    /// and a reference is a text. An empty one says nothing.
    fn plain(&self, name: &'static str) -> Result<Option<Value>, Error> {
        match self.get(name) {
            Some(Value::String(text)) => {
                let text = self.filled_in(&self.path(name), text)?;
                Ok(Some(text).filter(|text| !text.trim().is_empty()).map(Value::String))
            }
            other => Ok(other.cloned()),
        }
    }

    pub(crate) fn boolean(&self, name: &'static str) -> Result<Option<bool>, Error> {
        let Some(value) = self.plain(name)? else {
            return Ok(None);
        };
        let written = match &value {
            Value::String(text) => match text.trim() {
                "true" | "True" | "TRUE" => Some(true),
                "false" | "False" | "FALSE" => Some(false),
                _ => None,
            },
            other => other.as_bool(),
        };
        match written {
            Some(written) => Ok(Some(written)),
            None => Err(self.wrong_type(name, "true or false", &value)),
        }
    }

    /// A whole number within bounds.
    pub(crate) fn integer(&self, name: &'static str, least: i64, most: i64) -> Result<Option<i64>, Error> {
        let Some(value) = self.plain(name)? else {
            return Ok(None);
        };
        let number = match &value {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_i64(),
        };
        let expected = format!("a whole number from {least} to {most}");
        match number {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            Some(number) => {
                let path = self.path(name);
                let message = format!("{path} must be {expected}, but is {number}");
                Err(Error::config(path, message))
            }
            None => Err(self.wrong_type(name, &expected, &value)),
        }
    }

    /// A number of at least 1.
    pub(crate) fn factor(&self, name: &'static str) -> Result<Option<f64>, Error> {
        let Some(value) = self.plain(name)? else {
            return Ok(None);
        };
        let number = match &value {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_f64(),
        };
        match number {
            Some(number) if number >= 1.0 && number.is_finite() => Ok(Some(number)),
            Some(number) => {
                let path = self.path(name);
                let message = format!("{path} must be a number of at least 1, but is {number}");
                Err(Error::config(path, message))
            }
            None => Err(self.wrong_type(name, "a number of at least 1", &value)),
        }
    }

    /// A list of texts; absent counts as empty.
    pub(crate) fn texts(&self, name: &'static str) -> Result<Vec<String>, Error> {
        let items = match self.get(name) {
            None => return Ok(Vec::new()),
            Some(Value::String(text)) if text.is_empty() => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(other) => return Err(self.wrong_type(name, "a list of strings", other)),
        };
        let mut texts = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{}[{index}]", self.path(name));
            let Value::String(text) = item else {
                let message = format!("{path} must be a string");
                return Err(Error::config(path, message));
            };
            texts.push(self.filled_in(&path, text)?);
        }
        Ok(texts)
    }

    /// An object whose values are texts: each with its path, its name and its pieces. Files are left to be read.
    pub(crate) fn templates(&self, name: &'static str) -> Result<Vec<(String, String, Vec<Part>)>, Error> {
        let section = self.free_section(name)?;
        let mut found = Vec::new();
        for (key, value) in section.members() {
            match value {
                Value::String(text) => {
                    let path = section.path(key);
                    let parts = parts(&path, text)?;
                    found.push((path, key.clone(), parts));
                }
                Value::Null => {}
                other => return Err(section.wrong_type(key, "a string", other)),
            }
        }
        Ok(found)
    }
}

/// The pieces of the text at this path, its variables replaced.
fn parts(path: &str, text: &str) -> Result<Vec<Part>, Error> {
    template::resolve(text).map_err(|unset| Error::config(path, format!("{path} {}", unset.explain())))
}
