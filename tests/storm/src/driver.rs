//! One row from beginning to end: bots are started, events published, things go wrong; then everything calms down, the
//! bots get what is left, and the judge looks at the books.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::account::{Account, Counts};
use crate::event::wall;
use crate::instance::{Instance, Place, Sightings};
use crate::judge::{self, Verdict};
use crate::row::{Row, Version};
use crate::schedule::{self, Mishap, Size};
use crate::service::{Service, VISIBILITY, wait};

/// How long the end may take.
const SETTLE: Duration = Duration::from_secs(180);
/// When nothing has happened for so long, nothing will: longer than the service hides an event, and a bot holds one.
const QUIET: Duration = Duration::from_secs(VISIBILITY.as_secs() * 2 + 4);
/// How many events are published while the bots have just made their feeds. Nothing goes wrong yet: a bot that is killed
/// before it has written down which feed it made has never had it.
const FIRST: u32 = 20;
/// More than a feed of Datafeed 1 holds.
const FLOOD: u32 = 260;

/// Where and how a row is run.
#[derive(Clone, Debug)]
pub struct Run {
    pub row: Row,
    pub size: Size,
    pub seed: u64,
    /// The executable of the bot.
    pub bot: PathBuf,
    /// Where the bots keep their files. It is there, and empty.
    pub folder: PathBuf,
}

/// What came of a row.
#[derive(Clone, Debug)]
pub struct Report {
    pub row: Row,
    /// Each counted once for everybody who had to get it.
    pub published: u64,
    pub verdict: Verdict,
    pub counts: Counts,
    /// Of all instances together; of memory and state, the most of one.
    pub seen: Sightings,
    /// Things that went wrong, kills included.
    pub faults: u64,
    pub seconds: u64,
    /// What made the run worthless. Then nothing else counts.
    pub broken: Option<String>,
}

impl Report {
    /// Whether everything was as promised.
    pub fn holds(&self) -> bool {
        self.broken.is_none() && self.verdict.lost == 0 && self.counts.repeated == 0 && self.seen.wrong.is_empty()
    }
}

struct Storm {
    run: Run,
    service: Service,
    instances: Vec<Instance>,
    places: Vec<Place>,
    /// What went wrong when.
    journal: File,
    faults: u64,
}

impl Run {
    /// Runs it.
    ///
    /// # Errors
    /// When a file, a port or a process is not to be had.
    pub fn run(self) -> io::Result<Report> {
        let started = Instant::now();
        let mut rng = fastrand::Rng::with_seed(self.seed);
        let schedule = schedule::draw(self.row, self.size, &mut rng);
        let mut storm = Storm::start(self)?;
        let broken = storm.rage(schedule, &mut rng).and_then(|()| storm.settle()).err();
        let mut report = storm.end()?;
        report.broken = broken;
        report.seconds = started.elapsed().as_secs();
        Ok(report)
    }
}

impl Storm {
    fn start(run: Run) -> io::Result<Storm> {
        let service = Service::start(run.row, run.seed)?;
        let mut storm = Storm {
            journal: File::create(run.folder.join("journal"))?,
            run,
            service,
            instances: Vec::new(),
            places: Vec::new(),
            faults: 0,
        };
        for number in 0..storm.run.row.instances {
            let place = Place {
                executable: storm.run.bot.canonicalize()?,
                folder: storm.run.folder.join(number.to_string()),
                seed: storm.run.seed,
            };
            fs::create_dir_all(&place.folder)?;
            fs::write(place.config(), storm.service.config(&place.folder).to_string())?;
            storm.instances.push(Instance::start(place.clone())?);
            storm.places.push(place);
        }
        Ok(storm)
    }

