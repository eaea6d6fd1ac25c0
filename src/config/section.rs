//! The sections of a configuration. What is asked for is known, and so is what nobody asked for.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::OnceLock;

use serde_json::{Map, Value};

use super::names::{nearest, shown};
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
        let members = self.members.unwrap_or_else(|| nothing());
        let mut seen = self.whole.seen.borrow_mut();
        seen.entry(self.path.clone()).or_insert_with(|| (members, Vec::new()));
        drop(seen);
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

    pub(super) fn get(&self, name: &'static str) -> Option<&'a Value> {
        if let Some((_, asked)) = self.whole.seen.borrow_mut().get_mut(&self.path) {
            asked.push(name);
        }
        // A key without a value, as YAML and generated files have it, is a key that is not there.
        self.members?.get(name).filter(|value| !value.is_null())
    }

    /// A section inside this one; absent counts as empty.
    pub(crate) fn section(&self, name: &'static str) -> Result<Section<'a>, Error> {
        Ok(self.map(name)?.opened())
    }

    /// The same, with names that anybody may choose.
    pub(super) fn free_section(&self, name: &'static str) -> Result<Section<'a>, Error> {
        let section = self.map(name)?;
        let any = (nothing(), vec!["*"]);
        self.whole.seen.borrow_mut().insert(section.path.clone(), any);
        Ok(section)
    }

    fn map(&self, name: &'static str) -> Result<Section<'a>, Error> {
        match self.get(name) {
            None => Ok(self.inside(self.path(name), None)),
            // What a template left empty.
            Some(Value::String(text)) if text.is_empty() => Ok(self.inside(self.path(name), None)),
            Some(Value::Object(members)) => Ok(self.inside(self.path(name), Some(members))),
            Some(other) => Err(self.wrong_type(name, "an object", other)),
        }
    }

    /// The objects of a list; absent counts as empty.
    pub(crate) fn list(&self, name: &'static str) -> Result<Vec<Section<'a>>, Error> {
        let items = match self.get(name) {
            None => return Ok(Vec::new()),
            Some(Value::String(text)) if text.is_empty() => return Ok(Vec::new()),
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

    /// Marks a name as known without using it. Whether it says anything.
    pub(crate) fn known(&self, name: &'static str) -> bool {
        self.get(name).is_some()
    }

    /// What stands in the section.
    pub(super) fn members(&self) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        self.members.into_iter().flatten()
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

    /// The path of every setting that was asked for: `*` for a name that anybody may choose, `[]` for any item.
    #[cfg(feature = "internals")]
    pub(super) fn known_settings(&self) -> std::collections::BTreeSet<String> {
        let seen = self.whole.seen.borrow();
        let mut settings = std::collections::BTreeSet::new();
        for (path, (_, asked)) in seen.iter() {
            for name in asked {
                let dot = if path.is_empty() { "" } else { "." };
                let path = format!("{path}{dot}{name}");
                let is_section = seen.contains_key(&path) || seen.contains_key(&format!("{path}[0]"));
                if !is_section {
                    settings.insert(path.replace("[0]", "[]"));
                }
            }
        }
        settings
    }
}

fn nothing() -> &'static Map<String, Value> {
    static NOTHING: OnceLock<Map<String, Value>> = OnceLock::new();
    NOTHING.get_or_init(Map::new)
}
