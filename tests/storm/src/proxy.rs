//! What stands between the bots and an agent, and damages connections.

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Which way the bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the bot to the agent.
    Request,
    /// From the agent to the bot.
    Answer,
}

/// What happens to the next connection on which something goes this way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    pub way: Way,
    /// After so many bytes.
    pub after: usize,
    pub how: How,
}

/// What is done to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// RST to both.
    Reset,
    /// The end in good order to both.
    Truncate,
    /// Nothing more for so long, then RST.
    Stall(Duration),
    /// So many bytes one by one, each so much later; then everything goes on.
    Drip { bytes: usize, each: Duration },
    /// The end in good order, of this way only.
    HalfClose,
}

/// A proxy in a thread of its own. Dropping it ends every connection.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    target: SocketAddr,
    line: Mutex<VecDeque<Damage>>,
}

impl Proxy {
    /// Starts one, to this agent.
    ///
    /// # Errors
    /// When there is no port or thread left.
    pub fn start(target: SocketAddr) -> io::Result<Proxy> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let line = Mutex::default();
        let shared = Arc::new(Shared { target, line });
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("proxy".into()).spawn(move || {
            runtime.block_on(async {
                tokio::spawn(accept(listener, served));
                // Whichever way it ends, every connection ends with the runtime.
                let _ = stopped.await;
            });
        })?;
        Ok(Proxy {
            port,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn damage(&self, damage: Damage) {
        self.shared.line().push_back(damage);
    }

    /// Forgets what has not happened yet: how much that was.
    pub fn mend(&self) -> usize {
        std::mem::take(&mut *self.shared.line()).len()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn line(&self) -> MutexGuard<'_, VecDeque<Damage>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self, way: Way) -> Option<Damage> {
        let mut line = self.line();
        let place = line.iter().position(|damage| damage.way == way)?;
        line.remove(place)
    }
}

async fn accept(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    loop {
        match listener.accept().await {
            Ok((client, _)) => {
                tokio::spawn(connection(client, Arc::clone(&shared)));
            }
            // Out of file descriptors, or the client has left already: wait for better times.
            Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

/// How the traffic of one way has ended.
enum End {
    /// As its sender wanted, or half: the other way goes on.
    Finished,
    /// Both ways are over, in good order.
    Closed,
    /// Both ways are over, with RST.
    Reset,
}

async fn connection(mut client: TcpStream, shared: Arc<Shared>) {
    let Ok(mut agent) = TcpStream::connect(shared.target).await else {
        // The agent is down.
        let _ = client.set_zero_linger();
        return;
    };
    for socket in [&client, &agent] {
        // Only speed is lost where it fails.
        let _ = socket.set_nodelay(true);
    }
    let end = {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_agent, mut to_agent) = agent.split();
        let mut requests = pin!(pass(&mut from_client, &mut to_agent, Way::Request, &shared));
        let mut answers = pin!(pass(&mut from_agent, &mut to_client, Way::Answer, &shared));
        tokio::select! {
            end = &mut requests => match end {
                End::Finished => answers.await,
                over => over,
            },
            end = &mut answers => match end {
                End::Finished => requests.await,
                over => over,
            },
        }
    };
    if matches!(end, End::Reset) {
        for socket in [&client, &agent] {
            // Nothing that can be done about a failure: it ends in good order then.
            let _ = socket.set_zero_linger();
        }
    }
}

/// Passes bytes on until one of the sides ends it, or damage does.
async fn pass(from: &mut ReadHalf<'_>, to: &mut WriteHalf<'_>, way: Way, shared: &Shared) -> End {
    let mut buffer = vec![0; 16 * 1024];
    let mut damage: Option<Damage> = None;
    loop {
        let bytes = match from.read(&mut buffer).await {
            Ok(0) => return half_close(to).await,
            Ok(count) => &buffer[..count],
            Err(_) => return End::Reset,
        };
        damage = damage.or_else(|| shared.next(way));
        let whole = damage.map_or(bytes.len(), |damage| damage.after.min(bytes.len()));
        let (whole, rest) = bytes.split_at(whole);
        if to.write_all(whole).await.is_err() {
            return End::Reset;
        }
        let Some(pending) = &mut damage else { continue };
        pending.after -= whole.len();
        if rest.is_empty() {
            continue;
        }
        match pending.how {
            How::Reset => return End::Reset,
            How::Truncate => return End::Closed,
            How::Stall(time) => {
                tokio::time::sleep(time).await;
                return End::Reset;
            }
            How::HalfClose => {
                half_close(to).await;
                // Whoever sends does not notice.
                while matches!(from.read(&mut buffer).await, Ok(1..)) {}
                return End::Finished;
            }
            How::Drip { bytes, each } => {
                let (slowly, rest) = rest.split_at(bytes.min(rest.len()));
                for byte in slowly.chunks(1) {
                    tokio::time::sleep(each).await;
                    if to.write_all(byte).await.is_err() {
                        return End::Reset;
                    }
                }
                if to.write_all(rest).await.is_err() {
                    return End::Reset;
                }
                damage = None;
            }
        }
    }
}

async fn half_close(to: &mut WriteHalf<'_>) -> End {
    // Where it fails, the other side has gone already.
    let _ = to.shutdown().await;
    End::Finished
}