    fn rage(&mut self, mut schedule: VecDeque<(u32, Mishap)>, rng: &mut fastrand::Rng) -> Result<(), String> {
        let feeds = match self.run.row.version {
            Version::V1 => self.run.row.instances,
            Version::V2 => 1,
        };
        self.service.wait_for_feeds(feeds)?;
        // What comes before the first read is in the feed, too.
        self.service.publish(FIRST);
        self.service.wait_for_reads(feeds)?;
        while self.service.count() < self.run.size.events {
            while let Some((at, mishap)) = schedule.pop_front() {
                if at > self.service.count() {
                    schedule.push_front((at, mishap));
                    break;
                }
                self.strike(mishap).map_err(|error| error.to_string())?;
            }
            self.service.wait_for_room()?;
            if self.instances.iter().any(Instance::has_ended) {
                return Err("a bot has ended as it must not".into());
            }
            let left = self.run.size.events - self.service.count();
            self.service.publish(rng.u32(1..=40).min(left));
        }
        Ok(())
    }

    fn strike(&mut self, mishap: Mishap) -> io::Result<()> {
        writeln!(self.journal, "{} {} {mishap:?}", wall(), self.service.count())?;
        let mut struck = true;
        match mishap {
            Mishap::Kill { instance, after } => self.instances[instance].kill(after),
            Mishap::Stop { instance } => self.instances[instance].stop(),
            Mishap::Damage { agent, damage } => self.service.damage(agent, damage),
            Mishap::Answer(fault) => self.service.emulator.fault(fault),
            Mishap::ExpireSessions => self.service.emulator.expire_sessions(),
            Mishap::RestartAgent { agent, down, forget } => self.service.emulator.restart_agent(agent, down, forget),
            Mishap::Jump(by) => struck = self.service.jump(by),
            Mishap::Flood => self.service.publish(FLOOD),
        }
        self.faults += u64::from(struck);
        Ok(())
    }

    /// Waits until everything is accounted for, or nothing happens any more.
    fn settle(&mut self) -> Result<(), String> {
        self.faults -= self.service.calm();
        let mut accounts = self.accounts().map_err(|error| error.to_string())?;
        let mut latest = Instant::now();
        let mut broken = None;
        let settled = wait(SETTLE, || {
            for account in &mut accounts {
                match account.read_on() {
                    Ok(true) => latest = Instant::now(),
                    Ok(false) => (),
                    Err(error) => broken = Some(error.to_string()),
                }
            }
            broken.is_some() || self.service.is_empty() && latest.elapsed() >= QUIET
        });
        match broken {
            Some(error) => Err(error),
            None if settled => Ok(()),
            None => Err(format!("it never became quiet: {:?}", self.service.emulator.books())),
        }
    }

    fn end(self) -> io::Result<Report> {
        let mut seen = Sightings::default();
        let mut feeds = Vec::new();
        let mut accounts = self.accounts()?;
        for instance in self.instances {
            let this = instance.end();
            seen.kills += this.kills;
            seen.gave_up += this.gave_up;
            seen.wrong.extend(this.wrong);
            seen.memory = seen.memory.max(this.memory);
            seen.state = seen.state.max(this.state);
            feeds.push(this.feeds);
        }
        let mut counts = Counts::default();
        for account in &mut accounts {
            account.read_on()?;
            counts.took += account.counts.took;
            counts.repeated += account.counts.repeated;
            counts.not_stored += account.counts.not_stored;
        }
        let evidence = self.service.evidence(&feeds);
        let verdict = judge::judge(self.run.row.promise(), &evidence, &accounts);
        Ok(Report {
            row: self.run.row,
            published: verdict.all(),
            verdict,
            counts,
            seen,
            faults: self.faults,
            seconds: 0,
            broken: None,
        })
    }

    fn accounts(&self) -> io::Result<Vec<Account>> {
        let memory = self.run.row.promise().memory;
        let books = |place: &Place| Account::open(&place.books(), memory);
        self.places.iter().map(books).collect()
    }
}

/// A folder for a row, empty.
///
/// # Errors
/// When it cannot be made.
pub fn fresh_folder(under: &Path, row: Row) -> io::Result<PathBuf> {
    let name = row.to_string().replace(", ", "-").replace(' ', "-");
    let folder = under.join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    // A bot's own paths count from the folder of its configuration.
    folder.canonicalize()
}
