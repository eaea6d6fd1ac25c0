//! How a connection to a service is made: the chain of connectors, its proxy, its TLS.

use std::fmt;
use std::sync::Arc;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::http::uri::Scheme;
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::Resolver;
use ureq::unversioned::transport::time::Instant;
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, RustlsConnector, Transport,
};
use ureq::{Agent, Error, ProxyProtocol, Timeout};

use super::connection::{Connection, INPUT_BUFFER};
use super::resolver::CachingResolver;
use super::socket::TcpConnector;
use super::socks::SocksConnector;
use super::{Cutoff, trust};
use crate::config::{Proxy, ProxyKind, Service};

/// A request is handed over in pieces of at most this.
const OUTPUT_BUFFER: usize = 8 << 10;

type Chain = dyn Connector<(), Out = Box<dyn Transport>>;

/// Makes the connections to one service.
pub(super) struct Connections {
    config: Config,
    chain: Arc<Chain>,
    resolver: CachingResolver,
}

/// The last link of the chain: after it a connection is a connection, whatever it is made of.
#[derive(Debug)]
struct Boxed;

impl<In: Transport> Connector<In> for Boxed {
    type Out = Box<dyn Transport>;

    fn connect(&self, _: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|transport| Box::new(transport) as Box<dyn Transport>))
    }
}

impl Connections {
    pub(super) fn new(service: &Service, cutoff: &Arc<Cutoff>) -> Connections {
        let tls = if service.base_url.starts_with("https:") {
            TlsConfig::builder()
                .root_certs(trust::roots(&service.trusted))
                .client_cert(service.client_certificate.as_ref().and_then(trust::client_certificate))
                .build()
        } else {
            TlsConfig::default()
        };
        let config = Agent::config_builder()
            .proxy(service.proxy.as_ref().and_then(proxy_for_ureq))
            .input_buffer_size(INPUT_BUFFER)
            .output_buffer_size(OUTPUT_BUFFER)
            .timeout_connect(Some(service.connect_timeout))
            .tls_config(tls)
            .build();
        let chain = ()
            .chain(ConnectProxyConnector::default())
            .chain(SocksConnector {
                cutoff: Arc::clone(cutoff),
                proxy: service.proxy.clone(),
            })
            .chain(TcpConnector {
                cutoff: Arc::clone(cutoff),
            })
            .chain(RustlsConnector::default())
            .chain(Boxed);
        Connections {
            config,
            chain: Arc::new(chain),
            resolver: CachingResolver::new(Arc::clone(cutoff)),
        }
    }

    pub(super) fn open(&self, uri: &Uri) -> Result<Connection, Error> {
        let limit = self.config.timeouts().connect.map(Into::into);
        let timeout = |reason| NextTimeout {
            after: limit.unwrap_or(NextTimeout::default().after),
            reason,
            ..NextTimeout::default()
        };
        // Otherwise the proxy finds the service's address.
        let finds_address = self.config.proxy().is_none_or(|proxy| proxy.resolve_target());
        let addrs = if finds_address {
            self.resolver.resolve(uri, &self.config, timeout(Timeout::Resolve))?
        } else {
            self.resolver.empty()
        };
        let chain = Arc::clone(&self.chain);
        let run_chain = move |details: &ConnectionDetails| connect(&*chain, details);
        let details = ConnectionDetails {
            uri,
            addrs,
            config: &self.config,
            request_level: false,
            resolver: &self.resolver,
            now: Instant::now(),
            timeout: timeout(Timeout::Connect),
            current_time: Arc::new(Instant::now),
            run_connector: Arc::new(run_chain),
            register_shutdown: Arc::new(|_| Ok(())),
        };
        let transport = connect(&*self.chain, &details)?;
        if uri.scheme() == Some(&Scheme::HTTPS) && !transport.is_tls() {
            return Err(Error::TlsRequired);
        }
        Ok(Connection::new(transport))
    }
}

fn connect(chain: &Chain, details: &ConnectionDetails) -> Result<Box<dyn Transport>, Error> {
    chain.connect(details, None)?.ok_or(Error::ConnectionFailed)
}

impl fmt::Debug for Connections {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connections").finish_non_exhaustive()
    }
}

fn proxy_for_ureq(proxy: &Proxy) -> Option<ureq::Proxy> {
    let protocol = match proxy.kind {
        ProxyKind::Connect => ProxyProtocol::Http,
        ProxyKind::Socks { resolves: true } => ProxyProtocol::Socks5h,
        ProxyKind::Socks { resolves: false } => ProxyProtocol::Socks5,
    };
    let mut builder = ureq::Proxy::builder(protocol)
        .host(&proxy.bracketed_host())
        .port(proxy.port)
        .resolve_target(proxy.kind == ProxyKind::Socks { resolves: false });
    if let Some((username, password)) = &proxy.credentials {
        builder = builder.username(username).password(password);
    }
    // The host was checked with the configuration.
    builder.build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_proxy_that_can_be_configured_is_used() {
        for host in ["::1", "fe80::1", "10.0.0.1", "proxy.example", "a_b-c"] {
            for credentials in [None, Some(("user@corp".to_owned(), "p:/?#[]@ss é".to_owned()))] {
                let proxy = Proxy {
                    kind: ProxyKind::Connect,
                    host: host.to_owned(),
                    port: 3128,
                    credentials: credentials.clone(),
                };
                let used = proxy_for_ureq(&proxy).expect(host);
                assert_eq!(used.port(), 3128);
                assert_eq!(used.username(), credentials.as_ref().map(|(name, _)| name.as_str()));
                assert_eq!(
                    used.password(),
                    credentials.as_ref().map(|(_, password)| password.as_str())
                );
            }
        }
    }
}
