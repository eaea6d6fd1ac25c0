//! What the threads of one emulator share: the world under one lock, and the bells that ring when it changes.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::address::Address;
use crate::agents::Agents;
use crate::books::Books;
use crate::bridge::Bridge;
use crate::chaos::{Blow, Chaos};
use crate::chat::Generator;
use crate::client_certificates::ClientAuthority;
use crate::clock::{Clock, Millis};
use crate::faults::{Endpoint, Fault, Faults};
use crate::feeds::Feeds;
use crate::pod::Pod;
use crate::requests::{RequestLog, Requests};
use crate::session::Sessions;
use crate::settings::Settings;
use crate::v1;

#[derive(Debug)]
pub struct World {
    pub settings: Settings,
    pub clock: Clock,
    pub feeds: Feeds,
    pub v1: v1::Feeds,
    pub bridge: Bridge,
    pub sessions: Sessions,
    /// There with TLS.
    pub clients: Option<ClientAuthority>,
    pub faults: Faults,
    pub chaos: Chaos,
    pub requests: Requests,
    /// Draws batch sizes, orders and layouts, and how stale lists are.
    pub rng: fastrand::Rng,
    pub chat: Generator,
    /// What the bot has said, as it was answered.
    pub messages: Vec<Value>,
    /// What the configuration says besides, or in place of the usual.
    pub config: Map<String, Value>,
    /// Counts everything that was rung for.
    changes: u64,
    /// Whether time changed something that has not been rung for.
    settled: bool,
}

impl World {
    /// `node` is its number among those of its pod.
    pub fn new(settings: Settings, sessions: Sessions, clock: Clock, node: u64) -> Self {
        // What one node has made, another does not know.
        let seed = settings.seed ^ node << 48;
        World {
            clock,
            feeds: Feeds::new(seed),
            v1: v1::Feeds::new(seed),
            bridge: Bridge::new(seed),
            sessions,
            clients: None,
            faults: Faults::default(),
            chaos: Chaos::new(seed),
            requests: Requests::default(),
            rng: fastrand::Rng::with_seed(seed ^ 0x5eed),
            chat: Generator::new(seed),
            messages: Vec::new(),
            config: Map::new(),
            changes: 0,
            settled: false,
            settings,
        }
    }

    /// The time, after everything that time does has been done.
    pub fn settle(&mut self) -> Millis {
        let now = self.clock.now();
        self.settled |= self.feeds.sweep(now, self.settings.feed_ttl);
        now
    }

    /// Puts an event into every feed.
    pub fn publish(&mut self, event: Arc<str>) {
        let sequence = self.feeds.next_sequence();
        let routed = self.v1.publish(sequence, &event);
        self.feeds.publish(event, routed);
    }

    /// Every feed is gone, of either version.
    pub fn remove_feeds(&mut self) {
        let now = self.settle();
        self.feeds.delete_all(now);
        self.v1.expire_all();
    }

    /// What goes wrong with this request: the fault that waits for it, or else what chaos deals.
    pub fn next_fault(&mut self, endpoint: Endpoint) -> Option<Fault> {
        let waiting = self.faults.next(endpoint);
        if waiting.is_some() {
            return waiting;
        }
        match self.chaos.strike(endpoint, &self.settings)? {
            Blow::Fault(fault) => Some(fault),
            Blow::ExpireSessions => {
                self.sessions.expire_all();
                None
            }
        }
    }

    /// Changes the settings, except what is fixed at the start.
    pub fn set(&mut self, settings: Settings) -> Result<(), String> {
        let settings = Settings {
            port: self.settings.port,
            tls: self.settings.tls,
            plain_too: self.settings.plain_too,
            control_port: self.settings.control_port,
            agents: self.settings.agents,
            username: self.settings.username.clone(),
            context: self.settings.context.clone(),
            seed: self.settings.seed,
            public_key_pem: self.settings.public_key_pem.clone(),
            ..settings
        };
        settings.check()?;
        self.settings = settings;
        Ok(())
    }
}

