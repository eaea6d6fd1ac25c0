//! Every bad configuration is told by field or file with what is expected, and no secret is ever shown.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::{Config, Header, LoginKey, Service, Stream};
use crate::error::{Code, Error};

const PKCS8: &str = include_str!("../../tests/data/keys/rsa-pkcs8.pem");
const PKCS1: &str = include_str!("../../tests/data/keys/rsa-pkcs1.pem");

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

fn good(changes: Value) -> Config {
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

#[test]
fn what_is_no_configuration_is_told() {
    for (text, words) in [
        ("", "is empty"),
        (" \n\t", "is empty"),
        ("[]", "must be a JSON object"),
        ("{\"host\":\"h\",\n  \"port\" 443}", "at line 2 column 10"),
        ("{\"host\":\"h\"", "EOF while parsing an object at line 1 column 11"),
        ("- a\n- b", "must be a JSON object, or a mapping in YAML"),
        ("# nothing\n# at all", "holds no settings"),
        (
            "host: a\nhost: b\n",
            "the same name stands twice in one mapping at line 2 column 1",
        ),
        ("host: a\n  port: 1\n", "is not valid YAML"),
    ] {
        refused(text, Code::ConfigInvalid, None, None, &[words]);
    }
    let folder = Folder::new();
    for (name, text, words) in [
        ("empty.json", "", "holds no settings"),
        ("list.json", "[]", "must be a JSON object"),
        ("word.yaml", "host", "must be a JSON object, or a mapping in YAML"),
        ("two.yaml", "host: a\n---\nhost: b\n", "a second document begins"),
    ] {
        let path = folder.file(name, text);
        refused(&path, Code::ConfigInvalid, None, Some(&path), &[words]);
    }
    refuses_config_file(&folder.file("latin1.json", b"{\"host\":\"\xe9\"}"), "not valid UTF-8");
    // A fault inside a file is told with the file too.
    let path = folder.file("bot.json", with(json!({"port": 0})));
    refused(&path, Code::ConfigInvalid, Some("port"), Some(&path), &[]);
    let path = folder.file("bot.json", "{\n\"host\"}");
    refused(&path, Code::ConfigInvalid, None, Some(&path), &["at line 2 column 7"]);
}

#[test]
fn wrong_types_are_told() {
    const STRING: &str = "scheme host context agent.scheme pod.host keyManager.context bot.username ack datafeed.tag \
        bot.privateKey.path bot.privateKey.content bot.privateKeyPath datafeed.version defaultHeaders.X-Name \
        agent.defaultHeaders.X-Name";
    const OBJECT: &str = "pod agent keyManager bot bot.privateKey datafeed retry datafeed.retry defaultHeaders \
        pod.defaultHeaders";
    const WHOLE: &str = "port pod.port connectionTimeout agent.connectionTimeout readTimeout keyManager.readTimeout \
        retry.initialIntervalMillis retry.maxIntervalMillis datafeed.retry.initialIntervalMillis \
        datafeed.retry.maxIntervalMillis datafeed.retry.maxAttempts maxUnacknowledged maxResponseBytes closeTimeout \
        visibilityTimeout nackDelay";
    const FACTOR: &str = "retry.multiplier datafeed.retry.multiplier";
    const BOOLEAN: &str = "allowPlaintext datafeed.includeInvisible";
    for (settings, expected, fitting) in [
        (STRING, "must be a string, but is", "a string"),
        (OBJECT, "must be an object, but is", "an object"),
        (WHOLE, "must be a whole number from", ""),
        (FACTOR, "must be a number of at least 1, but is", "a number"),
        (BOOLEAN, "must be true or false, but is", "a boolean"),
    ] {
        let values = json!({
            "a boolean": true, "a number": 1.5, "a string": "x", "a list": [], "an object": {"x": 1},
        });
        for (kind, value) in values
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(kind, _)| *kind != fitting)
        {
            for path in settings.split_whitespace() {
                refuses_setting(path, value.clone(), &[expected, kind]);
            }
        }
    }
}

