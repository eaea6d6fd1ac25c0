//! The log: a bounded queue of lines that the program fetches, and lines on stderr when `DATAFEED_LOG` asks for them.
//!
//! The library has no global logger and never writes to stdout. One line tells one change of state.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Map, Value, json};

use crate::clock::wall_clock_millis;
use crate::sync::EventCount;

/// Lines kept for a program that does not fetch them; after that the oldest go.
const KEPT_LINES: usize = 1000;

/// Lines kept of a closed feed, which may never be fetched.
const KEPT_AFTER_CLOSE: usize = 20;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The feed has stopped, or something was lost.
    Error,
    /// Trouble that the feed deals with, or a setting to look at.
    Warn,
    /// A change of state.
    Info,
}

impl Level {
    /// The name used in JSON and in `DATAFEED_LOG`.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
        }
    }

    fn from_name(name: &str) -> Option<Level> {
        [Level::Error, Level::Warn, Level::Info]
            .into_iter()
            .find(|level| level.as_str().eq_ignore_ascii_case(name))
    }
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// Milliseconds since 1970.
    pub timestamp: u64,
    /// How much it matters.
    pub level: Level,
    /// What happened, in a sentence.
    pub message: String,
    /// Details by name: `feedId`, `httpStatus`, `traceId`, `retryInMillis` and the like.
    pub details: Map<String, Value>,
}

impl LogLine {
    /// The line as an object: `{"timestamp","level","message", details...}`.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        object.insert("timestamp".into(), json!(self.timestamp));
        object.insert("level".into(), json!(self.level.as_str()));
        object.insert("message".into(), json!(self.message));
        object.extend(self.details.clone());
        Value::Object(object)
    }
}

impl fmt::Display for LogLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} datafeed {:5} {}",
            self.timestamp,
            self.level.as_str(),
            self.message
        )?;
        for (name, value) in &self.details {
            write!(formatter, " {name}={value}")?;
        }
        Ok(())
    }
}

/// Why no line was returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoLine {
    /// Nothing was logged in time.
    Timeout,
    /// The feed is closed and every line was fetched.
    Closed,
}

impl fmt::Display for NoLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            NoLine::Timeout => "nothing was logged in time",
            NoLine::Closed => "the feed is closed",
        })
    }
}

impl std::error::Error for NoLine {}

/// Grows with what is written: a queue of fixed size would cost more than the rest of a closed feed.
#[derive(Default)]
struct Queue {
    lines: VecDeque<LogLine>,
    closed: bool,
}

pub(crate) struct Log {
    queue: Mutex<Queue>,
    written: EventCount,
    stderr: Option<Level>,
}

impl Log {
    pub(crate) fn new() -> Log {
        let stderr = std::env::var("DATAFEED_LOG")
            .ok()
            .and_then(|name| Level::from_name(&name));
        Log {
            queue: Mutex::default(),
            written: EventCount::default(),
            stderr,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn write(&self, level: Level, message: impl Into<String>, details: Value) {
        let line = LogLine {
            timestamp: wall_clock_millis(),
            level,
            message: message.into(),
            details: match details {
                Value::Object(details) => details,
                _ => Map::new(),
            },
        };
        if self.stderr.is_some_and(|most| level <= most) {
            show_on_stderr(&line);
        }
        let mut queue = self.lock();
        if queue.lines.len() == KEPT_LINES {
            queue.lines.pop_front();
        }
        queue.lines.push_back(line);
        drop(queue);
        self.written.notify(1);
    }

    pub(crate) fn next(&self, timeout: Option<Duration>) -> Result<LogLine, NoLine> {
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let ticket = self.written.ticket();
            let mut queue = self.lock();
            if let Some(line) = queue.lines.pop_front() {
                return Ok(line);
            }
            if queue.closed {
                return Err(NoLine::Closed);
            }
            drop(queue);
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(NoLine::Timeout);
            }
            self.written.sleep(ticket, left);
        }
    }

    /// Ends the log: what was written can still be fetched, and nothing follows.
    pub(crate) fn close(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        let surplus = queue.lines.len().saturating_sub(KEPT_AFTER_CLOSE);
        queue.lines.drain(..surplus);
        queue.lines.shrink_to_fit();
        drop(queue);
        self.written.notify_all();
    }
}

/// Most that a pipe takes at once (POSIX promises 512, Linux 4096): what is longer could block.
const PIPE_TAKES: usize = if cfg!(target_os = "linux") { 4096 } else { 512 };

/// Shows a line if stderr takes it at once. A pipe that nobody reads must not stop the feed, nor a close; and a lock, such
/// as the standard library's, could be held by a thread that a forked child does not have.
fn show_on_stderr(line: &LogLine) {
    let stderr = rustix::stdio::stderr();
    let mut fds = [PollFd::new(&stderr, PollFlags::OUT)];
    let now = Timespec::default();
    // Nobody is there to read when it is an error, too: writing would raise SIGPIPE.
    if !matches!(poll(&mut fds, Some(&now)), Ok(1)) || fds[0].revents() != PollFlags::OUT {
        return;
    }
    let mut text = line.to_string();
    let end = (0..PIPE_TAKES.min(text.len() + 1))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or(0));
    text.push('\n');
    // A program that closed its stderr has asked for nothing.
    let _ = rustix::io::write(stderr, text.as_bytes());
}
