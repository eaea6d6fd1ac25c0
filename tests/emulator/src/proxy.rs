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
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy, copy_bidirectional, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

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
pub struct Proxy {
    port: u16,
    desk: Arc<Desk>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    pub fn start(settings: ProxySettings) -> io::Result<Proxy> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let port = listener.local_addr()?.port();
        let desk = Arc::new(Desk {
            settings,
            books: Mutex::default(),
            bell: Condvar::new(),
        });
        let served = desk.clone();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("datafeed-proxy".into())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::spawn(accept(listener, served));
                    let _ = stopped.await;
                });
            })?;
        Ok(Proxy {
            port,
            desk,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn books(&self) -> ProxyBooks {
        self.desk.lock().clone()
    }

    /// Waits until the books satisfy the condition. Whether they did in time.
    pub fn wait_until(&self, timeout: Duration, condition: impl Fn(&ProxyBooks) -> bool) -> bool {
        let begun = Instant::now();
        let mut books = self.desk.lock();
        loop {
            if condition(&books) {
                return true;
            }
            let left = timeout.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return false;
            }
            let waited = self.desk.bell.wait_timeout(books, left);
            books = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in there has been printed already.
            let _ = thread.join();
        }
    }
}

#[derive(Debug)]
struct Desk {
    settings: ProxySettings,
    books: Mutex<ProxyBooks>,
    /// Rings when the books change.
    bell: Condvar,
}

impl Desk {
    fn note(&self, note: impl FnOnce(&mut ProxyBooks)) {
        note(&mut self.lock());
        self.bell.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, ProxyBooks> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_welcome(&self, request: &Request) -> bool {
        self.settings.credentials.as_ref().is_none_or(|(name, password)| {
            let expected = STANDARD.encode(format!("{name}:{password}"));
            request.credentials.as_ref() == Some(&expected)
        })
    }
}

async fn accept(listener: TcpListener, desk: Arc<Desk>) {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                desk.note(|books| books.connections += 1);
                let desk = desk.clone();
                // An error is a side that left.
                tokio::spawn(async move { serve(socket, &desk).await });
            }
            // Out of file descriptors, or the client has left already: wait for better times.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn serve(socket: TcpStream, desk: &Desk) -> io::Result<()> {
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
    if !desk.is_welcome(&request) {
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
