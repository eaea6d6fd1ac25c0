//! References in texts, and relative paths.

use super::*;

#[test]
fn variables_are_replaced_in_every_kind_of_setting() {
    // What cargo sets for a test; nothing is set here, since other threads read the environment.
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("tests are run by cargo");
    let config = good(json!({
        "host": "${NO_SUCH_HOST:-pod.example}", "port": "${NO_SUCH_PORT:-8443}", "context": "a",
        "ignoreOwn": "${NO_SUCH_FLAG:-false}", "retry": {"multiplier": "${NO_SUCH_FACTOR:-3.5}"},
        "eventTypes": ["${NO_SUCH_TYPE:-ROOMCREATED}"], "maxUnacknowledged": "${NO_SUCH_NUMBER:-}",
        "bot": {"username": "$${bot}", "privateKey": {"content": null,
                "path": "${CARGO_MANIFEST_DIR}/tests/data/keys/rsa-pkcs8.pem"}},
        "defaultHeaders": {"X-Folder": "in ${CARGO_MANIFEST_DIR}"},
    }));
    assert_eq!(config.pod.base_url, "https://pod.example:8443/a");
    assert_eq!(config.login.username.as_deref(), Some("${bot}"));
    assert_eq!((config.filter.ignore_own, config.retry.multiplier), (false, 3.5));
    assert_eq!(
        (&config.filter.event_types[..], config.max_unacknowledged),
        (&["ROOMCREATED".to_owned()][..], 1000)
    );
    let value = config.pod.headers[0].value().expect("a value");
    assert_eq!(value.to_str().expect("a text"), format!("in {folder}"));
    if let Ok(home) = std::env::var("HOME") {
        let config = good(json!({"datafeed": {"tag": "${user.home}"}}));
        assert_eq!(config.stream.tag(), Some(home.as_str()));
    }
}

#[test]
fn variables_that_are_not_set_are_told_by_setting() {
    for (path, value) in [
        ("host", json!("${NO_SUCH}")),
        ("port", json!("${NO_SUCH}")),
        ("ignoreOwn", json!("${NO_SUCH}")),
        ("bot.username", json!("a${NO_SUCH}")),
        ("defaultHeaders.X-A", json!("${NO_SUCH}")),
        ("bot.privateKey.content", json!("${NO_SUCH}")),
    ] {
        refuses_setting(
            path,
            value,
            &["refers to the environment variable NO_SUCH, which is not set"],
        );
    }
    refuses_setting("datafeed.tag", json!("${os.name}"), &["a system property of Java"]);
    let types = with(json!({"eventTypes": ["MESSAGESENT", "${NO_SUCH}"]}));
    refused(
        &types,
        Code::ConfigInvalid,
        Some("eventTypes[1]"),
        None,
        &["variable NO_SUCH"],
    );
}

#[test]
fn files_are_read_from_the_configurations_folder() {
    let folder = Folder::new();
    let password = folder.file("password", "p$${x}w\r\n\n");
    folder.file("key.pem", PKCS8);
    folder.file("port", "8443\n");
    folder.file("token", "one\n");
    let file = folder.file(
        "bot.json",
        with(json!({
            "port": "${file:port}", "defaultHeaders": {"X-Token": "Bearer ${file:token}"},
            "proxy": {"host": "p", "port": 1, "username": "u", "password": format!("${{file:{password}}}")},
            "bot": {"privateKey": {"content": "${file:key.pem}"}},
        })),
    );
    let config = Config::parse(&file).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(config.pod.base_url, "https://pod.example:8443");
    // What is in a file is no text with references.
    let credentials = config.pod.proxy.as_ref().and_then(|proxy| proxy.credentials.clone());
    assert_eq!(credentials, Some(("u".to_owned(), "p$${x}w".to_owned())));
    // A header is read again for each login.
    let header = &config.pod.headers[0];
    let value = || header.value().map(|value| value.to_str().expect("a text").to_owned());
    assert_eq!(value().as_deref(), Some("Bearer one"));
    folder.file("token", "two");
    assert_eq!(header.read_again(), Ok(()));
    assert_eq!(value().as_deref(), Some("Bearer two"));
    // One that is gone, or is no file, is told, and leaves the value as it was.
    let path = folder.0.join("token");
    fs::remove_file(&path).expect("it was there");
    assert_eq!(
        header.read_again().map_err(|error| error.code()),
        Err(Code::FileInvalid)
    );
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("a pipe").success());
    let error = header.read_again().expect_err("nobody writes to it");
    assert!(error.message().contains("no regular file"), "{error}");
    assert_eq!(value().as_deref(), Some("Bearer two"));
}

#[test]
fn files_that_cannot_be_read_are_told_by_setting() {
    let folder = Folder::new();
    let latin = folder.file("latin", b"\xe9");
    let missing = folder.0.join("missing").display().to_string();
    let directory = folder.0.display().to_string();
    for (path, words) in [
        (&missing, "there is no file"),
        (&latin, "is not valid UTF-8"),
        (&directory, "is a directory"),
    ] {
        for field in [
            "host",
            "bot.privateKey.content",
            "proxy.password",
            "defaultHeaders.X-A",
            "port",
        ] {
            let text = with(at(field, json!(format!("${{file:{path}}}"))));
            refused(&text, Code::FileInvalid, Some(field), Some(path), &[words]);
        }
    }
}

/// A header's file is read long after, when the process may have gone to another folder.
#[test]
fn headers_remember_where_their_file_is() {
    let folder = Folder::new();
    folder.file("token", "one");
    // Relative, as from the command line.
    let here = std::env::current_dir().expect("a folder");
    let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
    let path = folder.file(
        "bot.json",
        with(json!({"defaultHeaders": {"X-Token": "${file:token}"}})),
    );
    let relative = up.join(path.trim_start_matches('/'));
    let config = Config::parse(relative.to_str().expect("a path")).unwrap_or_else(|error| panic!("{error}"));
    fs::remove_file(folder.0.join("token")).expect("it was there");
    let error = config.pod.headers[0].read_again().expect_err("it is gone");
    assert!(error.file().is_some_and(|file| file.starts_with('/')), "{error}");
}
