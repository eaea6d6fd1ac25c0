//! A SOCKS proxy of version 5, for tests of clients that go through one.
//!
//! ```
//! use datafeed_emulator::socks::{SocksProxy, SocksSettings};
//!
//! let proxy = SocksProxy::start(SocksSettings::default())?;
//! println!("{}", proxy.url()); // what a client is told to go through
//! assert!(proxy.books().targets.is_empty());
//! # Ok::<(), std::io::Error>(())
//! ```

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader, copy, copy_bidirectional, sink};
use tokio::net::TcpStream;

use crate::gateway::{self, Gateway};

/// How a SOCKS proxy behaves.
#[derive(Clone, Debug, Default)]
pub struct SocksSettings {
    /// The name and password that it asks for (RFC 1929). Without them it knows clients only that need none.
    pub credentials: Option<(String, String)>,
    /// Accepts connections and never answers, whatever else is set.
    pub hang: bool,
    /// Answers every CONNECT with this reply, such as 5: connection refused.
    pub refuse: Option<u8>,
}

/// What a SOCKS proxy has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SocksBooks {
    /// Connections accepted.
    pub connections: u64,
    /// What each CONNECT was for.
    pub targets: Vec<SocksTarget>,
    /// Of those, how many were let through.
    pub tunnels: u64,
    /// Connections that ended because their credentials were wrong, or because they offered none.
    pub unauthorized: u64,
}

/// What a client asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocksTarget {
    /// `host:port`, the host as it was sent: `agent.example.com:443`, `127.0.0.1:443`, `[::1]:443`.
    pub address: String,
    pub kind: SocksHost,
}

/// How a client named the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocksHost {
    /// By name, which is then the proxy's to resolve, even if it looks like an address.
    Name,
    Ipv4,
    Ipv6,
}

/// A running SOCKS proxy on 127.0.0.1, in a thread of its own. Dropping it ends every connection and frees the port.
///
/// Whatever host it is asked for, it connects to that port on 127.0.0.1: so a test can tell by a name which
/// nobody can resolve that the client left that to the proxy.
#[derive(Debug)]
pub struct SocksProxy(Gateway<SocksSettings, SocksBooks>);

type Desk = gateway::Desk<SocksSettings, SocksBooks>;

impl SocksProxy {
    pub fn start(settings: SocksSettings) -> io::Result<SocksProxy> {
        Gateway::start(settings, serve).map(SocksProxy)
    }

    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// `socks5://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("socks5://127.0.0.1:{}", self.port())
    }

    pub fn books(&self) -> SocksBooks {
        self.0.books()
    }

    /// Waits until the books satisfy the condition. Whether they did in time.
    pub fn wait_until(&self, timeout: Duration, condition: impl Fn(&SocksBooks) -> bool) -> bool {
        self.0.wait_until(timeout, condition)
    }
}

type Client = BufReader<TcpStream>;

const VERSION: u8 = 5;
/// The version of the exchange of credentials.
const CREDENTIALS_VERSION: u8 = 1;

const NO_CREDENTIALS: u8 = 0;
const CREDENTIALS: u8 = 2;
const NO_METHOD: u8 = 0xff;

const CONNECT: u8 = 1;

const SUCCEEDED: u8 = 0;
const FAILED: u8 = 1;
const CONNECTION_REFUSED: u8 = 5;
const UNKNOWN_COMMAND: u8 = 7;
const UNKNOWN_ADDRESS_TYPE: u8 = 8;

