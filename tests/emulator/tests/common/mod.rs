//! A client that only knows HTTP, for judging the judge.
#![allow(dead_code)] // Each test file uses its own part of it.

pub mod secure;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use datafeed_emulator::keys::KeyPair;
use datafeed_emulator::{ClientCertificate, Emulator, Settings};
use serde_json::{Value, json};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

/// Long enough for anything that does happen; nothing waits so long in a test that passes.
pub const LONG: Duration = Duration::from_secs(20);

/// An emulator whose reads end soon where there is nothing to read.
pub fn start(change: impl FnOnce(&mut Settings)) -> Emulator {
    let mut settings = Settings {
        poll: Duration::from_millis(50),
        ..Settings::default()
    };
    change(&mut settings);
    Emulator::start(settings).expect("the emulator starts")
}

pub fn wall_seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("it is later than 1970").as_secs()
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {:?}", self.text))
    }

    pub fn message(&self) -> String {
        self.json()["message"].as_str().unwrap_or("").to_owned()
    }
}

pub struct Client {
    pub agent: ureq::Agent,
    pub url: String,
    pub session: String,
    pub key_manager: String,
    /// The value of `Authorization`.
    pub authorization: String,
    /// Whom the books of Datafeed 1 name as the one who has read.
    pub reader: String,
}

impl Client {
    /// One that has logged in.
    pub fn of(emulator: &Emulator) -> Client {
        let mut client = Client::stranger(emulator);
        client.log_in();
        client
    }

    pub fn stranger(emulator: &Emulator) -> Client {
        Client {
            agent: agent(emulator.ca_pem().as_deref()),
            url: emulator.url(),
            session: String::new(),
            key_manager: String::new(),
            authorization: String::new(),
            reader: String::new(),
        }
    }

    pub fn log_in(&mut self) {
        let token = login_token("emulator-bot", 240);
        let get = |service| {
            let answer = self.log_in_with(service, &token);
            assert_eq!(answer.status, 200, "{answer:?}");
            answer.json()["token"].as_str().unwrap().to_owned()
        };
        (self.session, self.key_manager) = (get("login"), get("relay"));
    }

    /// `service` is `login` or `relay`.
    pub fn log_in_with(&self, service: &str, token: &str) -> Answer {
        let body = json!({ "token": token }).to_string();
        self.send("POST", &format!("/{service}/pubkey/authenticate"), &body)
    }

