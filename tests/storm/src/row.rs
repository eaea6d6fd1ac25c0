//! The rows of the table, and what the documentation promises for each.

use std::fmt;

/// Which datafeed is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V1,
    V2,
}

/// One way to run bots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    pub version: Version,
    /// Whether the bots have a `stateDir`.
    pub state_dir: bool,
    pub instances: usize,
}

/// Until when an acknowledgement is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// As long as the process lives.
    Process,
    /// By its successors, too.
    Line,
}

/// Who has to get an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The instances share a feed: one of them.
    Any,
    /// Each has a feed of its own: all of them.
    Each,
}

/// What may go with a process that is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GoesWithProcess {
    Nothing,
    /// What is told as a gap, until that is acknowledged: who comes after knows nothing of it.
    Gaps,
    /// What the process has received, too: the service has forgotten it.
    GapsAndEvents,
}

/// What holds for a row. An event that was published is acknowledged, or within a gap that was told and acknowledged,
/// or has gone with a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Promise {
    pub memory: Memory,
    pub audience: Audience,
    pub goes_with_process: GoesWithProcess,
}

impl Row {
    /// Every row, in the order of the table.
    pub fn all() -> Vec<Row> {
        let mut rows = Vec::new();
        for version in [Version::V2, Version::V1] {
            for instances in [1, 3] {
                for state_dir in [true, false] {
                    rows.push(Row {
                        version,
                        state_dir,
                        instances,
                    });
                }
            }
        }
        rows
    }

    /// What docs/delivery.md says.
    pub fn promise(self) -> Promise {
        Promise {
            memory: if self.state_dir { Memory::Line } else { Memory::Process },
            audience: match self.version {
                Version::V1 => Audience::Each,
                Version::V2 => Audience::Any,
            },
            goes_with_process: match (self.state_dir, self.version) {
                (true, _) => GoesWithProcess::Nothing,
                (false, Version::V2) => GoesWithProcess::Gaps,
                (false, Version::V1) => GoesWithProcess::GapsAndEvents,
            },
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match self.version {
            Version::V1 => "v1",
            Version::V2 => "v2",
        };
        let state_dir = if self.state_dir { "with" } else { "without" };
        write!(formatter, "{version}, {state_dir} stateDir, {}", self.instances)
    }
}
