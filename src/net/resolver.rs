//! Names to addresses: literals at once, and names through the system's resolver on a thread that can be left behind.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{io, thread};

use rustix::event::PollFlags;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::{Error, Timeout};

use super::Cutoff;
use crate::sync::EventFd;

/// ureq asks on every request, also for a pooled connection. An answer serves for this long.
const FRESH_FOR: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct CachingResolver {
    cutoff: Arc<Cutoff>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    last: Option<(String, Instant, Vec<SocketAddr>)>,
    /// A lookup that nobody had the patience for. The next one of the same name waits for it instead of making another.
    pending: Option<(String, Arc<Lookup>)>,
}

/// What the system's resolver is asked on another thread.
#[derive(Debug)]
struct Lookup {
    done: EventFd,
    found: Mutex<Option<io::Result<Vec<SocketAddr>>>>,
}

impl Lookup {
    /// getaddrinfo cannot be interrupted, so a helper thread calls it; when the wait is cut, the helper ends by itself.
    fn start(key: &str) -> io::Result<Arc<Lookup>> {
        let lookup = Arc::new(Lookup {
            done: EventFd::new()?,
            found: Mutex::default(),
        });
        let (key, shared) = (key.to_owned(), Arc::clone(&lookup));
        let helper = move || {
            let found = key.to_socket_addrs().map(Iterator::collect);
            *shared.found.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
            shared.done.raise();
        };
        thread::Builder::new().name("datafeed-dns".into()).spawn(helper)?;
        Ok(lookup)
    }
}

impl CachingResolver {
    pub(super) fn new(cutoff: Arc<Cutoff>) -> CachingResolver {
        CachingResolver {
            cutoff,
            known: Mutex::default(),
        }
    }

    fn look_up(&self, host: &str, port: u16, timeout: NextTimeout) -> Result<Vec<SocketAddr>, Error> {
        let key = format!("{host}:{port}");
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((name, at, addresses)) = &known.last
            && *name == key
            && at.elapsed() < FRESH_FOR
        {
            return Ok(addresses.clone());
        }
        let lookup = match known.pending.take() {
            Some((name, lookup)) if name == key => lookup,
            _ => Lookup::start(&key)?,
        };
        if let Err(error) = self.cutoff.wait(lookup.done.as_fd(), PollFlags::IN, timeout) {
            let timed_out = matches!(error, Error::Timeout(_));
            known.pending = Some((key, lookup));
            return Err(if timed_out {
                Error::Timeout(Timeout::Resolve)
            } else {
                error
            });
        }
        let found = lookup.found.lock().unwrap_or_else(PoisonError::into_inner).take();
        match found {
            Some(Ok(addresses)) if !addresses.is_empty() => {
                known.last = Some((key, Instant::now(), addresses.clone()));
                Ok(addresses)
            }
            _ => Err(Error::HostNotFound),
        }
    }
}

impl Resolver for CachingResolver {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().ok_or_else(|| Error::BadUri(uri.to_string()))?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let default_port = if uri.scheme_str() == Some("http") { 80 } else { 443 };
        let port = uri.port_u16().unwrap_or(default_port);
        let mut resolved = self.empty();
        if let Ok(ip) = host.parse::<IpAddr>() {
            resolved.push(SocketAddr::new(ip, port));
            return Ok(resolved);
        }
        for address in self.look_up(host, port, timeout)?.into_iter().take(16) {
            resolved.push(address);
        }
        Ok(resolved)
    }
}
