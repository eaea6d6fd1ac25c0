//! No secret is shown.

use super::*;

/// Secrets wherever a person might put one by mistake: as a value, inside one, as a name, as the whole configuration.
#[test]
fn no_secret_is_ever_shown() {
    const WORD: &str = "HUNTER2";
    const SETTINGS: &str = "scheme port pod.port readTimeout defaultHeaders defaultHeaders.X-A agent.defaultHeaders.X-A \
        allowPlaintext pod agent bot bot.privateKey bot.privateKey.content bot.certificatePassword bot.unknown proxy \
        ssl datafeed datafeed.version datafeed.includeInvisible datafeed.retry datafeed.retry.maxAttempts retry \
        retry.multiplier ack maxUnacknowledged nackDelay unknown";
    // As a platform's variable often has it, all in one line.
    let one_line = PKCS8.replace('\n', "\\n");
    // One word in these is what they are there for; a key's text is not.
    const SHOWN: &str = "host agent.host context bot.username datafeed.tag bot.privateKeyPath bot.privateKey.path \
        eventTypes datahose.scopes datahose.eventTypes datahose.tag";
    let damaged = format!("-----BEGIN PRIVATE KEY-----\n{WORD}\n-----END PRIVATE KEY-----\n");
    let bare: String = PKCS8.lines().filter(|line| !line.starts_with("-----")).collect();
    let header = format!("Authorization: Bearer {WORD}");
    let folder = Folder::new();
    let mut texts = Vec::new();
    for secret in [PKCS8, PKCS1, &one_line, &damaged, &bare, &header, WORD] {
        let shown = SHOWN
            .split_whitespace()
            .filter(|_| secret.contains('\n') || secret == one_line);
        for path in SETTINGS.split_whitespace().chain(shown) {
            for value in [json!(secret), json!([secret]), json!({"x": secret})] {
                texts.push(with(at(path, value)));
            }
        }
        let as_path = |path: &str| with(at("bot.privateKey", json!({"content": null, "path": path})));
        texts.push(as_path(&folder.file("key.pem", secret)));
        texts.push(folder.file("bot.json", secret));
        let whole = with(at("defaultHeaders.X-A", json!(secret)));
        texts.extend([
            format!("\u{feff}{whole}"),
            json!(whole).to_string(),
            whole.replace('}', ""),
        ]);
        if secret != WORD && secret != header {
            texts.extend([as_path(secret), as_path(&secret.replace('\n', " ")), secret.to_owned()]);
        }
        if secret != WORD {
            for section in [
                "defaultHeaders",
                "agent",
                "agent.defaultHeaders",
                "bot",
                "bot.privateKey",
                "datafeed",
            ] {
                texts.extend([json!("x"), json!(1)].map(|value| with(at(section, json!({ secret: value })))));
            }
            texts.push(with(json!({ secret: 1 })));
        }
    }
    let line = |key: &'static str| key.lines().nth(3).expect("a key has many lines");
    for text in texts {
        let shown = match Config::parse(&text) {
            Ok(config) => format!("{config:?}"),
            Err(error) => format!("{error} {error:?} {}", error.to_json()),
        };
        for secret in [WORD, line(PKCS8), line(PKCS1)] {
            assert!(!shown.contains(secret), "{secret} is shown for {text}: {shown}");
        }
    }
}
