//! An event as the bot gets it.

use std::fmt;

use crate::batch::EventText;

/// An event in the bot's hands.
///
/// The text stays valid as long as this value lives, also after the feed is closed. Dropping it acknowledges nothing.
#[derive(Clone)]
pub struct Event {
    pub(super) delivery: u64,
    pub(super) attempt: u32,
    pub(super) text: EventText,
}

impl Event {
    /// The number to acknowledge it by. Never used again.
    pub fn delivery(&self) -> u64 {
        self.delivery
    }

    /// How often this event has been handed out by this feed, this time included.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The event exactly as the agent sent it: one JSON object. Each call goes over the text once, to show it as a `str`.
    pub fn json(&self) -> &str {
        self.text.as_str()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Event")
            .field("delivery", &self.delivery)
            .field("attempt", &self.attempt)
            .field("bytes", &self.text.length())
            .finish()
    }
}
