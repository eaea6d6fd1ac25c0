//! The way through a SOCKS 5 proxy (RFC 1928, RFC 1929), over a socket whose every wait can be cut.
//!
//! ureq's own link for this opens a socket that no cut reaches.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Connector, Either, Transport, TransportAdapter};

use super::Cutoff;
use super::socket::{TcpConnector, TcpTransport};
use crate::config::{Proxy, ProxyKind};

/// The link of the chain of connectors that goes through the proxy, if there is one of this kind.
#[derive(Debug)]
pub(super) struct SocksConnector {
    pub(super) cutoff: Arc<Cutoff>,
    pub(super) proxy: Option<Proxy>,
}

const VERSION: u8 = 5;
const WITHOUT_LOGIN: u8 = 0;
const BY_PASSWORD: u8 = 2;
const NO_METHOD: u8 = 0xff;

impl<In: Transport> Connector<In> for SocksConnector {
    type Out = Either<In, TcpTransport>;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        let (Some(proxy), None) = (&self.proxy, &chained) else {
            return Ok(chained.map(Either::A));
        };
        let ProxyKind::Socks { resolves } = proxy.kind else {
            return Ok(None);
        };
        let Some(configured) = details.config.proxy() else {
            return Ok(None);
        };
        let target = Target::of(details, resolves)?;
        let addresses = details
            .resolver
            .resolve(configured.uri(), details.config, details.timeout)?;
        let tcp = TcpConnector {
            cutoff: Arc::clone(&self.cutoff),
        };
        // The transport itself keeps to the time there is for the connection.
        let transport = tcp.open(&addresses, details)?;
        let mut stream = TransportAdapter::new(transport, Arc::clone(&details.current_time));
        stream.set_timeout(details.timeout);
        let credentials = proxy.credentials.as_ref();
        shake_hands(&mut stream, credentials, &target).map_err(|error| match error {
            Refusal::Io(error) => Error::from(error),
            Refusal::Said(reason) => Error::ConnectProxyFailed(reason),
        })?;
        Ok(Some(Either::B(stream.into_inner())))
    }
}

/// What the proxy is asked to connect to.
enum Target {
    Address(SocketAddr),
    Name(String, u16),
}

impl Target {
    fn of(details: &ConnectionDetails, resolves: bool) -> Result<Target, Error> {
        if !resolves {
            let first = details.addrs.first().ok_or(Error::HostNotFound)?;
            return Ok(Target::Address(*first));
        }
        let host = details.uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let default_port = if details.uri.scheme_str() == Some("http") {
            80
        } else {
            443
        };
        let port = details.uri.port_u16().unwrap_or(default_port);
        match host.parse::<IpAddr>() {
            Ok(ip) => Ok(Target::Address(SocketAddr::new(ip, port))),
            Err(_) if host.len() > 255 => Err(Error::HostNotFound),
            Err(_) => Ok(Target::Name(host.to_owned(), port)),
        }
    }

    fn encode(&self) -> Vec<u8> {
        let (mut bytes, port) = match self {
            Target::Address(SocketAddr::V4(address)) => {
                let mut bytes = vec![1];
                bytes.extend(address.ip().octets());
                (bytes, address.port())
            }
            Target::Address(SocketAddr::V6(address)) => {
                let mut bytes = vec![4];
                bytes.extend(address.ip().octets());
                (bytes, address.port())
            }
            Target::Name(name, port) => {
                let mut bytes = vec![3, name.len() as u8];
                bytes.extend(name.as_bytes());
                (bytes, *port)
            }
        };
        bytes.extend(port.to_be_bytes());
        bytes
    }
}

enum Refusal {
    Io(io::Error),
    Said(String),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Refusal {
        Refusal::Io(error)
    }
}

fn refuse<T>(reason: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Said(reason.into()))
}

fn shake_hands(
    stream: &mut (impl Read + Write),
    credentials: Option<&(String, String)>,
    target: &Target,
) -> Result<(), Refusal> {
    let methods: &[u8] = match credentials {
        Some(_) => &[VERSION, 2, BY_PASSWORD, WITHOUT_LOGIN],
        None => &[VERSION, 1, WITHOUT_LOGIN],
    };
    stream.write_all(methods)?;
    let [version, method] = read(stream)?;
    if version != VERSION {
        return refuse("the proxy does not speak SOCKS 5");
    }
    match (method, credentials) {
        (WITHOUT_LOGIN, _) => {}
        (BY_PASSWORD, Some((username, password))) => log_in(stream, username, password)?,
        (NO_METHOD, None) => return refuse("the SOCKS proxy wants a login: set username and password of the proxy"),
        _ => return refuse("the SOCKS proxy wants another kind of login than username and password"),
    }
    let mut request = vec![VERSION, 1, 0];
    request.extend(target.encode());
    stream.write_all(&request)?;
    let [_, reply, _, kind] = read(stream)?;
    if reply != 0 {
        return refuse(format!("the SOCKS proxy refused it: {}", explain(reply)));
    }
    // The address that the proxy uses itself, which nothing here needs.
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => {
            let [length] = read(stream)?;
            usize::from(length)
        }
        _ => return refuse("the proxy does not speak SOCKS 5"),
    };
    let mut bound = vec![0; length + 2];
    stream.read_exact(&mut bound)?;
    Ok(())
}

fn log_in(stream: &mut (impl Read + Write), username: &str, password: &str) -> Result<(), Refusal> {
    let mut request = vec![1];
    for text in [username, password] {
        // At most 255 bytes each, as the configuration was checked for.
        request.push(text.len() as u8);
        request.extend(text.as_bytes());
    }
    stream.write_all(&request)?;
    let [_, status] = read(stream)?;
    if status != 0 {
        return refuse("the SOCKS proxy refused the login: check username and password of the proxy");
    }
    Ok(())
}

fn read<const LENGTH: usize>(stream: &mut impl Read) -> io::Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// RFC 1928, section 6.
fn explain(reply: u8) -> String {
    match reply {
        1 => "general failure",
        2 => "not allowed by its rules",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "the time is over",
        other => return format!("reply {other}"),
    }
    .to_owned()
}
