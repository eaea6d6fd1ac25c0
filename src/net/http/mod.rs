//! One request, one reply: the plumbing below the protocol.
//!
//! HTTP/1.1 is spoken here, over connections that ureq's connectors make. Its agent waits for an answer to its end, in one thread;
//! an [`Exchange`] can be left and gone on with, and costs half as much.

mod body;
mod exchange;
mod head;
mod request;

use std::cell::RefCell;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::http::{HeaderName, HeaderValue, Uri};
use ureq::{Error, Timeout};

use super::connection::Connection;
use super::connector::Connections;
use super::cutoff::Cut;
use super::{Cutoff, trust};
use crate::config::{Elsewhere, Header, Proxy, Service};
use exchange::{Broken, Exchange};
pub(crate) use request::{MaxBody, Request};

/// How long an idle connection is kept. A service that closes it sooner costs one silent second try.
const IDLE: Duration = Duration::from_secs(300);

/// An answer of any status. Of a refusal's body only the beginning.
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Those that something hangs on.
    headers: Vec<(HeaderName, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// The value of a header, if it is there and is text: `Content-Encoding`, `Date`, `Location` or `Retry-After`.
    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| *known == name)?;
        Some(&found.1)
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
        method: ureq::http::Method::GET,
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
    connections: Connections,
    /// The connection of the latest answer, and since when it has been idle.
    kept: RefCell<Option<(Connection, Instant)>>,
    read_timeout: Duration,
    cutoff: Arc<Cutoff>,
    configured: Vec<Header>,
    /// The configured headers with the values that they had when they were last read.
    default_headers: Vec<(HeaderName, HeaderValue)>,
    /// `host:port` of the proxy, for messages.
    proxy: Option<String>,
}

/// A request whose answer is not here yet.
pub(crate) struct Pending {
    uri: Uri,
    bytes: Vec<u8>,
    max_body: MaxBody,
    repeatable: bool,
    /// None: it has no connection.
    exchange: Option<Exchange>,
    /// The connection had served an earlier request, so its end may say nothing of this one.
    reused: bool,
}

