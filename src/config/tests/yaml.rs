//! What is particular to YAML.

use super::*;

/// A text in YAML with a login, and these lines.
fn yaml(lines: &str) -> String {
    let key = format!("'{}'", PKCS8.trim_end().replace('\n', "\n\n     "));
    format!("host: pod.example\nbot: &bot\n  username: bot\n  privateKey:\n    content: {key}\n{lines}\n")
}

fn read(lines: &str) -> Config {
    let text = yaml(lines);
    Config::parse(&text).unwrap_or_else(|error| panic!("{text} gave {error}"))
}

#[track_caller]
fn refuses(text: &str, words: &[&str]) {
    refused(text, Code::ConfigInvalid, None, None, words);
}

#[test]
fn plain_scalars_keep_their_text_and_are_read_as_what_is_needed() {
    for name in [
        "0123",
        "0x1F",
        "1e3",
        "yes",
        "no",
        "true",
        "12:30:45",
        "2020-01-01",
        "1_000",
        ".inf",
        "nan",
        "+1",
    ] {
        let text = yaml("").replace("username: bot", &format!("username: {name}"));
        let config = Config::parse(&text).unwrap_or_else(|error| panic!("{name} gave {error}"));
        assert_eq!(config.login.username.as_deref(), Some(name));
        let config = read(&format!(
            "proxy: {{host: proxy, port: 1, username: bot, password: {name}}}"
        ));
        let credentials = config.pod.proxy.and_then(|proxy| proxy.credentials);
        assert_eq!(credentials, Some(("bot".to_owned(), name.to_owned())));
    }
    for (lines, port) in [
        ("port: 8443", 8443),
        ("port: '8443'", 8443),
        ("port: ~", 443),
        ("port:", 443),
    ] {
        assert_eq!(
            read(lines).pod.base_url,
            format!("https://pod.example:{port}"),
            "{lines}"
        );
    }
    for (written, expected) in [("true", true), ("True", true), ("FALSE", false), ("\"false\"", false)] {
        assert_eq!(
            read(&format!("ignoreOwn: {written}")).filter.ignore_own,
            expected,
            "{written}"
        );
    }
    for (lines, field, words) in [
        ("ignoreOwn: yes", "ignoreOwn", "must be true or false, but is a string"),
        (
            "port: 0x10",
            "port",
            "must be a whole number from 1 to 65535, but is a string",
        ),
        (
            "retry: {multiplier: .nan}",
            "retry.multiplier",
            "must be a number of at least 1",
        ),
        ("retry: 5", "retry", "must be an object, but is a string"),
        (
            "eventTypes: MESSAGESENT",
            "eventTypes",
            "must be a list of strings, but is a string",
        ),
    ] {
        refused(&yaml(lines), Code::ConfigInvalid, Some(field), None, &[words]);
    }
}

#[test]
fn quoted_and_block_texts_are_texts() {
    for written in ["'null'", "\"~\"", "|\n    null", ">-\n    null"] {
        let config = read(&format!("datafeed:\n  tag: {written}").replace("|\n", "|-\n"));
        let tag = config.stream.tag().unwrap_or_default();
        assert!(["null", "~"].contains(&tag), "{written} is {tag}");
    }
    let block = PKCS8.replace('\n', "\n      ");
    for style in ["|", "|-", "|+"] {
        let text = format!("host: h\nbot:\n  username: bot\n  privateKey:\n    content: {style}\n      {block}\n");
        Config::parse(&text).unwrap_or_else(|error| panic!("{style} gave {error}"));
    }
}

#[test]
fn anchors_and_merge_keys_are_followed() {
    let config = read(
        "x-node: &node {port: 7443, context: app}\nx-more: &more {port: 1, readTimeout: 70000}\n\
         agent:\n  <<: [*node, *more]\n  context: own\n\
         pod:\n  context: before\n  <<: *node\n\
         keyManager: *node",
    );
    assert_eq!(config.agent.services[0].base_url, "https://pod.example:7443/own");
    assert_eq!(config.agent.services[0].read_timeout.as_secs(), 70);
    assert_eq!(config.pod.base_url, "https://pod.example:7443/before");
    assert_eq!(config.key_manager.base_url, "https://pod.example:7443/app");
    let unknown = ["unknown setting x-more is ignored", "unknown setting x-node is ignored"];
    assert_eq!(config.warnings, unknown);
    for (lines, words) in [
        ("agent: &a {pod: *a}", "not at its end yet"),
        ("agent: *nothing", "line 60"),
        ("agent: {<<: text}", "what is merged by << is no mapping"),
        ("agent: {<<: [text]}", "what is merged by << is no mapping"),
        ("agent:\n  <<: *bot\n  <<: *bot", "the same name stands twice"),
    ] {
        refuses(&yaml(lines), &[words]);
    }
}

