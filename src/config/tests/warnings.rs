//! What has no effect is warned of.

use super::*;

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
    for path in ["app", "enhancedAuth", "extAppSettings", "manifest"] {
        let expected = format!("{path} is for what this library does not do, and has no effect");
        assert_eq!(good(at(path, json!({"x": "y"}))).warnings, [expected]);
    }
    assert_eq!(good(json!({"retry": {"maxAttempts": 3}})).warnings, [""; 0]);
}

#[test]
fn headers_of_the_connection_are_left_out() {
    let own = json!({"Connection": "Keep-Alive", "keep-alive": "timeout=5, max=1000", "X-A": "1"});
    let config = good(json!({"defaultHeaders": own, "agent": {"defaultHeaders": {"connection": "close"}}}));
    for service in [&config.pod, &config.key_manager, &config.agent.services[0]] {
        let names: Vec<&str> = service.headers.iter().map(|header| header.name.as_str()).collect();
        assert_eq!(names, ["x-a"]);
    }
    let no_effect =
        |name| format!("{name} has no effect: connections, and how answers are coded, are the library's business");
    let mut expected = [
        "defaultHeaders.Connection",
        "defaultHeaders.keep-alive",
        "agent.defaultHeaders.connection",
    ]
    .map(no_effect);
    let mut warnings = config.warnings;
    warnings.sort();
    expected.sort();
    assert_eq!(warnings, expected);
}

#[test]
fn settings_of_a_pool_have_no_effect() {
    let pool = json!({"connectionPoolMax": 20, "connectionPoolPerRoute": "20"});
    let mut nodes = pool.clone();
    nodes["host"] = json!("a");
    let mut config = json!({"pod": pool, "keyManager": pool, "sessionAuth": pool,
                            "agent": {"connectionPoolMax": 1, "loadBalancing": {"nodes": [nodes]}}});
    merge(&mut config, pool);
    assert_eq!(good(config).warnings, [""; 0]);
    refuses_setting("pod.connectionPoolMax", json!("many"), &["must be a whole number"]);
}

#[test]
fn settings_that_stand_under_the_name_of_spring_boot_are_told() {
    let text = json!({"bdk": {"host": "pod.example", "bot": {"username": "bot"}}}).to_string();
    refused(&text, Code::ConfigInvalid, Some("bdk"), None, &["at the top level"]);
}
