//! The accept loop, and the task that lets time pass.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::routes;
use crate::shared::Shared;
use crate::stream::{Scissors, Stream};

/// Serves until `stop` is sent or dropped.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>, stop: oneshot::Receiver<()>) {
    tokio::spawn(pass_time(shared.clone()));
    tokio::select! {
        () = accept(listener, shared) => (),
        _ = stop => (),
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                tokio::spawn(connection(socket, shared.clone()));
            }
            // Out of file descriptors, or the client has left already: wait for better times.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection(socket: TcpStream, shared: Arc<Shared>) {
    // Only speed is lost where it fails.
    let _ = socket.set_nodelay(true);
    let scissors = Scissors::default();
    let stream = TokioIo::new(Stream::new(socket, scissors.clone()));
    let service = service_fn(move |request| {
        let shared = shared.clone();
        let scissors = scissors.clone();
        async move { Ok::<_, Infallible>(routes::answer(shared, scissors, request).await) }
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
