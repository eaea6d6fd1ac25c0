//! One request, one reply: the plumbing below the protocol.

use std::io::{ErrorKind, Read};
use std::sync::Arc;
use std::time::Duration;

use ureq::http::header::{AsHeaderName, HeaderMap};
use ureq::http::{HeaderName, HeaderValue, Method, Uri};
use ureq::tls::TlsConfig;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, RustlsConnector};
use ureq::{Agent, Error, ProxyProtocol, Timeout};

use super::progress::Observe;
use super::resolver::CachingResolver;
use super::socket::TcpConnector;
use super::socks::SocksConnector;
use super::{Cutoff, Progress, trust};
use crate::config::{Elsewhere, Header, MAX_HEADER, Proxy, ProxyKind, Service};

/// How long an idle connection is kept. A service that closes it sooner costs one silent second try.
const IDLE: Duration = Duration::from_secs(300);

/// Most of the body of a refusal that is looked at.
const REFUSAL: u64 = 64 << 10;

/// ureq writes a header's line in one piece, so the longest one has to fit.
const OUTPUT_BUFFER: usize = MAX_HEADER + (1 << 10);

/// Most of a body that a `Content-Length` gets us to allocate before any of it has arrived.
const TRUSTED_LENGTH: u64 = 1 << 20;

/// A request in the terms of the protocol.
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
    fn bytes(self) -> u64 {
        match self {
            MaxBody::Configured(bytes) => bytes,
            MaxBody::Short => 1 << 20,
        }
    }

    fn exceeded(self, what: &str) -> Failure {
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

/// An answer of any status. Of a refusal's body only the beginning.
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The value of a header, if it is there and is text.
    pub(crate) fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    /// The request may have reached the service.
    pub(crate) sent: bool,
    /// What happened, without the host.
    pub(crate) reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The feed is closing.
    Cut,
    /// The name has no address.
    NameUnknown,
    /// No connection: refused, unreachable, or no answer in time.
    NotConnected,
    /// TLS failed.
    Tls,
    /// The connection broke.
    ConnectionLost,
    /// No answer in time.
    TimedOut,
    /// The answer was not HTTP, or broke off.
    NotHttp,
    /// The body is larger than the limit.
    TooLarge,
}

/// Has ureq and TLS set up what they set up once in a process, by a request that is cut before it reaches the network, and
/// a handshake that is never sent.
///
/// Done in the poller's thread it could be caught half-way by a fork, and the child would wait for ever for a thread that
/// it does not have. Answers whether there was a descriptor to do it with.
pub(crate) fn warm_up() -> bool {
    let Ok(cutoff) = Cutoff::new() else { return false };
    cutoff.cut();
    let nowhere = Service {
        base_url: "http://127.0.0.1:9".to_owned(),
        connect_timeout: Duration::ZERO,
        read_timeout: Duration::ZERO,
        headers: Vec::new(),
        proxy: None,
        trusted: Vec::new(),
        client_certificate: None,
        elsewhere: Elsewhere::default(),
    };
    let _ = Http::new(&nowhere, &Arc::new(cutoff)).call(&Request {
        method: Method::GET,
        uri: &Uri::from_static("http://127.0.0.1:9/"),
        headers: &[],
        body: None,
        trace_id: "",
        max_body: MaxBody::Short,
        repeatable: false,
    });
    trust::warm_up();
    true
}

/// An HTTP client for one service.
pub(crate) struct Http {
    agent: Agent,
    cutoff: Arc<Cutoff>,
    progress: Arc<Progress>,
    configured: Vec<Header>,
    /// The configured headers with the values that they had when they were last read.
    default_headers: Vec<(HeaderName, HeaderValue)>,
    /// `host:port` of the proxy, for messages.
    proxy: Option<String>,
}

impl Http {
    pub(crate) fn new(service: &Service, cutoff: &Arc<Cutoff>) -> Http {
        let progress = Arc::new(Progress::default());
        let tls = if service.base_url.starts_with("https:") {
            TlsConfig::builder()
                .root_certs(trust::roots(&service.trusted))
                .client_cert(service.client_certificate.as_ref().and_then(trust::client_certificate))
                .build()
        } else {
            TlsConfig::default()
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(service.proxy.as_ref().and_then(proxy_for_ureq))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("symphony-datafeed/", env!("CARGO_PKG_VERSION")))
            .accept("application/json")
            .accept_encoding("identity")
            .max_idle_age(IDLE)
            .max_idle_connections_per_host(1)
            .input_buffer_size(64 << 10)
            .output_buffer_size(OUTPUT_BUFFER)
            .max_response_header_size(64 << 10)
            .timeout_resolve(Some(service.connect_timeout))
            .timeout_connect(Some(service.connect_timeout))
            .timeout_send_request(Some(service.read_timeout))
            .timeout_send_body(Some(service.read_timeout))
            .timeout_recv_response(Some(service.read_timeout))
            .timeout_recv_body(Some(service.read_timeout))
            .tls_config(tls)
            .build();
        let connector = ()
            .chain(ConnectProxyConnector::default())
            .chain(SocksConnector {
                cutoff: Arc::clone(cutoff),
                proxy: service.proxy.clone(),
            })
            .chain(TcpConnector {
                cutoff: Arc::clone(cutoff),
            })
            .chain(RustlsConnector::default())
            .chain(Observe {
                progress: Arc::clone(&progress),
                cutoff: Arc::clone(cutoff),
                proxied: service.proxy.is_some(),
            });
        let mut http = Http {
            agent: Agent::with_parts(config, connector, CachingResolver::new(Arc::clone(cutoff))),
            cutoff: Arc::clone(cutoff),
            progress,
            configured: service.headers.clone(),
            default_headers: Vec::new(),
            proxy: service.proxy.as_ref().map(Proxy::address),
        };
        http.take_headers();
        http
    }