#[test]
fn names_that_stand_twice_are_refused_at_their_place() {
    refuses(
        "host: a\nport: 1\nhost: b\n",
        &["the same name stands twice", "at line 3 column 1"],
    );
    refuses(
        "host: a\nbot:\n  username: a\n  \"username\": b\n",
        &["stands twice", "at line 4 column 3"],
    );
    refuses("host: a\n[x]: 1\n", &["where the name of a setting should be"]);
    refuses("? {a: b}\n: 1\n", &["where the name of a setting should be"]);
}

#[test]
fn aliases_that_repeat_each_other_are_bounded() {
    // Nine levels of nine: hundreds of millions of values in a kilobyte.
    let level = |depth: usize| format!("l{depth}: &l{depth} [{}]\n", format!("*l{},", depth - 1).repeat(9));
    let bomb: String = (1..10).map(level).collect();
    refuses(&format!("l0: &l0 [x,x,x]\n{bomb}"), &["more than 10000 values"]);
    let merges = |depth: usize| format!("m{depth}: &m{depth} {{a: *m{0}, b: *m{0}}}\n", depth - 1);
    let bomb: String = (1..31).map(merges).collect();
    refuses(&format!("m0: &m0 {{x: y}}\n{bomb}"), &["more than 10000 values"]);
    // One long text, many times.
    let long = format!(
        "long: &long {}\nlist: [{}]\n",
        "x".repeat(1 << 20),
        "*long,".repeat(5000)
    );
    refuses(&long, &["more than 10000 values"]);
    let many: String = (0..11_000).map(|number| format!("n{number}:\n")).collect();
    refuses(&many, &["more than 10000 values"]);
    // A configuration may have long texts.
    read(&format!("x: {}", "x".repeat(1 << 20)));
}

/// The creating thread may have a small stack, and what is refused must not need more.
#[test]
fn deep_nesting_is_refused_on_a_small_stack() {
    let many = 200_000;
    let mut texts = vec![
        format!("host: h\na: {}", "[".repeat(many)),
        format!("host: h\na: {}", "{a: ".repeat(many)),
        format!("a:\n  {}x", "- ".repeat(many)),
        format!("a:\n  {}x", "? ".repeat(many)),
        format!("{{\"a\":{}", "[".repeat(many)),
        format!("{{\"a\":{}1{}}}", "[".repeat(many), "]".repeat(many)),
        (0..1000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect(),
    ];
    // As deep as can be, and in good order.
    texts.push(format!("host: h\na: {}1{}\n", "[".repeat(33), "]".repeat(33)));
    let trying = std::thread::Builder::new().stack_size(64 << 10).spawn(move || {
        for text in texts {
            let error = Config::parse(&text).expect_err("too deep");
            // The scanner looks ahead, and may be the first to have enough.
            let told = ["32 levels", "recursion limit"]
                .iter()
                .any(|words| error.message().contains(words));
            assert!(told, "{}... gave {error}", &text[..10]);
        }
        for depth in [1, 31] {
            let text = format!("a: {}1{}\nport: 0\n", "[".repeat(depth), "]".repeat(depth));
            let error = Config::parse(&text).expect_err("no login");
            assert_eq!(error.field(), Some("bot.privateKey"), "{error}");
        }
    });
    trying.expect("a thread").join().expect("all were refused");
}

#[test]
fn what_is_no_yaml_is_told_with_its_place() {
    for (text, words) in [
        ("host: a\n\tport: 1\n", "found a tab"),
        ("host: 'a\nport: 1\n", "is not valid YAML"),
        ("host: a: b\nport: 1\n", "at line 1"),
        ("host: @a\nport: 1\n", "at line 1 column 7"),
        ("host: a\n--- \nhost: b\n", "a second document begins"),
        ("host: [a\nport: 1\n", "is not valid YAML"),
        ("%YAML 9.9\n---\nhost: a\nhost: b\n", "is not valid YAML"),
    ] {
        refuses(text, &[words]);
    }
}

#[test]
fn marks_endings_and_comments_are_no_part_of_it() {
    let text = yaml("port: 1 # the first\n# and no more");
    for text in [
        format!("\u{feff}{text}"),
        text.replace('\n', "\r\n"),
        format!("---\n{text}...\n"),
        format!("%YAML 1.2\n---\n{text}"),
        format!("\n\n# a bot\n\n{text}"),
    ] {
        let config = Config::parse(&text).unwrap_or_else(|error| panic!("{text} gave {error}"));
        assert_eq!(config.pod.base_url, "https://pod.example:1");
    }
}