#[test]
fn impossible_values_are_told() {
    let table = r#"
        host | null | is missing
        host | "" | without scheme, port or path
        host | "https://pod.example" | without scheme, port or path
        host | "pod.example:443" | without scheme, port or path
        host | "pod.example/agent" | without scheme, port or path
        host | "user@pod.example" | without scheme, port or path
        agent.host | "[::1]" | must be a host name or an IP address
        scheme | "ftp" | must be "https" or "http"
        scheme | "http" | use https, or set "allowPlaintext": true
        agent.scheme | "http" | unprotected to pod.example
        context | "a b" | the path part of a URL
        pod.context | "a?b=c" | the path part of a URL
        port | 0 | from 1 to 65535, but is 0
        pod.port | 65536 | from 1 to 65535, but is 65536
        port | "-1" | from 1 to 65535, but is -1
        agent.port | "443/tcp" | from 1 to 65535, but is a string
        readTimeout | 0 | from 1 to 600000
        agent.connectionTimeout | 600001 | from 1 to 600000
        bot.username | null | is missing
        bot.username | " " | is missing
        bot.username | "a\nb" | in one line
        bot.privateKey | null | is missing: give "path" (a PEM file) or "content" (the PEM text)
        bot.privateKey | {"content": "", "path": ""} | is missing
        bot.privateKey | {"path": "key.pem"} | give one of them
        datafeed.version | "v3" | must be "v2" or "v1"
        stream | "hose" | must be "datafeed", "datahose" or "firehose"
        datafeed.version | "3" | must be "v2"
        datafeed.tag | "a\nb" | in one line
        ack | "auto" | must be "explicit" or "implicit"
        retry.initialIntervalMillis | 0 | from 1 to 86400000
        retry.maxIntervalMillis | 86400001 | from 1 to 86400000
        retry.multiplier | 0.99 | at least 1, but is 0.99
        datafeed.retry.multiplier | "inf" | at least 1, but is inf
        datafeed.retry.maxAttempts | -2 | from -1 to 2147483647
        maxUnacknowledged | 0 | from 1 to 1000000
        maxResponseBytes | 1023 | from 1024 to 2147483648
        closeTimeout | 60001 | from 0 to 60000
        visibilityTimeout | 9 | from 10 to 3600000
        nackDelay | 18446744073709551615 | from 0 to 3600000, but is a number
        pod.defaultHeaders.X-A | "a\r\nX-B: b" | a value that HTTP does not allow"#;
    for [path, value, words] in rows(table) {
        refuses_setting(path, serde_json::from_str(value).expect(value), &[words]);
    }
    let long = json!("é".repeat(101));
    refuses_setting("datafeed.tag", long, &["at most 100 characters, but has 101"]);
    let header = with(json!({"defaultHeaders": {"a b": "c"}}));
    let field = Some("defaultHeaders.a...");
    refused(&header, Code::ConfigInvalid, field, None, &["no valid name of"]);
}

#[test]
fn what_is_no_rsa_key_is_told_by_content_and_by_path() {
    let folder = Folder::new();
    let refuses = |key: &str, reason: &str| {
        refuses_setting("bot.privateKey.content", json!(key), &[reason]);
        refuses_key_file(&folder.file("key.pem", key), reason);
    };
    let table = "
        ec-sec1             | holds an EC key; Symphony's RSA login needs an RSA key
        ec-pkcs8            | holds a private key that is not RSA
        ed25519             | holds a private key that is not RSA
        rsa-1024            | an RSA key of 2048 to 4096 bits is needed
        rsa-encrypted-pkcs8 | holds an encrypted private key; decrypt it first
        rsa-encrypted-pkcs1 | holds an encrypted private key; decrypt it first
        rsa-public          | holds a public key; the private key that belongs to it is needed
        rsa-public-pkcs1    | holds a public key; the private key that belongs to it is needed
        certificate         | holds a certificate; the private key is needed";
    for [name, reason] in rows(table) {
        let path = format!("{}/tests/data/keys/{name}.pem", env!("CARGO_MANIFEST_DIR"));
        refuses(&fs::read_to_string(&path).expect(&path), reason);
    }
    refuses("no key at all", "holds no private key; a PEM text with");
    refuses(
        &PKCS8.replace('\n', ""),
        "holds a damaged private key; it must be a whole",
    );
    refuses(&PKCS8[..PKCS8.len() / 2], "holds a damaged private key");
    refuses_key_file(&folder.file("binary.der", b"\x30\x82\xff\x00"), "holds no private key");
    refuses_key_file(&folder.file("empty.pem", ""), "holds no private key");
}

#[test]
fn files_that_cannot_be_read_are_told() {
    let folder = Folder::new();
    let missing = folder.0.join("missing").display().to_string();
    let directory = folder.0.display().to_string();
    let below_a_file = format!("{}/key.pem", folder.file("plain", "{}"));
    for (path, words) in [
        (missing, "there is no file"),
        (directory, "is a directory; give the path of the file in it"),
        (below_a_file, "cannot read"),
    ] {
        refuses_key_file(&path, words);
        refuses_config_file(&path, words);
    }
}

