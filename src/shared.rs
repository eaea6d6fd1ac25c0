//! What a feed's callers and its poller share: the ledger behind one lock, and the means to wake each other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use crate::batch::EventText;
use crate::clock::{Clock, Moment, wall_clock_millis};
use crate::config::Config;
use crate::error::{Code, Error};
use crate::ledger::{Ledger, Limits};
use crate::log::{Level, Log};
use crate::net::Cutoff;
use crate::session::{End, Session};
use crate::sync::{Guard, Handover, Queue};

/// Acknowledged events remembered at most, about 10 MB when full. At 100 events a second it lasts for 15 minutes.
const MAX_REMEMBERED: usize = 100_000;

/// How long acknowledged events are remembered, from the documentation's advice for duplicates.
const MEMORY: Duration = Duration::from_secs(15 * 60);

/// A third of the time after which the service drops a feed that nobody reads.
const KEEP_ALIVE: Duration = Duration::from_secs(10 * 60);

/// Whether the feed runs, and how it ended.
#[derive(Debug, Clone)]
pub(crate) enum Phase {
    Running,
    /// It stopped for good by itself.
    Failed(Error),
    Closed,
}

/// Numbers and names for statistics that are not the ledger's.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) doing: Doing,
    /// When the back-off at hand is over, in milliseconds since 1970.
    pub(crate) retry_at: Option<u64>,
    /// The base URL of the agent's node that is read.
    pub(crate) agent_url: String,
    pub(crate) feed_id: Option<String>,
    pub(crate) last_read_at: Option<u64>,
    pub(crate) last_event_at: Option<u64>,
    pub(crate) logins: u64,
    /// Events that the configuration's filters left out.
    pub(crate) filtered: u64,
    pub(crate) feeds_created: u64,
    /// Failures that were followed by another try, by their code.
    pub(crate) retries: BTreeMap<&'static str, u64>,
    /// What the service's clock is ahead of this machine's by, in seconds, if login tokens must allow for it.
    pub(crate) clock_offset: i64,
    pub(crate) latest_trouble: Option<(u64, Error)>,
}

/// What the poller is at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Doing {
    #[default]
    LoggingIn,
    FindingFeed,
    Reading,
    /// Nothing to read for: the bot holds events, or too many are unacknowledged.
    WaitingForBot,
    BackingOff,
}

impl Doing {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Doing::LoggingIn => "LOGGING_IN",
            Doing::FindingFeed => "FINDING_FEED",
            Doing::Reading => "READING",
            Doing::WaitingForBot => "WAITING_FOR_BOT",
            Doing::BackingOff => "BACKING_OFF",
        }
    }
}

/// What the mutex guards.
pub(crate) struct State {
    pub(crate) phase: Phase,
    pub(crate) ledger: Ledger<EventText>,
    /// Ends the poller's waiting on the network. Gone when the feed is closed: it holds a descriptor.
    pub(crate) cutoff: Option<Arc<Cutoff>>,
    /// Until when acknowledgements may be written, once the feed has ended.
    pub(crate) write_until: Option<Instant>,
    pub(crate) watch: Watch,
    /// With implicit acknowledgement: the event that asking for the next one acknowledges.
    pub(crate) implied: Option<u64>,
    /// With implicit acknowledgement: a call is going on.
    pub(crate) asking: bool,
}

impl Queue for State {
    fn has_event(&self) -> bool {
        self.ledger.queued() > 0
    }

    fn is_shut(&self) -> bool {
        self.is_closed() || self.ledger.hands_out_no_more()
    }

    fn is_over(&self) -> bool {
        !matches!(self.phase, Phase::Running)
    }
}

/// The addresses that a bot and an operator want to know.
pub(crate) struct Urls {
    pub(crate) pod: String,
    pub(crate) key_manager: String,
}

/// It outlives the feed, since a handle is never freed; what is large or scarce is given up at close.
pub(crate) struct Shared {
    pub(crate) urls: Urls,
    pub(crate) username: Option<String>,
    pub(crate) stream: &'static str,
    pub(crate) tag: Option<String>,
    pub(crate) service_forgets: bool,
    pub(crate) implicit_ack: bool,
    pub(crate) close_timeout: Duration,
    pub(crate) clock: Clock,
    pub(crate) handover: Handover<State>,
    pub(crate) session: Session,
    pub(crate) log: Log,
}

