//! Where pod, key manager and agent are, and how long to wait for them.

use std::fmt;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use ureq::http::{HeaderName, HeaderValue};

use super::host::{check_host, is_loopback};
use super::proxy::Proxy;
use super::section::Section;
use crate::error::Error;

/// Longest value of a header that is sent. A session token has hundreds of bytes.
pub(crate) const MAX_HEADER: usize = 7 << 10;

/// The address of one service and how to talk to it.
#[derive(Clone)]
pub(crate) struct Service {
    /// Without a slash at the end: `https://host:port/context`.
    pub(crate) base_url: String,
    pub(crate) connect_timeout: Duration,
    pub(crate) read_timeout: Duration,
    /// Sent with every request. The values may be secrets of a gateway.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) proxy: Option<Proxy>,
    /// Certificate authorities to trust besides the system's.
    pub(crate) trusted: Vec<CertificateDer<'static>>,
}

impl fmt::Debug for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        formatter
            .debug_struct("Service")
            .field("base_url", &self.base_url)
            .field("connect_timeout", &self.connect_timeout)
            .field("read_timeout", &self.read_timeout)
            .field("headers", &names)
            .field("proxy", &self.proxy.as_ref().map(Proxy::address))
            .field("trusted", &self.trusted.len())
            .finish()
    }
}

/// The settings that a service has of its own or takes from the top level.
pub(super) struct Defaults<'s, 'a> {
    root: &'s Section<'a>,
    allow_plaintext: bool,
    trusted: Vec<CertificateDer<'static>>,
}

impl<'s, 'a> Defaults<'s, 'a> {
    pub(super) fn new(root: &'s Section<'a>, trusted: Vec<CertificateDer<'static>>) -> Result<Defaults<'s, 'a>, Error> {
        Ok(Defaults {
            root,
            trusted,
            allow_plaintext: root.boolean("allowPlaintext")?.unwrap_or(false),
        })
    }

    /// Reads one service. `own` are its sections, the most particular first; what none of them says comes from the top
    /// level.
    pub(super) fn service(&self, own: &[&Section<'a>]) -> Result<Service, Error> {
        let sections: Vec<&Section<'a>> = own.iter().copied().chain([self.root]).collect();
        let either = |name: &'static str| -> Result<Option<(String, String)>, Error> {
            let mut found = None;
            for section in &sections {
                let value = section
                    .string(name)?
                    .map(|value| (section.path(name), value.to_owned()));
                found = found.or(value);
            }
            Ok(found)
        };
        let number = |name: &'static str, least, most, default| -> Result<i64, Error> {
            let mut found = None;
            for section in &sections {
                found = found.or(section.integer(name, least, most)?);
            }
            Ok(found.unwrap_or(default))
        };
        let (scheme_field, scheme) = either("scheme")?.unwrap_or_else(|| ("scheme".into(), "https".into()));
        if scheme != "https" && scheme != "http" {
            let message = format!("{scheme_field} must be \"https\" or \"http\"");
            return Err(Error::config(scheme_field, message));
        }
        let (host_field, host) = either("host")?.ok_or_else(|| {
            let field = own[0].path("host");
            let message = format!("host is missing: give \"host\" at the top level, or {field}");
            Error::config("host", message)
        })?;
        check_host(&host_field, &host)?;
        if scheme == "http" && !self.allow_plaintext && !is_loopback(&host) {
            let message = format!(
                "{scheme_field} is http, which would send tokens unprotected to {host}; use https, or set \
                 \"allowPlaintext\": true if that is meant"
            );
            return Err(Error::config(scheme_field, message));
        }
        let port = number("port", 1, 65535, if scheme == "http" { 80 } else { 443 })?;
        let (context_field, context) = either("context")?.unwrap_or_default();
        check_context(&context_field, &context)?;
        let context = context.trim_matches('/');
        let slash = if context.is_empty() { "" } else { "/" };
        let bracketed = if host.contains(':') { format!("[{host}]") } else { host };
        Ok(Service {
            base_url: format!("{scheme}://{bracketed}:{port}{slash}{context}"),
            connect_timeout: Duration::from_millis(number("connectionTimeout", 1, 600_000, 15_000)? as u64),
            read_timeout: Duration::from_millis(number("readTimeout", 1, 600_000, 60_000)? as u64),
            headers: headers(&sections)?,
            proxy: proxy(&sections)?,
            trusted: self.trusted.clone(),
        })
    }
}

/// The headers of all sections; of the same name, the most particular one.
fn headers(sections: &[&Section]) -> Result<Vec<(String, String)>, Error> {
    let mut headers = Vec::new();
    for section in sections.iter().rev() {
        for (field, name, value) in section.strings("defaultHeaders")? {
            check_header(field, &name, &value)?;
            headers.retain(|(known, _): &(String, String)| !known.eq_ignore_ascii_case(&name));
            headers.push((name, value));
        }
    }
    Ok(headers)
}

fn proxy(sections: &[&Section]) -> Result<Option<Proxy>, Error> {
    let mut found = None;
    for section in sections {
        let proxy = Proxy::read(section)?;
        found = found.or(proxy);
    }
    Ok(found)
}

/// A second one of these, or another value, would break every request.
const RESERVED: [&str; 10] = [
    "Connection",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "Expect",
    "Host",
    "Transfer-Encoding",
    "X-Trace-Id",
    "keyManagerToken",
    "sessionToken",
];

fn check_header(field: String, name: &str, value: &str) -> Result<(), Error> {
    if HeaderName::from_bytes(name.as_bytes()).is_err() {
        let message = format!("{field} is no valid name of an HTTP header");
        return Err(Error::config(field, message));
    }
    if RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
        let message = format!("{field} cannot be set: the library sends this header itself");
        return Err(Error::config(field, message));
    }
    if value.len() > MAX_HEADER {
        let message = format!(
            "{field} has a value of {} bytes, but {MAX_HEADER} is the most",
            value.len()
        );
        return Err(Error::config(field, message));
    }
    if HeaderValue::from_str(value).is_err() {
        let message = format!("{field} has a value that HTTP does not allow in a header");
        return Err(Error::config(field, message));
    }
    Ok(())
}

fn check_context(field: &str, context: &str) -> Result<(), Error> {
    if context
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:@".contains(&byte))
    {
        return Ok(());
    }
    let message = format!("{field} must be the path part of a URL, with anything unusual as %XX, and without a query");
    Err(Error::config(field, message))
}