/// Root may read every file, so the thread that tries gives that up first.
#[cfg(target_os = "linux")]
#[test]
fn files_that_may_not_be_read_are_told() {
    use std::os::unix::fs::PermissionsExt;

    use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

    let folder = Folder::new();
    let locked = folder.file("locked", PKCS8);
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).expect("a file can be locked");
    let trying = std::thread::spawn(move || {
        let mut sets = capabilities(None).expect("a thread knows its capabilities");
        sets.effective -= CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH;
        set_capabilities(None, sets).expect("capabilities can be given up");
        refuses_key_file(&locked, "this process may not read");
        refuses_config_file(&locked, "this process may not read");
    });
    trying.join().expect("both are refused");
}

#[test]
fn keys_are_taken_by_content_and_by_path() {
    let folder = Folder::new();
    for (name, key) in [("1.pem", PKCS1), ("8.pem", PKCS8)] {
        good(at("bot.privateKey.content", json!(key)));
        let path = folder.file(name, key);
        good(at("bot.privateKey", json!({"content": null, "path": path})));
        good(json!({"bot": {"privateKey": null, "privateKeyPath": path}}));
        // A relative path counts from the folder of the configuration. A mark at the start of that is no fault.
        let config = with(at("bot.privateKey", json!({"content": null, "path": name})));
        for mark in ["", "\u{feff}", "\n"] {
            let path = folder.file("bot.json", format!("{mark}{config}"));
            Config::parse(&path).unwrap_or_else(|error| panic!("{error}"));
        }
        refused(&config, Code::FileInvalid, Some("bot.privateKey.path"), Some(name), &[]);
    }
    let signature = |pem: &str| LoginKey::from_content(pem, "key").and_then(|key| key.sign(b"token"));
    assert_eq!(signature(PKCS1).map(|signature| signature.len()), Ok(256));
    assert_eq!(signature(PKCS1), signature(PKCS8));
}

/// The settings beside the services'.
fn others(config: &Config) -> Value {
    json!({
        "username": config.login.username, "stream": stream(config),
        "implicit": config.implicit_ack, "maxUnacknowledged": config.max_unacknowledged,
        "maxResponseBytes": config.max_response_bytes, "closeTimeout": config.close_timeout.as_millis(),
        "visibilityTimeout": config.visibility_timeout.as_millis(), "nackDelay": config.nack_delay.as_millis(),
        "retry": retry(config), "warnings": config.warnings,
    })
}

fn stream(config: &Config) -> Value {
    match &config.stream {
        Stream::Datafeed2 { tag, include_invisible } => json!({"tag": tag, "includeInvisible": include_invisible}),
        Stream::Datafeed1(first) => json!({
            "firehose": first.firehose, "file": first.id_file.to_string_lossy(), "limit": first.limit,
        }),
        Stream::Datahose(datahose) => json!({
            "tag": datahose.tag, "eventTypes": datahose.event_types, "scopes": datahose.scopes,
        }),
    }
}

/// How long to wait for a connection and for an answer.
fn seconds(service: &Service) -> String {
    let (connect, read) = (service.connect_timeout, service.read_timeout);
    format!("{} {}", connect.as_secs(), read.as_secs())
}

/// Attempts, first interval, multiplier, longest interval.
fn retry(config: &Config) -> Value {
    let retry = &config.retry;
    let (initial, max) = (retry.initial.as_millis(), retry.max.as_millis());
    json!([retry.max_attempts, initial, retry.multiplier, max])
}

#[test]
fn defaults() {
    let nulls = json!({
        "scheme": null, "port": null, "context": null, "connectionTimeout": null, "defaultHeaders": null, "pod": null,
        "proxy": null, "datafeed": {"version": null, "tag": null, "includeInvisible": null, "retry": null},
        "retry": {"multiplier": null}, "ack": null, "maxResponseBytes": null, "allowPlaintext": null,
    });
    for config in [good(json!({})), good(nulls)] {
        for service in [&config.pod, &config.agent.services[0], &config.key_manager] {
            assert_eq!(service.base_url, "https://pod.example:443");
            assert_eq!(seconds(service), "15 60");
            assert!(service.headers.is_empty());
        }
        let expected = json!({
            "username": "bot", "stream": {"tag": null, "includeInvisible": null}, "implicit": false, "maxUnacknowledged": 1000,
            "maxResponseBytes": 67_108_864, "closeTimeout": 1000, "visibilityTimeout": 30_000, "nackDelay": 1000,
            "retry": [null, 500, 2.0, 300_000], "warnings": [],
        });
        assert_eq!(others(&config), expected);
    }
}