    /// Reads the configured headers' values again: those that are in files may have changed.
    ///
    /// # Errors
    ///
    /// The first that cannot be read. The others have their new values, and it keeps its old one.
    pub(crate) fn read_headers(&mut self) -> Result<(), crate::error::Error> {
        let mut result = Ok(());
        for header in &self.configured {
            result = result.and(header.read_again());
        }
        self.take_headers();
        result
    }

    fn take_headers(&mut self) {
        let value = |header: &Header| Some((header.name.clone(), header.value()?));
        self.default_headers = self.configured.iter().filter_map(value).collect();
    }

    /// What every request carries and no error may repeat: the values of the configured headers, which may be a
    /// gateway's keys, and what follows the name of a scheme in them.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let values = self.default_headers.iter().filter_map(|(_, value)| value.to_str().ok());
        values.flat_map(|value| {
            [Some(value), value.split_once(' ').map(|(_, key)| key)]
                .into_iter()
                .flatten()
        })
    }

    /// Sends a request and waits for the whole answer.
    ///
    /// A connection that was kept from an earlier request may have been closed by the other side meanwhile. That says
    /// nothing about the service, so the request is sent once more on a new one.
    pub(crate) fn call(&self, request: &Request) -> Result<Reply, Failure> {
        match self.call_once(request) {
            Err(failure)
                if failure.kind == FailureKind::ConnectionLost
                    && request.repeatable
                    && self.progress.reused()
                    && !self.progress.answered() =>
            {
                self.call_once(request)
            }
            result => result,
        }
    }

    fn call_once(&self, request: &Request) -> Result<Reply, Failure> {
        self.progress.start();
        self.cutoff.request_begins();
        let mut builder = ureq::http::Request::builder()
            .method(request.method.clone())
            .uri(request.uri.clone())
            .header("X-Trace-Id", request.trace_id);
        for (name, value) in self.default_headers.iter().chain(request.headers) {
            builder = builder.header(name, value);
        }
        let response = match request.body {
            // Of length 0, and not of no length: some servers take only that for no body.
            None if request.method == Method::POST => builder.body("").map(|request| self.agent.run(request)),
            None => builder.body(()).map(|request| self.agent.run(request)),
            Some(body) => builder
                .header("Content-Type", "application/json")
                .body(body)
                .map(|request| self.agent.run(request)),
        };
        let response = response
            .map_err(Error::Http)
            .and_then(|result| result)
            .map_err(|error| self.failure(&error))?;
        let (head, content) = response.into_parts();
        let refused = !head.status.is_success();
        let limit = if refused { REFUSAL } else { request.max_body.bytes() };
        let length = content.content_length().unwrap_or(0);
        if length > limit && !refused {
            return Err(request.max_body.exceeded(&format!("of {length} bytes is")));
        }
        let mut body = Vec::with_capacity(length.min(TRUSTED_LENGTH).min(limit) as usize);
        let read = content
            .into_reader()
            .take(if refused { limit } else { limit + 1 })
            .read_to_end(&mut body);
        match read {
            // What a refusal means is in its status, whatever becomes of its words.
            Err(_) if refused && !self.cutoff.is_over() => {}
            Err(error) => return Err(self.failure(&Error::from(error))),
            Ok(_) => {}
        }
        if body.len() as u64 > limit {
            return Err(request.max_body.exceeded("is"));
        }
        Ok(Reply {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    }

    fn failure(&self, error: &Error) -> Failure {
        let connected = self.progress.began_to_write();
        let kind = match error {
            _ if self.cutoff.is_over() => FailureKind::Cut,
            Error::HostNotFound | Error::Timeout(Timeout::Resolve) => FailureKind::NameUnknown,
            Error::Timeout(Timeout::Connect) => FailureKind::NotConnected,
            Error::Timeout(_) => FailureKind::TimedOut,
            Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) | Error::TlsRequired => FailureKind::Tls,
            Error::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => FailureKind::Tls,
            Error::Io(_) | Error::ConnectionFailed | Error::BodyStalled if connected => FailureKind::ConnectionLost,
            Error::Io(_) | Error::ConnectionFailed | Error::ConnectProxyFailed(_) => FailureKind::NotConnected,
            _ => FailureKind::NotHttp,
        };
        let reason = match error {
            _ if kind == FailureKind::Tls => trust::explain(error),
            Error::ConnectProxyFailed(reason) => reason.split('/').next().unwrap_or_default().to_owned(),
            Error::Timeout(Timeout::Resolve) => "its lookup got no answer in time".to_owned(),
            Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof && !connected => {
                "the other side ended the connection before a request could be sent".to_owned()
            }
            Error::Io(error) => error.to_string(),
            Error::BodyStalled => "it ended within the answer".to_owned(),
            Error::Other(error) => error.to_string(),
            Error::Protocol(error) => self.progress.beginning().told_with(&error.to_string()),
            _ => error.to_string(),
        };
        let through = match &self.proxy {
            Some(proxy) if !connected => format!(", through the proxy {proxy}"),
            _ => String::new(),
        };
        Failure {
            kind,
            sent: connected,
            reason: format!("{reason}{through}"),
        }
    }
}

