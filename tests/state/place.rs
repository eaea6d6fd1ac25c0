//! Where the folder may be, and whose it is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use super::common::*;
use super::world::World;

/// Opens with this folder, which cannot be.
#[track_caller]
fn refused(world: &World, folder: &Path) -> Value {
    let config = world.second(json!({"stateDir": folder}));
    let (status, error) = Feed::try_open(&config.to_string()).expect_err("it cannot be used");
    assert_eq!(status, DATAFEED_INVALID_ARGUMENT);
    assert_eq!(error["code"], "STATE_UNAVAILABLE", "{error}");
    assert_eq!(
        (&error["field"], &error["retryable"]),
        (&json!("stateDir"), &json!(false))
    );
    assert_eq!(error["file"], json!(folder));
    error
}

#[test]
fn a_place_where_no_folder_can_be_is_told_with_what_it_has_to_be() {
    let world = World::new();
    let file = world.folder.write("file", "a file");
    // Nobody may write in the last, whoever it is.
    for folder in [file.clone(), file.join("below"), "/proc/state".into(), "/proc".into()] {
        let error = refused(&world, &folder);
        let message = error["message"].as_str().expect("a message");
        assert!(
            message.contains("it has to be a folder in which this process may write"),
            "{message}"
        );
    }
    assert_eq!(fs::read_to_string(file).expect("the file"), "a file");
}

#[test]
fn a_folder_is_made_that_nobody_else_may_look_into() {
    let world = World::new();
    let folder = world.folder.path("of/the/bot");
    let config = world.second(json!({"stateDir": folder}));
    let feed = world.open(&config);
    world.emulator.publish([numbered(0)]);
    feed.must_next_and_ack();
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let files: Vec<_> = fs::read_dir(&folder)
        .expect("the folder")
        .map(|file| file.expect("a file").path())
        .collect();
    let names: Vec<_> = files.iter().filter_map(|file| file.file_name()?.to_str()).collect();
    for name in ["lock", "state.db", "state.db-wal"] {
        assert!(names.contains(&name), "{names:?}");
    }
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
}

#[test]
fn a_relative_folder_is_beside_the_configuration() {
    let world = World::new();
    let config = world.second(json!({"stateDir": "beside/state"}));
    let file = world.folder.write("config.json", config.to_string());
    let feed = Feed::try_open(file.to_str().expect("UTF-8")).expect("a configuration that works");
    assert!(world.folder.path("beside/state/state.db").exists());
    feed.close_at_once();
}

#[test]
fn the_folder_of_another_bot_is_refused_and_left_as_it_is() {
    let world = World::new();
    let mut config = world.second(json!({}));
    Feed::open(&config).close_at_once();
    let before = world.state();
    let own = config["bot"]["username"].clone();
    config["bot"]["username"] = json!("another-bot");
    let (_, error) = Feed::try_open(&config.to_string()).expect_err("it is another's");
    assert_eq!(error["code"], "STATE_UNAVAILABLE");
    let message = error["message"].as_str().expect("a message");
    assert!(
        message.contains(&format!("the state of the bot {}", own.as_str().expect("a name"))),
        "{message}"
    );
    assert!(world.state() == before, "it was written to");
    config["bot"]["username"] = own;
    Feed::open(&config);
}

/// Also when a process of the later version was killed, so that a part of it is in the log.
#[test]
fn a_later_format_is_refused_and_not_touched() {
    for killed in [false, true] {
        let world = World::new();
        let config = world.second(json!({}));
        Feed::open(&config).close_at_once();
        let database = world.database();
        database.pragma_update(None, "user_version", 2).expect("a later format");
        let log = fs::read(world.state_dir().join("state.db-wal")).expect("the log");
        drop(database);
        if killed {
            // The last to close it has taken the log over; as if nobody had.
            fs::write(world.state_dir().join("state.db-wal"), log).expect("the log");
        }
        let before = world.state();
        let (_, error) = Feed::try_open(&config.to_string()).expect_err("it is of a later version");
        assert_eq!(error["code"], "STATE_UNAVAILABLE");
        let message = error["message"].as_str().expect("a message");
        assert!(
            message.contains("a later version of this library (format 2)"),
            "{message}"
        );
        assert!(world.state() == before, "it was written to");
    }
}

#[test]
fn attempts_cannot_be_limited_without_a_folder() {
    let world = World::new();
    let config = config(&world.emulator, json!({"maxAttempts": 3}));
    let (status, error) = Feed::try_open(&config.to_string()).expect_err("there is no folder");
    assert_eq!(status, DATAFEED_INVALID_ARGUMENT);
    assert_eq!(
        (&error["code"], &error["field"]),
        (&json!("CONFIG_INVALID"), &json!("maxAttempts"))
    );
    assert!(
        error["message"].as_str().expect("a message").contains("stateDir"),
        "{error}"
    );
}
