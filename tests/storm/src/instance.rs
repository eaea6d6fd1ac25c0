//! One bot, which is killed and started again: a line of processes, each the successor of the one before.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::bot::exit;
use crate::service::{id_file, wait};

/// How often to look at a process.
const SAMPLE: Duration = Duration::from_millis(100);
/// Within which time a bot that is told to stop has to.
const STOP: Duration = Duration::from_secs(60);

/// The environment variable that tells a process its number among those of its line, from 1.
pub const PROCESS: &str = "STORM_PROCESS";

/// Where a bot is, and how it is started.
#[derive(Clone, Debug)]
pub struct Place {
    pub executable: PathBuf,
    pub folder: PathBuf,
    pub seed: u64,
}

/// What was seen of a line of processes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sightings {
    pub kills: u64,
    /// Processes that ended by themselves because their feed FAILED.
    pub gave_up: u64,
    /// What must not happen.
    pub wrong: Vec<String>,
    /// The most resident memory of a process, in bytes.
    pub memory: u64,
    /// The most that was in its `stateDir`, in bytes.
    pub state: u64,
    /// The feeds of Datafeed 1 that it has read.
    pub feeds: BTreeSet<String>,
}

enum Order {
    Kill { after: Duration },
    Stop,
    End,
}

/// A line of processes, looked after by a thread.
#[derive(Debug)]
pub struct Instance {
    orders: mpsc::Sender<Order>,
    thread: JoinHandle<io::Result<Sightings>>,
}

impl Place {
    pub fn books(&self) -> PathBuf {
        self.folder.join("books")
    }

    pub fn config(&self) -> PathBuf {
        self.folder.join("config.json")
    }

    /// What its processes say on stderr.
    pub fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn start(&self, number: u32) -> io::Result<Child> {
        let log = OpenOptions::new().create(true).append(true).open(self.log())?;
        Command::new(&self.executable)
            .args([self.config(), self.books()])
            .arg(self.seed.to_string())
            .env("DATAFEED_LOG", "warn")
            .env(PROCESS, number.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
    }
}

impl Instance {
    /// Starts the first process. Its folder and its configuration are there.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn start(place: Place) -> io::Result<Instance> {
        File::create(place.books())?;
        let (orders, ordered) = mpsc::channel();
        let thread = std::thread::spawn(move || look_after(&place, &ordered));
        Ok(Instance { orders, thread })
    }

    /// Kills the process, so much later, and starts its successor.
    pub fn kill(&self, after: Duration) {
        self.order(Order::Kill { after });
    }

    /// Lets the process end in good order, and starts its successor.
    pub fn stop(&self) {
        self.order(Order::Stop);
    }

    /// Whether something has happened that must not, so that no process is left.
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Ends the line in good order.
    pub fn end(self) -> Sightings {
        self.order(Order::End);
        let wrong = |what: String| Sightings {
            wrong: vec![what],
            ..Sightings::default()
        };
        match self.thread.join() {
            Ok(Ok(sightings)) => sightings,
            Ok(Err(error)) => wrong(format!("the bot cannot be looked after: {error}")),
            Err(_) => wrong("who looks after the bot has panicked".into()),
        }
    }

    fn order(&self, order: Order) {
        // Who does not listen any more tells why at the end.
        let _ = self.orders.send(order);
    }
}

fn look_after(place: &Place, orders: &mpsc::Receiver<Order>) -> io::Result<Sightings> {
    let mut seen = Sightings::default();
    let mut number = 0;
    loop {
        number += 1;
        let mut process = Process(place.start(number)?);
        let last = loop {
            seen.look(process.0.id(), place);
            match orders.recv_timeout(SAMPLE) {
                Ok(Order::Kill { after }) => {
                    std::thread::sleep(after);
                    seen.look(process.0.id(), place);
                    process.0.kill()?;
                    seen.killed(process.0.wait()?);
                    break false;
                }
                Ok(Order::Stop) => {
                    seen.stopped(process.stop()?);
                    break false;
                }
                Ok(Order::End) | Err(RecvTimeoutError::Disconnected) => {
                    seen.stopped(process.stop()?);
                    break true;
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(status) = process.0.try_wait()? {
                        seen.ended(status);
                        break false;
                    }
                }
            }
        };
        if last || !seen.wrong.is_empty() {
            return Ok(seen);
        }
    }
}

/// A process that does not outlive its instance.
struct Process(Child);

impl Process {
    /// `None`: it did not end in time.
    fn stop(&mut self) -> io::Result<Option<ExitStatus>> {
        drop(self.0.stdin.take());
        let mut status = None;
        wait(STOP, || {
            status = self.0.try_wait().ok().flatten();
            status.is_some()
        });
        Ok(status)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already, unless something went wrong.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Sightings {
    fn killed(&mut self, status: ExitStatus) {
        match status.signal() {
            Some(_) => self.kills += 1,
            None => self.ended(status),
        }
    }

    fn stopped(&mut self, status: Option<ExitStatus>) {
        match status {
            Some(status) if status.code() == Some(i32::from(exit::STOPPED)) => (),
            Some(status) => self.ended(status),
            None => self.wrong.push("a bot that was told to stop did not".into()),
        }
    }

    /// By itself.
    fn ended(&mut self, status: ExitStatus) {
        match status.code() {
            Some(code) if code == i32::from(exit::GAVE_UP) => self.gave_up += 1,
            _ => self.wrong.push(format!("a bot ended with {status}")),
        }
    }

    fn look(&mut self, process: u32, place: &Place) {
        let folder = &place.folder;
        self.memory = self.memory.max(memory(process, &place.executable).unwrap_or_default());
        self.state = self.state.max(size(&folder.join("state")));
        let kept = fs::read_to_string(id_file(folder)).unwrap_or_default();
        if let Some((id, _)) = kept.split_once('@') {
            self.feeds.insert(id.to_owned());
        }
    }
}

/// The most resident memory that a process ever had, in bytes. `None` when it has ended, or only begins: a child has its
/// parent's memory until it runs what it was made for.
fn memory(process: u32, executable: &Path) -> Option<u64> {
    if fs::read_link(format!("/proc/{process}/exe")).ok()? != executable {
        return None;
    }
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// Of all files in a folder, in bytes.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&entry.path()),
            Ok(metadata) => metadata.len(),
            // It was there a moment ago.
            Err(_) => 0,
        })
        .sum()
}
