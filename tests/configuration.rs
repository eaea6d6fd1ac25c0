//! Configuration files as bots have them, through the C interface: whole ones load, damaged ones are told by file, field
//! and expectation. They are in `tests/data/configurations`.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::*;
use datafeed::Config;
use serde_json::{Value, json};

/// What each good file becomes: what of it is shown, and what is warned of, each between semicolons.
const GOOD: &str = r#"
    minimal.json | "https://acme.invalid:443"; connect_timeout: 15s; read_timeout: 60s; Some("my-bot"); Datafeed2 |
    minimal.yaml | "https://acme.invalid:443"; Some("my-bot"); Key(LoginKey(..)); Datafeed2 |
    old-names.yaml | Key(LoginKey(..)); trusted: 2 |
    old-certificate.json | username: None; ClientCertificate { chain: 2 |
    everything-of-java.yaml | "https://acme.invalid:443"; connect_timeout: 10s; read_timeout: 50s; headers: ["user-agent"]; Some("proxy.acme.invalid:3128"); trusted: 2; "https://agent1.acme.invalid:7443/app"; "https://agent2.acme.invalid:8443"; "https://keys.acme.invalid:8444"; RoundRobin; Key(LoginKey(..)); Datafeed1; /good/ids/datafeed.id"; max_attempts: Some(6); initial: 2s; multiplier: 1.5; max: 10s | bot.privateKey and bot.certificate are both given; defaultHeaders.Connection has no effect; defaultHeaders.Keep-Alive has no effect; keyManager.defaultHeaders.Connection has no effect; app is for
    everything-of-python.yaml | "https://acme.invalid:443"; "https://agent.acme.invalid:5678"; Some("agent-proxy:3396"); Some("proxy.acme.invalid:1234"); trusted: 2; Datafeed2; max_attempts: Some(6); initial: 2s; multiplier: 1.5; max: 300s | datahose.eventTypes[1] is no known type; datafeed and datahose are both configured; defaultHeaders.Connection has no effect; defaultHeaders.Keep-Alive has no effect; app is for
    certificate.yaml | session_auth: Some; "https://acme-api.invalid:8444"; ClientCertificate { chain: 2; username: Some("my-bot") |
    content.yaml | Key(LoginKey(..)) |
    content-in-base64.json | ClientCertificate { chain: 2 |
    nodes-behind-a-balancer.json | "https://agents.acme.invalid:8443"; External |
    nodes-at-random.yaml | "https://agent1.acme.invalid:443"; "https://agent2.acme.invalid:443/agents/2"; "https://[2001:db8::3]:8443"; Random |
    proxies.yaml | Some("user-proxy:8081"); Some("192.0.2.1:1080"); Some("[2001:db8::1]:1081") |
    datahose.yaml | Datahose { tag: "datahose-my-bot", event_types: ["MESSAGESENT", "SYMPHONYELEMENTSACTION"]; max_attempts: Some(3) |
    anchors.yaml | "https://gateway.acme.invalid:8443/pods/acme"; "https://gateway.acme.invalid:8443/agents/acme"; "https://gateway.acme.invalid:8443"; read_timeout: 90s; Some("proxy.acme.invalid:3128") | unknown setting x-gateway is ignored
    variables.yaml | "https://acme.invalid:8443"; proxy: None; Some("${bot}"); tag: Some("a:-b") |
    secrets-in-files.yaml | headers: ["x-gateway-token"]; Some("proxy.acme.invalid:3128"); Key(LoginKey(..)) |
    plaintext.yaml | "http://gateway.invalid:8080" |
    services-alone.json | "https://pod.acme.invalid:443"; "https://agent.acme.invalid:443"; "http://127.0.0.1:9000"; connect_timeout: 5s; read_timeout: 45s; headers: ["x-own"]; common_jwt: true |
    mark-and-endings.yaml | "https://acme.invalid:443"; Some("0123") |
    own-settings.yaml | firehose: true; /good/firehose-of-acme"; limit: Some(50); event_types: ["MESSAGESENT", "ROOMCREATED"]; ignore_own: false; implicit_ack: true; max_unacknowledged: 200; max_response_bytes: 1048576; close_timeout: 500ms; visibility_timeout: 60s; nack_delay: 5s; max_attempts: Some(10), state: Some(StateDir; /good/state/of-acme"; sync: Relaxed; gap_events: false |"#;

/// What is said about each damaged file.
const DAMAGED: &str = include_str!("data/configurations/damaged.txt");

/// The data in a folder of its own, so that what a feed writes is not written among the sources. Gone when dropped.
struct Data(PathBuf);

impl Data {
    fn new(test: &str) -> Data {
        let folder = std::env::temp_dir().join(format!("datafeed-{test}-{}", std::process::id()));
        copy(Path::new("tests/data"), &folder);
        fs::create_dir(folder.join("configurations/good/ids")).expect("a folder can be made");
        Data(folder)
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.0.join("configurations").join(name)
    }

    /// The names of the files in a folder, in order.
    fn files(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.folder(folder))
            .expect("a folder")
            .map(|entry| entry.expect("an entry"))
            .filter(|entry| entry.path().is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| !name.starts_with('.') && !name.ends_with(".lock"))
            .collect();
        names.sort();
        names
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a new folder can be made");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a file can be copied");
        }
    }
}

/// The cells of each row, by the first.
fn rows<const COLUMNS: usize>(table: &'static str) -> BTreeMap<&'static str, [&'static str; COLUMNS]> {
    let lines = table.trim().lines().filter(|line| !line.starts_with('#'));
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.splitn(COLUMNS, '|').map(str::trim).collect();
        let cells: [&str; COLUMNS] = cells.try_into().expect(line);
        (cells[0], cells)
    };
    lines.map(row).collect()
}

fn list(cell: &'static str) -> Vec<&'static str> {
    cell.split(';').map(str::trim).filter(|word| !word.is_empty()).collect()
}

/// What the feed says about its configuration, before anything else.
fn warnings(feed: &Feed, expected: usize) -> Vec<String> {
    let mut found = Vec::new();
    feed.close();
    while let Ok(line) = feed.next_log(0) {
        if line["level"] == "warn" && line["code"].is_null() && line["rule"].is_null() {
            found.push(line["message"].as_str().expect("a message").to_owned());
        }
    }
    assert!(found.len() >= expected, "{found:?}");
    found
}

#[test]
fn good_files_load() {
    let data = Data::new("good");
    let good = rows::<3>(GOOD);
    assert_eq!(data.files("good"), good.keys().copied().collect::<Vec<_>>());
    for (name, [_, shown, warned]) in good {
        let path = data.folder("good").join(name).display().to_string();
        let config = Config::parse(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let config = format!("{config:?}");
        for words in list(shown) {
            assert!(config.contains(words), "{name} does not show {words}: {config}");
        }
        let feed = Feed::try_open(&path).unwrap_or_else(|(status, error)| panic!("{name}: {status} {error:#}"));
        let expected = list(warned);
        let found = warnings(&feed, expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert!(found.contains(expected), "{name} warns of {found}, not of {expected}");
        }
        assert_eq!(found.len(), expected.len(), "{name} warns of {found:?}");
    }
}

/// The same, not as a path but as a text, whose relative paths count from the working directory.
#[test]
fn good_texts_load() {
    for name in rows::<3>(GOOD).keys() {
        let path = format!("tests/data/configurations/good/{name}");
        let text = fs::read_to_string(&path).expect(name);
        let text = text
            .replace("../../", "tests/data/")
            .replace("secrets/", "tests/data/configurations/good/secrets/");
        let by_path = Config::parse(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let by_text = Config::parse(&text).unwrap_or_else(|error| panic!("{name} as a text: {error}"));
        let (by_path, by_text) = (format!("{by_path:?}"), format!("{by_text:?}"));
        let elsewhere = by_path.replace("/tests/data/configurations/good/", "/");
        assert_eq!(without_clock(&elsewhere), without_clock(&by_text), "{name}");
    }
}

/// Each has a clock of its own.
fn without_clock(shown: &str) -> String {
    let (before, clock) = shown.split_once("clock: ").expect("a clock");
    let (_, after) = clock.split_once("warnings: ").expect("what comes after the clock");
    format!("{before}{after}")
}

#[test]
fn damaged_files_are_told_by_file_field_and_expectation() {
    let data = Data::new("damaged");
    let damaged = rows::<5>(DAMAGED);
    assert!(damaged.len() >= 30);
    assert_eq!(data.files("damaged"), damaged.keys().copied().collect::<Vec<_>>());
    for (name, [_, code, field, file, words]) in damaged {
        let folder = data.folder("damaged");
        let path = folder.join(name).display().to_string();
        let (status, error) = match Feed::try_open(&path) {
            Err(refused) => refused,
            Ok(_) => panic!("{name} is taken"),
        };
        assert_eq!(status, DATAFEED_INVALID_ARGUMENT, "{name}");
        assert_eq!(error["code"], code, "{name}: {error:#}");
        let field = if field == "-" { Value::Null } else { json!(field) };
        assert_eq!(error["field"], field, "{name}: {error:#}");
        let at_fault = match file {
            "." => path.clone(),
            file => folder.join(file).display().to_string(),
        };
        assert_eq!(error["file"], json!(at_fault), "{name}: {error:#}");
        let message = error["message"].as_str().expect("a message");
        for words in [words, field.as_str().unwrap_or_default()] {
            assert!(message.contains(words), "{name} is told without {words:?}: {message}");
        }
        assert_eq!(error["retryable"], false);
    }
}

/// The environment cannot be changed in a process that has threads, so another one has it.
#[test]
fn the_environment_has_its_say() {
    if std::env::var_os("DATAFEED_TEST_CONFIG").is_some() {
        return as_a_child();
    }
    let data = Data::new("environment");
    let unused = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let unused = unused.expect("a port where nobody listens").port();
    let plain = "scheme: ${DATAFEED_TEST_SCHEME}\nhost: ${DATAFEED_TEST_HOST:-nowhere.invalid}\n\
                 port: ${DATAFEED_TEST_PORT}\nbot:\n  username: ${DATAFEED_TEST_NAME}\n  privateKey:\n    \
                 path: key.pem\n";
    let proxied = format!("{plain}proxy: {{host: 127.0.0.1, port: {unused}}}\n");
    let elsewhere = format!("http://127.0.0.1:{unused}");
    let unsuited = ["NO_PROXY", "no_proxy"];
    for (config, variables, works) in [
        (plain, vec![], true),
        // Only the configuration says that there is a proxy.
        (
            plain,
            vec![
                ("HTTP_PROXY", &*elsewhere),
                ("http_proxy", &*elsewhere),
                ("ALL_PROXY", &*elsewhere),
            ],
            true,
        ),
        (&*proxied, vec![], false),
        (&*proxied, vec![("NO_PROXY", "example.com")], false),
        (&*proxied, vec![("NO_PROXY", "example.com, 127.0.0.0/8")], true),
        (&*proxied, vec![("no_proxy", "127.0.0.1")], true),
        (&*proxied, vec![("NO_PROXY", ""), ("no_proxy", "*")], true),
    ] {
        let emulator = emulator(quick());
        let own = emulator.config();
        let text = |key: &str| own[key].as_str().expect("a text").to_owned();
        let key = data.0.join("key.pem");
        fs::write(&key, own["bot"]["privateKey"]["content"].as_str().expect("a key")).expect("a file");
        let username = own["bot"]["username"].as_str().expect("a name").to_owned();
        let path = data.0.join("bot.yaml");
        fs::write(&path, config).expect("a file");
        let mut child = Command::new(std::env::current_exe().expect("this program"));
        child
            .args(["--exact", "the_environment_has_its_say", "--nocapture"])
            .stdout(Stdio::null());
        for name in unsuited {
            child.env_remove(name);
        }
        child
            .env("DATAFEED_TEST_CONFIG", &path)
            .env("DATAFEED_TEST_WORKS", works.to_string())
            .env("DATAFEED_TEST_SCHEME", text("scheme"))
            .env("DATAFEED_TEST_HOST", text("host"))
            .env("DATAFEED_TEST_PORT", own["port"].to_string())
            .env("DATAFEED_TEST_NAME", &username)
            .envs(variables.clone());
        let mut child = child.spawn().expect("a child");
        if works {
            let reading = emulator.wait_for_requests(PATIENCE, |requests| {
                requests
                    .iter()
                    .any(|request| request.endpoint == Some(datafeed_emulator::Endpoint::Read))
            });
            assert!(reading, "{variables:?}");
            emulator.publish([numbered(0)]);
        }
        assert!(child.wait().expect("its end").success(), "{variables:?}");
    }
}

/// In the child: the configuration works, or is kept from the agent by a proxy that is not there.
fn as_a_child() {
    let variable = |name: &str| std::env::var(name).expect("what the other test gives");
    let feed = Feed::try_open(&variable("DATAFEED_TEST_CONFIG")).expect("a configuration that works");
    if variable("DATAFEED_TEST_WORKS") == "true" {
        feed.must_next_and_ack();
        return;
    }
    let line = feed.wait_for_log("through the proxy");
    assert_eq!(line["code"], "NETWORK", "{line:#}");
}
