//! What each setting becomes.

use super::*;

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
