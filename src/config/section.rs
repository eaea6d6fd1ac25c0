//! Reads settings out of a JSON object, one by one: the type of each is checked, and what nobody asked for is known.

use std::cell::RefCell;

use serde_json::{Map, Value};

use crate::error::Error;

/// One object of the configuration. Every name that is asked for counts as known, so that the names that stay unasked
/// are the unknown ones, and the nearest known name can be offered for each.
pub(crate) struct Section<'a> {
    path: String,
    members: Option<&'a Map<String, Value>>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    pub(crate) fn root(members: &'a Map<String, Value>) -> Section<'a> {
        Section {
            path: String::new(),
            members: Some(members),
            asked: RefCell::default(),
        }
    }

    /// The path of a setting in this section: `bot.username`.
    pub(crate) fn path(&self, name: &str) -> String {
        let name = shown(name);
        if self.path.is_empty() {
            name
        } else {
            format!("{}.{name}", self.path)
        }
    }

    fn get(&self, name: &'static str) -> Option<&'a Value> {
        self.asked.borrow_mut().push(name);
        // A key without a value, as YAML and generated files have it, is a key that is not there.
        self.members?.get(name).filter(|value| !value.is_null())
    }

    fn wrong_type(&self, name: &str, expected: &str, found: &Value) -> Error {
        let kind = match found {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        let path = self.path(name);
        let message = format!("{path} must be {expected}, but is {kind}");
        Error::config(path, message)
    }

    /// A section inside this one; absent counts as empty.
    pub(crate) fn section(&self, name: &'static str) -> Result<Section<'a>, Error> {
        let members = match self.get(name) {
            None => None,
            Some(Value::Object(members)) => Some(members),
            Some(other) => return Err(self.wrong_type(name, "an object", other)),
        };
        Ok(Section {
            path: self.path(name),
            members,
            asked: RefCell::default(),
        })
    }

    pub(crate) fn string(&self, name: &'static str) -> Result<Option<&'a str>, Error> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong_type(name, "a string", other)),
        }
    }

    pub(crate) fn boolean(&self, name: &'static str) -> Result<Option<bool>, Error> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(other) => Err(self.wrong_type(name, "true or false", other)),
        }
    }

    /// A whole number within bounds. A string of digits is accepted: templates often leave quotes around numbers.
    pub(crate) fn integer(&self, name: &'static str, least: i64, most: i64) -> Result<Option<i64>, Error> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let number = match value {
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
            None => Err(self.wrong_type(name, &expected, value)),
        }
    }

    /// A number of at least 1, or a string of one.
    pub(crate) fn factor(&self, name: &'static str) -> Result<Option<f64>, Error> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let number = match value {
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
            None => Err(self.wrong_type(name, "a number of at least 1", value)),
        }
    }

    /// An object whose values are strings: each with its path and its name.
    pub(crate) fn strings(&self, name: &'static str) -> Result<Vec<(String, String, String)>, Error> {
        let section = self.section(name)?;
        let mut found = Vec::new();
        for (key, value) in section.members.into_iter().flatten() {
            match value {
                Value::String(text) => found.push((section.path(key), key.clone(), text.clone())),
                other => return Err(section.wrong_type(key, "a string", other)),
            }
        }
        Ok(found)
    }

    /// Marks a name as known without using it.
    pub(crate) fn known(&self, name: &'static str) -> bool {
        self.get(name).is_some()
    }

    /// The names in this section that nobody asked for, each as a warning with the nearest known name.
    pub(crate) fn unknown(&self) -> Vec<String> {
        let asked = self.asked.borrow();
        let mut warnings = Vec::new();
        for name in self.members.into_iter().flat_map(Map::keys) {
            if asked.contains(&name.as_str()) {
                continue;
            }
            let path = self.path(name);
            warnings.push(match nearest(name, &asked) {
                Some(known) => format!("unknown setting {path} is ignored; did you mean {}?", self.path(known)),
                None => format!("unknown setting {path} is ignored"),
            });
        }
        warnings
    }
}

/// As much of a name as may be shown. What stands where a name should be can be a secret; a name is short and plain.
fn shown(name: &str) -> String {
    let plain = |c: &char| c.is_alphanumeric() || "-_.".contains(*c);
    let mut start: String = name.chars().take_while(plain).take(40).collect();
    if start.len() < name.len() {
        start.push_str("...");
    }
    start
}

fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let lower = name.to_lowercase();
    known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(&lower, &known.to_lowercase()), *known))
        .filter(|(distance, known)| *distance <= known.len().max(name.len()) / 3)
        .min()
        .map(|(_, known)| known)
}