#[derive(Debug)]
pub struct Shared {
    world: Mutex<World>,
    /// Rings for blocking waiters, on every change.
    bell: Condvar,
    /// Rings for tasks, when feeds, events, the clock or the settings change.
    changed: watch::Sender<()>,
    /// Rings for requests that are held.
    released: watch::Sender<()>,
    pub address: Address,
    pub agents: Agents,
    pub pod: Pod,
}

impl Shared {
    pub fn new(world: World, address: Address, pod: Pod) -> Self {
        Shared {
            world: Mutex::new(world),
            bell: Condvar::new(),
            changed: watch::Sender::new(()),
            released: watch::Sender::new(()),
            agents: Agents::new(address.agent_ports.len()),
            address,
            pod,
        }
    }

    /// Looks at the world, or changes what nobody waits for. What time did is rung for.
    pub fn look<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        self.enter(false, false, look)
    }

    /// Changes feeds, events, the clock or the settings, and wakes whoever waits for that.
    pub fn change<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        self.enter(true, true, change)
    }

    /// Changes the log of requests.
    pub fn note<T>(&self, note: impl FnOnce(&mut Requests) -> T) -> T {
        self.enter(true, false, |world| note(&mut world.requests))
    }

    fn enter<T>(&self, bell: bool, tasks: bool, work: impl FnOnce(&mut World) -> T) -> T {
        let mut world = self.lock();
        let result = work(&mut world);
        let settled = std::mem::take(&mut world.settled);
        world.changes += u64::from(bell || settled);
        drop(world);
        if bell || settled {
            self.bell.notify_all();
        }
        if tasks || settled {
            self.changed.send_replace(());
        }
        result
    }

    /// Gets news of every [`change`](Self::change) from now on.
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Lets every request go on that is held now.
    pub fn release(&self) {
        self.released.send_replace(());
    }

    /// Gets news of every [`release`](Self::release) from now on.
    pub fn hold(&self) -> watch::Receiver<()> {
        self.released.subscribe()
    }

    pub fn books(&self) -> Books {
        self.look(|world| {
            world.settle();
            world.feeds.books()
        })
    }

    /// Waits until what `view` shows satisfies the condition. The lock is not held while the condition looks.
    pub fn wait<V>(&self, timeout: Duration, view: impl Fn(&World) -> V, condition: impl Fn(&V) -> bool) -> bool {
        let deadline = Instant::now().checked_add(timeout);
        let mut world = self.lock();
        loop {
            let seen = world.changes;
            let shown = view(&world);
            drop(world);
            if condition(&shown) {
                return true;
            }
            world = self.lock();
            while world.changes == seen {
                let left = deadline.map_or(Duration::from_secs(3600), |deadline| {
                    deadline.saturating_duration_since(Instant::now())
                });
                if left.is_zero() {
                    return false;
                }
                world = self
                    .bell
                    .wait_timeout(world, left)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            }
        }
    }

    pub fn wait_for_requests(&self, timeout: Duration, condition: impl Fn(&[RequestLog]) -> bool) -> bool {
        self.wait(timeout, |world| world.requests.all().to_vec(), |log| condition(log))
    }

    /// The configuration to connect with.
    pub fn config(&self) -> Value {
        self.look(|world| {
            let mut config = self.address.config();
            config["bot"] = json!({"username": world.settings.username});
            if !world.settings.context.is_empty() {
                config["context"] = json!(world.settings.context);
            }
            if let Some(pem) = &self.pod.private_key_pem {
                config["bot"]["privateKey"] = json!({"content": pem});
            }
            if world.settings.common_jwt {
                config["commonJwt"] = json!({"enabled": true});
            }
            for (member, value) in &world.config {
                config[member] = value.clone();
            }
            config
        })
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
