//! A pod, key manager and agent in one, whose answers can be any bytes: what no HTTP library would send.
//!
//! Without a script it serves one bot as it should: logins, a list with one feed, reads with what was published.

pub mod answer;

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::PATIENCE;
use answer::{Answer, response, send};

pub const SESSION_TOKEN: &str = "session-token-that-nobody-may-tell";
pub const KEY_MANAGER_TOKEN: &str = "key-manager-token-that-nobody-may-tell";
pub const FEED: &str = "371f465fb97b5d1027d20a5e7085863a_f";

/// How long a read without events is kept waiting.
const POLL: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    PodLogin,
    KeyManagerLogin,
    Account,
    List,
    Create,
    Read,
}

#[derive(Default)]
struct State {
    scripts: VecDeque<(Endpoint, Answer)>,
    requests: Vec<Endpoint>,
    has_no_feed: bool,
    published: Vec<String>,
    batches: usize,
    acknowledged: Vec<String>,
    stopped: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// Stops accepting when dropped; each connection ends when the client hangs up.
pub struct RawServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<thread::JoinHandle<()>>,
}

impl RawServer {
    pub fn start() -> RawServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared::default());
        let accepting = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || accept(&listener, &shared))
        };
        RawServer {
            address,
            shared,
            accepting: Some(accepting),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A configuration with quick retries.
    pub fn config(&self) -> Value {
        json!({
            "scheme": "http",
            "host": "127.0.0.1",
            "port": self.address.port(),
            "bot": {"username": "bot", "privateKey": {"content": include_str!("../data/keys/rsa-pkcs8.pem")}},
            "retry": {"initialIntervalMillis": 5, "maxIntervalMillis": 50},
        })
    }

    /// Answers the next request to this endpoint, after those of earlier scripts.
    pub fn script(&self, endpoint: Endpoint, answer: Answer) {
        self.shared.lock().scripts.push_back((endpoint, answer));
        self.shared.changed.notify_all();
    }

    /// The list is empty until a feed is created.
    pub fn have_no_feed(&self) {
        self.shared.lock().has_no_feed = true;
    }

    pub fn publish(&self, event: String) {
        self.shared.lock().published.push(event);
        self.shared.changed.notify_all();
    }

    pub fn requests(&self, endpoint: Endpoint) -> usize {
        let state = self.shared.lock();
        state.requests.iter().filter(|request| **request == endpoint).count()
    }

    /// Waits until a read has carried this ackId. Whether one did.
    pub fn wait_for_ack(&self, ack_id: &str) -> bool {
        self.wait(|state| state.acknowledged.iter().any(|known| known == ack_id))
    }

    /// Waits until every batch of what was published is acknowledged. Whether it is.
    pub fn wait_for_every_ack(&self) -> bool {
        self.wait(|state| state.published.is_empty() && state.acknowledged.contains(&state.latest_ack_id()))
    }

    fn wait(&self, condition: impl Fn(&State) -> bool) -> bool {
        let state = self.shared.lock();
        let unmet = |state: &mut State| !condition(state);
        let waited = self.shared.changed.wait_timeout_while(state, PATIENCE, unmet);
        !waited.expect("no thread panics with the lock").1.timed_out()
    }
}

