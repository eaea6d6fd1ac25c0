//! The bot: it acknowledges some events at once, refuses some, holds some, and writes down what comes of each call.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use datafeed::{Config, Datafeed, Event, NoEvent, NotAcknowledged, NotDrained};

use crate::books::{Books, Line, What};
use crate::event;

/// With which status the process ends.
pub mod exit {
    /// It was told to stop.
    pub const STOPPED: u8 = 0;
    /// The feed has FAILED: it is for whoever looks after the bot to start it again.
    pub const GAVE_UP: u8 = 3;
    /// What must not happen.
    pub const WRONG: u8 = 4;
}

/// How many events are held at once.
const HELD: usize = 200;
/// How long the feed may take to end.
const DRAIN: Duration = Duration::from_secs(30);

struct Bot {
    feed: Datafeed,
    books: Books,
    seed: u64,
    /// It was told to stop.
    stopping: Arc<AtomicBool>,
    /// By the time at which they are to be acknowledged.
    held: VecDeque<Held>,
}

struct Held {
    until: Instant,
    delivery: u64,
    what: What,
}

/// What to do with an event.
enum Plan {
    Acknowledge,
    Refuse,
    Hold(Duration),
}

/// Receives until its standard input ends, as the process of this number in its line. With which status it does.
///
/// # Errors
/// When the configuration does not work, or something happens that must not.
pub fn run(config: &str, books: &Path, seed: u64, process: u32) -> Result<u8, Box<dyn std::error::Error>> {
    let mut books = Books::open(books)?;
    books.write(&Line::Started {
        process,
        at: event::wall(),
    })?;
    let feed = Datafeed::open(Config::parse(config)?)?;
    let stopping = Arc::new(AtomicBool::new(false));
    let drain = drain_at_end_of_input(&feed, &stopping);
    let mut bot = Bot {
        feed,
        books,
        seed,
        stopping,
        held: VecDeque::new(),
    };
    loop {
        bot.settle_due()?;
        match bot.feed.next_event(Some(bot.patience())) {
            Ok(event) => bot.receive(&event)?,
            Err(NoEvent::Timeout | NoEvent::Interrupted) => (),
            Err(NoEvent::Closed) if bot.is_stopping() => break,
            Err(NoEvent::Failed(error)) => {
                eprintln!("the feed has failed: {error}");
                return Ok(exit::GAVE_UP);
            }
            Err(other) => return Err(other.into()),
        }
    }
    bot.settle_due()?;
    drain.join().map_err(|_| "the drain has panicked")??;
    Ok(exit::STOPPED)
}

/// The bot goes on meanwhile: it may hold events, and Datafeed 1 hands out what it has until nothing is left.
fn drain_at_end_of_input(feed: &Datafeed, stopping: &Arc<AtomicBool>) -> JoinHandle<Result<(), NotDrained>> {
    let (feed, stopping) = (feed.clone(), Arc::clone(stopping));
    thread::spawn(move || {
        // However it ends, there is nobody left to listen to.
        let _ = io::stdin().read_to_end(&mut Vec::new());
        stopping.store(true, Ordering::Release);
        feed.interrupt();
        feed.drain(Some(DRAIN))
    })
}

impl Bot {
    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    fn patience(&self) -> Duration {
        let due = self.held.front().map(|held| held.until);
        due.map_or(Duration::from_secs(1), |due| {
            due.saturating_duration_since(Instant::now())
        })
    }

    fn receive(&mut self, event: &Event) -> Result<(), Box<dyn std::error::Error>> {
        let what = event::recognise(event.json())?;
        self.books.write(&Line::Took(what.clone()))?;
        match self.plan(&what, event.attempt()) {
            Plan::Acknowledge => self.acknowledge(event.delivery(), what),
            Plan::Hold(time) => {
                self.hold(Instant::now() + time, event.delivery(), what);
                Ok(())
            }
            Plan::Refuse => {
                self.feed.nack(event.delivery())?;
                Ok(self.books.write(&Line::Refused(what))?)
            }
        }
    }

    /// The same for an event whoever gets it, so that it depends on the seed alone.
    fn plan(&self, what: &What, attempt: u32) -> Plan {
        let What::Event(number) = *what else {
            return Plan::Acknowledge;
        };
        if self.is_stopping() {
            return Plan::Acknowledge;
        }
        let mut rng = fastrand::Rng::with_seed(self.seed ^ u64::from(number) << 8 ^ u64::from(attempt));
        match rng.u32(..1000) {
            0..30 if attempt < 4 => Plan::Refuse,
            30..80 if self.held.len() < HELD => Plan::Hold(Duration::from_millis(rng.u64(..300))),
            // Longer than the service waits for an acknowledgement.
            80..82 if self.held.len() < HELD => Plan::Hold(Duration::from_secs(7)),
            _ => Plan::Acknowledge,
        }
    }

    fn hold(&mut self, until: Instant, delivery: u64, what: What) {
        let place = self.held.partition_point(|held| held.until <= until);
        self.held.insert(place, Held { until, delivery, what });
    }

    /// Acknowledges what was held for long enough; everything, when the bot is to stop.
    fn settle_due(&mut self) -> Result<(), Box<dyn std::error::Error>> {
        let (now, all) = (Instant::now(), self.is_stopping());
        while self.held.front().is_some_and(|held| all || held.until <= now)
            && let Some(held) = self.held.pop_front()
        {
            self.acknowledge(held.delivery, held.what)?;
        }
        Ok(())
    }

    fn acknowledge(&mut self, delivery: u64, what: What) -> Result<(), Box<dyn std::error::Error>> {
        self.books.write(&Line::Acknowledging(what.clone()))?;
        match self.feed.ack(delivery) {
            Ok(()) => self.books.write(&Line::Acknowledged(what))?,
            Err(NotAcknowledged::NotStored) => self.books.write(&Line::NotStored(what))?,
            Err(wrong @ (NotAcknowledged::UnknownDelivery | NotAcknowledged::Closed)) => return Err(wrong.into()),
        }
        Ok(())
    }
}
