//! `NO_PROXY`: hosts that are reached directly although a proxy is configured.
//!
//! There is no standard; this is what curl and Go take: names with everything below them, addresses, networks as
//! `10.0.0.0/8`, `*`, and each with a port if that matters.

use std::env;
use std::net::IpAddr;

/// The list, as it was when the configuration was read.
#[derive(Debug, Clone, Default)]
pub(crate) struct NoProxy(String);

impl NoProxy {
    pub(super) fn of_environment() -> NoProxy {
        let filled = |name: &&str| env::var(name).ok().filter(|list| !list.trim().is_empty());
        let list = ["NO_PROXY", "no_proxy"].iter().find_map(filled);
        NoProxy(list.unwrap_or_default())
    }

    /// Whether this host is reached directly.
    pub(super) fn takes_out(&self, host: &str, port: u16) -> bool {
        is_on(&self.0, host, port)
    }
}

fn is_on(list: &str, host: &str, port: u16) -> bool {
    list.split(|c: char| c == ',' || c.is_whitespace())
        .any(|entry| is_for(entry, host, port))
}

/// Whether one entry of the list is for this host.
fn is_for(entry: &str, host: &str, port: u16) -> bool {
    if entry.is_empty() {
        return false;
    }
    if entry == "*" {
        return true;
    }
    let (name, entry_port) = split_port(entry);
    if entry_port.is_some_and(|entry_port| entry_port != port) {
        return false;
    }
    match host.parse::<IpAddr>() {
        Ok(address) => is_in(name, address),
        Err(_) => {
            let name = name.trim_start_matches("*.").trim_matches('.').to_ascii_lowercase();
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            let below = host.strip_suffix(&name).is_some_and(|rest| rest.ends_with('.'));
            !name.is_empty() && (host == name || below)
        }
    }
}

/// `name:8443`, `[::1]:8443`, `[::1]`; of an address with colons and no brackets all is the name.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some(inside) = entry.strip_prefix('[') {
        let (name, rest) = inside.split_once(']').unwrap_or((inside, ""));
        return (name, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match entry.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    }
}

/// Whether an address is this one, or in this network.
fn is_in(network: &str, address: IpAddr) -> bool {
    let (start, length) = match network.split_once('/') {
        Some((start, length)) => (start, length.parse::<u32>().ok()),
        None => (network, Some(u32::MAX)),
    };
    let (Ok(start), Some(length)) = (start.parse::<IpAddr>(), length) else {
        return false;
    };
    // All bits of an address in the upper ones of a number, so that the same shift serves both kinds.
    let (start, address, most) = match (start, address) {
        (IpAddr::V4(start), IpAddr::V4(address)) => (
            u128::from(start.to_bits()) << 96,
            u128::from(address.to_bits()) << 96,
            32,
        ),
        (IpAddr::V6(start), IpAddr::V6(address)) => (start.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let length = if length == u32::MAX { most } else { length };
    if length > most {
        return false;
    }
    let differing = start ^ address;
    differing.checked_shr(128 - length).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_for_hosts_as_curl_and_go_take_them() {
        for (entry, host, fits) in [
            ("*", "agent.example.com", true),
            ("", "agent.example.com", false),
            ("agent.example.com", "agent.example.com", true),
            ("Agent.Example.com", "agent.example.COM", true),
            ("example.com", "agent.example.com", true),
            (".example.com", "agent.example.com", true),
            ("*.example.com", "agent.example.com", true),
            ("ample.com", "agent.example.com", false),
            ("agent.example.com:443", "agent.example.com", true),
            ("agent.example.com:8443", "agent.example.com", false),
            (".", "agent.example.com", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3:443", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.30", false),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("0.0.0.0/0", "11.1.2.3", true),
            ("10.1.2.3/32", "10.1.2.3", true),
            ("10.1.2.3/33", "10.1.2.3", false),
            ("10.1.2.3/x", "10.1.2.3", false),
            ("10.0.0.0/8", "agent.example.com", false),
            ("10.0.0.0/8", "::1", false),
            ("::1", "::1", true),
            ("[::1]:443", "::1", true),
            ("[::1]:444", "::1", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
        ] {
            assert_eq!(is_for(entry, host, 443), fits, "{entry} for {host}");
        }
    }

    #[test]
    fn a_list_has_its_entries_between_commas_or_spaces() {
        for (list, fits) in [
            ("", false),
            (" , ", false),
            ("a,b", false),
            ("a,agent.example.com,b", true),
            ("a, agent.example.com", true),
            ("a\tagent.example.com\n", true),
        ] {
            assert_eq!(is_on(list, "agent.example.com", 443), fits, "{list}");
        }
    }
}
