//! The feed as the bot sees it: take an event, give it back, stop.

mod closing;
mod event;
mod leading;
mod letters;
mod opening;
mod refusals;
mod renewal;
mod stats;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};

use crate::batch::EventText;
use crate::config::Config;
use crate::error::Error;
use crate::ledger::{HandedOut, NotHeld, Refused};
use crate::log::{Level, LogLine, NoLine};
use crate::poller::Poller;
use crate::protocol::CommonJwt;
use crate::shared::{Phase, Shared, State};
use crate::sync::{Desk, Look, NotTaken};

pub use event::Event;
pub use refusals::{AlreadyClosed, NoEvent, NoLetter, NoSession, NotAcknowledged, NotDrained};

/// A datafeed: a thread that polls Symphony, and the calls to receive from it.
///
/// All methods may be called from any thread. A clone is the same feed; when the last one is dropped the feed is
/// closed. The [crate's page](crate) shows the loop of a bot.
#[derive(Clone)]
pub struct Datafeed {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    /// Where the poller lies while its thread is idle.
    desk: Arc<Desk<Box<Poller>>>,
    /// The process that has the thread.
    process: u32,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Datafeed {
    /// Starts the feed's thread. It does not wait for the network: what goes wrong there is retried, or told by
    /// [`NoEvent::Failed`].
    ///
    /// # Errors
    ///
    /// [`Code::Internal`](crate::Code::Internal) when the process has no thread or descriptor left. With Datafeed 1, also
    /// [`Code::FeedInUse`](crate::Code::FeedInUse) when another feed has the file of its id, and
    /// [`Code::FileInvalid`](crate::Code::FileInvalid) when that cannot be written. With `stateDir`,
    /// [`Code::StateInUse`](crate::Code::StateInUse) when another feed has the folder, and
    /// [`Code::StateUnavailable`](crate::Code::StateUnavailable) when it cannot be used.
    pub fn open(config: Config) -> Result<Datafeed, Error> {
        opening::open(config)
    }

    fn shared(&self) -> &Shared {
        &self.inner.shared
    }

    /// Waits for the next event; `None` waits for ever, zero does not wait.
    ///
    /// The event is the bot's until [`ack`](Datafeed::ack) or [`nack`](Datafeed::nack), however long that takes. Any number
    /// of threads may wait; each event goes to one of them.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use datafeed::{Config, Datafeed, NoEvent};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = datafeed_emulator::Emulator::start(Default::default())?;
    /// let feed = Datafeed::open(Config::parse(&emulator.config().to_string())?)?;
    /// let nothing = feed.next_event(Some(Duration::from_millis(10)));
    /// assert_eq!(nothing.unwrap_err(), NoEvent::Timeout);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Everything that is no event; see [`NoEvent`].
    pub fn next_event(&self, timeout: Option<Duration>) -> Result<Event, NoEvent> {
        let out = self.next_event_as(timeout, EventText::clone)?;
        Ok(Event {
            delivery: out.delivery,
            attempt: out.attempt,
            text: out.event,
        })
    }

    /// The same, and `lend` says what the event is handed out as.
    pub(crate) fn next_event_as<T>(
        &self,
        timeout: Option<Duration>,
        lend: impl Fn(&EventText) -> T,
    ) -> Result<HandedOut<T>, NoEvent> {
        let shared = self.shared();
        if !shared.implicit_ack {
            return self.wait_for_event(timeout, lend);
        }
        let asking = {
            let mut state = shared.lock();
            if state.asking {
                return Err(NoEvent::SecondConsumer);
            }
            if state.is_closed() {
                if let Some(kept) = state.implied.take() {
                    state.ledger.release(kept);
                }
                return Err(NoEvent::Closed);
            }
            state.asking = true;
            let asking = Asking(shared);
            if let Some(done) = state.implied.take() {
                // The bot may have acknowledged or refused it itself.
                let _ = state.ledger.ack(done, &shared.clock);
                shared.save(&mut state);
                shared.release_and_wake_poller(state);
            }
            asking
        };
        let result = self.wait_for_event(timeout, lend);
        shared.lock().implied = result.as_ref().ok().map(|out| out.delivery);
        drop(asking);
        result
    }

    fn wait_for_event<T>(
        &self,
        timeout: Option<Duration>,
        lend: impl Fn(&EventText) -> T,
    ) -> Result<HandedOut<T>, NoEvent> {
        let shared = self.shared();
        let look = |state: &mut State| {
            if let Some(out) = state.ledger.take(&shared.clock, &lend) {
                // With `maxAttempts`, how often it was tried.
                shared.save(state);
                return Look::Took(Ok(out));
            }
            if let Phase::Failed(error) = &state.phase
                && state.ledger.postponed() == 0
            {
                return Look::Took(Err(NoEvent::Failed(error.clone())));
            }
            let now = shared.clock.now();
            Look::Nothing {
                look_again: state.ledger.next_due().map(|due| due.since(now)),
                may_lead: leading::is_possible(shared, state, now),
                wake_poller: state.should_wake_poller(now),
            }
        };
        let lead = |ticket, until| leading::lead(&self.inner, ticket, until);
        shared.handover.take(timeout, look, lead).unwrap_or_else(|not_taken| {
            Err(match not_taken {
                NotTaken::Timeout => NoEvent::Timeout,
                NotTaken::Interrupted => NoEvent::Interrupted,
                NotTaken::Closed => NoEvent::Closed,
            })
        })
    }

    /// The bot is done with the event: it is never handed out again by this process.
    ///
    /// # Errors
    ///
    /// See [`NotAcknowledged`].
    pub fn ack(&self, delivery: u64) -> Result<(), NotAcknowledged> {
        let shared = self.shared();
        let mut state = shared.lock();
        if state.is_closed() {
            return Err(release(&mut state, delivery));
        }
        state.ledger.ack(delivery, &shared.clock).map_err(unknown)?;
        let stored = shared.save(&mut state);
        shared.release_and_wake_poller(state);
        if stored {
            Ok(())
        } else {
            Err(NotAcknowledged::NotStored)
        }
    }

    /// The bot is not done with the event: it alone is handed out again, after `nackDelay`, under a new number.
    ///
    /// ```
    /// # use datafeed::{Config, Datafeed};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = datafeed_emulator::Emulator::start(Default::default())?;
    /// # let feed = Datafeed::open(Config::parse(&emulator.config().to_string())?)?;
    /// # emulator.create_feed(None);
    /// # emulator.publish([r#"{"type":"MESSAGESENT"}"#]);
    /// let event = feed.next_event(None)?;
    /// feed.nack(event.delivery())?;
    /// let again = feed.next_event(None)?;
    /// assert_eq!((again.json(), again.attempt()), (event.json(), 2));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// See [`NotAcknowledged`].
    pub fn nack(&self, delivery: u64) -> Result<(), NotAcknowledged> {
        let shared = self.shared();
        let mut state = shared.lock();
        if state.is_closed() {
            return Err(release(&mut state, delivery));
        }
        let now = shared.clock.now();
        let refused = state.ledger.nack(delivery, now).map_err(unknown)?;
        let stored = shared.save(&mut state);
        if state.ledger.is_drained() {
            shared.handover.given_back();
        }
        // Whoever waits has a new time to look at.
        if shared.handover.has_fd() {
            shared.nudge_poller(&state);
        }
        // What is set aside is acknowledged to the service.
        let wake_poller = state.should_wake_poller(now);
        shared.handover.announce(state, usize::MAX);
        if wake_poller {
            shared.handover.wake_poller();
        }
        if refused == Refused::ComesAgain {
            return Ok(());
        }
        let message = "an event was refused maxAttempts times, and is set aside";
        shared.log.write(Level::Warn, message, json!({"delivery": delivery}));
        if stored {
            Ok(())
        } else {
            Err(NotAcknowledged::NotStored)
        }
    }

    /// How often the held event has been handed out, this time included.
    ///
    /// # Errors
    ///
    /// See [`NotAcknowledged`].
    pub fn attempt(&self, delivery: u64) -> Result<u32, NotAcknowledged> {
        self.shared().lock().ledger.attempt(delivery).map_err(unknown)
    }

    /// The bot has a copy of the held event's text, so the feed need not keep it beyond its end.
    pub(crate) fn copied(&self, delivery: u64) -> Result<(), NotAcknowledged> {
        let mut state = self.shared().lock();
        if state.is_closed() {
            return Err(release(&mut state, delivery));
        }
        state.ledger.copied(delivery).map_err(unknown)
    }

    /// Wakes every thread that waits in [`next_event`](Datafeed::next_event); if none does, the next call returns at
    /// once. Makes [`event_fd`](Datafeed::event_fd) readable until a call has returned so. Takes no lock and allocates nothing.
    pub fn interrupt(&self) {
        self.shared().handover.interrupt();
    }

    /// A descriptor that is readable while an event or the end is waiting; it may be readable once too often. It
    /// belongs to the feed and is made on first request.
    ///
    /// # Errors
    ///
    /// When the process has no descriptor left.
    pub fn event_fd(&self) -> std::io::Result<std::os::fd::BorrowedFd<'_>> {
        use std::os::fd::AsFd;
        let shared = self.shared();
        let fd = shared.handover.fd()?;
        // From now on the poller looks after refused events.
        shared.nudge_poller(&shared.lock());
        Ok(fd.as_fd())
    }

