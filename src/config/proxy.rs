//! The proxy on the way to a service.

use std::fmt;

use super::host::check_host;
use super::section::Section;
use crate::error::Error;

#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) kind: ProxyKind,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Username and password.
    pub(crate) credentials: Option<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProxyKind {
    /// An HTTP proxy that is asked to CONNECT, for `https` and `http` alike.
    Connect,
    /// SOCKS 5.
    Socks {
        /// The proxy looks up the names of hosts.
        resolves: bool,
    },
}

impl Proxy {
    /// The proxy of the most particular section that has one.
    pub(super) fn choose(sections: &[&Section]) -> Result<Option<Proxy>, Error> {
        let mut found = None;
        for section in sections {
            let proxy = Proxy::read(section)?;
            found = found.or(proxy);
        }
        Ok(found)
    }

    /// Reads the section `proxy` of a service or of the top level, if it is there.
    fn read(section: &Section) -> Result<Option<Proxy>, Error> {
        let own = section.section("proxy")?;
        let (host, username, password) = (own.filled("host")?, own.filled("username")?, own.filled("password")?);
        let port = own.integer("port", 1, 65535)?;
        let kind = ProxyKind::read(&own)?;
        let Some(host) = host else {
            return match (port, username, password) {
                (None, None, None) => Ok(None),
                _ => {
                    let field = own.path("host");
                    let message = format!("{field} is missing: the host name or IP address of the proxy");
                    Err(Error::config(field, message))
                }
            };
        };
        check_host(&own.path("host"), &host)?;
        let port = port.ok_or_else(|| {
            let field = own.path("port");
            let message = format!("{field} is missing: the port of the proxy {host}");
            Error::config(field, message)
        })?;
        let credentials = match (username, password) {
            (Some(username), password) => Some((username, password.unwrap_or_default())),
            (None, Some(_)) => {
                let field = own.path("username");
                let message = format!("{field} is missing, but a password is given");
                return Err(Error::config(field, message));
            }
            (None, None) => None,
        };
        if let (ProxyKind::Socks { .. }, Some((username, password))) = (kind, &credentials) {
            for (name, text) in [("username", username), ("password", password)] {
                if text.len() > 255 {
                    let field = own.path(name);
                    let message = format!("{field} must have at most 255 bytes for a SOCKS proxy");
                    return Err(Error::config(field, message));
                }
            }
        }
        Ok(Some(Proxy {
            kind,
            host,
            port: port as u16,
            credentials,
        }))
    }

    /// The host as it stands in an address: an IPv6 one in brackets.
    pub(crate) fn bracketed_host(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        }
    }

    /// `host:port`, fit to be shown.
    pub(crate) fn address(&self) -> String {
        format!("{}:{}", self.bracketed_host(), self.port)
    }
}

impl ProxyKind {
    /// The names are those of URLs of proxies, as other programs take them.
    fn read(own: &Section) -> Result<ProxyKind, Error> {
        match own.filled("scheme")?.as_deref() {
            None | Some("http") => Ok(ProxyKind::Connect),
            Some("socks5") => Ok(ProxyKind::Socks { resolves: false }),
            Some("socks5h") => Ok(ProxyKind::Socks { resolves: true }),
            Some(_) => {
                let field = own.path("scheme");
                let message = format!("{field} must be \"http\", \"socks5\" or \"socks5h\"");
                Err(Error::config(field, message))
            }
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = &self.kind;
        formatter
            .debug_tuple("Proxy")
            .field(kind)
            .field(&self.address())
            .finish()
    }
}
