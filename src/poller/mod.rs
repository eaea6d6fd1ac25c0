//! What is behind a feed: logs in, finds the feed, reads it as the ledger wants, and deals with every trouble. A thread runs it, and
//! lays it on a desk while there is nothing to do; a caller that waits for an event may take it there ([`leading`]).

mod backoff;
mod closing;
mod first;
mod gap;
mod leading;
mod login;
mod reading;
mod search;
mod settle;
mod storing;
mod trouble;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::config::{Config, Stream};
use crate::error::{Code, Error};
use crate::id_file::IdFile;
use crate::net::Cutoff;
use crate::policy::{Operation, Situation};
use crate::protocol::{AgentApi, Tokens};
use crate::session::Authenticator;
use crate::shared::{Doing, Shared};
use crate::store::Place;
use crate::sync::{Desk, Ticket, Watch};
use backoff::BackOff;
use first::First;
use gap::Gaps;
pub(crate) use leading::Led;
use reading::{Told, UnderWay};
use search::Search;
use storing::Marked;

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
    gaps: Gaps,
    marked: Marked,
    /// With a read, everything else waits until it is dealt with.
    under_way: Option<UnderWay>,
    /// An answer that held nothing came sooner than any long poll ends, so the next read waits.
    rest_until: Option<Instant>,
}

/// What to do next.
enum Next {
    Step,
    /// Nothing until then, or until somebody wakes the poller. The ticket was taken before this was found.
    Sleep {
        ticket: Ticket,
        most: Option<Duration>,
    },
}

/// The feed is closing or has failed.
struct Stopped;

impl Poller {
    /// Starts the thread. `id_file` is there with Datafeed 1, `place` with a state store.
    pub(crate) fn start(
        config: &Config,
        id_file: Option<IdFile>,
        place: Place,
        cutoff: Arc<Cutoff>,
        shared: &Arc<Shared>,
        desk: &Arc<Desk<Box<Poller>>>,
    ) -> Result<JoinHandle<()>, Error> {
        let agent = AgentApi::new(config, &cutoff, place.identity_seed)?;
        shared.lock().watch.agent_url = agent.url().to_owned();
        let first = match (&config.stream, id_file) {
            (Stream::Datafeed1(settings), Some(file)) => Some(First::new(settings.clone(), file)),
            _ => None,
        };
        let poller = Box::new(Poller {
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
            gaps: Gaps::new(config.gap_events, config.visibility_timeout, place),
            marked: Marked::default(),
            under_way: None,
            rest_until: None,
            shared: Arc::clone(shared),
        });
        let desk = Arc::clone(desk);
        thread::Builder::new()
            .name("datafeed".into())
            .spawn(move || poller.run(&desk))
            .map_err(|error: io::Error| {
                Error::new(
                    Code::Internal,
                    format!("the feed's thread could not be started: {error}"),
                )
            })
    }

    fn run(self: Box<Self>, desk: &Desk<Box<Poller>>) {
        let shared = Arc::clone(&self.shared);
        if catch_unwind(AssertUnwindSafe(|| self.poll_until_stopped(desk))).is_err() {
            shared.fail_after_panic("the library's poller");
        }
        shared.handover.poller_has_ended();
    }

    /// Ends with the feed, or without a poller that a consumer has broken.
    fn poll_until_stopped(self: Box<Self>, desk: &Desk<Box<Poller>>) {
        let shared = Arc::clone(&self.shared);
        let mut watch = Watch::default();
        let mut poller = self;
        while let Ok(next) = poller.step() {
            if let Next::Sleep { ticket, most } = next {
                let Some(back) = desk.park(&shared.handover, &mut watch, poller, ticket, most) else {
                    return;
                };
                poller = back;
            }
        }
        poller.gaps.no_read_is_under_way();
        poller.marked.has_to_be_exact();
        poller.store();
        poller.write_acknowledgements();
    }

    /// One thing after the other: tokens, who the bot is, a node, a feed, a read.
    fn step(&mut self) -> Result<Next, Stopped> {
        if self.under_way.is_some() {
            return self.finish_read();
        }
        if let Some(until) = self.rest_until.take() {
            self.pause(until.saturating_duration_since(Instant::now()))?;
        }
        self.take_new_tokens();
        if !self.logged_in {
            self.log_in()?;
        } else if self.needs_account() {
            self.find_account()?;
        } else if self.jwt_is_due() {
            self.renew_jwt()?;
        } else if let Some(feed) = self.feed_to_read() {
            return self.read(&feed);
        } else {
            self.find_feed()?;
        }
        Ok(Next::Step)
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