impl Shared {
    pub(crate) fn new(config: &Arc<Config>, cutoff: Arc<Cutoff>) -> Shared {
        let limits = Limits {
            max_unacknowledged: config.max_unacknowledged,
            max_remembered: MAX_REMEMBERED,
            visibility_timeout: config.visibility_timeout,
            memory: MEMORY,
            keep_alive: KEEP_ALIVE,
            nack_delay: config.nack_delay,
            service_forgets: config.stream.forgets(),
        };
        Shared {
            urls: Urls {
                pod: config.pod.base_url.clone(),
                key_manager: config.key_manager.base_url.clone(),
            },
            username: config.login.username.clone(),
            stream: config.stream.name(),
            tag: config.stream.tag().map(str::to_owned),
            service_forgets: config.stream.forgets(),
            implicit_ack: config.implicit_ack,
            close_timeout: config.close_timeout,
            clock: config.clock.clone(),
            handover: Handover::new(State {
                phase: Phase::Running,
                ledger: Ledger::new(limits),
                cutoff: Some(cutoff),
                write_until: None,
                watch: Watch::default(),
                implied: None,
                asking: false,
            }),
            session: Session::new(Arc::clone(config)),
            log: Log::new(),
        }
    }

    pub(crate) fn lock(&self) -> Guard<'_, State> {
        self.handover.lock()
    }

    pub(crate) fn is_running(&self) -> bool {
        !self.lock().is_over()
    }

    /// For a program that polls the descriptor, somebody has to notice when a refused event has rested long enough:
    /// the poller does, in whatever it waits. Answers when it wants to look again.
    pub(crate) fn wake_postponed(&self) -> Option<Duration> {
        if !self.handover.has_fd() {
            return None;
        }
        let mut state = self.lock();
        let now = self.clock.now();
        state.ledger.wake_postponed(now);
        self.handover.show(&mut state);
        state.ledger.next_due().map(|due| due.since(now))
    }

    /// Lets the poller take a new look at the time, wherever it waits.
    pub(crate) fn nudge_poller(&self, state: &State) {
        if let Some(cutoff) = &state.cutoff {
            cutoff.nudge();
        }
        self.handover.wake_poller();
    }

    /// Gives the lock back, and wakes the poller if it sleeps and there is something to read for.
    pub(crate) fn release_and_wake_poller(&self, mut state: Guard<'_, State>, now: Moment) {
        let wake = state.should_wake_poller(now);
        let drained = state.ledger.is_drained();
        self.handover.release(state, wake);
        if drained {
            self.handover.given_back();
        }
    }

    /// Ends the feed for good with this error.
    pub(crate) fn fail(&self, error: Error) {
        self.fail_with(error, Map::new());
    }

    /// The same, with more to tell in the log.
    pub(crate) fn fail_with(&self, error: Error, more: Map<String, Value>) {
        let mut details = error.details();
        if let Value::Object(details) = &mut details {
            details.extend(more);
        }
        self.log.write(Level::Error, error.message(), details);
        let mut state = self.lock();
        if !state.is_over() {
            self.session.end(End::Failed(error.clone()));
            state.watch.latest_trouble = Some((wall_clock_millis(), error.clone()));
            state.phase = Phase::Failed(error);
        }
        self.handover.announce_end(state);
    }

    /// A failure that another try follows.
    pub(crate) fn remember_trouble(&self, error: &Error) {
        let mut state = self.lock();
        *state.watch.retries.entry(error.code().as_str()).or_default() += 1;
        state.watch.latest_trouble = Some((wall_clock_millis(), error.clone()));
    }

    /// A fault in the library: the feed is not to be trusted any more, and says so.
    pub(crate) fn fail_after_panic(&self, whose: &str) {
        let message = format!("{whose} panicked; this is a fault in the library, please report it");
        self.fail(Error::new(Code::Internal, message));
    }

    pub(crate) fn info(&self, message: impl Into<String>, details: Value) {
        self.log.write(Level::Info, message, details);
    }
}

impl State {
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Whether the poller sleeps and now has something to read for. Once: after that it counts as reading.
    pub(crate) fn should_wake_poller(&mut self, now: Moment) -> bool {
        let wake = self.watch.doing == Doing::WaitingForBot && self.ledger.wants_read(now);
        if wake {
            self.watch.doing = Doing::Reading;
        }
        wake
    }
}
