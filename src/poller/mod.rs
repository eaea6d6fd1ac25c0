//! The thread behind a feed: logs in, finds the feed, reads it as the ledger wants, and deals with every trouble.

mod backoff;
mod closing;
mod login;
mod reading;
mod search;
mod trouble;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::config::{Config, LoginKey};
use crate::error::{Code, Error};
use crate::net::Cutoff;
use crate::policy::Situation;
use crate::protocol::{AgentApi, KeyManagerApi, PodApi};
use crate::shared::{Doing, Shared};
use backoff::BackOff;
use reading::Told;
use search::Search;

pub(crate) struct Poller {
    shared: Arc<Shared>,
    username: String,
    key: LoginKey,
    cutoff: Arc<Cutoff>,
    close_timeout: Duration,
    pod: PodApi,
    key_manager: KeyManagerApi,
    agent: AgentApi,
    logged_in: bool,
    /// Seconds by which the service's clock is ahead of this machine's, if login tokens must allow for it.
    clock_offset: i64,
    situation: Situation,
    search: Search,
    backoff: BackOff,
    told_full: Told,
}

/// The feed is closing or has failed.
struct Stopped;

impl Poller {
    /// Starts the thread.
    pub(crate) fn start(config: Config, cutoff: Arc<Cutoff>, shared: &Arc<Shared>) -> Result<JoinHandle<()>, Error> {
        let agent = AgentApi::new(&config, &cutoff)?;
        shared.lock().watch.agent_url = agent.url().to_owned();
        let poller = Poller {
            pod: PodApi::new(&config.pod, &cutoff)?,
            key_manager: KeyManagerApi::new(&config.key_manager, &cutoff)?,
            agent,
            username: config.username,
            key: config.key,
            cutoff,
            close_timeout: config.close_timeout,
            logged_in: false,
            clock_offset: 0,
            situation: Situation::default(),
            search: Search::default(),
            backoff: BackOff::new(&config.retry),
            told_full: Told::default(),
            shared: Arc::clone(shared),
        };
        thread::Builder::new()
            .name("datafeed".into())
            .spawn(move || poller.run())
            .map_err(|error: io::Error| {
                Error::new(
                    Code::Internal,
                    format!("the feed's thread could not be started: {error}"),
                )
            })
    }

    fn run(self) {
        let shared = Arc::clone(&self.shared);
        if catch_unwind(AssertUnwindSafe(|| self.poll_until_stopped())).is_err() {
            shared.fail_after_panic("the library's poller");
        }
        shared.handover.poller_has_ended();
    }

    fn poll_until_stopped(mut self) {
        while self.step().is_ok() {}
        self.write_acknowledgements();
    }

    /// One thing after the other: tokens, a feed, a read.
    fn step(&mut self) -> Result<(), Stopped> {
        if !self.logged_in {
            self.log_in()
        } else if let Some(feed) = self.search.feed_to_read() {
            self.read(&feed)
        } else {
            self.find_feed()
        }
    }

    fn set_doing(&self, doing: Doing) {
        self.shared.lock().watch.doing = doing;
    }
}
