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
    for path in ["app", "extAppSettings"] {
        let expected = format!("{path} is for what this library does not do, and has no effect");
        assert_eq!(good(at(path, json!({"x": "y"}))).warnings, [expected]);
    }
    assert_eq!(good(json!({"retry": {"maxAttempts": 3}})).warnings, [""; 0]);
}
