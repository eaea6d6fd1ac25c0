//! Trust stores and client certificates, as the usual tools write them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::config::Credential;

const CERTIFICATE: &str = include_str!("../../../tests/data/stores/bot.pem");

fn stored(name: &str) -> String {
    format!("{}/tests/data/stores/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A configuration with a certificate in place of the key.
fn certified(certificate: Value) -> Value {
    json!({"bot": {"username": null, "privateKey": null, "certificate": certificate}})
}

/// How many certificates the bot shows.
#[track_caller]
fn shows(changes: Value) -> usize {
    let config = good(changes);
    assert_eq!(config.warnings, [""; 0]);
    let of = |service: &Service| service.client_certificate.as_ref().map(|own| own.chain().len());
    assert_eq!((of(&config.pod), of(&config.agent.services[0])), (None, None));
    let (session, keys) = (config.session_auth.as_ref().and_then(of), of(&config.key_manager));
    assert_eq!(session, keys);
    let Credential::Certificate(own) = &config.login.credential else {
        panic!("no certificate is used")
    };
    assert_eq!(own.key().secret_der().len(), 1218);
    session.expect("the session service asks for it")
}

/// The setting at this path names a file that is refused for it.
#[track_caller]
fn refuses_store(field: &str, mut changes: Value, file: &str, words: &[&str]) {
    merge(&mut changes, at(field, json!(file)));
    refused(&with(changes), Code::FileInvalid, Some(field), Some(file), words);
}

#[test]
fn trust_stores_of_every_tool_are_taken() {
    for (name, password) in [
        ("trust.pem", None),
        ("trust.pem", Some("of no use")),
        ("trust-openssl.p12", Some("changeit")),
        ("trust-keytool.p12", Some("changeit")),
    ] {
        let path = stored(name);
        for ssl in [
            json!({"trustStore": {"path": path, "password": password}}),
            json!({"trustStorePath": path, "trustStorePassword": password}),
        ] {
            let config = good(json!({ "ssl": ssl }));
            for service in [&config.pod, &config.key_manager, &config.agent.services[0]] {
                assert_eq!(service.trusted.len(), 2, "{name}");
            }
            assert_eq!(config.warnings, [""; 0]);
        }
    }
}

#[test]
fn what_is_no_trust_store_is_told_with_a_way_out() {
    let folder = Folder::new();
    let empty = folder.file("empty.pem", "# nothing yet\n");
    let cut = folder.file("cut.pem", &CERTIFICATE[..CERTIFICATE.len() / 8]);
    let damaged = folder.file("damaged.pem", CERTIFICATE.replacen("MII", "M!!", 1));
    let p12 = fs::read(stored("trust-keytool.p12")).expect("a store");
    let half = folder.file("half.p12", &p12[..p12.len() / 2]);
    for (file, password, words) in [
        (stored("trust-keytool.jks"), "changeit", "is a Java key store"),
        (
            stored("trust-keytool.jks"),
            "changeit",
            "keytool -importkeystore -srckeystore STORE",
        ),
        (stored("trust-keytool.jceks"), "changeit", "is a Java key store"),
        (stored("trust-keytool.p12"), "", "needs a password, and none is given"),
        (stored("trust-keytool.p12"), "wrong", "another password, or is damaged"),
        (stored("authority.der"), "", "a single certificate or key in DER"),
        (half, "changeit", "no PKCS#12 store that can be read"),
        (empty, "", "holds no certificate"),
        (cut, "", "holds a damaged certificate"),
        (damaged, "", "holds a damaged certificate"),
        (stored("missing"), "", "there is no file"),
    ] {
        let password = json!({"ssl": {"trustStore": {"password": password}}});
        for field in ["ssl.trustStore.path", "ssl.trustStorePath"] {
            refuses_store(field, password.clone(), &file, &[words]);
        }
    }
}

#[test]
fn client_certificates_are_taken_from_every_kind_of_file() {
    // The bot's own, and its authority's where that is in the store.
    for (name, password, shown) in [
        ("bot.pem", None, 2),
        ("bot-openssl.p12", Some("changeit"), 2),
        ("bot-legacy.p12", Some("changeit"), 2),
        ("bot-keytool.p12", Some("changeit"), 2),
        ("bot-no-password.p12", None, 2),
    ] {
        let path = stored(name);
        assert_eq!(
            shows(certified(json!({"path": path, "password": password}))),
            shown,
            "{name}"
        );
        let old = json!({"bot": {"username": "bot", "privateKey": null,
                                 "certificatePath": path, "certificatePassword": password}});
        assert_eq!(shows(old), shown, "{name}");
        let content = STANDARD.encode(fs::read(&path).expect("a store"));
        assert_eq!(
            shows(certified(json!({"content": content, "password": password}))),
            shown,
            "{name}"
        );
    }
    assert_eq!(shows(certified(json!({ "content": CERTIFICATE }))), 2);
    // In which order they stand does not matter.
    let (own, rest) = CERTIFICATE.split_at(CERTIFICATE.find("-----END CERTIFICATE-----\n").expect("one") + 26);
    assert_eq!(shows(certified(json!({"content": format!("{rest}{own}")}))), 2);
    let wrapped = STANDARD
        .encode(CERTIFICATE)
        .as_bytes()
        .chunks(64)
        .map(<[u8]>::to_vec)
        .collect::<Vec<_>>();
    let wrapped = String::from_utf8(wrapped.join(&b'\n')).expect("base64");
    assert_eq!(shows(certified(json!({ "content": wrapped }))), 2);
}

#[test]
fn what_is_no_client_certificate_is_told() {
    let folder = Folder::new();
    let key = &CERTIFICATE[CERTIFICATE.find("-----BEGIN PRIVATE").expect("a key")..];
    let other = fs::read_to_string(format!("{}/tests/data/keys/ec-pkcs8.pem", env!("CARGO_MANIFEST_DIR")));
    let encrypted = fs::read_to_string(format!(
        "{}/tests/data/keys/rsa-encrypted-pkcs8.pem",
        env!("CARGO_MANIFEST_DIR")
    ));
    let alone = fs::read_to_string(stored("bot-certificate.pem")).expect("a certificate");
    let of_other = folder.file("other.pem", format!("{alone}{}", other.expect("a key")));
    let locked = folder.file("locked.pem", format!("{alone}{}", encrypted.expect("a key")));
    let no_certificate = folder.file("key.pem", key);
    for (file, password, words) in [
        (
            stored("bot-certificate.pem"),
            json!(null),
            "holds no private key; it must be in the same file",
        ),
        (no_certificate, json!(null), "holds no certificate"),
        (
            of_other,
            json!(null),
            "a private key that belongs to none of its certificates",
        ),
        (
            stored("bot-version-1.pem"),
            json!(null),
            "of X.509 version 1; version 3 is needed",
        ),
        (locked, json!(null), "holds an encrypted private key; decrypt it"),
        (
            stored("bot-openssl.p12"),
            json!(null),
            "needs a password, and none is given",
        ),
        (
            stored("bot-openssl.p12"),
            json!("other"),
            "another password, or is damaged",
        ),
        (
            stored("bot-legacy.p12"),
            json!("other"),
            "another password, or is damaged",
        ),
        (stored("trust-keytool.p12"), json!("changeit"), "holds no private key"),
        (stored("trust-keytool.jks"), json!("changeit"), "is a Java key store"),
        (stored("missing.p12"), json!("changeit"), "there is no file"),
    ] {
        let own = json!({"bot": {"privateKey": null, "certificate": {"password": password}}});
        for field in ["bot.certificate.path", "bot.certificatePath"] {
            refuses_store(field, own.clone(), &file, &[words]);
        }
    }
    let refuses = |certificate: Value, field: &str, words: &str| {
        let text = with(certified(certificate));
        refused(&text, Code::ConfigInvalid, Some(field), None, &[words]);
    };
    let field = "bot.certificate.content";
    refuses(json!({"content": "no certificate"}), field, "holds no certificate");
    refuses(json!({"content": alone}), field, "holds no private key");
    refuses(
        json!({"content": "MIIC", "path": "x"}),
        "bot.certificate",
        "give one of them",
    );
    // It is shown in the TLS handshake, so there must be one where it is asked for.
    for service in ["sessionAuth", "keyManager"] {
        let mut plain = certified(json!({"path": stored("bot.pem")}));
        merge(&mut plain, at(&format!("{service}.scheme"), json!("http")));
        merge(&mut plain, json!({"allowPlaintext": true}));
        let field = format!("{service}.scheme");
        refused(
            &with(plain),
            Code::ConfigInvalid,
            Some(&field),
            None,
            &["must be https"],
        );
    }
}

#[test]
fn of_a_key_and_a_certificate_the_key_is_used() {
    let config = good(json!({"bot": {"certificate": {"path": stored("bot.pem")}}}));
    assert!(matches!(config.login.credential, Credential::Key(_)));
    assert!(config.session_auth.is_none() && config.key_manager.client_certificate.is_none());
    assert_eq!(
        config.warnings,
        ["bot.privateKey and bot.certificate are both given; the key is used"]
    );
}

#[test]
fn keys_are_taken_in_base64_too() {
    for key in [PKCS1, PKCS8] {
        good(at("bot.privateKey.content", json!(STANDARD.encode(key))));
    }
    let public = STANDARD.encode("no key at all");
    refuses_setting("bot.privateKey.content", json!(public), &["holds no private key"]);
}
