//! The agents of one emulator, each at a port of its own, and how they go down for a while.

use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;

/// How long to wait before something is tried again that will work soon.
const SOON: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub struct Agents(Vec<watch::Sender<Outage>>);

/// How often an agent has gone down, and for how long it last did.
#[derive(Clone, Copy, Debug, Default)]
struct Outage {
    number: u64,
    lasts: Duration,
}

/// Tells the tasks of one agent when it goes down.
#[derive(Clone)]
pub struct Watcher(watch::Receiver<Outage>);

impl Agents {
    pub fn new(count: usize) -> Agents {
        Agents((0..count).map(|_| watch::Sender::default()).collect())
    }

    pub fn watch(&self, agent: usize) -> Watcher {
        Watcher(self.0[agent].subscribe())
    }

    /// Ends every connection of an agent, and lets new ones be refused for so long.
    pub fn restart(&self, agent: usize, lasts: Duration) {
        self.0[agent].send_modify(|outage| {
            *outage = Outage {
                number: outage.number + 1,
                lasts,
            };
        });
    }
}

impl Watcher {
    /// Waits until the agent goes down: for how long it does.
    pub async fn outage(&mut self) -> Duration {
        match self.0.changed().await {
            Ok(()) => self.0.borrow_and_update().lasts,
            // The emulator ends, and every task with it.
            Err(_) => std::future::pending().await,
        }
    }
}

/// Refuses connections at this port for so long.
pub async fn refuse(listener: TcpListener, lasts: Duration) -> std::io::Result<TcpListener> {
    let address = listener.local_addr()?;
    drop(listener);
    let over = tokio::time::Instant::now() + lasts;
    loop {
        // Bound without listening, it refuses connections and keeps the port from others.
        if let Ok(held) = hold(address) {
            tokio::time::sleep_until(over).await;
            if let Ok(listener) = held.listen(1024) {
                return Ok(listener);
            }
        }
        tokio::time::sleep(SOON).await;
    }
}

fn hold(address: std::net::SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // What is left of connections that were cut does not keep it from the port.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}
