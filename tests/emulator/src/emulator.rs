//! The emulator as an object: start it, tell it what to do, ask it what happened.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

use crate::books::{Books, EventBook, FeedInfo, V1Books, V1EventBook, V1FeedInfo};
use crate::chaos::ChaosBooks;
use crate::client_certificates::{ClientAuthority, ClientCertificate};
use crate::faults::Fault;
use crate::pkcs12;
use crate::pod::Pod;
use crate::ports;
use crate::requests::RequestLog;
use crate::server;
use crate::settings::Settings;
use crate::shared::{Shared, World};

/// A running emulator, in a thread of its own. Dropping it ends every connection and frees the port.
#[derive(Debug)]
pub struct Emulator {
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Emulator {
    /// Starts one. Fails when the port is taken, or a setting makes no sense.
    pub fn start(settings: Settings) -> io::Result<Emulator> {
        let pod = Pod::new(&settings).map_err(invalid)?;
        Emulator::start_in(&pod, settings)
    }

    /// Starts another agent node of the same pod: a token of either is good at both, their sessions end and their clocks
    /// move together, and the bot is the same, whatever the settings say. Everything else is its own: the ports, the
    /// feeds of both versions, events and books, faults, and whom a client of TLS has to trust.
    pub fn start_node_of(&self, settings: Settings) -> io::Result<Emulator> {
        let own = self.settings();
        let settings = Settings {
            username: own.username,
            public_key_pem: own.public_key_pem,
            ..settings
        };
        Emulator::start_in(&self.shared.pod, settings)
    }

    fn start_in(pod: &Pod, settings: Settings) -> io::Result<Emulator> {
        settings.check().map_err(invalid)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (doors, address) = {
            let _inside = runtime.enter();
            ports::open(&settings)?
        };
        let shared = pod.join(|node, clock| {
            let mut world = World::new(settings, pod.sessions.clone(), clock, node);
            if address.authority.is_some() {
                world.clients = Some(ClientAuthority::new().map_err(io::Error::other)?);
            }
            Ok(Arc::new(Shared::new(world, address, pod.clone())))
        })?;
        let (stop, stopped) = oneshot::channel();
        let served = shared.clone();
        let thread = std::thread::Builder::new()
            .name("datafeed-emulator".into())
            .spawn(move || runtime.block_on(server::serve(doors, served, stopped)))?;
        Ok(Emulator {
            shared,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub fn port(&self) -> u16 {
        self.shared.address.port
    }

    /// `http://127.0.0.1:<port>` or, with TLS, `https://...`, with the context when there is one.
    pub fn url(&self) -> String {
        let context = self.shared.look(|world| world.settings.context.clone());
        self.shared.address.url() + &context
    }

    /// Where each of the agents is, the first as [`url`](Self::url) says.
    pub fn agent_urls(&self) -> Vec<String> {
        let context = self.shared.look(|world| world.settings.context.clone());
        self.shared.address.agent_urls().map(|url| url + &context).collect()
    }

    /// Where the service is in plain HTTP, with the context when there is one. `None` when it is only to be had over
    /// HTTPS.
    pub fn plain_url(&self) -> Option<String> {
        self.shared.look(|world| {
            let Settings { tls, plain_too, .. } = world.settings;
            let port = self.shared.address.control_port;
            (tls.is_none() || plain_too).then(|| format!("http://127.0.0.1:{port}{}", world.settings.context))
        })
    }

    /// Where the control interface is, in plain HTTP: `http://127.0.0.1:<port>/emulator`. With TLS, the port is
    /// another than that of the service.
    pub fn control_url(&self) -> String {
        format!("http://127.0.0.1:{}/emulator", self.shared.address.control_port)
    }

    /// The certificate of the authority that a client has to trust: what is in the file that the configuration
    /// names, as long as the emulator is there. `None` without TLS.
    pub fn ca_pem(&self) -> Option<String> {
        let authority = self.shared.address.authority.as_ref()?;
        Some(authority.pem().to_owned())
    }

    /// The same as a PKCS#12 store that holds no key. `None` without TLS.
    ///
    /// # Panics
    /// When the password has characters beyond U+FFFF, which PKCS#12 does not know.
    pub fn trust_store_pkcs12(&self, password: &str) -> Option<Vec<u8>> {
        let store = pkcs12::trust_store(&self.ca_pem()?, password);
        Some(store.expect("a store can be made"))
    }

    /// A new certificate whose common name is this username, with which it logs in if it is the bot's. `None` without
    /// TLS.
    pub fn client_certificate(&self, username: &str) -> Option<ClientCertificate> {
        self.shared.look(|world| {
            let clients = world.clients.as_mut()?;
            Some(clients.issue(username).expect("a certificate can be made"))
        })
    }

    /// The configuration to connect with. It holds the bot's private key, unless the settings gave a public key; and it
    /// says so where there is a common JWT.
    pub fn config(&self) -> Value {
        self.shared.config()
    }

    /// Sets a member of the configuration that [`config`](Self::config) and the control interface show, such as
    /// `datafeed`. How the emulator behaves does not depend on it.
    pub fn set_config(&self, member: &str, value: Value) {
        self.shared.look(|world| world.config.insert(member.to_owned(), value));
    }

    /// Publishes events, given as JSON texts, to every feed there is. They are neither checked nor changed.
    pub fn publish<I: IntoIterator<Item = impl Into<String>>>(&self, events: I) {
        let events: Vec<Arc<str>> = events.into_iter().map(|e| e.into().into()).collect();
        self.shared
            .change(|world| events.into_iter().for_each(|e| world.publish(e)));
    }

    /// The books of all feeds, those that are gone included.
    pub fn books(&self) -> Books {
        self.shared.books()
    }

    /// The feeds that exist, the foreign ones included, oldest first.
    pub fn feeds(&self) -> Vec<FeedInfo> {
        self.settled(|world| world.feeds.infos())
    }

    /// The books of Datafeed 1: of all feeds, those that have expired included.
    pub fn v1_books(&self) -> V1Books {
        self.settled(|world| world.v1.books())
    }

    /// The feeds of Datafeed 1 that have not expired, oldest first.
    pub fn v1_feeds(&self) -> Vec<V1FeedInfo> {
        self.settled(|world| world.v1.infos())
    }

    /// What happened to each event in each feed, those that are gone included.
    pub fn event_books(&self) -> Vec<EventBook> {
        self.settled(|world| world.feeds.event_books())
    }

    /// What happened to each event in each feed of Datafeed 1, those that have expired included.
    pub fn v1_event_books(&self) -> Vec<V1EventBook> {
        self.settled(|world| world.v1.event_books())
    }

    /// The emulator's clock: milliseconds since 1970, and whatever it was moved by.
    pub fn now_ms(&self) -> u64 {
        self.shared.look(|world| world.clock.now())
    }

    /// Moves the emulator's clock forward. Leases, feeds, sessions and the poll time of waiting reads follow it.
    pub fn advance(&self, by: Duration) {
        self.shared.pod.advance(by);
    }

    /// An agent goes down, from 0, and comes back after this real time: its connections end, and new ones are refused. A
    /// request that it has passed on, such as a read of Datafeed 2 that waits, takes its effect all the same. Whether it forgets
    /// its feeds of Datafeed 1 is to be said; events that are on their way are lost in any case.
    ///
    /// # Panics
    /// When there is no such agent.
    pub fn restart_agent(&self, agent: usize, down: Duration, forget_v1_feeds: bool) {
        self.shared.change(|world| {
            assert!(agent < world.settings.agents, "there is no agent {agent}");
            if forget_v1_feeds {
                world.v1.expire_of(agent);
            }
        });
        self.shared.agents.restart(agent, down);
    }

    /// Every token is expired from now on.
    pub fn expire_sessions(&self) {
        self.shared.change(|world| world.sessions.expire_all());
    }

    /// Whether logins are answered 401. Tokens already given stay good.
    pub fn reject_logins(&self, reject: bool) {
        self.shared.change(|world| world.sessions.reject_logins(reject));
    }

    /// Every datafeed is gone, as if its time to live were over, those of Datafeed 1 too.
    pub fn remove_feeds(&self) {
        self.shared.change(|world| world.remove_feeds());
    }

    /// Puts an entry into the list of feeds that is not a datafeed: reading it is answered 400.
    pub fn add_foreign_feed(&self, id: &str, kind: &str, tag: Option<&str>) {
        self.shared.change(|world| {
            let now = world.settle();
            let tag = tag.map(str::to_owned);
            world.feeds.add_foreign(id, kind, tag, now);
        });
    }

    /// Creates a datafeed as another client of the same account would, beyond any limit. Its id.
    pub fn create_feed(&self, tag: Option<&str>) -> String {
        self.shared.change(|world| {
            let now = world.settle();
            world.feeds.create(tag.map(str::to_owned), now)
        })
    }

    /// Makes something go wrong.
    ///
    /// # Panics
    /// When the fault cannot be sent: a status outside 200 to 599, or a header value that is none.
    pub fn fault(&self, fault: Fault) {
        if let Err(message) = fault.check() {
            panic!("{message}");
        }
        self.shared.change(|world| world.faults.add(fault));
    }

    /// Lets every request go on that [`FaultAction::Hold`](crate::FaultAction::Hold) holds now.
    pub fn release(&self) {
        self.shared.release();
    }

    /// How many requests there have to be until all faults have happened.
    pub fn waiting_faults(&self) -> u64 {
        self.shared.look(|world| world.faults.waiting())
    }

    pub fn clear_faults(&self) {
        self.shared.change(|world| world.faults.clear());
    }

    /// What was dealt at random (see [`Settings::chaos`]).
    pub fn chaos(&self) -> ChaosBooks {
        self.shared.look(|world| world.chaos.books().clone())
    }

    /// Every request to the service so far; of very many, the last hundred thousand.
    pub fn requests(&self) -> Vec<RequestLog> {
        self.shared.look(|world| world.requests.all().to_vec())
    }

    /// What the bot has said so far, as each message was answered.
    pub fn messages(&self) -> Vec<Value> {
        self.shared.look(|world| world.messages.clone())
    }

    /// The settings now.
    pub fn settings(&self) -> Settings {
        self.shared.look(|world| world.settings.clone())
    }

    /// Changes the settings. The ports and what they serve, the certificate, the username, the context, the seed and the key
    /// stay as they were.
    ///
    /// # Panics
    /// When a setting makes no sense.
    pub fn change_settings(&self, change: impl FnOnce(&mut Settings)) {
        let mut settings = self.settings();
        change(&mut settings);
        if let Err(message) = self.shared.change(|world| world.set(settings)) {
            panic!("{message}");
        }
    }

    /// Waits until the books satisfy the condition. Whether they did in time.
    pub fn wait_until(&self, timeout: Duration, condition: impl Fn(&Books) -> bool) -> bool {
        self.settled(|_| ());
        self.shared.wait(timeout, |world| world.feeds.books(), condition)
    }

    /// Waits until the books of Datafeed 1 satisfy the condition. Whether they did in time.
    pub fn wait_until_v1(&self, timeout: Duration, condition: impl Fn(&V1Books) -> bool) -> bool {
        self.shared.wait(timeout, |world| world.v1.books(), condition)
    }

    /// Waits until the log of requests satisfies the condition. Whether it did in time.
    pub fn wait_for_requests(&self, timeout: Duration, condition: impl Fn(&[RequestLog]) -> bool) -> bool {
        self.shared.wait_for_requests(timeout, condition)
    }

    fn settled<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        self.shared.look(|world| {
            world.settle();
            look(world)
        })
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in there has been printed already.
            let _ = thread.join();
        }
    }
}

fn invalid(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
