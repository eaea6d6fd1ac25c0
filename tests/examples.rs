//! The example bots in Rust, as programs of their own.

mod common;

use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use common::*;
use datafeed_emulator::Emulator;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// A bot that is gone with the test, also with one that fails.
struct Bot(Child);

impl Drop for Bot {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `cargo test` builds the examples beside the tests, but not when it is asked for some tests only (`--test examples`): then
/// `cargo build --example echo` does.
fn example(name: &str, argument: &str) -> Bot {
    let tests = std::env::current_exe().expect("this test");
    let profile = tests.ancestors().nth(2).expect("the folder of the profile");
    let program: PathBuf = [profile, "examples".as_ref(), name.as_ref()].iter().collect();
    let bot = Command::new(&program)
        .arg(argument)
        // The emulator is not behind the proxy that a machine may have.
        .env("NO_PROXY", "127.0.0.1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    Bot(bot)
}

/// Ends with the process' standard error, and whether it ended well.
fn end_of(mut bot: Bot) -> (bool, String) {
    let text = |pipe: Option<&mut dyn Read>| {
        let mut text = String::new();
        pipe.expect("a pipe").read_to_string(&mut text).expect("text");
        text
    };
    let error = text(bot.0.stderr.as_mut().map(|pipe| pipe as &mut dyn Read));
    let output = text(bot.0.stdout.as_mut().map(|pipe| pipe as &mut dyn Read));
    assert_eq!(output, "", "it prints nothing but errors");
    (bot.0.wait().expect("it ends").success(), error)
}

fn messages_of(emulator: &Emulator, count: usize) -> Vec<Value> {
    let start = Instant::now();
    while emulator.messages().len() < count {
        assert!(start.elapsed() < PATIENCE, "no answer came");
        thread::yield_now();
    }
    emulator.messages()
}

#[test]
fn the_echo_bot_says_what_it_hears_until_it_is_told_to_end() {
    let emulator = emulator(quick());
    emulator.create_feed(None);
    let bot = example("echo", &config(&emulator, json!({"nackDelay": 10})).to_string());
    let said = |text: &str| {
        let message = json!({"message": text, "stream": {"streamId": "a+room/with=signs"}});
        json!({"type": "MESSAGESENT", "id": text, "payload": {"messageSent": {"message": message}}}).to_string()
    };
    // The first answer is refused once, and so the event comes again.
    emulator.fault(datafeed_emulator::Fault {
        endpoint: datafeed_emulator::Endpoint::CreateMessage,
        times: 1,
        action: status(503),
        after: false,
    });
    emulator.publish([
        said("hello"),
        r#"{"type":"ROOMCREATED"}"#.to_owned(),
        said("Grüße, <b>Welt</b>"),
    ]);
    let mut texts: Vec<String> = messages_of(&emulator, 2)
        .iter()
        .map(|answer| answer["message"].to_string())
        .collect();
    texts.sort_unstable();
    assert!(
        texts[0].contains(">Grüße, Welt</div>") && texts[1].contains(">hello</div>"),
        "{texts:?}"
    );
    // What the bot says itself is left out.
    assert!(
        emulator.wait_until(PATIENCE, |books| books.acknowledged == 5),
        "{:?}",
        emulator.books()
    );
    let process = Pid::from_child(&bot.0);
    kill_process(process, Signal::TERM).expect("a signal");
    assert_eq!(end_of(bot), (true, String::new()));
}

#[test]
fn the_echo_bot_says_why_it_cannot_go_on() {
    let emulator = emulator(quick());
    emulator.reject_logins(true);
    let (well, error) = end_of(example("echo", &config(&emulator, json!({})).to_string()));
    assert!(
        !well && error.starts_with("Error: AUTH_REJECTED: logging in"),
        "{error}"
    );
    let (well, error) = end_of(example("echo", "{}"));
    assert!(!well && error.starts_with("Error: CONFIG_INVALID: "), "{error}");
}
