//! A bot in a process of its own, so that it can be killed: this program again, which does what it is told.

use std::collections::VecDeque;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};

use super::folder::Folder;
use super::*;

/// In the environment of such a process: where it is told what to do.
const TOLD_AT: &str = "DATAFEED_TEST_BOT";

/// The other end. Killed when dropped.
pub struct Bot {
    process: Child,
    lines: BufReader<UnixStream>,
    _folder: Folder,
}

/// To be called first by the test that [`Bot::start`] names. Whether this process is such a bot; it has done its work then.
pub fn was_a_bot() -> bool {
    let Some(path) = env::var_os(TOLD_AT) else {
        return false;
    };
    let stream = UnixStream::connect(path).expect("the test");
    let mut answers = stream.try_clone().expect("its other half");
    let mut lines = BufReader::new(stream).lines();
    let mut feed = None;
    while let Some(Ok(line)) = lines.next() {
        let call: Value = serde_json::from_str(&line).expect("a call");
        let (name, argument) = call.as_object().and_then(|call| call.iter().next()).expect("a call");
        if name == "open" {
            let opened = Feed::try_open(&argument.to_string());
            let answer = opened.as_ref().err().map(|(_, error)| error.clone());
            feed = opened.ok();
            writeln!(answers, "{}", json!(answer)).expect("the test");
            continue;
        }
        let feed = feed.as_ref().expect("a feed");
        if name == "work" {
            work(feed, &mut answers);
        }
        writeln!(answers, "{}", answer(feed, name, argument)).expect("the test");
    }
    true
}

fn answer(feed: &Feed, call: &str, argument: &Value) -> Value {
    let number = argument.as_u64().unwrap_or_default();
    match call {
        "next" => match feed.next(argument.as_i64().expect("a timeout") as i32) {
            Ok(event) => json!({"delivery": event.delivery, "text": event.text}),
            Err(status) => json!({ "status": status }),
        },
        "ack" => json!(feed.ack(number)),
        "nack" => json!(feed.nack(number)),
        "attempt" => json!(feed.attempt(number).expect("an attempt")),
        "stats" => feed.stats(),
        "error" => json!(feed.error()),
        "log" => feed.wait_for_log(argument.as_str().expect("a text")),
        "close" => json!(feed.close()),
        _ => panic!("{call}?"),
    }
}

/// Acknowledges whatever comes, and tells each event that was acknowledged, until the process ends.
fn work(feed: &Feed, answers: &mut UnixStream) {
    loop {
        let text = feed.must_next_and_ack();
        writeln!(answers, "{}", json!(text)).expect("the test");
    }
}

impl Bot {
    /// Starts one, and opens its feed. `entry`: the test that begins with [`was_a_bot`].
    #[track_caller]
    pub fn start(entry: &str, config: &Value) -> Bot {
        let (bot, error) = Bot::try_start(entry, config);
        assert_eq!(error, Value::Null);
        bot
    }

    /// The same, with the error object of what went wrong, or null.
    #[track_caller]
    pub fn try_start(entry: &str, config: &Value) -> (Bot, Value) {
        let folder = Folder::new();
        let path = folder.path("told");
        let listener = UnixListener::bind(&path).expect("a socket");
        let process = Command::new(env::current_exe().expect("this program"))
            .args(["--exact", entry, "--nocapture"])
            .env(TOLD_AT, &path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("this program again");
        let timeout = Timespec::try_from(PATIENCE).expect("a timeout");
        let asked = poll(&mut [PollFd::new(&listener, PollFlags::IN)], Some(&timeout)).expect("it can be polled");
        assert_eq!(asked, 1, "no test is called {entry}");
        let (stream, _) = listener.accept().expect("the bot");
        let mut bot = Bot {
            process,
            lines: BufReader::new(stream),
            _folder: folder,
        };
        let error = bot.call("open", config);
        (bot, error)
    }

    #[track_caller]
    fn tell(&mut self, call: &str, argument: &Value) {
        writeln!(self.lines.get_mut(), "{}", json!({ call: argument })).expect("the bot");
    }

    /// Nothing: it has ended.
    fn heard(&mut self) -> Option<Value> {
        let mut line = String::new();
        let count = self.lines.read_line(&mut line).unwrap_or_default();
        (count > 0 && line.ends_with('\n')).then(|| serde_json::from_str(&line).expect("JSON"))
    }

    /// Has it call this, and answers what came of it.
    #[track_caller]
    pub fn call(&mut self, call: &str, argument: &Value) -> Value {
        self.tell(call, argument);
        self.heard().expect("the bot has ended")
    }

    /// The next event.
    #[track_caller]
    pub fn must_next(&mut self) -> Received {
        let event = self.call("next", &json!(PATIENCE.as_millis() as i32));
        let text = event["text"]
            .as_str()
            .unwrap_or_else(|| panic!("no event, but {event}"));
        Received {
            delivery: event["delivery"].as_u64().expect("a number"),
            text: text.to_owned(),
        }
    }

    #[track_caller]
    pub fn ack(&mut self, delivery: u64) -> i32 {
        self.call("ack", &json!(delivery)).as_i64().expect("a status") as i32
    }

    #[track_caller]
    pub fn must_next_and_ack(&mut self) -> String {
        let event = self.must_next();
        assert_eq!(self.ack(event.delivery), DATAFEED_OK);
        event.text
    }

    /// Has it acknowledge whatever comes, and kills it after so many events. Answers those, and what it told besides
    /// until it was dead.
    #[track_caller]
    pub fn work_and_be_killed(mut self, after: usize) -> Vec<String> {
        self.tell("work", &Value::Null);
        let mut done = VecDeque::new();
        while done.len() < after {
            done.push_back(self.heard().expect("the bot has ended"));
        }
        self.end();
        done.extend(std::iter::from_fn(|| self.heard()));
        let text = |event: Value| event.as_str().expect("an event").to_owned();
        done.into_iter().map(text).collect()
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// `SIGKILL`.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.end();
    }
}
