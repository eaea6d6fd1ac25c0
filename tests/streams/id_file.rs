//! The file with the id of a feed of Datafeed 1: kept, taken over, replaced, and locked.

use std::process::{Child, Command, Stdio};

use datafeed_emulator::{Emulator, Endpoint, Outcome, RequestLog, Settings};
use serde_json::{Value, json};

use super::common::*;
use super::first::{first, leave, open_and_read, receive};
use super::folder::Folder;

fn feed_id(feed: &Feed) -> String {
    feed.stats()["feedId"].as_str().expect("an id").to_owned()
}

#[test]
fn a_successor_goes_on_with_the_feed() {
    let emulator = emulator(quick());
    let folder = Folder::new();
    let config = first(&emulator, &folder, json!({}));
    let feed = open_and_read(&emulator, &config, Endpoint::V1Read);
    works(&emulator, &feed, 0);
    let id = feed_id(&feed);
    assert_eq!(folder.read("datafeed.id"), format!("{id}@{}/agent", emulator.url()));
    leave(&emulator, &feed);
    emulator.publish([numbered(1)]);
    let successor = Feed::open(&config);
    assert_eq!(receive(&successor, 1), [1]);
    assert_eq!(
        (feed_id(&successor), &successor.stats()["feedsCreated"]),
        (id, &json!(0))
    );
}

/// What is in the file is taken over, or replaced with a warning that has these words.
fn opens_with(text: impl Fn(&Emulator, &str) -> String, replaced: Option<&str>) {
    let emulator = emulator(quick());
    let folder = Folder::new();
    let config = first(&emulator, &folder, json!({}));
    let feed = open_and_read(&emulator, &config, Endpoint::V1Read);
    let id = feed_id(&feed);
    leave(&emulator, &feed);
    emulator.publish([numbered(0)]);
    let text = text(&emulator, &id);
    folder.write("datafeed.id", &text);
    let feed = open_and_read(&emulator, &config, Endpoint::V1Read);
    match replaced {
        None => {
            assert_eq!(receive(&feed, 1), [0], "{text}");
            assert_eq!(feed_id(&feed), id);
        }
        Some(words) => {
            let line = feed.wait_for_log("it is replaced, and a feed is made");
            let message = line["message"].to_string();
            assert!(message.contains(words) && message.contains("datafeed.id"), "{line}");
            assert_eq!(line["level"], "warn");
            works(&emulator, &feed, 1);
            assert_ne!(feed_id(&feed), id);
            assert!(folder.read("datafeed.id").starts_with(&format!("{}@", feed_id(&feed))));
        }
    }
}

#[test]
fn files_of_other_programs_are_taken_over() {
    opens_with(|emulator, id| format!("{id}@{}", emulator.url()), None);
    opens_with(|emulator, id| format!("{id}@{}/agent\n", emulator.url()), None);
    // One of the SDKs does not say where the agent is.
    opens_with(|_, id| format!("{id}@"), None);
}

#[test]
fn files_that_cannot_be_used_are_replaced() {
    opens_with(|_, _| String::new(), Some("holds no id"));
    opens_with(|_, id| id.to_owned(), Some("holds no id"));
    opens_with(|_, _| "\u{0}\u{1}@\u{2}".to_owned(), Some("holds no id"));
    opens_with(
        |_, id| format!("{id}@https://agent.example:8443/agent"),
        Some("is of the agent https://agent.example:8443, which is not configured"),
    );
}

#[test]
fn the_file_may_be_named_and_counts_from_the_configuration() {
    let emulator = emulator(quick());
    let folder = Folder::new();
    let mut config = first(&emulator, &folder, json!({}));
    config["datafeed"]["idFilePath"] = json!("state/bot.id");
    std::fs::create_dir(folder.path().join("state")).expect("a folder");
    let path = folder.write("config.json", &config.to_string());
    let feed = Feed::try_open(&path).expect("a feed");
    feed.wait_for_log("created a feed");
    assert!(folder.read("state/bot.id").contains('@'));
    // Whole, or not at all: nothing half-written is left.
    let mut names: Vec<String> = std::fs::read_dir(folder.path().join("state"))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    assert_eq!(names, ["bot.id", "bot.id.lock"]);
}

#[test]
fn a_place_that_cannot_be_written_is_told_at_once() {
    let emulator = emulator(quick());
    let folder = Folder::new();
    for place in ["nowhere/datafeed.id", "file/datafeed.id"] {
        folder.write("file", "");
        let mut config = first(&emulator, &folder, json!({}));
        config["datafeed"]["idFilePath"] = json!(folder.at(place));
        let (status, error) = Feed::try_open(&config.to_string()).expect_err("it cannot be written");
        assert_eq!(status, DATAFEED_INVALID_ARGUMENT);
        assert_eq!(
            (&error["code"], &error["field"]),
            (&json!("FILE_INVALID"), &json!("datafeed.idFilePath"))
        );
        assert_eq!(error["file"], folder.at(place));
    }
}

