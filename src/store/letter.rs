//! An event that was tried too often.

/// An event that was set aside, since it was handed out `maxAttempts` times in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    pub(crate) id: u64,
    pub(crate) at: u64,
    pub(crate) attempts: u32,
    pub(crate) event: String,
}

impl DeadLetter {
    /// What it is [resubmitted](crate::Datafeed::resubmit) by. Counts up, and is never used again.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// When it was set aside, in milliseconds since 1970.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// How often it had been handed out.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The event exactly as the agent sent it: one JSON object.
    pub fn json(&self) -> &str {
        &self.event
    }
}
