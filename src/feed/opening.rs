//! The beginning of a feed: what it has to have for itself is claimed, what was stored is taken up, the thread starts.

use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::{Datafeed, Inner};
use crate::batch::EventText;
use crate::config::{Config, Stream};
use crate::error::{Code, Error};
use crate::id_file::IdFile;
use crate::ledger::Restored;
use crate::log::Level;
use crate::net::Cutoff;
use crate::poller::Poller;
use crate::shared::Shared;
use crate::store::{Opened, Place, Store};
use crate::sync::Desk;

pub(super) fn open(config: Config) -> Result<Datafeed, Error> {
    let mut config = config;
    let warnings = std::mem::take(&mut config.warnings);
    let cutoff = Cutoff::new().map(Arc::new).map_err(|error| {
        let message = format!("no descriptor for the feed could be opened: {error}");
        Error::new(Code::Internal, message)
    })?;
    // Before anything runs: whether another feed has the file is told at once.
    let id_file = match &config.stream {
        Stream::Datafeed1(settings) => Some(IdFile::claim(&settings.id_file)?),
        Stream::Datafeed2 { .. } | Stream::Datahose(_) => None,
    };
    let (stored, place) = open_store(&config)?;
    let config = Arc::new(config);
    let shared = Arc::new(Shared::new(&config, Arc::clone(&cutoff), stored));
    if let Some(lost) = &place.lost {
        shared.remember_trouble(lost);
        shared.log.write(Level::Error, lost.message(), lost.details());
    }
    // What was tried too often is set aside before anybody looks.
    shared.save(&mut shared.lock());
    let set_aside = shared.lock().ledger.counters().set_aside;
    shared.tell_set_aside(set_aside);
    for warning in warnings {
        shared.log.write(Level::Warn, warning, Value::Null);
    }
    let chore = Arc::downgrade(&shared);
    cutoff.set_chore(move || chore.upgrade()?.chores());
    let desk = Arc::new(Desk::new());
    let thread = Poller::start(&config, id_file, place, cutoff, &shared, &desk)?;
    Ok(Datafeed {
        inner: Arc::new(Inner {
            shared,
            desk,
            process: std::process::id(),
            thread: Mutex::new(Some(thread)),
        }),
    })
}

/// The state store with what it has, if there is one, and where a process before this one was.
#[expect(clippy::type_complexity, reason = "it is taken apart at once")]
fn open_store(config: &Config) -> Result<(Option<(Store, Restored<EventText>)>, Place), Error> {
    let Some(state) = &config.state else {
        let place = Place {
            identity_seed: fastrand::u64(..),
            ..Place::default()
        };
        return Ok((None, place));
    };
    let Opened { store, restored, place } = Store::open(state, config.login.username.as_deref(), &config.clock)?;
    Ok((Some((store, restored)), place))
}
