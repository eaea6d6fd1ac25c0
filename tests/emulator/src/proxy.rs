//! An HTTP proxy that knows CONNECT only, for tests of clients that go through one.
//!
//! ```
//! use datafeed_emulator::proxy::{Proxy, ProxySettings};
//!
//! let proxy = Proxy::start(ProxySettings::default())?;
//! println!("{}", proxy.url()); // what a client is told to go through
//! assert!(proxy.books().targets.is_empty());
//! # Ok::<(), std::io::Error>(())
//! ```

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy, copy_bidirectional, sink};
use tokio::net::TcpStream;

use crate::gateway::{self, Gateway};

/// How a proxy behaves.
#[derive(Clone, Debug, Default)]
pub struct ProxySettings {
    /// The name and password that it asks for; without them it answers 407.
    pub credentials: Option<(String, String)>,
    /// Reads a CONNECT and never answers, whatever else is set.
    pub hang: bool,
    /// Answers every CONNECT with this status.
    pub refuse: Option<u16>,
}

/// What a proxy has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyBooks {
    /// Connections accepted.
    pub connections: u64,
    /// What each CONNECT was for, as it was sent, such as `agent.example.com:443`.
    pub targets: Vec<String>,
    /// Of those, how many were let through.
    pub tunnels: u64,
    /// Of those, how many were answered 407.
    pub unauthorized: u64,
}

/// A running proxy on 127.0.0.1, in a thread of its own. Dropping it ends every connection and frees the port.
///
/// Whatever host it is asked for, it connects to that port on 127.0.0.1: so a test can tell by a name which
/// nobody can resolve that the client left that to the proxy.
#[derive(Debug)]
pub struct Proxy(Gateway<ProxySettings, ProxyBooks>);

type Desk = gateway::Desk<ProxySettings, ProxyBooks>;

impl Proxy {
    pub fn start(settings: ProxySettings) -> io::Result<Proxy> {
        Gateway::start(settings, serve).map(Proxy)
    }

    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    pub fn books(&self) -> ProxyBooks {
        self.0.books()
    }

    /// Waits until the books satisfy the condition. Whether they did in time.
    pub fn wait_until(&self, timeout: Duration, condition: impl Fn(&ProxyBooks) -> bool) -> bool {
        self.0.wait_until(timeout, condition)
    }
}

fn is_welcome(settings: &ProxySettings, request: &Request) -> bool {
    settings.credentials.as_ref().is_none_or(|(name, password)| {
        let expected = STANDARD.encode(format!("{name}:{password}"));
        request.credentials.as_ref() == Some(&expected)
    })
}

async fn serve(socket: TcpStream, desk: Arc<Desk>) -> io::Result<()> {
    desk.note(|books| books.connections += 1);
    let mut client = BufReader::new(socket);
    let Some(request) = read_request(&mut client).await? else {
        return answer(&mut client, 400, "").await;
    };
    if request.method != "CONNECT" {
        return answer(&mut client, 405, "Allow: CONNECT\r\n").await;
    }
    desk.note(|books| books.targets.push(request.target.clone()));
    if desk.settings.hang {
        // Until the client leaves.
        copy(&mut client, &mut sink()).await?;
        return Ok(());
    }
    if !is_welcome(&desk.settings, &request) {
        desk.note(|books| books.unauthorized += 1);
        return answer(&mut client, 407, "Proxy-Authenticate: Basic realm=\"emulator\"\r\n").await;
    }
    if let Some(status) = desk.settings.refuse {
        return answer(&mut client, status, "").await;
    }
    let port = request.target.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    let Some(port) = port else {
        return answer(&mut client, 400, "").await;
    };
    let Ok(mut service) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
        return answer(&mut client, 502, "").await;
    };
    desk.note(|books| books.tunnels += 1);
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut service).await?;
    Ok(())
}

struct Request {
    method: String,
    target: String,
    /// As they were sent, in base64.
    credentials: Option<String>,
}

/// No head of a request is longer.
const LONGEST_HEAD: u64 = 64 * 1024;

/// The head of a request; `None` for what is none.
async fn read_request(client: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let mut lines = client.take(LONGEST_HEAD).lines();
    let first = lines.next_line().await?.unwrap_or_default();
    let mut words = first.split(' ').map(str::to_owned);
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Ok(None);
    };
    let mut credentials = None;
    while let Some(line) = lines.next_line().await? {
        if line.is_empty() {
            return Ok(Some(Request {
                method,
                target,
                credentials,
            }));
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("proxy-authorization")
        {
            let (scheme, encoded) = value.trim().split_once(' ').unwrap_or_default();
            credentials = scheme.eq_ignore_ascii_case("basic").then(|| encoded.to_owned());
        }
    }
    Ok(None)
}

async fn answer(client: &mut BufReader<TcpStream>, status: u16, headers: &str) -> io::Result<()> {
    let head = format!("HTTP/1.1 {status} By the proxy\r\n{headers}Content-Length: 0\r\nConnection: close\r\n\r\n");
    client.write_all(head.as_bytes()).await?;
    client.shutdown().await
}
