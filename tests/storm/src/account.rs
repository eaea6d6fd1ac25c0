//! The books of one line of processes, each the successor of the one before, as the judge reads them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use crate::books::{Line, What};
use crate::row::Memory;

/// What the line of processes has done so far.
#[derive(Debug)]
pub struct Account {
    file: BufReader<File>,
    /// The beginning of a line whose end is not written yet.
    partial: String,
    memory: Memory,
    /// By number. What is not there was never handed out.
    events: Vec<Event>,
    gaps: Vec<Gap>,
    /// By the gap's id: which process acknowledged it.
    acknowledged_gaps: HashMap<String, u32>,
    processes: Vec<Process>,
    /// What the process that writes is about to acknowledge.
    acknowledging: Option<What>,
    pub counts: Counts,
}

/// Sums over everything that was handed out, gaps included where they are not named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events, as often as they were handed out.
    pub took: u64,
    /// Handed out again although it was acknowledged, and the promise is to remember that.
    pub repeated: u64,
    /// Acknowledgements that were taken and not stored.
    pub not_stored: u64,
}

/// What became of one event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The processes that were the first and the last to get it, from 1; 0: none.
    pub first_took: u32,
    pub last_took: u32,
    /// The process that acknowledged it, from 1; 0: none.
    pub acknowledged: u32,
    /// A process was killed while it called for the acknowledgement, or that was taken and not stored.
    pub in_doubt: bool,
}

/// A gap that was handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// `None`: before the process began, and nobody knows when.
    pub from: Option<u64>,
    pub to: u64,
    /// The process that got it, from 1.
    pub process: u32,
    pub acknowledged: bool,
}

/// One process of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number among those of its line that were started.
    pub number: u32,
    /// When it began, in milliseconds since 1970.
    pub started: u64,
    /// The highest number that it got, from 1; 0: none.
    pub highest: u32,
}

impl Account {
    /// Of the books in this file. Nothing is read yet.
    ///
    /// # Errors
    /// When the file is not there.
    pub fn open(books: &Path, memory: Memory) -> io::Result<Account> {
        Ok(Account {
            file: BufReader::new(File::open(books)?),
            partial: String::new(),
            memory,
            events: Vec::new(),
            gaps: Vec::new(),
            acknowledged_gaps: HashMap::new(),
            processes: Vec::new(),
            acknowledging: None,
            counts: Counts::default(),
        })
    }

    /// Reads what was written since. Whether there was anything.
    ///
    /// # Errors
    /// When the file cannot be read, or holds what no bot writes.
    pub fn read_on(&mut self) -> io::Result<bool> {
        let mut any = false;
        loop {
            self.file.read_line(&mut self.partial)?;
            let Some(line) = self.partial.strip_suffix('\n') else {
                return Ok(any);
            };
            let line = line.parse().map_err(io::Error::other)?;
            self.partial.clear();
            self.enter(line);
            any = true;
        }
    }

    /// What became of the event of this number.
    pub fn event(&self, number: u32) -> Event {
        self.events.get(number as usize).copied().unwrap_or_default()
    }

    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    pub fn processes(&self) -> &[Process] {
        &self.processes
    }

    /// Whether a gap tells of an event that was published and that left the service at these times. One whose beginning
    /// is not known tells of what its own process may have received: what left after that had started.
    pub fn tells(&self, gap: &Gap, published: u64, gone: u64) -> bool {
        let begun = match gap.from {
            Some(from) => from <= published,
            None => self.process(gap.process).is_some_and(|process| process.started <= gone),
        };
        begun && published <= gap.to
    }

    /// From 1.
    fn process(&self, number: u32) -> Option<&Process> {
        self.processes.get((number as usize).checked_sub(1)?)
    }

    fn enter(&mut self, line: Line) {
        match line {
            Line::Started { process, at } => {
                self.end_process();
                self.processes.push(Process {
                    number: process,
                    started: at,
                    highest: 0,
                });
            }
            Line::Took(what) => self.took(what),
            Line::Acknowledging(what) => self.acknowledging = Some(what),
            Line::Acknowledged(what) => {
                self.acknowledging = None;
                self.acknowledged(what);
            }
            Line::NotStored(what) => {
                self.acknowledging = None;
                self.counts.not_stored += 1;
                self.doubt(&what);
            }
            Line::Refused(_) | Line::CutShort => (),
        }
    }

    /// The process that wrote last is gone, whatever it was about to do.
    fn end_process(&mut self) {
        if let Some(what) = self.acknowledging.take() {
            self.doubt(&what);
        }
    }

    fn doubt(&mut self, what: &What) {
        if let What::Event(number) = *what {
            self.event_mut(number).in_doubt = true;
        }
    }

    /// The process that writes, from 1.
    fn current(&self) -> u32 {
        u32::try_from(self.processes.len()).unwrap_or(u32::MAX)
    }

    fn event_mut(&mut self, number: u32) -> &mut Event {
        let place = number as usize;
        if self.events.len() <= place {
            self.events.resize(place + 1, Event::default());
        }
        &mut self.events[place]
    }

    fn took(&mut self, what: What) {
        let current = self.current();
        let acknowledged = match what {
            What::Event(number) => {
                self.counts.took += 1;
                if let Some(process) = self.processes.last_mut() {
                    process.highest = process.highest.max(number);
                }
                let event = self.event_mut(number);
                if event.first_took == 0 {
                    event.first_took = current;
                }
                event.last_took = current;
                event.acknowledged
            }
            What::Gap { from, to, id } => {
                self.gaps.push(Gap {
                    from,
                    to,
                    process: current,
                    acknowledged: false,
                });
                self.acknowledged_gaps.get(&id).copied().unwrap_or_default()
            }
        };
        let remembered = match self.memory {
            Memory::Line => acknowledged != 0,
            Memory::Process => acknowledged == current,
        };
        self.counts.repeated += u64::from(remembered);
    }

    fn acknowledged(&mut self, what: What) {
        let current = self.current();
        match what {
            What::Event(number) => self.event_mut(number).acknowledged = current,
            What::Gap { from, to, id } => {
                for gap in &mut self.gaps {
                    gap.acknowledged |= gap.process == current && (gap.from, gap.to) == (from, to);
                }
                self.acknowledged_gaps.insert(id, current);
            }
        }
    }
}