#[track_caller]
fn is_in_use(config: &Value, by: &str) {
    let (status, error) = Feed::try_open(&config.to_string()).expect_err("it is in use");
    assert_eq!(status, DATAFEED_INVALID_ARGUMENT);
    assert_eq!(
        (&error["code"], &error["field"]),
        (&json!("FEED_IN_USE"), &json!("datafeed.idFilePath"))
    );
    assert!(error["message"].as_str().expect("a message").contains(by), "{error}");
}

#[test]
fn a_second_feed_in_this_process_is_told_so() {
    let emulator = emulator(quick());
    let folder = Folder::new();
    let config = first(&emulator, &folder, json!({}));
    let feed = open_and_read(&emulator, &config, Endpoint::V1Read);
    is_in_use(&config, "read by another feed of this process");
    works(&emulator, &feed, 0);
    feed.close_at_once();
    let feed = open_and_read(&emulator, &config, Endpoint::V1Read);
    works(&emulator, &feed, 1);
    assert_eq!(emulator.v1_books().concurrent_reads, 0);
}

/// Set for a child: the configuration of the feed that it holds.
const HELD: &str = "DATAFEED_TEST_HELD";

struct Holder(Child);

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_second_process_is_told_which_one_has_the_feed() {
    if let Ok(config) = std::env::var(HELD) {
        let feed = Feed::try_open(&config).expect("the first one");
        // Until it is killed.
        let _ = feed.next(-1);
        return;
    }
    let emulator = emulator(Settings {
        poll: PATIENCE,
        ..Settings::default()
    });
    let folder = Folder::new();
    let config = first(&emulator, &folder, json!({}));
    let name = "id_file::a_second_process_is_told_which_one_has_the_feed";
    let mut holder = Holder(
        Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", name])
            .env(HELD, config.to_string())
            .stdout(Stdio::null())
            .spawn()
            .expect("this program again"),
    );
    let reading = emulator.wait_for_requests(PATIENCE, |requests| {
        requests
            .iter()
            .any(|request| request.endpoint == Some(Endpoint::V1Read))
    });
    assert!(reading);
    let id = holder.0.id();
    is_in_use(&config, &format!("read by process {id} (streams-"));
    // Even a process that had no time for anything leaves the feed to the next one.
    holder.0.kill().expect("a child");
    holder.0.wait().expect("a child");
    let gone = |requests: &[RequestLog]| requests.iter().all(|request| request.outcome != Outcome::Waiting);
    assert!(emulator.wait_for_requests(PATIENCE, gone));
    emulator.publish([numbered(0)]);
    let feed = Feed::open(&config);
    assert_eq!(receive(&feed, 1), [0]);
    works(&emulator, &feed, 1);
}

#[test]
fn the_feed_is_read_at_the_node_that_made_it() {
    let one = emulator(quick());
    let two = one.start_node_of(quick()).expect("a second node");
    let folder = Folder::new();
    let mut config = first(&one, &folder, json!({}));
    let node = |emulator: &Emulator| json!({"host": "127.0.0.1", "port": emulator.port()});
    config["agent"] = json!({"loadBalancing": {"mode": "roundRobin", "nodes": [node(&two), node(&one)]}});
    let feed = open_and_read(&two, &config, Endpoint::V1Read);
    works(&two, &feed, 0);
    leave(&two, &feed);
    two.publish([numbered(1)]);
    // The other order, and any: the file says where the feed is.
    for mode in ["roundRobin", "random"] {
        config["agent"] = json!({"loadBalancing": {"mode": mode, "nodes": [node(&one), node(&two)]}});
        let feed = open_and_read(&two, &config, Endpoint::V1Read);
        assert_eq!(feed.stats()["agentUrl"], two.url());
        leave(&two, &feed);
    }
    let feed = Feed::open(&config);
    assert_eq!(one.v1_books().handed_out, 0);
    works(&two, &feed, 2);
}

#[test]
fn two_names_of_one_file_are_one_lock() {
    let emulator = emulator(quick());
    let folder = Folder::new();
    std::fs::create_dir(folder.path().join("volume")).expect("a folder");
    // It leads to a file that is not there yet.
    std::os::unix::fs::symlink("volume/bot.id", folder.path().join("link.id")).expect("a link");
    let named = |name: &str| {
        let mut config = first(&emulator, &folder, json!({}));
        config["datafeed"]["idFilePath"] = json!(folder.at(name));
        config
    };
    let feed = open_and_read(&emulator, &named("link.id"), Endpoint::V1Read);
    assert!(
        folder.read("volume/bot.id").starts_with(&feed_id(&feed)),
        "the link stays one"
    );
    is_in_use(&named("volume/bot.id"), "another feed of this process");
    is_in_use(&named("volume/../link.id"), "another feed of this process");
    works(&emulator, &feed, 0);
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let emulator = emulator(quick());
    let folder = Folder::new();
    let config = first(&emulator, &folder, json!({}));
    let made = Command::new("mkfifo").arg(folder.at("datafeed.id")).status();
    assert!(made.expect("a pipe").success());
    let feed = open_and_read(&emulator, &config, Endpoint::V1Read);
    let line = feed.wait_for_log("it is replaced, and a feed is made");
    assert!(line["message"].to_string().contains("no regular file"), "{line}");
    works(&emulator, &feed, 0);
    feed.close_at_once();
    assert!(folder.read("datafeed.id").contains('@'));
}
