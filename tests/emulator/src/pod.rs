//! What the agent nodes of one pod have in common: who may log in, which tokens are good, and the time.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::clock::Clock;
use crate::keys::{KeyPair, PublicKey};
use crate::session::Sessions;
use crate::settings::Settings;
use crate::shared::Shared;

#[derive(Clone, Debug)]
pub struct Pod {
    pub sessions: Sessions,
    /// The bot's, where the emulator made it.
    pub private_key_pem: Option<String>,
    nodes: Arc<Mutex<Nodes>>,
}

#[derive(Debug, Default)]
struct Nodes {
    started: u64,
    running: Vec<Weak<Shared>>,
}

impl Pod {
    /// A new one, for the bot of these settings.
    pub fn new(settings: &Settings) -> Result<Pod, String> {
        let (public, private) = match &settings.public_key_pem {
            Some(pem) => (pem.clone(), None),
            None => {
                let pair = KeyPair::of_this_process();
                let private = pair.private_key_pem().to_owned();
                (pair.public_key_pem().to_owned(), Some(private))
            }
        };
        Ok(Pod {
            sessions: Sessions::new(PublicKey::from_pem(&public)?),
            private_key_pem: private,
            nodes: Arc::default(),
        })
    }

    /// Lets one more node join, which `start` makes of its number and the time of the others.
    pub fn join(&self, start: impl FnOnce(u64, Clock) -> io::Result<Arc<Shared>>) -> io::Result<Arc<Shared>> {
        // Held to the end: the time does not move between the look at it and the node's joining.
        let mut nodes = self.lock();
        nodes.running.retain(|node| node.strong_count() > 0);
        let other = nodes.running.iter().find_map(Weak::upgrade);
        let clock = other.map_or_else(Clock::new, |other| other.look(|world| world.clock.clone()));
        let node = start(nodes.started, clock)?;
        nodes.started += 1;
        nodes.running.push(Arc::downgrade(&node));
        Ok(node)
    }

    /// Moves the time forward at every node.
    pub fn advance(&self, by: Duration) {
        let nodes = self.lock();
        for node in nodes.running.iter().filter_map(Weak::upgrade) {
            node.change(|world| {
                world.clock.advance(by);
                world.settle();
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Nodes> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
