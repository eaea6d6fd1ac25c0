//! A store that is not as it was written is set aside, told, and replaced.

use std::collections::BTreeMap;
use std::fs;

use serde_json::json;

use super::common::*;
use super::world::World;

/// The folder after a process was killed in which something was acknowledged: there is much in the log, and in the
/// database.
fn after_a_kill() -> World {
    let world = World::new();
    let config = world.second(json!({"gapEvents": true}));
    let feed = world.open(&config);
    world.emulator.publish((0..200).map(numbered));
    for _ in 0..200 {
        feed.must_next_and_ack();
    }
    feed.close_at_once();
    let mut bot = world.begin(&config);
    bot.call("log", &json!("reading the feed"));
    world.emulator.publish((200..220).map(numbered));
    for _ in 0..20 {
        bot.must_next_and_ack();
    }
    bot.kill();
    world
}

type Files = BTreeMap<String, Vec<u8>>;

/// Opens the folder after this was done to its files.
#[track_caller]
fn is_set_aside(world: &World, what: &str, harm: impl Fn(&mut Files)) {
    let files = harmed(world, harm);
    let config = world.second(json!({"gapEvents": true}));
    let feed = Feed::open(&config);
    let line = feed.wait_for_log("is damaged");
    assert_eq!(
        (&line["code"], &line["level"]),
        (&json!("STATE_DAMAGED"), &json!("error")),
        "{what}"
    );
    let error = feed.error().expect("an error");
    assert_eq!(
        (&error["code"], &error["field"]),
        (&json!("STATE_DAMAGED"), &json!("stateDir"))
    );
    let gap = feed.must_next_and_ack();
    let gap: serde_json::Value = serde_json::from_str(&gap).expect("JSON");
    assert_eq!(gap["type"], "DATAFEEDGAP", "{what}: {gap}");
    let told = &gap["payload"]["datafeedGap"];
    assert_eq!(
        (&told["reason"], &told["from"]),
        (&json!("STATE_LOST"), &json!(null)),
        "{what}"
    );
    // Both files, byte for byte.
    let aside = error["file"].as_str().expect("where it is").to_owned();
    assert!(aside.contains("state.db.damaged-"), "{aside}");
    for (name, to) in [("state.db", aside.clone()), ("state.db-wal", format!("{aside}-wal"))] {
        let was = files.get(name).cloned().unwrap_or_default();
        assert!(
            fs::read(&to).unwrap_or_default() == was,
            "{what}: {name} is not kept as {to}"
        );
    }
    // Whatever the feed still has of before is known as such no more; what is new comes.
    world.emulator.publish([numbered(1000)]);
    world.receive_until(&feed, 1000);
    feed.close_at_once();
    let again = Feed::open(&config);
    assert_eq!(again.error(), None, "{what}: the new one is whole");
}

/// Changes the files in the folder; answers what they are then.
fn harmed(world: &World, harm: impl Fn(&mut Files)) -> Files {
    let mut files = world.state();
    for name in files.keys() {
        fs::remove_file(world.state_dir().join(name)).expect("a file");
    }
    harm(&mut files);
    for (name, bytes) in &files {
        fs::write(world.state_dir().join(name), bytes).expect("a file");
    }
    files
}

fn of<'a>(files: &'a mut Files, name: &str) -> &'a mut Vec<u8> {
    files.get_mut(name).expect("it is there")
}

#[test]
fn a_database_of_random_bytes() {
    is_set_aside(&after_a_kill(), "random bytes", |files| {
        fastrand::Rng::with_seed(3).fill(of(files, "state.db"));
    });
}

#[test]
fn a_page_of_random_bytes_in_the_middle() {
    is_set_aside(&after_a_kill(), "a random page", |files| {
        // The log has the pages that were written last; so without it.
        files.remove("state.db-wal");
        let database = of(files, "state.db");
        let middle = database.len() / 2048 * 1024;
        fastrand::Rng::with_seed(3).fill(&mut database[middle..middle + 1024]);
    });
}

#[test]
fn a_database_that_is_cut() {
    is_set_aside(&after_a_kill(), "cut", |files| {
        files.remove("state.db-wal");
        let database = of(files, "state.db");
        database.truncate(database.len() / 2);
    });
}

#[test]
fn a_database_that_is_empty() {
    is_set_aside(&after_a_kill(), "empty", |files| of(files, "state.db").clear());
}

#[test]
fn a_database_that_is_gone_while_its_log_is_there() {
    is_set_aside(&after_a_kill(), "gone", |files| {
        files.remove("state.db");
    });
}

#[test]
fn the_head_of_the_log() {
    is_set_aside(&after_a_kill(), "the head", |files| {
        fastrand::Rng::with_seed(3).fill(&mut of(files, "state.db-wal")[..32]);
    });
}

