//! Files that settings name.

use super::*;

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
