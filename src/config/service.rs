//! Where pod, key manager and agent are, and how long to wait for them.

use std::fmt;
use std::time::Duration;

use rustls::pki_types::CertificateDer;

use super::certificate::ClientCertificate;
use super::elsewhere::Elsewhere;
use super::headers::{self, Header};
use super::host::{check_host, is_loopback};
use super::login::{Credential, Login};
use super::no_proxy::NoProxy;
use super::proxy::Proxy;
use super::section::Section;
use super::trust;
use crate::error::Error;

/// The address of one service and how to talk to it.
#[derive(Clone)]
pub(crate) struct Service {
    /// Without a slash at the end: `https://host:port/context`.
    pub(crate) base_url: String,
    pub(crate) connect_timeout: Duration,
    pub(crate) read_timeout: Duration,
    /// Sent with every request.
    pub(crate) headers: Vec<Header>,
    pub(crate) proxy: Option<Proxy>,
    /// Certificate authorities to trust besides the system's.
    pub(crate) trusted: Vec<CertificateDer<'static>>,
    /// What the bot shows where it logs in, if it logs in by certificate.
    pub(crate) client_certificate: Option<ClientCertificate>,
    pub(crate) elsewhere: Elsewhere,
}

impl fmt::Debug for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|header| header.name.as_str()).collect();
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

/// Settings of the vendor's SDK for Java that have no effect here.
const POOL: [&str; 2] = ["connectionPoolMax", "connectionPoolPerRoute"];

/// The settings that a service has of its own or takes from the top level.
pub(super) struct Defaults<'s, 'a> {
    root: &'s Section<'a>,
    allow_plaintext: bool,
    trusted: Vec<CertificateDer<'static>>,
}

impl<'s, 'a> Defaults<'s, 'a> {
    pub(super) fn new(root: &'s Section<'a>) -> Result<Defaults<'s, 'a>, Error> {
        Ok(Defaults {
            root,
            trusted: trust::read(root)?,
            allow_plaintext: root.boolean("allowPlaintext")?.unwrap_or(false),
        })
    }

    /// Reads a service where the bot logs in: with a certificate, it shows that one there.
    pub(super) fn login_service(&self, own: &Section<'a>, login: &Login) -> Result<Service, Error> {
        let service = self.service(&[own])?;
        let Credential::Certificate(certificate) = &login.credential else {
            return Ok(service);
        };
        if !service.base_url.starts_with("https:") {
            let field = own.path("scheme");
            let message = format!("{field} must be https: bot.certificate is shown in the TLS handshake");
            return Err(Error::config(field, message));
        }
        Ok(Service {
            client_certificate: Some(certificate.clone()),
            ..service
        })
    }

    /// Reads one service. `own` are its sections, the most particular first; what none of them says comes from the top
    /// level.
    pub(super) fn service(&self, own: &[&Section<'a>]) -> Result<Service, Error> {
        let sections: Vec<&Section<'a>> = own.iter().copied().chain([self.root]).collect();
        // A feed has a connection for each service, so there is no pool.
        for (section, name) in sections.iter().flat_map(|section| POOL.map(|name| (section, name))) {
            section.integer(name, 0, i64::from(i32::MAX))?;
        }
        let either = |name: &'static str| -> Result<Option<(String, String)>, Error> {
            let mut found = None;
            for section in &sections {
                // An empty context is one: a service may have none where the others have.
                let value = section
                    .string(name)?
                    .filter(|value| name == "context" || !value.is_empty());
                let value = value.map(|value| (section.path(name), value));
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
        let configured = Proxy::choose(&sections)?;
        let no_proxy = NoProxy::of_environment();
        let proxy = configured.clone().filter(|_| !no_proxy.takes_out(&host, port as u16));
        let context = context.trim_matches('/');
        let slash = if context.is_empty() { "" } else { "/" };
        let bracketed = if host.contains(':') { format!("[{host}]") } else { host };
        Ok(Service {
            base_url: format!("{scheme}://{bracketed}:{port}{slash}{context}"),
            connect_timeout: Duration::from_millis(number("connectionTimeout", 1, 600_000, 15_000)? as u64),
            read_timeout: Duration::from_millis(number("readTimeout", 1, 600_000, 60_000)? as u64),
            headers: headers::read(&sections)?,
            proxy,
            trusted: self.trusted.clone(),
            client_certificate: None,
            elsewhere: Elsewhere {
                allow_plaintext: self.allow_plaintext,
                proxy: configured,
                no_proxy,
            },
        })
    }
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