    /// The final error, or else the latest trouble, or nothing if there never was any. Also after close.
    pub fn error(&self) -> Option<Error> {
        let state = self.shared().lock();
        match &state.phase {
            Phase::Failed(error) => Some(error.clone()),
            _ => state.watch.latest_trouble.as_ref().map(|(_, error)| error.clone()),
        }
    }

    /// What the feed is doing and has done, as an object; see the header's `datafeed_stats` for its members.
    pub fn stats(&self) -> Value {
        stats::stats(self.shared())
    }

    /// What a bot needs to call Symphony's other endpoints itself: base URLs and the current tokens.
    ///
    /// The tokens are null until the login succeeded. `keyManagerToken` stays null where the agent delivers keys to the
    /// session alone, and `authorizationToken` (`Bearer ...`, the common JWT) if `commonJwt.enabled` is not set. These are
    /// secrets. `userId` is the bot's own id, or null while it is not known. `examples/rust/echo.rs` answers messages.
    ///
    /// ```
    /// # use datafeed::{Config, Datafeed};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = datafeed_emulator::Emulator::start(Default::default())?;
    /// # let feed = Datafeed::open(Config::parse(&emulator.config().to_string())?)?;
    /// # while feed.session()?["sessionToken"].is_null() { std::thread::yield_now() }
    /// let session = feed.session()?;
    /// let url = format!("{}/agent/v1/info", session["agentUrl"].as_str().unwrap_or_default());
    /// let token = session["sessionToken"].as_str().ok_or("not logged in yet")?;
    /// # assert!(url.starts_with("http") && !token.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the feed is closed.
    pub fn session(&self) -> Result<Value, AlreadyClosed> {
        let shared = self.shared();
        let state = shared.lock();
        if state.is_closed() {
            return Err(AlreadyClosed);
        }
        let account = shared.session.account();
        let said = account.as_ref().and_then(|account| account.username.clone());
        let tokens = shared.session.tokens();
        let tokens = tokens.as_ref();
        let jwt = tokens.and_then(|tokens| tokens.common_jwt.as_ref());
        Ok(json!({
            "podUrl": shared.urls.pod,
            "agentUrl": state.watch.agent_url,
            "keyManagerUrl": shared.urls.key_manager,
            "username": shared.username.as_ref().or(said.as_ref()),
            "userId": account.as_ref().and_then(|account| account.id),
            "sessionToken": tokens.map(|tokens| tokens.session.as_str()),
            "keyManagerToken": tokens.and_then(|tokens| tokens.key_manager.as_deref()),
            "authorizationToken": jwt.map(CommonJwt::bearer),
        }))
    }