fn proxy_for_ureq(proxy: &Proxy) -> Option<ureq::Proxy> {
    let protocol = match proxy.kind {
        ProxyKind::Connect => ProxyProtocol::Http,
        ProxyKind::Socks { resolves: true } => ProxyProtocol::Socks5h,
        ProxyKind::Socks { resolves: false } => ProxyProtocol::Socks5,
    };
    let mut builder = ureq::Proxy::builder(protocol)
        .host(&proxy.bracketed_host())
        .port(proxy.port)
        .resolve_target(proxy.kind == ProxyKind::Socks { resolves: false });
    if let Some((username, password)) = &proxy.credentials {
        builder = builder.username(username).password(password);
    }
    // The host was checked with the configuration.
    builder.build().ok()
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use super::*;

    /// Reads one request without a body and, if told so, answers it.
    fn serve(stream: &mut BufReader<TcpStream>, answer: bool) {
        let mut line = String::new();
        while stream.read_line(&mut line).expect("a request") > 2 {
            line.clear();
        }
        if answer {
            let reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            stream.get_mut().write_all(reply).expect("the client is there");
        }
    }

    fn client(listener: &TcpListener) -> (Http, Uri) {
        let base_url = format!("http://{}", listener.local_addr().expect("an address"));
        let service = Service {
            base_url: base_url.clone(),
            connect_timeout: Duration::from_secs(30),
            read_timeout: Duration::from_secs(30),
            headers: Vec::new(),
            proxy: None,
            trusted: Vec::new(),
            client_certificate: None,
            elsewhere: Elsewhere::default(),
        };
        let cutoff = Arc::new(Cutoff::new().expect("a descriptor"));
        (Http::new(&service, &cutoff), base_url.parse().expect("an address"))
    }

    fn get(http: &Http, uri: &Uri) -> Result<Reply, Failure> {
        http.call(&Request {
            method: Method::GET,
            uri,
            headers: &[],
            body: None,
            trace_id: "abc123",
            max_body: MaxBody::Short,
            repeatable: true,
        })
    }

    #[test]
    fn a_kept_connection_that_was_closed_is_replaced_silently() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let (http, uri) = client(&listener);
        let server = thread::spawn(move || {
            let mut first = BufReader::new(listener.accept().expect("a client").0);
            serve(&mut first, true);
            // It reads the second request and closes: the client could not have known.
            serve(&mut first, false);
            drop(first);
            serve(
                &mut BufReader::new(listener.accept().expect("the client again").0),
                true,
            );
        });
        assert_eq!(get(&http, &uri).expect("an answer").body, b"ok");
        assert_eq!(get(&http, &uri).expect("an answer").body, b"ok");
        server.join().expect("the server saw what it expected");
    }

    #[test]
    fn every_proxy_that_can_be_configured_is_used() {
        for host in ["::1", "fe80::1", "10.0.0.1", "proxy.example", "a_b-c"] {
            for credentials in [None, Some(("user@corp".to_owned(), "p:/?#[]@ss é".to_owned()))] {
                let proxy = Proxy {
                    kind: ProxyKind::Connect,
                    host: host.to_owned(),
                    port: 3128,
                    credentials: credentials.clone(),
                };
                let used = proxy_for_ureq(&proxy).expect(host);
                assert_eq!(used.port(), 3128);
                assert_eq!(used.username(), credentials.as_ref().map(|(name, _)| name.as_str()));
                assert_eq!(
                    used.password(),
                    credentials.as_ref().map(|(_, password)| password.as_str())
                );
            }
        }
    }

    #[test]
    fn a_cut_request_does_not_reach_the_network() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let (http, uri) = client(&listener);
        http.cutoff.cut();
        assert_eq!(get(&http, &uri).err().expect("no answer").kind, FailureKind::Cut);
        let nobody = listener.accept().expect_err("nobody came").kind();
        assert_eq!(nobody, std::io::ErrorKind::WouldBlock);
    }

    #[test]
    fn a_new_connection_that_is_closed_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let (http, uri) = client(&listener);
        let server = thread::spawn(move || serve(&mut BufReader::new(listener.accept().expect("a client").0), false));
        let failure = get(&http, &uri).err().expect("no answer");
        assert_eq!((failure.kind, failure.sent), (FailureKind::ConnectionLost, true));
        server.join().expect("the server saw what it expected");
    }
}
