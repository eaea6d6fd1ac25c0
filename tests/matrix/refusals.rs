//! Bots that are refused, each for something that is wrong about a secret: what they are told.

use datafeed_emulator::proxy::{Proxy, ProxySettings};
use datafeed_emulator::socks::{SocksProxy, SocksSettings};
use datafeed_emulator::{Certificate, Emulator, Settings};
use serde_json::{Value, json};

use super::cell::{PROXY_PASSWORD, PROXY_USER, STORE_PASSWORD};
use super::common::folder::Folder;
use super::common::*;
use super::secrets::Account;

pub fn all(account: &mut Account) {
    let emulator = emulator(Settings {
        tls: Some(Certificate::Good),
        ..quick()
    });
    for secret in [PROXY_USER, PROXY_PASSWORD, STORE_PASSWORD] {
        account.add_secret(secret);
    }
    configurations(&emulator, account);
    proxies(&emulator, account);
}

/// Texts that are no configuration, each with a secret near to where it goes wrong.
fn configurations(emulator: &Emulator, account: &mut Account) {
    let usual = config(emulator, json!({}));
    let key = usual["bot"]["privateKey"]["content"]
        .as_str()
        .expect("a key")
        .to_owned();
    account.add_private_key(&key);
    let folder = Folder::new();
    let bot = emulator.client_certificate("emulator-bot").expect("a certificate");
    account.add_private_key(&bot.private_key);
    let store = folder.write("bot.p12", bot.pkcs12("the right password"));
    let trusted = emulator.trust_store_pkcs12("the right password").expect("a store");
    let trusted = folder.write("trusted.p12", trusted);
    let with = |member: &str, value: Value| {
        let mut config = usual.clone();
        config[member] = value;
        config.to_string()
    };
    let cut_key = &key[..key.len() / 2];
    let texts = [
        (
            "password",
            with(
                "bot",
                json!({"certificate": {"path": store, "password": STORE_PASSWORD}}),
            ),
        ),
        (
            "password",
            with(
                "ssl",
                json!({"trustStore": {"path": trusted, "password": STORE_PASSWORD}}),
            ),
        ),
        (
            "bot.privateKey",
            with("bot", json!({"username": "b", "privateKey": {"content": cut_key}})),
        ),
        (
            "bot.privateKey",
            with("bot", json!({"username": "b", "privateKey": {"path": cut_key}})),
        ),
        (
            "bot.certificate",
            with("bot", json!({"certificate": {"content": bot.private_key}})),
        ),
        (
            "proxy.port",
            with(
                "proxy",
                json!({"host": "p", "username": PROXY_USER, "password": PROXY_PASSWORD}),
            ),
        ),
        (
            "proxy.port",
            with("proxy", json!({"host": "p", "port": PROXY_PASSWORD})),
        ),
        (
            "proxy.host",
            with(
                "proxy",
                json!({"host": format!("{PROXY_USER}:{PROXY_PASSWORD}@p"), "port": 1}),
            ),
        ),
        (
            "proxy.username",
            with("proxy", json!({"host": "p", "port": 1, "password": PROXY_PASSWORD})),
        ),
        (
            "JSON",
            format!(r#"{{"proxy": {{"username": "{PROXY_USER}", "password": "{PROXY_PASSWORD}" oops"#),
        ),
        (
            "YAML",
            format!("proxy:\n  username: {PROXY_USER}\n  password: \"{PROXY_PASSWORD}\n"),
        ),
    ];
    for (words, text) in texts {
        let (status, error) = Feed::try_open(&text).expect_err(words);
        assert_eq!(status, DATAFEED_INVALID_ARGUMENT, "{error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
        account.told.push(error);
    }
}

/// Proxies that know other credentials.
fn proxies(emulator: &Emulator, account: &mut Account) {
    let credentials = Some(("someone".to_owned(), "something".to_owned()));
    let connect = Proxy::start(ProxySettings {
        credentials: credentials.clone(),
        ..ProxySettings::default()
    });
    let connect = connect.expect("a proxy");
    let socks = SocksProxy::start(SocksSettings {
        credentials,
        ..SocksSettings::default()
    });
    let socks = socks.expect("a proxy");
    for (scheme, port) in [("http", connect.port()), ("socks5h", socks.port())] {
        let proxy = json!({
            "scheme": scheme, "host": "127.0.0.1", "port": port, "username": PROXY_USER, "password": PROXY_PASSWORD,
        });
        let feed = Feed::open(&config(emulator, json!({ "proxy": proxy })));
        let line = feed.wait_for_rule("login-failed");
        assert!(
            line["message"].to_string().contains(&format!("127.0.0.1:{port}")),
            "{line}"
        );
        account.told.extend([line, feed.stats()]);
        account.told.extend(feed.error());
    }
    assert!(connect.books().unauthorized > 0 && socks.books().unauthorized > 0);
}
