//! Stands between the bot and a service in plain HTTP, and keeps what the bot sends: every token that was in play.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Where the secrets are in what is sent, up to the end of the line or of the text.
const BEFORE_SECRETS: [&str; 4] = [
    "sessiontoken: ",
    "keymanagertoken: ",
    "authorization: Bearer ",
    "{\"token\":\"",
];

pub struct Tap {
    port: u16,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    /// Connections end when either side hangs up; the thread that accepts them ends with the process.
    pub fn before(service: u16) -> Tap {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let sent: Arc<Mutex<Vec<u8>>> = Arc::default();
        let kept = Arc::clone(&sent);
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.expect("a connection");
                let service = TcpStream::connect(("127.0.0.1", service)).expect("the service");
                let (from_service, to_client) = (copy(&service), copy(&client));
                thread::spawn(move || forward(from_service, to_client, |_| {}));
                let kept = Arc::clone(&kept);
                let keep = move |bytes: &[u8]| kept.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
                thread::spawn(move || forward(client, service, keep));
            }
        });
        Tap { port, sent }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Every token that was sent, the login tokens too.
    pub fn secrets(&self) -> Vec<String> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = String::from_utf8_lossy(&sent);
        let after = |mark: &&str| -> Vec<String> {
            let pieces = sent.split(mark).skip(1);
            pieces
                .map(|piece| piece.split(['\r', '"']).next().unwrap_or_default().to_owned())
                .collect()
        };
        BEFORE_SECRETS.iter().flat_map(after).collect()
    }
}

fn copy(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("a descriptor")
}

fn forward(mut from: TcpStream, mut to: TcpStream, keep: impl Fn(&[u8])) {
    let mut buffer = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        keep(&buffer[..count]);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