async fn serve(socket: TcpStream, desk: Arc<Desk>) -> io::Result<()> {
    desk.note(|books| books.connections += 1);
    let mut client = BufReader::new(socket);
    if desk.settings.hang {
        // Until the client leaves.
        copy(&mut client, &mut sink()).await?;
        return Ok(());
    }
    if !greet(&mut client, &desk).await? {
        return client.shutdown().await;
    }
    let target = match read_request(&mut client).await? {
        Ok(target) => target,
        Err(reply) => return refuse(&mut client, reply).await,
    };
    let port = target.port;
    desk.note(|books| books.targets.push(target.as_asked()));
    if let Some(reply) = desk.settings.refuse {
        return refuse(&mut client, reply).await;
    }
    let Ok(mut service) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
        return refuse(&mut client, CONNECTION_REFUSED).await;
    };
    desk.note(|books| books.tunnels += 1);
    answer(&mut client, SUCCEEDED, service.local_addr()?.port()).await?;
    copy_bidirectional(&mut client, &mut service).await?;
    Ok(())
}

/// Agrees on a method, and asks for the credentials. Whether the client is welcome.
async fn greet(client: &mut Client, desk: &Desk) -> io::Result<bool> {
    if client.read_u8().await? != VERSION {
        return Ok(false);
    }
    let methods = read_counted(client).await?;
    let asked = match desk.settings.credentials {
        Some(_) => CREDENTIALS,
        None => NO_CREDENTIALS,
    };
    if !methods.contains(&asked) {
        desk.note(|books| books.unauthorized += 1);
        client.write_all(&[VERSION, NO_METHOD]).await?;
        return Ok(false);
    }
    client.write_all(&[VERSION, asked]).await?;
    let Some((name, password)) = &desk.settings.credentials else {
        return Ok(true);
    };
    let version = client.read_u8().await?;
    // Both are read before either is judged: what is not read would reset the connection, and its answer be lost.
    let shown = (read_counted(client).await?, read_counted(client).await?);
    let welcome = version == CREDENTIALS_VERSION && shown.0 == name.as_bytes() && shown.1 == password.as_bytes();
    if !welcome {
        desk.note(|books| books.unauthorized += 1);
    }
    client.write_all(&[CREDENTIALS_VERSION, u8::from(!welcome)]).await?;
    Ok(welcome)
}

struct Target {
    host: String,
    kind: SocksHost,
    port: u16,
}

impl Target {
    fn as_asked(&self) -> SocksTarget {
        SocksTarget {
            address: format!("{}:{}", self.host, self.port),
            kind: self.kind,
        }
    }
}

/// What is asked for, or the reply to what makes no sense.
async fn read_request(client: &mut Client) -> io::Result<Result<Target, u8>> {
    let [version, command, reserved, address_type] = read_array(client).await?;
    if version != VERSION || reserved != 0 {
        return Ok(Err(FAILED));
    }
    if command != CONNECT {
        return Ok(Err(UNKNOWN_COMMAND));
    }
    let (host, kind) = match address_type {
        1 => (
            Ipv4Addr::from(read_array::<4>(client).await?).to_string(),
            SocksHost::Ipv4,
        ),
        4 => {
            let address = Ipv6Addr::from(read_array::<16>(client).await?);
            (format!("[{address}]"), SocksHost::Ipv6)
        }
        3 => {
            let name = read_counted(client).await?;
            (String::from_utf8_lossy(&name).into_owned(), SocksHost::Name)
        }
        _ => return Ok(Err(UNKNOWN_ADDRESS_TYPE)),
    };
    let port = client.read_u16().await?;
    Ok(Ok(Target { host, kind, port }))
}

async fn read_array<const N: usize>(client: &mut Client) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}

/// As many bytes as the first one says.
async fn read_counted(client: &mut Client) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; client.read_u8().await?.into()];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn refuse(client: &mut Client, reply: u8) -> io::Result<()> {
    answer(client, reply, 0).await?;
    client.shutdown().await
}

/// The address that is told is the one that the proxy connects from.
async fn answer(client: &mut Client, reply: u8, port: u16) -> io::Result<()> {
    let mut bytes = vec![VERSION, reply, 0, 1];
    bytes.extend(match reply {
        SUCCEEDED => Ipv4Addr::LOCALHOST.octets(),
        _ => Ipv4Addr::UNSPECIFIED.octets(),
    });
    bytes.extend(port.to_be_bytes());
    client.write_all(&bytes).await
}
