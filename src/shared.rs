//! What a feed's callers and its poller share: the ledger behind one lock, and the means to wake each other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use crate::batch::EventText;
use crate::clock::{Clock, Moment, Time, wall_clock_millis};
use crate::config::Config;
use crate::error::{Code, Error};
use crate::ledger::{Ledger, Limits, Restored};
use crate::log::{Level, Log};
use crate::net::Cutoff;
use crate::session::{End, Session};
use crate::store::{Mark, Store};
use crate::sync::{Guard, Handover, Queue};

/// Acknowledged events remembered at most, about 7 MB when full. At 100 events a second it lasts for 15 minutes.
const MAX_REMEMBERED: usize = 100_000;

/// How long acknowledged events are remembered, from the documentation's advice for duplicates.
pub(crate) const MEMORY: Duration = Duration::from_secs(15 * 60);

/// A third of the time after which the service drops a feed that nobody reads.
const KEEP_ALIVE: Duration = Duration::from_secs(10 * 60);

/// How often a state store is tried that takes nothing.
pub(crate) const TRY_AGAIN: Duration = Duration::from_secs(1);

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
    /// The state store takes nothing at the moment.
    WaitingForStore,
    BackingOff,
}

impl Doing {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Doing::LoggingIn => "LOGGING_IN",
            Doing::FindingFeed => "FINDING_FEED",
            Doing::Reading => "READING",
            Doing::WaitingForBot => "WAITING_FOR_BOT",
            Doing::WaitingForStore => "WAITING_FOR_STORE",
            Doing::BackingOff => "BACKING_OFF",
        }
    }
}

/// What the mutex guards.
pub(crate) struct State {
    pub(crate) phase: Phase,
    pub(crate) ledger: Ledger<EventText>,
    /// With `stateDir`. Gone when the feed is closed.
    pub(crate) store: Option<Store>,
    /// The poller's place, if the store does not have it yet.
    pub(crate) mark: Option<Mark>,
    /// The store takes nothing at the moment, and is tried again then.
    pub(crate) try_store_at: Option<Moment>,
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
    /// `stored`: what is in `stateDir`.
    pub(crate) fn new(
        config: &Arc<Config>,
        cutoff: Arc<Cutoff>,
        stored: Option<(Store, Restored<EventText>)>,
    ) -> Shared {
        let limits = Limits {
            max_unacknowledged: config.max_unacknowledged,
            max_remembered: MAX_REMEMBERED,
            visibility_timeout: config.visibility_timeout,
            memory: MEMORY,
            keep_alive: KEEP_ALIVE,
            nack_delay: config.nack_delay,
            max_attempts: config.max_attempts,
            stores: stored.is_some(),
            service_forgets: config.stream.forgets(),
        };
        let mut ledger = Ledger::new(limits);
        let store = stored.map(|(store, restored)| {
            ledger.restore(restored, config.clock.now());
            store
        });
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
                ledger,
                store,
                mark: None,
                try_store_at: None,
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

    /// What somebody has to see to from time to time: the poller does, in whatever it waits. Answers when it wants to look
    /// again.
    pub(crate) fn chores(&self) -> Option<Duration> {
        [self.wake_postponed(), self.save_again()].into_iter().flatten().min()
    }

    /// Tries a state store that takes nothing.
    fn save_again(&self) -> Option<Duration> {
        let mut state = self.lock();
        let (now, at) = (self.clock.now(), state.try_store_at?);
        if now < at {
            return Some(at.since(now));
        }
        (!self.save(&mut state)).then_some(TRY_AGAIN)
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
    pub(crate) fn release_and_wake_poller(&self, mut state: Guard<'_, State>) {
        let wake = state.should_wake_poller(&self.clock);
        let drained = state.ledger.is_drained();
        self.handover.release(state, wake);
        if drained {
            self.handover.given_back();
        }
    }

    /// Writes what has changed to the state store, if there is one. Answers whether everything is there.
    pub(crate) fn save(&self, state: &mut State) -> bool {
        let State {
            store: Some(store),
            ledger,
            mark,
            ..
        } = state
        else {
            return true;
        };
        let changes = ledger.changes();
        if changes.is_empty() && mark.is_none() {
            return true;
        }
        let written = store.write(changes, mark.as_ref());
        if written.is_ok() {
            ledger.changes_are_stored();
            *mark = None;
        }
        self.note_saving(state, written)
    }

    /// Tells in the log when the state store begins and when it ceases to take nothing. Answers whether it took it.
    pub(crate) fn note_saving(&self, state: &mut State, result: Result<(), Error>) -> bool {
        match result {
            Ok(()) => {
                state.try_store_at = None;
                if state.ledger.is_paused() && state.ledger.resume() {
                    self.info("the state store takes changes again; reading goes on", Value::Null);
                }
                true
            }
            Err(error) => {
                self.note_trouble(state, &error);
                state.try_store_at = Some(self.clock.now() + TRY_AGAIN);
                if !state.ledger.is_paused() {
                    self.log.write(Level::Error, error.message(), error.details());
                    state.ledger.pause();
                    // It may be a bot's call that found out.
                    self.nudge_poller(state);
                }
                false
            }
        }
    }

    /// Tells of events that nobody refused: the bot ended with each of them, or was ended.
    pub(crate) fn tell_set_aside(&self, events: u64) {
        if events > 0 {
            let message = "events were handed out maxAttempts times by processes before this one, and are set aside";
            self.log.write(Level::Warn, message, json!({ "events": events }));
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
        self.note_trouble(&mut self.lock(), error);
    }

    pub(crate) fn note_trouble(&self, state: &mut State, error: &Error) {
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
    /// Whether the state store does not have all that it should.
    pub(crate) fn is_behind(&self) -> bool {
        self.ledger.is_paused() || self.ledger.has_staged()
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Whether the poller sleeps and now has something to read for. Once: after that it counts as reading.
    pub(crate) fn should_wake_poller(&mut self, time: impl Time) -> bool {
        let wake = self.watch.doing == Doing::WaitingForBot && self.ledger.wants_read(time);
        if wake {
            self.watch.doing = Doing::Reading;
        }
        wake
    }
}
