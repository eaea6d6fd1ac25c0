//! Whatever bytes an agent answers a read with, over a real connection: the read brings what an obvious reading of
//! them says, or an error fit to be shown.

#![no_main]

mod agent;
mod http;
#[path = "../obvious.rs"]
mod obvious;

use std::sync::LazyLock;

use agent::{Agent, Ending, Script};
use datafeed::internals::{Found, read_once};
use datafeed::{Code, Config, Error};
use http::Seen;
use libfuzzer_sys::fuzz_target;
use serde_json::json;

/// The bot's token, which the agent may quote and no error may repeat.
const TOKEN: &str = "TOKEN-OF-THE-BOT";
const KEY: &str = include_str!("../../../tests/data/keys/rsa-pkcs8.pem");
/// `maxResponseBytes`, so small that an input soon exceeds it.
const LIMIT: usize = 2048;
/// An error repeats 300 characters of a service's words, and says some of its own.
const LONGEST_MESSAGE: usize = 600;

static AGENT: LazyLock<Agent> = LazyLock::new(Agent::start);
static CONFIG: LazyLock<Config> = LazyLock::new(|| {
    let config = json!({
        "scheme": "http",
        "host": "127.0.0.1",
        "port": AGENT.port(),
        "bot": {"username": "bot", "privateKey": {"content": KEY}},
        "maxResponseBytes": LIMIT,
        // No input makes a read wait, so only a fault does.
        "readTimeout": 5000,
    });
    Config::parse(&config.to_string()).expect("a configuration that works")
});

fuzz_target!(|input: &[u8]| {
    let Some((&manner, response)) = input.split_first() else {
        return;
    };
    let seen = http::look(response);
    let script = Script::new(manner, response, &seen);
    let ending = script.ending;
    AGENT.answer(script);
    let result = read_once(&CONFIG, TOKEN);
    AGENT.finish();
    if let Err(error) = &result {
        check_error(error);
    }
    check_result(&result, &seen, ending);
});

/// An error says something, in one line of bounded length, without the token.
fn check_error(error: &Error) {
    let message = error.message();
    assert!(!message.is_empty());
    assert!(!message.contains(char::is_control), "{message:?}");
    assert!(message.chars().count() <= LONGEST_MESSAGE, "{message:?}");
    let shown = error.to_json().to_string();
    assert!(!shown.contains(TOKEN), "the token is shown: {shown}");
    assert!(error.is_retryable(), "{shown}");
}

fn check_result(result: &Result<Found, Error>, seen: &Seen, ending: Ending) {
    let code = result.as_ref().err().map(Error::code);
    let http_status = result.as_ref().err().and_then(Error::http_status);
    match seen {
        Seen::Odd => {}
        Seen::Broken => assert!(code.is_some(), "a broken answer was taken: {result:?}"),
        // A reset may overtake what was sent before. Where the end of the connection ends the body it may also count as
        // that: whether the body is whole can be seen from the JSON.
        Seen::Whole(_) if ending == Ending::Reset && code == Some(Code::Network) => {}
        // Of a refusal only the beginning is looked at.
        Seen::Whole(whole) if whole.body.len() > LIMIT && whole.status < 300 => {
            assert_eq!(code, Some(Code::ResponseTooLarge));
        }
        Seen::Whole(whole) => match whole.status {
            200 if obvious::depth(&whole.body) > obvious::MAX_DEPTH => {}
            200 => match obvious::split(&whole.body) {
                None => assert_eq!(code, Some(Code::ResponseInvalid)),
                Some(expected) => assert_eq!(result.as_ref().ok(), Some(&expected), "{result:?}"),
            },
            204 => assert_eq!(result.as_ref().ok(), Some(&(Vec::new(), None)), "{result:?}"),
            status => assert_eq!(http_status, Some(status), "{result:?}"),
        },
    }
}
