//! The thread behind a feed: logs in, finds the feed, reads it as the ledger wants, and deals with every trouble.

mod backoff;
mod closing;
mod first;
mod login;
mod reading;
mod search;
mod trouble;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::json;

use crate::config::{Config, Stream};
use crate::error::{Code, Error};
use crate::id_file::IdFile;
use crate::net::Cutoff;
use crate::policy::{Operation, Situation};
use crate::protocol::{AgentApi, Tokens};
use crate::session::Authenticator;
use crate::shared::{Doing, Shared};
use backoff::BackOff;
use first::First;
use reading::Told;
use search::Search;

pub(crate) struct Poller {
    shared: Arc<Shared>,
    cutoff: Arc<Cutoff>,
    close_timeout: Duration,
    authenticator: Authenticator,
    agent: AgentApi,
    logged_in: bool,
    /// What requests carry, and which of the session's tokens they are.
    tokens: Option<Tokens>,
    generation: u64,
    ignore_own: bool,
    account_is_known: bool,
    situation: Situation,
    /// With Datafeed 2: which feed to read.
    search: Search,
    /// With Datafeed 1.
    first: Option<First>,
    is_datahose: bool,
    backoff: BackOff,
    told_full: Told,
}

/// The feed is closing or has failed.
struct Stopped;

impl Poller {
    /// Starts the thread. `id_file` is there with Datafeed 1.
    pub(crate) fn start(
        config: &Config,
        id_file: Option<IdFile>,
        cutoff: Arc<Cutoff>,
        shared: &Arc<Shared>,
    ) -> Result<JoinHandle<()>, Error> {
        let agent = AgentApi::new(config, &cutoff)?;
        shared.lock().watch.agent_url = agent.url().to_owned();
        let first = match (&config.stream, id_file) {
            (Stream::Datafeed1(settings), Some(file)) => Some(First::new(settings.clone(), file)),
            _ => None,
        };
        let poller = Poller {
            authenticator: Authenticator::new(config, &cutoff)?,
            agent,
            cutoff,
            close_timeout: config.close_timeout,
            logged_in: false,
            tokens: None,
            generation: 0,
            ignore_own: config.filter.ignore_own,
            account_is_known: false,
            situation: Situation::default(),
            search: Search::default(),
            first,
            is_datahose: matches!(config.stream, Stream::Datahose(_)),
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

    /// One thing after the other: tokens, who the bot is, a node, a feed, a read.
    fn step(&mut self) -> Result<(), Stopped> {
        self.take_new_tokens();
        if !self.logged_in {
            self.log_in()
        } else if self.needs_account() {
            self.find_account()
        } else if self.jwt_is_due() {
            self.renew_jwt()
        } else if let Some(feed) = self.feed_to_read() {
            self.read(&feed)
        } else {
            self.find_feed()
        }
    }

    /// The feed to read, if there is one and nothing is wrong with it, and its node is known.
    fn feed_to_read(&self) -> Option<String> {
        if self.agent.needs_node() {
            None
        } else if self.is_datahose {
            Some(String::new())
        } else if let Some(first) = &self.first {
            first.feed.clone()
        } else {
            self.search.feed_to_read()
        }
    }

    fn find_feed(&mut self) -> Result<(), Stopped> {
        self.set_doing(Doing::FindingFeed);
        if let Some(mut first) = self.first.take() {
            let found = self.find_first(&mut first);
            self.first = Some(first);
            found
        } else if self.agent.needs_node() {
            self.find_node()
        } else {
            self.find_listed()
        }
    }

    /// Asks the load balancer for the node to go to.
    fn find_node(&mut self) -> Result<(), Stopped> {
        match self.agent.ask_for_node() {
            Ok(answer) => {
                self.shared.lock().watch.agent_url = answer.value.clone();
                let details = json!({"agent": answer.value, "traceId": answer.trace_id});
                self.shared.info("the load balancer named a node of the agent", details);
                Ok(())
            }
            Err(trouble) => self.deal_with(Operation::Info, &trouble, self.situation),
        }
    }

    fn set_doing(&self, doing: Doing) {
        self.shared.lock().watch.doing = doing;
    }
}
