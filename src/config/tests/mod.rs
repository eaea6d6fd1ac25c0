//! Every bad configuration is told by field or file with what is expected, and no secret is ever shown.

mod files;
mod proxies;
mod references;
mod refusals;
mod secrets;
mod stores;
mod streams;
mod values;
mod warnings;
mod yaml;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::{Config, Header, LoginKey, Service, Stream};
use crate::error::{Code, Error};

const PKCS8: &str = include_str!("../../../tests/data/keys/rsa-pkcs8.pem");
const PKCS1: &str = include_str!("../../../tests/data/keys/rsa-pkcs1.pem");

/// A folder of its own, gone when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("datafeed-config-{}-{count}", std::process::id()));
        fs::create_dir(&path).expect("a new folder can be made");
        Folder(path)
    }

    /// Writes a file; answers its path.
    fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, contents).expect("a file can be written");
        path.to_str().expect("the path is UTF-8").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A good configuration with changes on top; null takes a setting away.
fn with(changes: Value) -> String {
    let mut config = json!({"host": "pod.example", "bot": {"username": "bot", "privateKey": {"content": PKCS8}}});
    merge(&mut config, changes);
    config.to_string()
}

fn merge(into: &mut Value, changes: Value) {
    match (into, changes) {
        (Value::Object(into), Value::Object(changes)) => {
            for (name, value) in changes {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, changes) => *into = changes,
    }
}

/// `{"a":{"b":value}}` for `a.b`.
fn at(path: &str, value: Value) -> Value {
    path.rsplit('.').fold(value, |inner, name| json!({ name: inner }))
}

/// The rows of a table with columns between bars.
fn rows<const COLUMNS: usize>(table: &str) -> impl Iterator<Item = [&str; COLUMNS]> {
    let cells = |row| str::split(row, '|').map(str::trim).collect::<Vec<_>>();
    table.trim().lines().map(move |row| cells(row).try_into().expect(row))
}

pub(super) fn good(changes: Value) -> Config {
    let text = with(changes);
    Config::parse(&text).unwrap_or_else(|error| panic!("{text} gave {error}"))
}

/// The text or file is refused in a message that names the field and the file at fault and has these words.
#[track_caller]
fn refused(text: &str, code: Code, field: Option<&str>, file: Option<&str>, words: &[&str]) {
    let error: Error = match Config::parse(text) {
        Err(error) => error,
        Ok(config) => panic!("{text} gave {config:?}"),
    };
    let at_fault = (error.code(), error.field(), error.file());
    assert_eq!(at_fault, (code, field, file), "{error}");
    assert!(!error.is_retryable());
    let file_named = file.filter(|_| code == Code::FileInvalid);
    for word in words.iter().copied().chain(field).chain(file_named) {
        assert!(error.message().contains(word), "{word:?} is not in: {error}");
    }
}

#[track_caller]
fn refuses_setting(path: &str, value: Value, words: &[&str]) {
    refused(&with(at(path, value)), Code::ConfigInvalid, Some(path), None, words);
}

/// The file is refused as a key, under both names of the setting.
#[track_caller]
fn refuses_key_file(path: &str, words: &str) {
    for field in ["bot.privateKey.path", "bot.privateKeyPath"] {
        let mut config = json!({"bot": {"privateKey": {"content": null}}});
        merge(&mut config, at(field, json!(path)));
        refused(&with(config), Code::FileInvalid, Some(field), Some(path), &[words]);
    }
}

#[track_caller]
fn refuses_config_file(path: &str, words: &str) {
    refused(path, Code::FileInvalid, None, Some(path), &[words]);
}
