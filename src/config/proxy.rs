//! The HTTP proxy on the way to a service.

use std::fmt;

use super::host::check_host;
use super::section::Section;
use crate::error::Error;

/// A proxy that is asked to CONNECT, for `https` and `http` alike.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Username and password.
    pub(crate) credentials: Option<(String, String)>,
}

impl Proxy {
    /// Reads the section `proxy` of a service or of the top level, if it is there.
    pub(super) fn read(section: &Section) -> Result<Option<Proxy>, Error> {
        let own = section.section("proxy")?;
        let (host, username, password) = (own.string("host")?, own.string("username")?, own.string("password")?);
        let port = own.integer("port", 1, 65535)?;
        let Some(host) = host.filter(|host| !host.is_empty()) else {
            return match (port, username, password) {
                (None, None, None) => Ok(None),
                _ => {
                    let field = own.path("host");
                    let message = format!("{field} is missing: the host name or IP address of the proxy");
                    Err(Error::config(field, message))
                }
            };
        };
        check_host(&own.path("host"), host)?;
        let port = port.ok_or_else(|| {
            let field = own.path("port");
            let message = format!("{field} is missing: the port of the proxy {host}");
            Error::config(field, message)
        })?;
        let credentials = match (username, password) {
            (Some(username), password) => Some((username.to_owned(), password.unwrap_or_default().to_owned())),
            (None, Some(_)) => {
                let field = own.path("username");
                let message = format!("{field} is missing, but a password is given");
                return Err(Error::config(field, message));
            }
            (None, None) => None,
        };
        Ok(Some(Proxy {
            host: host.to_owned(),
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

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Proxy").field(&self.address()).finish()
    }
}