impl Http {
    pub(crate) fn new(service: &Service, cutoff: &Arc<Cutoff>) -> Http {
        let mut http = Http {
            connections: Connections::new(service, cutoff),
            kept: RefCell::default(),
            read_timeout: service.read_timeout,
            cutoff: Arc::clone(cutoff),
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
    pub(crate) fn call(&self, request: &Request) -> Result<Reply, Failure> {
        let mut pending = self.begin(request);
        loop {
            if let Some(result) = self.go_on(&mut pending) {
                return result;
            }
        }
    }

    /// Whether a request would go over a connection that is there already.
    pub(crate) fn has_connection(&self) -> bool {
        self.kept.borrow().is_some()
    }

    /// A request, of which nothing is sent yet.
    pub(crate) fn begin(&self, request: &Request) -> Pending {
        self.cutoff.request_begins();
        Pending {
            uri: request.uri.clone(),
            bytes: request.render(&self.default_headers),
            max_body: request.max_body,
            repeatable: request.repeatable,
            exchange: None,
            reused: false,
        }
    }

    /// Sends what is not sent and waits for the whole answer. Nothing: whoever drives it has to [leave](Cutoff::lend), and
    /// it has to be gone on with.
    ///
    /// A connection that was kept from an earlier request may have been closed by the other side meanwhile. That says
    /// nothing about the service, so the request is sent once more on a new one.
    pub(crate) fn go_on(&self, pending: &mut Pending) -> Option<Result<Reply, Failure>> {
        loop {
            if pending.exchange.is_none() {
                if self.cutoff.is_over() {
                    return Some(Err(self.failure(&Broken::Transport(Cut.into()), false, None)));
                }
                let (connection, reused) = match self.take_kept() {
                    Some(kept) => (kept, true),
                    // Whoever may have to leave must not begin what cannot be left.
                    None if self.cutoff.is_lent() => return None,
                    None => match self.connections.open(&pending.uri) {
                        Ok(connection) => (connection, false),
                        Err(error) => return Some(Err(self.failure(&Broken::Transport(error), false, None))),
                    },
                };
                pending.reused = reused;
                match Exchange::start(connection, &pending.bytes, pending.max_body, self.read_timeout) {
                    Ok(exchange) => pending.exchange = Some(exchange),
                    Err(error) => {
                        let failure = self.failure(&Broken::Transport(error), true, None);
                        if pending.may_be_repeated(&failure) {
                            self.cutoff.request_begins();
                            continue;
                        }
                        return Some(Err(failure));
                    }
                }
            }
            let exchange = pending.exchange.as_mut()?;
            let broken = match exchange.go_on(&self.cutoff)? {
                Ok(()) => {
                    let answered = pending.exchange.take()?.finish()?;
                    if let Some(connection) = answered.connection {
                        *self.kept.borrow_mut() = Some((connection, Instant::now()));
                    }
                    return Some(Ok(Reply {
                        status: answered.head.status,
                        headers: answered.head.told,
                        body: answered.body,
                    }));
                }
                Err(Broken::TooLarge(length)) => {
                    pending.exchange = None;
                    return Some(Err(pending.max_body.exceeded(length)));
                }
                Err(broken) => broken,
            };
            let failure = self.failure(&broken, true, Some(exchange));
            let may_be_repeated = !exchange.has_begun() && pending.may_be_repeated(&failure);
            pending.exchange = None;
            if !may_be_repeated {
                return Some(Err(failure));
            }
            self.cutoff.request_begins();
        }
    }

    /// The kept connection, if it is fit for a request.
    fn take_kept(&self) -> Option<Connection> {
        let (mut connection, since) = self.kept.take()?;
        (since.elapsed() < IDLE && connection.is_fit()).then_some(connection)
    }

    fn failure(&self, broken: &Broken, connected: bool, exchange: Option<&Exchange>) -> Failure {
        let kind = match broken {
            _ if self.cutoff.is_over() => FailureKind::Cut,
            Broken::NotHttp(_) => FailureKind::NotHttp,
            Broken::TooLarge(_) => FailureKind::TooLarge,
            Broken::Ended => FailureKind::ConnectionLost,
            Broken::Transport(error) => kind_of(error, connected),
        };
        let reason = match broken {
            Broken::NotHttp(reason) => match exchange {
                Some(exchange) => exchange.beginning().told_with(reason),
                None => reason.clone(),
            },
            Broken::Ended if exchange.is_some_and(Exchange::has_begun) => "it ended within the answer".to_owned(),
            Broken::Ended => "it ended before an answer came".to_owned(),
            Broken::TooLarge(_) => String::new(),
            Broken::Transport(error) if kind == FailureKind::Tls => trust::explain(error),
            Broken::Transport(error) => match error {
                Error::ConnectProxyFailed(reason) => reason.split('/').next().unwrap_or_default().to_owned(),
                Error::Timeout(Timeout::Resolve) => "its lookup got no answer in time".to_owned(),
                Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof && !connected => {
                    "the other side ended the connection before a request could be sent".to_owned()
                }
                Error::Io(error) => error.to_string(),
                Error::Other(error) => error.to_string(),
                _ => error.to_string(),
            },
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

impl Pending {
    /// Whether it was handed to a connection.
    pub(crate) fn is_sent(&self) -> bool {
        self.exchange.is_some()
    }

    fn may_be_repeated(&self, failure: &Failure) -> bool {
        failure.kind == FailureKind::ConnectionLost && self.repeatable && self.reused
    }
}

fn kind_of(error: &Error, connected: bool) -> FailureKind {
    match error {
        Error::HostNotFound | Error::Timeout(Timeout::Resolve) => FailureKind::NameUnknown,
        Error::Timeout(Timeout::Connect) => FailureKind::NotConnected,
        Error::Timeout(_) => FailureKind::TimedOut,
        Error::Tls(_) | Error::Rustls(_) | Error::Pem(_) | Error::TlsRequired => FailureKind::Tls,
        Error::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => FailureKind::Tls,
        Error::Io(_) | Error::ConnectionFailed if connected => FailureKind::ConnectionLost,
        Error::Io(_) | Error::ConnectionFailed | Error::ConnectProxyFailed(_) => FailureKind::NotConnected,
        _ => FailureKind::NotHttp,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use ureq::http::Method;

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
