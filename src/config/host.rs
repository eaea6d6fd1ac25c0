//! Names of hosts.

use std::net::IpAddr;

use crate::error::Error;

/// A name or an IP address, and nothing else.
pub(super) fn check_host(field: &str, host: &str) -> Result<(), Error> {
    let is_ip = host.parse::<IpAddr>().is_ok();
    let is_name = !host.is_empty()
        && host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
    if is_ip || is_name {
        return Ok(());
    }
    let message = format!(
        "{field} must be a host name or an IP address without scheme, port or path (those are settings of their own)"
    );
    Err(Error::config(field, message))
}

pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
