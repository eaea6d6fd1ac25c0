//! A request in the terms of the protocol, and as it goes over the wire.

use ureq::http::header::{ACCEPT, HOST, USER_AGENT};
use ureq::http::{HeaderName, HeaderValue, Method, Uri};

use super::{Failure, FailureKind};

pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a [(HeaderName, HeaderValue)],
    /// A JSON body.
    pub(crate) body: Option<&'a str>,
    pub(crate) trace_id: &'a str,
    /// A larger answer is refused.
    pub(crate) max_body: MaxBody,
    /// It does no harm if the service handles it twice.
    pub(crate) repeatable: bool,
}

/// Most that an answer may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MaxBody {
    /// Bytes, as configured by `maxResponseBytes`.
    Configured(u64),
    /// For what is short by its nature: a megabyte.
    Short,
}

impl MaxBody {
    pub(super) fn bytes(self) -> u64 {
        match self {
            MaxBody::Configured(bytes) => bytes,
            MaxBody::Short => 1 << 20,
        }
    }

    /// `length`: if it was said before the body came.
    pub(super) fn exceeded(self, length: Option<u64>) -> Failure {
        let what = match length {
            Some(length) => format!("of {length} bytes is"),
            None => "is".to_owned(),
        };
        let advice = match self {
            MaxBody::Configured(_) => "; raise maxResponseBytes if such responses are to be accepted",
            MaxBody::Short => "",
        };
        Failure {
            kind: FailureKind::TooLarge,
            sent: true,
            reason: format!("the response {what} larger than {} bytes{advice}", self.bytes()),
        }
    }
}

const OUR_NAME: &str = concat!("symphony-datafeed/", env!("CARGO_PKG_VERSION"));

impl Request<'_> {
    /// Head and body, with the headers that every request carries.
    pub(super) fn render(&self, configured: &[(HeaderName, HeaderValue)]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1 << 10);
        let target = self.uri.path_and_query().map_or("/", |target| target.as_str());
        for part in [self.method.as_str(), " ", target, " HTTP/1.1\r\n"] {
            bytes.extend_from_slice(part.as_bytes());
        }
        add(&mut bytes, HOST.as_str(), host(self.uri));
        let headers = || configured.iter().chain(self.headers);
        for (name, usual) in [(USER_AGENT, OUR_NAME), (ACCEPT, "application/json")] {
            if !headers().any(|(other, _)| *other == name) {
                add(&mut bytes, name.as_str(), usual);
            }
        }
        add(&mut bytes, "accept-encoding", "identity");
        add(&mut bytes, "x-trace-id", self.trace_id);
        for (name, value) in headers() {
            add(&mut bytes, name.as_str(), value.as_bytes());
        }
        match self.body {
            Some(body) => {
                add(&mut bytes, "content-type", "application/json");
                add(&mut bytes, "content-length", body.len().to_string());
            }
            // Of length 0, and not of no length: some servers take only that for no body.
            None if self.method == Method::POST => add(&mut bytes, "content-length", "0"),
            None => {}
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(self.body.unwrap_or_default().as_bytes());
        bytes
    }
}

/// Without the port where it is the scheme's own. Nobody is named there: an address of ours holds no login.
fn host(uri: &Uri) -> &str {
    let usual = match uri.scheme_str() {
        Some("http") => Some(80),
        _ => Some(443),
    };
    if uri.port_u16() == usual {
        uri.host().unwrap_or_default()
    } else {
        uri.authority().map_or("", |authority| authority.as_str())
    }
}

fn add(bytes: &mut Vec<u8>, name: &str, value: impl AsRef<[u8]>) {
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(b": ");
    bytes.extend_from_slice(value.as_ref());
    bytes.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(method: Method, uri: &str, body: Option<&str>, configured: &[(HeaderName, HeaderValue)]) -> String {
        let request = Request {
            method,
            uri: &uri.parse().expect("an address"),
            headers: &[(
                HeaderName::from_static("sessiontoken"),
                HeaderValue::from_static("secret"),
            )],
            body,
            trace_id: "abc123",
            max_body: MaxBody::Short,
            repeatable: true,
        };
        String::from_utf8(request.render(configured)).expect("text")
    }

    #[test]
    fn a_request_goes_over_the_wire_like_this() {
        assert_eq!(
            rendered(
                Method::POST,
                "http://agent.example:8080/a/b?c=d",
                Some("{\"e\":1}"),
                &[]
            ),
            format!(
                "POST /a/b?c=d HTTP/1.1\r\nhost: agent.example:8080\r\nuser-agent: {OUR_NAME}\r\naccept: application/json\r\n\
                 accept-encoding: identity\r\nx-trace-id: abc123\r\nsessiontoken: secret\r\n\
                 content-type: application/json\r\ncontent-length: 7\r\n\r\n{{\"e\":1}}"
            )
        );
    }

    #[test]
    fn only_a_post_without_a_body_says_so() {
        let post = rendered(Method::POST, "http://agent.example/", None, &[]);
        assert!(post.ends_with("\r\ncontent-length: 0\r\n\r\n"), "{post}");
        for method in [Method::GET, Method::DELETE] {
            assert!(!rendered(method, "http://agent.example/", None, &[]).contains("content-length"));
        }
    }

    #[test]
    fn the_usual_port_is_not_named() {
        for (uri, host) in [
            ("https://agent.example:443/", "agent.example"),
            ("http://agent.example:80/", "agent.example"),
            ("https://agent.example:80/", "agent.example:80"),
            ("http://[::1]:443/", "[::1]:443"),
            ("https://[::1]:443/", "[::1]"),
        ] {
            let sent = rendered(Method::GET, uri, None, &[]);
            assert!(sent.contains(&format!("\r\nhost: {host}\r\n")), "{uri}: {sent}");
        }
    }

    #[test]
    fn a_configured_header_takes_the_place_of_ours() {
        let configured = [(USER_AGENT, HeaderValue::from_static("bot/1"))];
        let sent = rendered(Method::GET, "http://agent.example/", None, &configured);
        assert!(
            sent.contains("\r\nuser-agent: bot/1\r\n") && !sent.contains(OUR_NAME),
            "{sent}"
        );
    }
}