#[test]
fn every_setting_is_taken() {
    let tag = "é".repeat(100);
    let config = good(json!({
        "datafeed": {"version": "V2", "tag": tag, "includeInvisible": false, "retry": {"maxAttempts": 1}},
        "ack": "implicit", "maxUnacknowledged": 1, "maxResponseBytes": "1024", "closeTimeout": 0,
        "visibilityTimeout": 10, "nackDelay": 3_600_000,
    }));
    let expected = json!({
        "username": "bot", "stream": {"tag": tag, "includeInvisible": false}, "implicit": true, "maxUnacknowledged": 1,
        "maxResponseBytes": 1024, "closeTimeout": 0, "visibilityTimeout": 10, "nackDelay": 3_600_000,
        "retry": [1, 500, 2.0, 300_000], "warnings": [],
    });
    assert_eq!(others(&config), expected);

    let general = json!({"maxAttempts": 9, "initialIntervalMillis": 1, "multiplier": "1.5", "maxIntervalMillis": 2});
    for (own, expected) in [
        (json!(null), json!([null, 1, 1.5, 2])),
        (json!({"maxAttempts": -1, "multiplier": 1}), json!([null, 1, 1.0, 2])),
        (json!({"initialIntervalMillis": "7"}), json!([null, 7, 1.5, 2])),
        (json!({"maxIntervalMillis": 8}), json!([null, 1, 1.5, 8])),
    ] {
        let config = good(json!({"retry": general, "datafeed": {"retry": own}}));
        assert_eq!(retry(&config), expected);
    }
}

#[test]
fn services_take_from_the_top_level_what_they_do_not_have() {
    let config = good(json!({
        "port": "8443", "context": "/gateway/", "readTimeout": 5000, "defaultHeaders": {"X-One": "1", "X-Two": "2"},
        "pod": {"host": "other.example", "port": 443, "context": "a/b"},
        "agent": {"scheme": "http", "host": "127.0.0.1", "context": "/", "connectionTimeout": 6000,
                  "readTimeout": 7000, "defaultHeaders": {"X-Three": "3", "x-two": "22"}},
        "keyManager": {"host": "2001:db8::1", "port": null, "context": null},
    }));
    let table = "
        https://other.example:443/a/b       | 15 5 | x-one=1 x-two=2
        http://127.0.0.1:8443               | 6 7  | x-one=1 x-three=3 x-two=22
        https://[2001:db8::1]:8443/gateway  | 15 5 | x-one=1 x-two=2";
    let services = [&config.pod, &config.agent.services[0], &config.key_manager];
    for ([url, times, headers], service) in rows(table).zip(services) {
        let header = |header: &Header| {
            let value = header.value().expect("a value");
            format!("{}={}", header.name, value.to_str().expect("a text"))
        };
        let found: Vec<String> = service.headers.iter().map(header).collect();
        assert_eq!((service.base_url.as_str(), seconds(service).as_str()), (url, times));
        assert_eq!(found.join(" "), headers);
    }
    for host in ["localhost", "127.9.9.9", "::1"] {
        good(json!({"scheme": "http", "host": host}));
    }
    let config = good(json!({"scheme": "http", "allowPlaintext": true}));
    assert_eq!(config.agent.services[0].base_url, "http://pod.example:80");
    // Nothing is asked of the top level if every service has its own.
    let own = json!({"host": "own.example"});
    good(json!({"host": null, "pod": own, "agent": own, "keyManager": own}));
}

#[test]
fn a_time_shorter_than_the_long_poll_is_warned_of() {
    let config = good(json!({"agent": {"readTimeout": 30_000}}));
    assert!(matches!(&config.warnings[..], [warning] if warning.starts_with("readTimeout is 30000 ms")));
    assert!(good(json!({"agent": {"readTimeout": 30_001}})).warnings.is_empty());
}

