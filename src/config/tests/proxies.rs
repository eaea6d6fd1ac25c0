//! Proxies.

use super::*;
use crate::config::{Proxy, ProxyKind};

const WHOLE: &str = "pod keyManager agent sessionAuth";

fn proxy(config: &Config, service: &str) -> String {
    let service = match service {
        "pod" => &config.pod,
        "keyManager" => &config.key_manager,
        _ => &config.agent.services[0],
    };
    let Some(Proxy {
        kind,
        host,
        port,
        credentials,
        ..
    }) = &service.proxy
    else {
        return "none".to_owned();
    };
    let kind = match kind {
        ProxyKind::Connect => "connect",
        ProxyKind::Socks { resolves: true } => "socks5h",
        ProxyKind::Socks { resolves: false } => "socks5",
    };
    let credentials = credentials.iter().map(|(name, password)| format!(" {name}:{password}"));
    format!("{kind} {host} {port}{}", credentials.collect::<String>())
}

#[test]
fn proxies_are_taken() {
    for (given, expected) in [
        (json!(null), "none"),
        (json!({}), "none"),
        // As a template leaves it.
        (json!({"host": "", "port": "", "username": "", "password": ""}), "none"),
        (json!({"host": "p.example", "port": 3128}), "connect p.example 3128"),
        (
            json!({"host": "10.0.0.1", "port": "65535", "scheme": "http"}),
            "connect 10.0.0.1 65535",
        ),
        (json!({"host": "::1", "port": 1, "scheme": "socks5"}), "socks5 ::1 1"),
        (
            json!({"host": "p", "port": 1080, "scheme": "socks5h"}),
            "socks5h p 1080",
        ),
        (json!({"host": "p", "port": 1, "username": "u"}), "connect p 1 u:"),
        (
            json!({"host": "p", "port": 1, "username": "ü", "password": "p: $w"}),
            "connect p 1 ü:p: $w",
        ),
        (
            json!({"host": "p", "port": 1, "scheme": "socks5", "username": "u", "password": "x".repeat(255)}),
            &format!("socks5 p 1 u:{}", "x".repeat(255)),
        ),
    ] {
        let config = good(json!({ "proxy": given }));
        for service in WHOLE.split(' ') {
            assert_eq!(proxy(&config, service), expected, "{given}");
        }
        assert_eq!(config.warnings, [""; 0]);
    }
}

#[test]
fn a_service_has_a_proxy_of_its_own_as_a_whole() {
    let general = json!({"host": "general", "port": 1, "username": "u", "password": "p"});
    let own = json!({"host": "own", "port": 2});
    for service in ["pod", "keyManager", "agent"] {
        let config = good(json!({"proxy": general, service: {"proxy": own}}));
        for other in ["pod", "keyManager", "agent"] {
            let expected = if other == service {
                "connect own 2"
            } else {
                "connect general 1 u:p"
            };
            assert_eq!(proxy(&config, other), expected, "{other} with one for {service}");
        }
    }
    let nodes = json!({"agent": {"proxy": own, "loadBalancing": {"nodes": [{"host": "a"}]}}});
    assert_eq!(proxy(&good(nodes), "agent"), "connect own 2");
}

#[test]
fn impossible_proxies_are_told() {
    let table = r#"
        host | {"port": 1} | is missing: the host name or IP address of the proxy
        host | {"username": "u"} | is missing
        host | {"host": "http://p", "port": 1} | without scheme, port or path
        host | {"host": "p:1", "port": 1} | without scheme, port or path
        host | {"host": 1, "port": 1} | must be a string, but is a number
        port | {"host": "p"} | is missing: the port of the proxy p
        port | {"host": "p", "port": 0} | from 1 to 65535, but is 0
        port | {"host": "p", "port": "x"} | from 1 to 65535, but is a string
        username | {"host": "p", "port": 1, "password": "x"} | is missing, but a password is given
        scheme | {"host": "p", "port": 1, "scheme": "socks4"} | must be "http", "socks5" or "socks5h"
        scheme | {"host": "p", "port": 1, "scheme": "https"} | must be "http", "socks5" or "socks5h""#;
    for section in [
        "proxy",
        "pod.proxy",
        "agent.proxy",
        "keyManager.proxy",
        "sessionAuth.proxy",
    ] {
        for [name, value, words] in rows(table) {
            let text = with(at(section, serde_json::from_str(value).expect(value)));
            let field = format!("{section}.{name}");
            refused(&text, Code::ConfigInvalid, Some(&field), None, &[words]);
        }
    }
    for name in ["username", "password"] {
        let mut proxy = json!({"host": "p", "port": 1, "scheme": "socks5", "username": "u", "password": "p"});
        proxy[name] = json!("x".repeat(256));
        let text = with(json!({ "proxy": proxy }));
        let field = format!("proxy.{name}");
        refused(
            &text,
            Code::ConfigInvalid,
            Some(&field),
            None,
            &["at most 255 bytes for a SOCKS proxy"],
        );
    }
    refuses_setting("proxy", json!("p:1"), &["must be an object, but is a string"]);
}