    pub fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        self.try_send(method, path, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    pub fn post_as(&self, content_type: &str, path: &str, body: &str) -> Answer {
        self.exchange("POST", path, content_type, body)
            .unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn try_send(&self, method: &str, path: &str, body: &str) -> Result<Answer, ureq::Error> {
        self.exchange(method, path, "application/json", body)
    }

    fn exchange(&self, method: &str, path: &str, content_type: &str, body: &str) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        for (name, value) in self.tokens() {
            request = request.header(name, value);
        }
        let mut response = match body {
            // Of length 0, and not in chunks.
            "" if method == "POST" => self.agent.run(request.body("").unwrap())?,
            "" => self.agent.run(request.body(()).unwrap())?,
            _ => {
                let request = request.header("Content-Type", content_type);
                self.agent.run(request.body(body).unwrap())?
            }
        };
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.body_mut().read_to_string()?,
        })
    }

    fn tokens(&self) -> Vec<(&'static str, &str)> {
        let all = [
            ("Authorization", &*self.authorization),
            ("sessionToken", &*self.session),
            ("keyManagerToken", &*self.key_manager),
            ("X-Reader", &*self.reader),
        ];
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    pub fn list(&self) -> Vec<Value> {
        let answer = self.send("GET", "/agent/v5/datafeeds", "");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json().as_array().unwrap().clone()
    }

    pub fn create(&self) -> String {
        let answer = self.send("POST", "/agent/v5/datafeeds", "{}");
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// A new feed of Datafeed 1.
    pub fn create_v1(&self) -> String {
        self.create_v1_of("datafeed")
    }

    /// `stream` is `datafeed` or `firehose`.
    pub fn create_v1_of(&self, stream: &str) -> String {
        let answer = self.send("POST", &format!("/agent/v4/{stream}/create"), "");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// `query` is empty, or begins with a question mark.
    pub fn read_v1(&self, feed: &str, query: &str) -> Answer {
        self.send("GET", &(v1_path(feed) + query), "")
    }

    /// A read of Datafeed 1 that is answered 200: its events.
    pub fn take_v1(&self, feed: &str) -> Vec<Value> {
        let answer = self.read_v1(feed, "");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json().as_array().unwrap().clone()
    }

    /// A message to a stream, as one part of a form.
    pub fn say(&self, stream: &str, message_ml: &str) -> Answer {
        let body =
            format!("--edge\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\n{message_ml}\r\n--edge--\r\n");
        self.post_as("multipart/form-data; boundary=edge", &message_path(stream), &body)
    }

    pub fn read(&self, feed: &str, ack_id: &str) -> Answer {
        let body = json!({ "ackId": ack_id }).to_string();
        self.send("POST", &read_path(feed), &body)
    }

    /// A read that is answered 200: its events and its ackId.
    pub fn take(&self, feed: &str, ack_id: &str) -> (Vec<Value>, String) {
        let answer = self.read(feed, ack_id);
        assert_eq!(answer.status, 200, "{answer:?}");
        let body = answer.json();
        let events = body["events"].as_array().unwrap().clone();
        (events, body["ackId"].as_str().unwrap().to_owned())
    }

    /// Sends a read and does not wait for the answer.
    pub fn begin_read(&self, feed: &str) -> TcpStream {
        let address = self.url.strip_prefix("http://").unwrap();
        let mut socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        socket.write_all(self.read_request(feed).as_bytes()).unwrap();
        socket
    }

    /// Sends a request without a body, such as `GET /path`, and does not wait for the answer.
    pub fn begin(&self, request: &str) -> TcpStream {
        let address = self.url.strip_prefix("http://").unwrap();
        let mut socket = TcpStream::connect(address).unwrap();
        let mut head = format!("{request} HTTP/1.1\r\nHost: 127.0.0.1\r\n");
        for (name, value) in self.tokens() {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        socket.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        socket
    }

    pub fn read_request(&self, feed: &str) -> String {
        let mut request = format!(
            "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n",
            read_path(feed)
        );
        for (name, value) in self.tokens() {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n{}");
        request
    }
}

/// What speaks HTTP and, where there is an authority to trust, HTTPS.
pub fn agent(ca_pem: Option<&str>) -> ureq::Agent {
    agent_of(ca_pem, None)
}

/// The same, with something to show.
pub fn agent_of(ca_pem: Option<&str>, own: Option<&ClientCertificate>) -> ureq::Agent {
    let own = own.map(|own| {
        let certificate = Certificate::from_pem(own.certificate.as_bytes()).unwrap();
        let key = PrivateKey::from_pem(own.private_key.as_bytes()).unwrap();
        ClientCert::new_with_certs(&[certificate], key)
    });
    let trusted = ca_pem.map(|pem| Certificate::from_pem(pem.as_bytes()).unwrap());
    let roots: Vec<_> = trusted.into_iter().collect();
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&roots))
        .client_cert(own);
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(LONG))
        .tls_config(tls.build());
    config.build().new_agent()
}

pub fn v1_path(feed: &str) -> String {
    format!("/agent/v4/datafeed/{feed}/read")
}

pub fn message_path(stream: &str) -> String {
    format!("/agent/v4/stream/{stream}/message/create")
}

pub fn read_path(feed: &str) -> String {
    format!("/agent/v5/datafeeds/{feed}/read")
}

/// Everything that arrives, and how it ended.
pub fn drain(mut socket: impl Read) -> (String, std::io::Result<()>) {
    let mut bytes = Vec::new();
    let end = socket.read_to_end(&mut bytes).map(|_| ());
    (String::from_utf8(bytes).unwrap(), end)
}

/// A login token as the bot makes them.
pub fn login_token(username: &str, seconds: i64) -> String {
    let expiry = wall_seconds().saturating_add_signed(seconds);
    KeyPair::of_this_process().token(&json!({"sub": username, "exp": expiry}))
}
