//! What is wrong is told by field and file, with what is expected.

use super::*;

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
        host | "" | host is missing
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
        retry.maxAttempts | -2 | from -1 to 2147483647
        agent.loadBalancing.mode | "sticky" | must be "roundRobin", "random" or "external"
        agent.loadBalancing.stickiness | "maybe" | must be true or false
        agent.loadBalancing.nodes | {} | must be a list, but is an object
        ignoreOwn | 1 | must be true or false, but is a number
        nackDelay | 18446744073709551615 | from 0 to 3600000, but is a number
        pod.defaultHeaders.X-A | "a\r\nX-B: b" | a value that HTTP does not allow"#;
    for [path, value, words] in rows(table) {
        refuses_setting(path, serde_json::from_str(value).expect(value), &[words]);
    }
    let long = json!("é".repeat(101));
    refuses_setting("bot.username", json!("é".repeat(256)), &["at most 255 characters"]);
    refuses_setting("datafeed.tag", long, &["at most 100 characters, but has 101"]);
    let header = with(json!({"defaultHeaders": {"a b": "c"}}));
    let field = Some("defaultHeaders.a...");
    refused(&header, Code::ConfigInvalid, field, None, &["no valid name of"]);
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
