//! The bridge from Datafeed 1 to Datafeed 2: which feed is behind an id, and what was read of it.

use std::collections::HashMap;

use crate::v1;

#[derive(Debug)]
pub struct Bridge {
    /// By the ids that clients of Datafeed 1 know.
    crossings: HashMap<String, Crossing>,
    rng: fastrand::Rng,
}

#[derive(Debug)]
struct Crossing {
    feed: String,
    /// Of what was read since the last read began.
    ack_ids: Vec<String>,
}

impl Bridge {
    pub fn new(seed: u64) -> Self {
        Bridge {
            crossings: HashMap::new(),
            rng: fastrand::Rng::with_seed(seed ^ 0xb41d6e),
        }
    }

    /// The id by which clients of Datafeed 1 know this feed of Datafeed 2 from now on.
    pub fn lead_to(&mut self, feed: String) -> String {
        let id = v1::uuid(&mut self.rng);
        let ack_ids = Vec::new();
        self.crossings.insert(id.clone(), Crossing { feed, ack_ids });
        id
    }

    /// The feed behind an id; it may be dead.
    pub fn feed(&self, id: &str) -> Option<&str> {
        self.crossings.get(id).map(|crossing| &*crossing.feed)
    }

    /// Keeps an ackId until the next read.
    pub fn keep(&mut self, id: &str, ack_id: String) {
        if let Some(crossing) = self.crossings.get_mut(id) {
            crossing.ack_ids.push(ack_id);
        }
    }

    /// The ackIds that were kept.
    pub fn release(&mut self, id: &str) -> Vec<String> {
        let crossing = self.crossings.get_mut(id);
        crossing
            .map(|crossing| std::mem::take(&mut crossing.ack_ids))
            .unwrap_or_default()
    }
}
