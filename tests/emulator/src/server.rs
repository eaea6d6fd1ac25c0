//! The accept loops, and the task that lets time pass.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

use crate::agents::{self, Watcher};
use crate::routes::{self, Served, Visitor};
use crate::shared::Shared;
use crate::stream::{Scissors, Socket, Stream};

/// A port, and what is behind it.
pub struct Door {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    served: Served,
    /// Which agent is behind it.
    agent: usize,
}

impl Door {
    pub fn plain(listener: TcpListener, agent: usize) -> Door {
        Door {
            listener,
            tls: None,
            served: Served::Everything,
            agent,
        }
    }

    pub fn tls(listener: TcpListener, agent: usize, config: Arc<ServerConfig>) -> Door {
        Door {
            tls: Some(config.into()),
            ..Door::plain(listener, agent)
        }
    }

    pub fn control(listener: TcpListener) -> Door {
        Door {
            served: Served::ControlOnly,
            ..Door::plain(listener, 0)
        }
    }
}

/// Serves until `stop` is sent or dropped.
pub async fn serve(doors: Vec<Door>, shared: Arc<Shared>, stop: oneshot::Receiver<()>) {
    tokio::spawn(pass_time(shared.clone()));
    for door in doors {
        tokio::spawn(accept(door, shared.clone()));
    }
    // Whichever way it ends, the runtime ends with it, and every task with the runtime.
    let _ = stop.await;
}

async fn accept(mut door: Door, shared: Arc<Shared>) {
    let mut watcher = shared.agents.watch(door.agent);
    loop {
        let accepted = tokio::select! {
            accepted = door.listener.accept() => accepted,
            // The control interface is no agent's.
            lasts = watcher.outage(), if door.served == Served::Everything => {
                match agents::refuse(door.listener, lasts).await {
                    Ok(listener) => door.listener = listener,
                    Err(_) => return,
                }
                continue;
            }
        };
        match accepted {
            Ok((socket, _)) => {
                let visitor = Visitor {
                    served: door.served,
                    agent: door.agent,
                    certificate: None,
                };
                let talk = connection(socket, door.tls.clone(), visitor, shared.clone());
                tokio::spawn(until_outage(watcher.clone(), door.served, talk));
            }
            // Out of file descriptors, or the client has left already: wait for better times.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// A connection ends with its agent.
async fn until_outage(mut watcher: Watcher, served: Served, talk: impl Future<Output = ()>) {
    tokio::select! {
        () = talk => (),
        _ = watcher.outage(), if served == Served::Everything => (),
    }
}

async fn connection(socket: TcpStream, tls: Option<TlsAcceptor>, visitor: Visitor, shared: Arc<Shared>) {
    // Only speed is lost where it fails.
    let _ = socket.set_nodelay(true);
    let Some(tls) = tls else {
        return talk(socket, visitor, shared).await;
    };
    // A handshake that fails is the client's business: it may well be tested for refusing.
    if let Ok(socket) = tls.accept(socket).await {
        let shown = socket.get_ref().1.peer_certificates();
        let certificate = shown.and_then(|chain| Some(chain.first()?.to_vec().into()));
        talk(socket, Visitor { certificate, ..visitor }, shared).await;
    }
}

async fn talk(socket: impl Socket, visitor: Visitor, shared: Arc<Shared>) {
    let scissors = Scissors::default();
    let stream = TokioIo::new(Stream::new(socket, scissors.clone()));
    let service = service_fn(move |request| {
        let shared = shared.clone();
        let scissors = scissors.clone();
        let visitor = visitor.clone();
        async move { Ok::<_, Infallible>(routes::answer(shared, visitor, scissors, request).await) }
    });
    // An error here is a client that left, or a fault that was asked for.
    let _ = http1::Builder::new().serve_connection(stream, service).await;
}

/// Lets leases lapse and feeds die when their time comes, so that waiting reads and waiting tests learn of it.
async fn pass_time(shared: Arc<Shared>) {
    let mut news = shared.subscribe();
    loop {
        news.borrow_and_update();
        let next = shared.look(|world| {
            let now = world.settle();
            let next = world.feeds.next_change(world.settings.feed_ttl)?;
            Some(Duration::from_millis(next.saturating_sub(now)))
        });
        tokio::select! {
            () = tokio::time::sleep(next.unwrap_or(Duration::from_secs(3600))) => (),
            _ = news.changed() => (),
        }
    }
}
