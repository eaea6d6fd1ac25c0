//! A YAML document as the JSON value that says the same.
//!
//! A plain scalar stays the text that was written, and each setting reads it as what it needs: so `username: 0123` is
//! not the number 83 or 123, and `password: yes` no boolean. Only an empty one, `~` and `null` are nothing.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};
use serde_json::{Map, Value};

/// Far beyond any setting's. Parsers recurse, and the caller's thread may have a small stack.
pub(super) const MAX_NESTING: usize = 32;

/// Far more than a configuration has. Aliases repeat what they stand for, so a small text may say a lot.
const MAX_NODES: usize = 10_000;

/// A text counts as so many values as it has of these, so that long ones are not repeated without end either. All of them
/// together are less than what a file may hold.
const NODE: usize = 1 << 10;

/// Why a text is no configuration in YAML: line and column, both from 1, and what is wrong. Never a value.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) what: String,
}

impl From<ScanError> for Fault {
    fn from(error: ScanError) -> Fault {
        Fault {
            line: error.marker().line(),
            column: error.marker().col() + 1,
            what: error.info().to_owned(),
        }
    }
}

/// Reads the one document of a text; nothing at all counts as null.
pub(super) fn parse(text: &str) -> Result<Value, Fault> {
    let mut tree = Tree::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event?;
        tree.take(event).map_err(|what| Fault {
            line: span.start.line(),
            column: span.start.col() + 1,
            what,
        })?;
    }
    Ok(tree.document.unwrap_or_default())
}

/// What was read so far.
#[derive(Default)]
struct Tree {
    /// The collections that are not at their end yet, the outermost first.
    open: Vec<Open>,
    /// What each anchor names: its number, how many nodes it has, and the value.
    anchors: Vec<(usize, usize, Value)>,
    nodes: usize,
    document: Option<Value>,
}

struct Open {
    anchor: usize,
    /// How many nodes there were before it.
    nodes_before: usize,
    kind: Kind,
}

enum Kind {
    List(Vec<Value>),
    Mapping(Mapping),
}

#[derive(Default)]
struct Mapping {
    members: Map<String, Value>,
    /// The key whose value comes next.
    key: Option<String>,
    /// What `<<` brought, which counts where the mapping says nothing itself.
    merged: Map<String, Value>,
    has_merged: bool,
}

/// Not a name of its own: what it has is taken into the mapping.
const MERGE: &str = "<<";

impl Tree {
    fn take(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let nodes = 1 + text.len() / NODE;
                self.count(nodes)?;
                let nothing = style == ScalarStyle::Plain && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                let value = if nothing {
                    Value::Null
                } else {
                    Value::String(text.into_owned())
                };
                self.name(anchor, nodes, &value);
                self.put(value)
            }
            Event::SequenceStart(anchor, _) => self.open(anchor, Kind::List(Vec::new())),
            Event::MappingStart(anchor, _) => self.open(anchor, Kind::Mapping(Mapping::default())),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(closed) = self.open.pop() else { return Ok(()) };
                let value = match closed.kind {
                    Kind::List(items) => Value::Array(items),
                    Kind::Mapping(mapping) => Value::Object(mapping.whole()),
                };
                self.name(closed.anchor, self.nodes - closed.nodes_before, &value);
                self.put(value)
            }
            Event::Alias(anchor) => {
                let known = self.anchors.iter().rev().find(|(number, ..)| *number == anchor);
                let Some((_, nodes, value)) = known else {
                    return Err("an alias stands for something that is not at its end yet".to_owned());
                };
                let (nodes, value) = (*nodes, value.clone());
                self.count(nodes)?;
                self.put(value)
            }
            Event::DocumentStart(_) if self.document.is_some() => {
                Err("a second document begins; a configuration is one".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn count(&mut self, nodes: usize) -> Result<(), String> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return Err(format!(
                "it holds more than {MAX_NODES} values, an alias counted as what it stands for and a long text as several"
            ));
        }
        Ok(())
    }

    fn open(&mut self, anchor: usize, kind: Kind) -> Result<(), String> {
        if self.open.len() >= MAX_NESTING {
            return Err(format!(
                "it is nested deeper than {MAX_NESTING} levels, which no setting needs"
            ));
        }
        let nodes_before = self.nodes;
        self.count(1)?;
        self.open.push(Open {
            anchor,
            nodes_before,
            kind,
        });
        Ok(())
    }

    fn name(&mut self, anchor: usize, nodes: usize, value: &Value) {
        if anchor > 0 {
            self.anchors.push((anchor, nodes, value.clone()));
        }
    }

    fn put(&mut self, value: Value) -> Result<(), String> {
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.document = Some(value),
            Some(Kind::List(items)) => items.push(value),
            Some(Kind::Mapping(mapping)) => mapping.put(value)?,
        }
        Ok(())
    }
}

impl Mapping {
    fn put(&mut self, value: Value) -> Result<(), String> {
        match self.key.take() {
            Some(key) if key == MERGE => {
                self.merge(value)?;
                self.has_merged = true;
            }
            Some(key) => {
                self.members.insert(key, value);
            }
            None => {
                let key = key_of(value)?;
                // Of two with the same name, one would have no effect.
                if self.members.contains_key(&key) || key == MERGE && self.has_merged {
                    return Err("the same name stands twice in one mapping".to_owned());
                }
                self.key = Some(key);
            }
        }
        Ok(())
    }

    /// `<<: *defaults`, or a list of such.
    fn merge(&mut self, value: Value) -> Result<(), String> {
        let sources = match value {
            Value::Array(items) => items,
            one => vec![one],
        };
        for source in sources {
            let Value::Object(source) = source else {
                return Err("what is merged by << is no mapping".to_owned());
            };
            for (name, value) in source {
                self.merged.entry(name).or_insert(value);
            }
        }
        Ok(())
    }

    fn whole(mut self) -> Map<String, Value> {
        for (name, value) in self.merged {
            self.members.entry(name).or_insert(value);
        }
        self.members
    }
}

fn key_of(value: Value) -> Result<String, String> {
    match value {
        Value::String(key) => Ok(key),
        Value::Null => Ok("null".to_owned()),
        _ => Err("a list or a mapping stands where the name of a setting should be".to_owned()),
    }
}
