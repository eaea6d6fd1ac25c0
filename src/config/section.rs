//! Reads settings out of the configuration, one by one: references in a text are looked up, the type of each is checked,
//! and what nobody asked for is known.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::{Map, Value};

use super::file;
use super::names::{nearest, shown};
use super::template::{self, Part};
use crate::error::Error;

/// One object of the configuration. Every name that is asked for counts as known, so that the names that stay unasked
/// are the unknown ones, and the nearest known name can be offered for each.
pub(crate) struct Section<'a> {
    path: String,
    members: Option<&'a Map<String, Value>>,
    whole: Rc<Whole<'a>>,
}

/// What all sections of a configuration share.
struct Whole<'a> {
    /// What relative paths count from.
    folder: PathBuf,
    seen: RefCell<Seen<'a>>,
    /// What was odd about it.
    warnings: RefCell<Vec<String>>,
}

/// What was looked into, by its path: its members, and the names that were asked for.
type Seen<'a> = BTreeMap<String, (&'a Map<String, Value>, Vec<&'static str>)>;

impl<'a> Section<'a> {
    pub(crate) fn root(members: &'a Map<String, Value>, folder: &Path) -> Section<'a> {
        Section {
            path: String::new(),
            members: Some(members),
            whole: Rc::new(Whole {
                folder: folder.to_owned(),
                seen: RefCell::default(),
                warnings: RefCell::default(),
            }),
        }
        .opened()
    }

    /// The path of a file that a setting names: a relative one counts from the configuration's folder.
    pub(crate) fn locate(&self, path: &str) -> PathBuf {
        self.whole.folder.join(path)
    }

    /// The same for a file that is opened later, when the process may have gone to another folder.
    pub(crate) fn locate_for_later(&self, path: &str) -> PathBuf {
        let path = self.locate(path);
        std::path::absolute(&path).unwrap_or(path)
    }

    /// Something is odd, but can be done without. Settings that several services share are read for each, and warned of
    /// once.
    pub(crate) fn warn(&self, warning: String) {
        let mut warnings = self.whole.warnings.borrow_mut();
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// From now on, names in it that nobody asks for are unknown ones.
    fn opened(self) -> Section<'a> {
        if let Some(members) = self.members {
            self.whole
                .seen
                .borrow_mut()
                .entry(self.path.clone())
                .or_insert_with(|| (members, Vec::new()));
        }
        self
    }

    fn inside(&self, path: String, members: Option<&'a Map<String, Value>>) -> Section<'a> {
        Section {
            path,
            members,
            whole: Rc::clone(&self.whole),
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
        if let Some((_, asked)) = self.whole.seen.borrow_mut().get_mut(&self.path) {
            asked.push(name);
        }
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
        Ok(self.map(name)?.opened())
    }

    /// The same, with names that anybody may choose.
    fn map(&self, name: &'static str) -> Result<Section<'a>, Error> {
        match self.get(name) {
            None => Ok(self.inside(self.path(name), None)),
            Some(Value::Object(members)) => Ok(self.inside(self.path(name), Some(members))),
            Some(other) => Err(self.wrong_type(name, "an object", other)),
        }
    }

    /// The objects of a list; absent counts as empty.
    pub(crate) fn list(&self, name: &'static str) -> Result<Vec<Section<'a>>, Error> {
        let items = match self.get(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(other) => return Err(self.wrong_type(name, "a list", other)),
        };
        let mut sections = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{}[{index}]", self.path(name));
            let Value::Object(members) = item else {
                let message = format!("{path} must be an object");
                return Err(Error::config(path, message));
            };
            sections.push(self.inside(path, Some(members)).opened());
        }
        Ok(sections)
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
        let section = self.map(name)?;
        let mut found = Vec::new();
        for (key, value) in section.members.into_iter().flatten() {
            match value {
                Value::String(text) => {
                    let path = section.path(key);
                    let parts = parts(&path, text)?;
                    found.push((path, key.clone(), parts));
                }
                other => return Err(section.wrong_type(key, "a string", other)),
            }
        }
        Ok(found)
    }

    /// Marks a name as known without using it. Whether it says anything.
    pub(crate) fn known(&self, name: &'static str) -> bool {
        self.get(name).is_some()
    }

    /// Whether anything stands in the section.
    pub(crate) fn is_there(&self) -> bool {
        self.members.is_some()
    }

    /// Everything that was odd. The names that nobody asked for, in every section that was looked into, come last, each
    /// with the nearest known name.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = self.whole.warnings.take();
        for (path, (members, asked)) in self.whole.seen.borrow().iter() {
            let section = self.inside(path.clone(), Some(members));
            for name in members.keys().filter(|name| !asked.contains(&name.as_str())) {
                let path = section.path(name);
                warnings.push(match nearest(name, asked) {
                    Some(known) => format!(
                        "unknown setting {path} is ignored; did you mean {}?",
                        section.path(known)
                    ),
                    None => format!("unknown setting {path} is ignored"),
                });
            }
        }
        warnings
    }
}

/// The pieces of the text at this path, its variables replaced.
fn parts(path: &str, text: &str) -> Result<Vec<Part>, Error> {
    template::resolve(text).map_err(|unset| Error::config(path, format!("{path} {}", unset.explain())))
}