#[test]
fn what_has_no_effect_is_warned_of_once() {
    let table = "
        datafeed.verison          | datafeed.version
        bot.userName              | bot.username
        bot.privateKey.contents   | bot.privateKey.content
        bot.privatekeypath        | bot.privateKeyPath
        hots                      | host
        agent.prot                | agent.port
        KEYMANAGER                | keyManager
        retry.maxIntervalMilis    | retry.maxIntervalMillis
        datafeed.retry.multiplyer | datafeed.retry.multiplier
        proxy.prot                | proxy.port
        agent.loadBalancing.mod   | agent.loadBalancing.mode
        ssl.trustStore.pth        | ssl.trustStore.path
        maxUnacknowleged          | maxUnacknowledged";
    for [path, nearest] in rows(table) {
        let expected = format!("unknown setting {path} is ignored; did you mean {nearest}?");
        assert_eq!(good(at(path, json!("x"))).warnings, [expected]);
    }
    for path in ["somethingElse", "pod.colour", "datafeed.x", "bot.privateKey.z"] {
        let expected = format!("unknown setting {path} is ignored");
        assert_eq!(good(at(path, json!({"deep": [1]}))).warnings, [expected]);
    }
    let long = good(json!({ "x".repeat(41): 1 })).warnings;
    assert_eq!(long, [format!("unknown setting {}... is ignored", "x".repeat(40))]);
    for path in ["app", "extAppSettings"] {
        let expected = format!("{path} is for what this library does not do, and has no effect");
        assert_eq!(good(at(path, json!({"x": "y"}))).warnings, [expected]);
    }
    assert_eq!(good(json!({"retry": {"maxAttempts": 3}})).warnings, [""; 0]);
}

#[test]
fn what_is_nested_deeper_than_any_setting_is_refused_before_it_is_parsed() {
    let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let unknown = |levels: usize| with(json!({"unknown": "X"})).replace("\"X\"", &nested(levels));
    assert!(Config::parse(&unknown(31)).is_ok());
    for text in [
        unknown(32),
        "{\"bot\":".repeat(1 << 20),
        format!("{{\"x\":{}", "[".repeat(33)),
    ] {
        refused(&text, Code::ConfigInvalid, None, None, &["32 levels"]);
    }
    // Brackets in a text are none.
    assert!(Config::parse(&with(json!({"unknown": "[{\\\"[".repeat(100)}))).is_ok());
}

/// Secrets wherever a person might put one by mistake: as a value, inside one, as a name, as the whole configuration.
#[test]
fn no_secret_is_ever_shown() {
    const WORD: &str = "HUNTER2";
    const SETTINGS: &str = "scheme port pod.port readTimeout defaultHeaders defaultHeaders.X-A agent.defaultHeaders.X-A \
        allowPlaintext pod agent bot bot.privateKey bot.privateKey.content bot.certificatePassword bot.unknown proxy \
        ssl datafeed datafeed.version datafeed.includeInvisible datafeed.retry datafeed.retry.maxAttempts retry \
        retry.multiplier ack maxUnacknowledged nackDelay unknown";
    // One word in these is what they are there for; a key's text is not.
    const SHOWN: &str = "host agent.host context bot.username datafeed.tag bot.privateKeyPath bot.privateKey.path";
    let damaged = format!("-----BEGIN PRIVATE KEY-----\n{WORD}\n-----END PRIVATE KEY-----\n");
    let bare: String = PKCS8.lines().filter(|line| !line.starts_with("-----")).collect();
    let header = format!("Authorization: Bearer {WORD}");
    let folder = Folder::new();
    let mut texts = Vec::new();
    for secret in [PKCS8, PKCS1, &damaged, &bare, &header, WORD] {
        let shown = SHOWN.split_whitespace().filter(|_| secret.contains('\n'));
        for path in SETTINGS.split_whitespace().chain(shown) {
            for value in [json!(secret), json!([secret]), json!({"x": secret})] {
                texts.push(with(at(path, value)));
            }
        }
        let as_path = |path: &str| with(at("bot.privateKey", json!({"content": null, "path": path})));
        texts.push(as_path(&folder.file("key.pem", secret)));
        texts.push(folder.file("bot.json", secret));
        let whole = with(at("defaultHeaders.X-A", json!(secret)));
        texts.extend([
            format!("\u{feff}{whole}"),
            json!(whole).to_string(),
            whole.replace('}', ""),
        ]);
        if secret != WORD && secret != header {
            texts.extend([as_path(secret), as_path(&secret.replace('\n', " ")), secret.to_owned()]);
        }
        if secret != WORD {
            for section in [
                "defaultHeaders",
                "agent",
                "agent.defaultHeaders",
                "bot",
                "bot.privateKey",
                "datafeed",
            ] {
                texts.extend([json!("x"), json!(1)].map(|value| with(at(section, json!({ secret: value })))));
            }
            texts.push(with(json!({ secret: 1 })));
        }
    }
    let line = |key: &'static str| key.lines().nth(3).expect("a key has many lines");
    for text in texts {
        let shown = match Config::parse(&text) {
            Ok(config) => format!("{config:?}"),
            Err(error) => format!("{error} {error:?} {}", error.to_json()),
        };
        for secret in [WORD, line(PKCS8), line(PKCS1)] {
            assert!(!shown.contains(secret), "{secret} is shown for {text}: {shown}");
        }
    }
}