    /// For a bot whose own request was answered 401: waits until the session is another one than that of the refused
    /// token, and answers it as [`session`](Datafeed::session) does. `None` waits for ever, zero does not wait.
    ///
    /// Logs in on the calling thread, unless another one does already or has done, so that events go on meanwhile. Any of
    /// the session's tokens will do, with or without `Bearer`. Failures are retried until the time is over.
    ///
    /// # Errors
    ///
    /// See [`NoSession`].
    pub fn renew_session(&self, refused_token: &str, timeout: Option<Duration>) -> Result<Value, NoSession> {
        renewal::renew(self.shared(), refused_token, timeout)?;
        self.session().map_err(|AlreadyClosed| NoSession::Closed)
    }

    /// Waits for the next line of the log; `None` waits for ever, zero does not wait. The last 1000 lines are kept.
    ///
    /// # Errors
    ///
    /// See [`NoLine`].
    pub fn next_log(&self, timeout: Option<Duration>) -> Result<LogLine, NoLine> {
        self.shared().log.next(timeout)
    }

    /// A call panicked.
    pub(crate) fn fail_after_panic(&self) {
        self.shared().fail_after_panic("a call into the library");
    }

    #[cfg(feature = "internals")]
    pub(crate) fn advance_clock(&self, by: Duration) {
        let shared = self.shared();
        shared.clock.advance(by);
        shared.nudge_poller(&shared.lock());
        shared.handover.announce(shared.lock(), usize::MAX);
    }

