//! What the proxies have in common: a port on loopback, a thread behind it, and books that can be waited for.

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// A port on 127.0.0.1 that is served in a thread of its own. Dropping it ends every connection and frees the port.
#[derive(Debug)]
pub struct Gateway<S, B> {
    port: u16,
    desk: Arc<Desk<S, B>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl<S, B> Gateway<S, B>
where
    S: Send + Sync + 'static,
    B: Default + Send + 'static,
{
    /// Every connection is given to `serve`.
    pub fn start<F>(settings: S, serve: impl Fn(TcpStream, Arc<Desk<S, B>>) -> F + Send + 'static) -> io::Result<Self>
    where
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
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
                    tokio::spawn(accept(listener, move |socket| serve(socket, served.clone())));
                    let _ = stopped.await;
                });
            })?;
        Ok(Gateway {
            port,
            desk,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl<S, B> Gateway<S, B> {
    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn books(&self) -> B
    where
        B: Clone,
    {
        self.desk.lock().clone()
    }

    /// Waits until the books satisfy the condition. Whether they did in time.
    pub fn wait_until(&self, timeout: Duration, condition: impl Fn(&B) -> bool) -> bool {
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

impl<S, B> Drop for Gateway<S, B> {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in there has been printed already.
            let _ = thread.join();
        }
    }
}

/// What every connection of one gateway knows and writes down.
#[derive(Debug)]
pub struct Desk<S, B> {
    pub settings: S,
    books: Mutex<B>,
    /// Rings when the books change.
    bell: Condvar,
}

impl<S, B> Desk<S, B> {
    pub fn note(&self, note: impl FnOnce(&mut B)) {
        note(&mut self.lock());
        self.bell.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, B> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept<F>(listener: TcpListener, serve: impl Fn(TcpStream) -> F)
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    loop {
        match listener.accept().await {
            // An error is a side that left.
            Ok((socket, _)) => drop(tokio::spawn(serve(socket))),
            // Out of file descriptors, or the client has left already: wait for better times.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}
