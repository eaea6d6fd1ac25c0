//! What a feed's callers and its poller share: the ledger behind one lock, and the means to wake each other.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};

use crate::batch::EventText;
use crate::clock::{Clock, Moment, wall_clock_millis};
use crate::config::Config;
use crate::error::Error;
use crate::ledger::{Ledger, Limits};
use crate::log::{Level, Log};
use crate::net::{Cutoff, Progress};
use crate::protocol::Tokens;
use crate::sync::{EventCount, EventFd};

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
    pub(crate) feed_id: Option<String>,
    pub(crate) last_read_at: Option<u64>,
    pub(crate) last_event_at: Option<u64>,
    pub(crate) logins: u64,
    pub(crate) feeds_created: u64,
    pub(crate) retries: u64,
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
    pub(crate) watch: Watch,
    pub(crate) tokens: Option<Tokens>,
    /// Consumers that sleep until there is an event.
    pub(crate) waiting: usize,
    /// Interruptions that a call has reported.
    pub(crate) interruptions_seen: u32,
    /// With implicit acknowledgement: the event that asking for the next one acknowledges.
    pub(crate) implied: Option<u64>,
    /// With implicit acknowledgement: a call is going on.
    pub(crate) asking: bool,
    fd_raised: bool,
}

/// The addresses that a bot and an operator want to know.
pub(crate) struct Urls {
    pub(crate) pod: String,
    pub(crate) agent: String,
    pub(crate) key_manager: String,
}

/// It outlives the feed, since a handle is never freed; what is large or scarce is given up at close.
pub(crate) struct Shared {
    pub(crate) urls: Urls,
    pub(crate) username: String,
    pub(crate) tag: Option<String>,
    pub(crate) implicit_ack: bool,
    pub(crate) close_timeout: Duration,
    pub(crate) clock: Clock,
    state: Mutex<State>,
    /// Wakes consumers.
    pub(crate) consumers: EventCount,
    /// Wakes the poller when it is not on the network.
    pub(crate) poller: EventCount,
    /// Set and notified when the poller has ended.
    pub(crate) ended: AtomicBool,
    pub(crate) ending: EventCount,
    pub(crate) interruptions: AtomicU32,
    /// Of the exchange with the agent.
    pub(crate) progress: OnceLock<Arc<Progress>>,
    pub(crate) fd: OnceLock<EventFd>,
    pub(crate) log: Log,
}

impl Shared {
    pub(crate) fn new(config: &Config, cutoff: Arc<Cutoff>) -> Shared {
        let limits = Limits {
            max_unacknowledged: config.max_unacknowledged,
            max_remembered: MAX_REMEMBERED,
            visibility_timeout: config.visibility_timeout,
            memory: MEMORY,
            keep_alive: KEEP_ALIVE,
            nack_delay: config.nack_delay,
        };
        Shared {
            urls: Urls {
                pod: config.pod.base_url.clone(),
                agent: config.agent.base_url.clone(),
                key_manager: config.key_manager.base_url.clone(),
            },
            username: config.username.clone(),
            tag: config.tag.clone(),
            implicit_ack: config.implicit_ack,
            close_timeout: config.close_timeout,
            clock: config.clock.clone(),
            state: Mutex::new(State {
                phase: Phase::Running,
                ledger: Ledger::new(limits),
                cutoff: Some(cutoff),
                watch: Watch::default(),
                tokens: None,
                waiting: 0,
                interruptions_seen: 0,
                implied: None,
                asking: false,
                fd_raised: false,
            }),
            consumers: EventCount::default(),
            poller: EventCount::default(),
            ended: AtomicBool::new(false),
            ending: EventCount::default(),
            interruptions: AtomicU32::new(0),
            progress: OnceLock::new(),
            fd: OnceLock::new(),
            log: Log::new(),
        }
    }

    /// A panic while the lock was held leaves a feed that says FAILED, not one that panics in every call.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.lock().phase, Phase::Running)
    }

    /// Keeps the descriptor readable while an event, an interruption or the end is waiting.
    ///
    /// `interrupt` raises it without the lock, so it is lowered whatever is remembered of it, and interruptions are
    /// looked at once more afterwards.
    pub(crate) fn show_on_fd(&self, state: &mut State) {
        let Some(fd) = self.fd.get() else { return };
        let interrupted = |state: &State| self.interruptions.load(Ordering::SeqCst) != state.interruptions_seen;
        let ended = !matches!(state.phase, Phase::Running);
        if state.ledger.queued() == 0 && !ended && !interrupted(state) {
            fd.lower();
            state.fd_raised = false;
            if !interrupted(state) {
                return;
            }
        }
        if !state.fd_raised {
            state.fd_raised = true;
            fd.raise();
        }
    }

    /// For a program that polls the descriptor, somebody has to notice when a refused event has rested long enough:
    /// the poller does, in whatever it waits. Answers when it wants to look again.
    pub(crate) fn wake_postponed(&self) -> Option<Duration> {
        self.fd.get()?;
        let mut state = self.lock();
        let now = self.clock.now();
        state.ledger.wake_postponed(now);
        self.show_on_fd(&mut state);
        state.ledger.next_due().map(|due| due.since(now))
    }

    /// Lets the poller take a new look at the time, wherever it waits.
    pub(crate) fn nudge_poller(&self, state: &State) {
        if let Some(cutoff) = &state.cutoff {
            cutoff.nudge();
        }
        self.poller.notify_all();
    }

    /// Gives the lock back, and wakes the poller if it sleeps and there is something to read for. In this order, or the
    /// poller would wake up to wait for the lock; and once, since what it is doing is then no longer waiting.
    pub(crate) fn release_and_wake_poller(&self, mut state: MutexGuard<'_, State>, now: Moment) {
        let wake = state.watch.doing == Doing::WaitingForBot && state.ledger.wants_read(now);
        if wake {
            state.watch.doing = Doing::Reading;
        }
        drop(state);
        if wake {
            self.poller.notify_all();
        }
    }

    /// Ends the feed for good with this error.
    pub(crate) fn fail(&self, error: Error) {
        self.log
            .write(Level::Error, error.message(), json!({ "code": error.code().as_str() }));
        let mut state = self.lock();
        if matches!(state.phase, Phase::Running) {
            state.watch.latest_trouble = Some((wall_clock_millis(), error.clone()));
            state.phase = Phase::Failed(error);
        }
        self.show_on_fd(&mut state);
        drop(state);
        self.consumers.notify_all();
    }

    pub(crate) fn interrupt(&self) {
        self.interruptions.fetch_add(1, Ordering::SeqCst);
        self.consumers.notify_all();
        if let Some(fd) = self.fd.get() {
            fd.raise();
        }
    }

    pub(crate) fn info(&self, message: impl Into<String>, details: Value) {
        self.log.write(Level::Info, message, details);
    }
}
