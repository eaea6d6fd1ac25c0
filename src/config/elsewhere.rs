//! Another address of the same service, which a load balancer or a kept feed names: reached by the same rules.

use ureq::http::Uri;

use super::Service;
use super::host::is_loopback;
use super::no_proxy::NoProxy;
use super::proxy::Proxy;

/// The rules by which an address is reached.
#[derive(Clone, Default)]
pub(crate) struct Elsewhere {
    pub(super) allow_plaintext: bool,
    /// As configured, whichever host it is.
    pub(super) proxy: Option<Proxy>,
    pub(super) no_proxy: NoProxy,
}

impl Service {
    /// The service at this base URL, unless tokens would travel there unprotected that are not meant to.
    pub(crate) fn at(&self, base_url: &str) -> Option<Service> {
        let uri: Uri = base_url.parse().ok()?;
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
        let rules = &self.elsewhere;
        if uri.scheme_str() != Some("https") && !rules.allow_plaintext && !is_loopback(host) {
            return None;
        }
        let through = rules.proxy.clone();
        Some(Service {
            base_url: base_url.to_owned(),
            proxy: through.filter(|_| !rules.no_proxy.takes_out(host, uri.port_u16().unwrap_or(443))),
            ..self.clone()
        })
    }

    /// Whether an address may be another node of this service, as far as names tell: of the same host or domain. For an
    /// address that nobody but a file names, since tokens go there.
    pub(crate) fn is_near(&self, base_url: &str) -> bool {
        let host = |url: &str| -> Option<String> {
            let uri: Uri = url.parse().ok()?;
            let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
            Some(host.to_ascii_lowercase())
        };
        let (Some(own), Some(other)) = (host(&self.base_url), host(base_url)) else {
            return false;
        };
        let domain = |host: &str| {
            let (_, domain) = host.split_once('.')?;
            let is_name = host.parse::<std::net::IpAddr>().is_err();
            (is_name && domain.contains('.')).then(|| domain.to_owned())
        };
        own == other
            || (is_loopback(&own) && is_loopback(&other))
            || domain(&own).is_some_and(|own| domain(&other) == Some(own))
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::good;

    #[test]
    fn another_address_is_reached_by_the_same_rules() {
        let agent = |settings| good(settings).agent.services[0].clone();
        let plain = agent(serde_json::json!({"scheme": "http", "host": "127.0.0.1"}));
        assert!(plain.at("http://localhost:1").is_some());
        assert!(plain.at("http://192.0.2.2:80").is_none(), "tokens would be unprotected");
        assert!(plain.at("https://192.0.2.2:443").is_some());
        let allowed = agent(serde_json::json!({"scheme": "http", "allowPlaintext": true}));
        assert!(allowed.at("http://192.0.2.2:80").is_some());
        let proxied = agent(serde_json::json!({"proxy": {"host": "proxy.example", "port": 1}}));
        let node = proxied.at("https://node.example:8443/x").expect("an address");
        assert_eq!(
            (node.base_url.as_str(), node.proxy.is_some()),
            ("https://node.example:8443/x", true)
        );
    }

    #[test]
    fn a_node_that_a_file_names_is_of_the_same_host_or_domain() {
        for (host, url, near) in [
            ("lb.mybank.example", "https://lb.mybank.example:8443", true),
            ("lb.mybank.example", "https://Agent-1.mybank.example:443/x", true),
            ("lb.mybank.example", "https://agent-1.other.example:443", false),
            ("mybank.example", "https://other.example:443", false),
            ("10.0.0.1", "https://10.0.0.2:443", false),
            ("127.0.0.1", "https://localhost:443", true),
            ("lb.mybank.example", "nowhere", false),
        ] {
            let agent = good(serde_json::json!({ "host": host })).agent.services[0].clone();
            assert_eq!(agent.is_near(url), near, "{url} and {host}");
        }
    }
}
