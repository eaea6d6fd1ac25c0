//! Addresses of agents as others write them, in the form that this library writes them in.

/// What the vendor's SDKs count as a part of the agent's base URL.
pub(crate) const AGENT_PATH: &str = "/agent";

/// `scheme://host:port/context` of a URL: with its port, and without a slash or the agent's own path at the end.
pub(crate) fn normalized(url: &str) -> Option<String> {
    let (scheme, rest) = url.trim().split_once("://")?;
    let rest = rest.trim_end_matches('/');
    let rest = rest.strip_suffix(AGENT_PATH).unwrap_or(rest);
    let (authority, context) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    let port = match (scheme, has_port(authority)) {
        ("http" | "https", true) => "",
        ("http", false) => ":80",
        ("https", false) => ":443",
        _ => return None,
    };
    let fits = is_authority(authority) && !context.contains(|c: char| c.is_whitespace() || "?#@".contains(c));
    // Names of hosts are the same in any case.
    fits.then(|| format!("{scheme}://{}{port}{context}", authority.to_ascii_lowercase()))
}

/// A host alone, with a port or without: everything else is as in the other base URL.
pub(super) fn of_host(host: &str, other: &str) -> Option<String> {
    let (scheme, rest) = other.split_once("://")?;
    let (other_authority, context) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, ""),
    };
    if !is_authority(host) {
        return None;
    }
    if has_port(host) {
        return Some(format!("{scheme}://{host}{context}"));
    }
    let (_, port) = other_authority.rsplit_once(':')?;
    Some(format!("{scheme}://{host}:{port}{context}"))
}

fn is_authority(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    !text.is_empty() && text.chars().all(plain)
}

fn has_port(authority: &str) -> bool {
    let port = authority.rsplit_once(':').map(|(_, port)| port);
    port.is_some_and(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_brought_into_one_form() {
        for (url, expected) in [
            ("https://agent.example", Some("https://agent.example:443")),
            ("http://agent.example/", Some("http://agent.example:80")),
            ("https://agent.example:444", Some("https://agent.example:444")),
            ("https://agent.example/agent", Some("https://agent.example:443")),
            ("https://agent.example:444/agent/", Some("https://agent.example:444")),
            (
                "https://agent.example:444/gateway/agent",
                Some("https://agent.example:444/gateway"),
            ),
            ("https://[::1]", Some("https://[::1]:443")),
            ("https://[::1]:444/x", Some("https://[::1]:444/x")),
            ("ftp://agent.example", None),
            ("agent.example", None),
            ("https://", None),
            ("https:///agent", None),
            ("https://user@agent.example", None),
            ("https://agent example", None),
            ("https://agent.example/a b", None),
            ("https://agent.example?x", None),
            ("", None),
        ] {
            assert_eq!(normalized(url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn a_host_takes_the_rest_from_another() {
        let other = "https://lb.example:8443/gateway";
        for (host, expected) in [
            ("agent.example", Some("https://agent.example:8443/gateway")),
            ("agent.example:444", Some("https://agent.example:444/gateway")),
            ("[::1]", Some("https://[::1]:8443/gateway")),
            ("", None),
            ("a b", None),
            ("a/b", None),
        ] {
            assert_eq!(of_host(host, other).as_deref(), expected, "{host}");
        }
        assert_eq!(of_host("a", "http://b:80").as_deref(), Some("http://a:80"));
    }
}
