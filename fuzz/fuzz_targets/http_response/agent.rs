//! The agent: takes one connection after the other, and answers each as it is told.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

use crate::http::Seen;

/// What is left of a connection when the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Close,
    /// Nothing more is sent, but the client may go on.
    HalfClose,
    Reset,
    /// The client has to know by itself that the answer is complete.
    StayOpen,
}

/// One answer.
pub struct Script {
    response: Vec<u8>,
    /// It is sent in pieces, the first of this length, each twice as long as the one before; 0: in one piece.
    first_piece: usize,
    pub ending: Ending,
}

impl Script {
    /// `manner` chooses how the response is sent: the low two bits how it ends, the others its pieces.
    pub fn new(manner: u8, response: &[u8], seen: &Seen) -> Script {
        let delimited = matches!(seen, Seen::Whole(whole) if whole.delimited);
        let ending = match manner % 4 {
            0 => Ending::Close,
            1 => Ending::HalfClose,
            2 => Ending::Reset,
            // Anything else would wait for more, rightly.
            _ if delimited => Ending::StayOpen,
            _ => Ending::Close,
        };
        Script {
            response: response.to_vec(),
            first_piece: usize::from(manner / 4),
            ending,
        }
    }
}

/// Longer than any read takes.
const PATIENCE: Duration = Duration::from_secs(8);

pub struct Agent {
    port: u16,
    scripts: Mutex<Sender<Script>>,
    finished: Mutex<Receiver<()>>,
}

impl Agent {
    pub fn start() -> Agent {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (scripts, to_play) = channel();
        let (played, finished) = channel();
        thread::spawn(move || {
            for script in to_play {
                let (stream, _) = listener.accept().expect("a client");
                play(stream, &script);
                if played.send(()).is_err() {
                    return;
                }
            }
        });
        Agent {
            port,
            scripts: Mutex::new(scripts),
            finished: Mutex::new(finished),
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The next connection is answered so.
    pub fn answer(&self, script: Script) {
        let scripts = self.scripts.lock().expect("no panic before");
        scripts.send(script).expect("the agent runs");
    }

    /// Waits until the connection is over.
    pub fn finish(&self) {
        let finished = self.finished.lock().expect("no panic before");
        finished.recv_timeout(PATIENCE).expect("the client came, and left");
    }
}

/// The client may leave at any moment: what it then does not get is not needed.
fn play(mut stream: TcpStream, script: &Script) {
    stream.set_nodelay(true).expect("an option");
    stream.set_read_timeout(Some(PATIENCE)).expect("an option");
    take_request(&mut stream);
    let mut rest = &*script.response;
    let mut length = script.first_piece;
    while length > 0 && length < rest.len() {
        let (piece, after) = rest.split_at(length);
        let _ = stream.write_all(piece);
        // Gives the client the time to take it as it is. Should it not, it gets a larger piece.
        thread::sleep(Duration::from_micros(20));
        rest = after;
        length *= 2;
    }
    let _ = stream.write_all(rest);
    match script.ending {
        Ending::Close => {}
        Ending::HalfClose => {
            let _ = stream.shutdown(Shutdown::Write);
            wait_for_client(stream);
        }
        Ending::StayOpen => wait_for_client(stream),
        Ending::Reset => {
            let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
        }
    }
}

/// Reads the request to its end: a connection that is closed with bytes unread would be reset.
fn take_request(stream: &mut TcpStream) {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    while !is_whole(&request) {
        let count = stream.read(&mut piece).expect("a request");
        assert!(count > 0, "the client left in its request");
        request.extend_from_slice(&piece[..count]);
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = str::from_utf8(request).expect("requests are text");
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().expect("a length"))
}

fn wait_for_client(mut stream: TcpStream) {
    let mut byte = [0];
    let left = stream.read(&mut byte);
    assert!(
        !matches!(left, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock),
        "the client stayed"
    );
}
