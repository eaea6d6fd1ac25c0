//! Names to addresses: literals at once, and names through the system's resolver on a thread that can be left behind.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex};
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
    last: Mutex<Option<(String, Instant, Vec<SocketAddr>)>>,
}

impl CachingResolver {
    pub(super) fn new(cutoff: Arc<Cutoff>) -> CachingResolver {
        CachingResolver {
            cutoff,
            last: Mutex::new(None),
        }
    }

    fn look_up(&self, host: &str, port: u16, timeout: NextTimeout) -> Result<Vec<SocketAddr>, Error> {
        let key = format!("{host}:{port}");
        let mut last = self.last.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((known, at, addresses)) = &*last
            && *known == key
            && at.elapsed() < FRESH_FOR
        {
            return Ok(addresses.clone());
        }
        let addresses = self.ask_system(&key, timeout)?;
        *last = Some((key, Instant::now(), addresses.clone()));
        Ok(addresses)
    }

    /// getaddrinfo cannot be interrupted, so a helper thread calls it; when the wait is cut, the helper ends by itself.
    fn ask_system(&self, key: &str, timeout: NextTimeout) -> Result<Vec<SocketAddr>, Error> {
        let done = Arc::new(EventFd::new()?);
        let answer: Arc<Mutex<Option<io::Result<Vec<SocketAddr>>>>> = Arc::default();
        let helper = {
            let (key, done, answer) = (key.to_owned(), Arc::clone(&done), Arc::clone(&answer));
            move || {
                let found = key.to_socket_addrs().map(Iterator::collect);
                *answer.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(found);
                done.raise();
            }
        };
        thread::Builder::new().name("datafeed-dns".into()).spawn(helper)?;
        self.cutoff
            .wait(done.as_fd(), PollFlags::IN, timeout)
            .map_err(|error| match error {
                Error::Timeout(_) => Error::Timeout(Timeout::Resolve),
                other => other,
            })?;
        let answer = answer.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        match answer {
            Some(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
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