impl Drop for RawServer {
    fn drop(&mut self) {
        self.shared.lock().stopped = true;
        self.shared.changed.notify_all();
        // The thread that accepts looks up when somebody comes.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

impl State {
    fn latest_ack_id(&self) -> String {
        format!("batch-{}", self.batches)
    }

    fn scripted(&mut self, endpoint: Endpoint, before_body: bool) -> Option<Answer> {
        let wanted = |(scripted, _): &(Endpoint, Answer)| *scripted == endpoint;
        let at = self.scripts.iter().position(wanted)?;
        if before_body && !self.scripts[at].1.before_body {
            return None;
        }
        self.scripts.remove(at).map(|(_, answer)| answer)
    }

    fn batch(&mut self) -> String {
        self.batches += 1;
        let events = std::mem::take(&mut self.published).join(",");
        format!(r#"{{"events":[{events}],"ackId":"{}"}}"#, self.latest_ack_id())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics with the lock")
    }

    fn answer(&self, endpoint: Endpoint) -> Answer {
        let mut state = self.lock();
        if endpoint == Endpoint::Read {
            let nothing = |state: &mut State| {
                let scripted = state.scripts.iter().any(|(scripted, _)| *scripted == endpoint);
                !scripted && state.published.is_empty() && !state.stopped
            };
            let waited = self.changed.wait_timeout_while(state, POLL, nothing);
            state = waited.expect("no thread panics with the lock").0;
        }
        if let Some(answer) = state.scripted(endpoint, false) {
            return answer;
        }
        let feed = format!(r#"{{"id":"{FEED}","type":"fanout","createdAt":1700000000000}}"#);
        let body = match endpoint {
            Endpoint::PodLogin => format!(r#"{{"token":"{SESSION_TOKEN}"}}"#),
            Endpoint::KeyManagerLogin => format!(r#"{{"token":"{KEY_MANAGER_TOKEN}"}}"#),
            Endpoint::Account => r#"{"id":7696581411197,"username":"bot"}"#.to_owned(),
            Endpoint::List if state.has_no_feed => "[]".to_owned(),
            Endpoint::List => format!("[{feed}]"),
            Endpoint::Create => {
                state.has_no_feed = false;
                feed
            }
            Endpoint::Read if state.published.is_empty() => return send("HTTP/1.1 204 No Content\r\n\r\n"),
            Endpoint::Read => state.batch(),
        };
        send(response("200 OK", "", body))
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.lock().stopped {
            return;
        }
        let stream = stream.expect("a connection");
        // What was sent has arrived, and does not wait for an acknowledgement of what was sent before.
        stream.set_nodelay(true).expect("a TCP socket");
        let shared = Arc::clone(shared);
        // Its errors are the client's hanging up, which is what many scripts lead to.
        thread::spawn(move || drop(serve(stream, &shared)));
    }
}

fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let (endpoint, length) = read_head(&mut reader)?;
        let early = {
            let mut state = shared.lock();
            state.requests.push(endpoint);
            state.scripted(endpoint, true)
        };
        let answer = match early {
            Some(answer) => answer,
            None => {
                let mut body = vec![0; length];
                reader.read_exact(&mut body)?;
                let ack_id = serde_json::from_slice::<Value>(&body).unwrap_or_default()["ackId"].take();
                if let Value::String(ack_id) = ack_id {
                    shared.lock().acknowledged.push(ack_id);
                    shared.changed.notify_all();
                }
                shared.answer(endpoint)
            }
        };
        if !answer.play(&mut stream)? {
            return Ok(());
        }
    }
}

/// The endpoint of a request and the length of its body.
fn read_head(reader: &mut impl BufRead) -> io::Result<(Endpoint, usize)> {
    let mut lines = reader.lines();
    let mut next = || lines.next().unwrap_or(Err(ErrorKind::UnexpectedEof.into()));
    let first = next()?;
    let mut words = first.split(' ');
    let endpoint = match (words.next().unwrap_or_default(), words.next().unwrap_or_default()) {
        ("POST", path) if path.starts_with("/login/") => Endpoint::PodLogin,
        ("POST", path) if path.starts_with("/relay/") => Endpoint::KeyManagerLogin,
        ("GET", path) if path.starts_with("/pod/v2/sessioninfo") => Endpoint::Account,
        ("GET", _) => Endpoint::List,
        ("POST", path) if path.ends_with("/read") => Endpoint::Read,
        _ => Endpoint::Create,
    };
    let mut length = 0;
    loop {
        let line = next()?.to_ascii_lowercase();
        if line.is_empty() {
            return Ok((endpoint, length));
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
}