    /// Stops the feed. Blocked calls return at once.
    ///
    /// Acknowledgements of completed batches that no read has carried yet are written first, for at most
    /// `closeTimeout`. Events that the bot holds stay readable until they are given back.
    ///
    /// # Errors
    ///
    /// [`AlreadyClosed`], which does no harm.
    pub fn close(&self) -> Result<(), AlreadyClosed> {
        closing::close(&self.inner)
    }

    /// A graceful end: hands out nothing more, waits until every event in the bot's hands is acknowledged or refused, and
    /// [closes](Datafeed::close). `None` waits for ever, zero does not wait; closed it is in any case.
    ///
    /// Calls that wait in [`next_event`](Datafeed::next_event) return [`NoEvent::Closed`] at once, everything else goes on
    /// until the end. With Datafeed 1 and without `stateDir`, events that were received already are still handed out first,
    /// since nobody else has them.
    ///
    /// ```
    /// # use std::{thread, time::Duration};
    /// # use datafeed::{Config, Datafeed};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let emulator = datafeed_emulator::Emulator::start(Default::default())?;
    /// # let feed = Datafeed::open(Config::parse(&emulator.config().to_string())?)?;
    /// # emulator.create_feed(None);
    /// # emulator.publish((0..9).map(|number| format!(r#"{{"id":"{number}"}}"#)));
    /// # fn handle(_event: &datafeed::Event) {}
    /// thread::scope(|scope| {
    ///     for _ in 0..4 {
    ///         scope.spawn(|| {
    ///             while let Ok(event) = feed.next_event(None) {
    ///                 handle(&event);
    ///                 let _ = feed.ack(event.delivery());
    ///             }
    ///         });
    ///     }
    ///     // On SIGTERM: the workers finish what they are at, and their loops end.
    ///     feed.drain(Some(Duration::from_secs(10)))
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// See [`NotDrained`].
    pub fn drain(&self, timeout: Option<Duration>) -> Result<(), NotDrained> {
        closing::drain(&self.inner, timeout)
    }
}

/// With implicit acknowledgement: a call is going on.
struct Asking<'a>(&'a Shared);

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.lock().asking = false;
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // After a fork the thread, and perhaps the lock, is another process's.
        if self.process == std::process::id() {
            let _ = closing::close(self);
        }
    }
}

impl fmt::Debug for Datafeed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Datafeed")
            .field("pod", &self.shared().urls.pod)
            .finish_non_exhaustive()
    }
}

fn unknown(_: NotHeld) -> NotAcknowledged {
    NotAcknowledged::UnknownDelivery
}

/// After close an acknowledgement has no effect but to release the event's text.
fn release(state: &mut State, delivery: u64) -> NotAcknowledged {
    state.ledger.release(delivery);
    NotAcknowledged::Closed
}