/// Its first word is right, and the rest of its head is not.
#[test]
fn a_bit_in_the_head_of_the_log() {
    let world = after_a_kill();
    for byte in [9, 18, 30] {
        is_set_aside(&world, &format!("byte {byte} of the log"), |files| {
            of(files, "state.db-wal")[byte] ^= 4;
        });
        // Another one that was killed.
        let mut bot = world.begin(&world.second(json!({"gapEvents": true})));
        world.emulator.publish([numbered(2000 + byte)]);
        bot.must_next_and_ack();
        bot.kill();
    }
}

#[test]
fn the_middle_of_the_log() {
    let world = after_a_kill();
    let files = harmed(&world, |files| {
        let log = of(files, "state.db-wal");
        let middle = log.len() / 2;
        fastrand::Rng::with_seed(3).fill(&mut log[middle..middle + 500]);
    });
    let feed = Feed::open(&world.second(json!({"gapEvents": true})));
    assert_eq!(feed.wait_for_log("is damaged")["code"], "STATE_DAMAGED");
    assert!(feed.must_next_and_ack().contains("STATE_LOST"));
    let aside = feed.error().expect("an error")["file"]
        .as_str()
        .expect("where")
        .to_owned();
    assert!(fs::read(format!("{aside}-wal")).expect("the log") == files["state.db-wal"]);
    assert!(fs::read(aside).expect("the database") == files["state.db"]);
    // What came before is known still: it is the end only that comes again.
    let remembered = feed.stats()["remembered"].as_u64().expect("a number");
    assert!((1..220).contains(&remembered), "{remembered}");
}

/// A process that ends before it could tell leaves that to the next one.
#[test]
fn is_told_by_whoever_can() {
    let world = after_a_kill();
    harmed(&world, |files| of(files, "state.db").clear());
    let config = world.second(json!({"gapEvents": true}));
    world.emulator.reject_logins(true);
    Feed::open(&config).close_at_once();
    world.emulator.reject_logins(false);
    let feed = Feed::open(&config);
    assert_eq!(feed.wait_for_log("was damaged")["code"], "STATE_DAMAGED");
    assert!(feed.must_next_and_ack().contains("STATE_LOST"));
    feed.close_at_once();
    let again = Feed::open(&config);
    assert_eq!(again.error(), None, "once");
}

/// As when the process has no descriptor left.
#[test]
fn what_cannot_be_read_is_not_damaged() {
    let world = after_a_kill();
    let log = world.state_dir().join("state.db-wal");
    let moved = world.folder.path("log");
    fs::rename(&log, &moved).expect("a log");
    fs::create_dir(&log).expect("a folder in its place");
    let (_, error) = Feed::try_open(&world.second(json!({})).to_string()).expect_err("no feed");
    assert_eq!(error["code"], "STATE_UNAVAILABLE", "{error}");
    fs::remove_dir(&log).expect("the folder");
    fs::rename(&moved, &log).expect("the log");
    assert_eq!(world.open(&world.second(json!({}))).stats()["remembered"], 220);
}

/// A value that nobody has written there.
#[test]
fn a_changed_value() {
    let world = World::new();
    let config = world.first(json!({"gapEvents": true}));
    let feed = world.open(&config);
    world.emulator.publish([numbered(0)]);
    feed.must_next();
    feed.close_at_once();
    let database = rusqlite::Connection::open(world.state_dir().join("state.db")).expect("a database");
    database
        .execute("UPDATE kept SET event = CAST(x'ff' AS TEXT)", [])
        .expect("another value");
    drop(database);
    let feed = Feed::open(&config);
    assert_eq!(feed.wait_for_log("is damaged")["code"], "STATE_DAMAGED");
    world.emulator.publish([numbered(1)]);
    assert!(feed.must_next_and_ack().contains("STATE_LOST"));
    assert_eq!(number_of(&feed.must_next_and_ack()), 1);
}

#[test]
fn a_database_of_something_else() {
    let world = after_a_kill();
    let other = world.folder.path("other.db");
    let connection = rusqlite::Connection::open(&other).expect("a database");
    connection
        .execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
        .expect("a table");
    drop(connection);
    let other = fs::read(other).expect("the database");
    is_set_aside(&world, "something else", |files| {
        files.remove("state.db-wal");
        *of(files, "state.db") = other.clone();
    });
}

/// With Datafeed 1, what was in it is lost, which the bot is told before anything that comes after.
#[test]
fn with_datafeed_1_too() {
    let world = World::new();
    let config = world.first(json!({"gapEvents": true}));
    let feed = world.open(&config);
    world.emulator.publish((0..3).map(numbered));
    feed.must_next();
    feed.close_at_once();
    harmed(&world, |files| of(files, "state.db").clear());
    let feed = Feed::open(&config);
    world.emulator.publish([numbered(3)]);
    assert!(feed.must_next_and_ack().contains("STATE_LOST"));
    assert_eq!(number_of(&feed.must_next_and_ack()), 3);
}
