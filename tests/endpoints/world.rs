//! A service and a bot of the kind that asks for an endpoint.

use std::time::Duration;

use datafeed_emulator::{Certificate, EVENT_TYPES, Emulator, Endpoint, Fault, FaultAction, RequestLog, Settings};
use serde_json::{Value, json};

use super::common::folder::Folder;
use super::common::*;

/// What is read, and what is special about the login or the agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Datafeed2,
    Datafeed1,
    Firehose,
    Datahose,
    Certificate,
    SimplifiedKeyDelivery,
    CommonJwt,
    ExternalNodes,
}

pub struct World {
    kind: Kind,
    pub emulator: Emulator,
    pub config: Value,
    _folder: Folder,
}

/// The longest pause before another try: what `Retry-After` can ask for at most.
pub const LONGEST_PAUSE: u64 = 50;

impl World {
    pub fn new(kind: Kind, tls: bool) -> World {
        let by_certificate = kind == Kind::Certificate;
        let emulator = emulator(Settings {
            poll: Duration::from_millis(100),
            tls: (tls || by_certificate).then_some(Certificate::Good),
            plain_too: by_certificate && !tls,
            simplified_key_delivery: kind == Kind::SimplifiedKeyDelivery,
            common_jwt: kind == Kind::CommonJwt,
            ..Settings::default()
        });
        let folder = Folder::new();
        // Pauses begin so short that a longer one was asked for.
        let settings = json!({
            "retry": {"initialIntervalMillis": 1, "maxIntervalMillis": LONGEST_PAUSE},
            "datafeed": {"idFilePath": folder.path("feed.id")},
        });
        let mut config = config(&emulator, settings);
        match kind {
            Kind::Datafeed2 | Kind::SimplifiedKeyDelivery | Kind::CommonJwt => {}
            Kind::Datafeed1 => config["datafeed"]["version"] = json!("v1"),
            Kind::Firehose => config["stream"] = json!("firehose"),
            Kind::Datahose => {
                let types: Vec<&str> = EVENT_TYPES.iter().map(|(name, _)| *name).collect();
                config["stream"] = json!("datahose");
                config["datahose"] = json!({"tag": "endpoints", "eventTypes": types});
            }
            Kind::ExternalNodes => config["agent"] = json!({"loadBalancing": {"mode": "external"}}),
            Kind::Certificate => {
                let certificate = emulator.client_certificate("emulator-bot").expect("a certificate");
                config["bot"] = json!({"certificate": {"content": certificate.pem()}});
                if let Some(plain) = emulator.plain_url().filter(|_| !tls) {
                    let (_, port) = plain.rsplit_once(':').expect("a port");
                    let plain = json!({"scheme": "http", "port": port.parse::<u16>().expect("a port")});
                    config["agent"] = plain.clone();
                    config["pod"] = plain;
                }
            }
        }
        World {
            kind,
            emulator,
            config,
            _folder: folder,
        }
    }

    fn read(&self) -> Endpoint {
        match self.kind {
            Kind::Datafeed1 => Endpoint::V1Read,
            Kind::Firehose => Endpoint::FirehoseRead,
            Kind::Datahose => Endpoint::DatahoseRead,
            _ => Endpoint::Read,
        }
    }

    /// One that was answered: from then on there is a feed, with the datahose too.
    pub fn wait_for_a_read(&self) {
        let read =
            |request: &RequestLog| request.endpoint == Some(self.read()) && matches!(request.status, Some(200 | 204));
        assert!(
            self.emulator
                .wait_for_requests(PATIENCE, |requests| requests.iter().any(read))
        );
    }

    pub fn wait_for_answer(&self, endpoint: Endpoint, status: u16) {
        let answer = |request: &RequestLog| request.endpoint == Some(endpoint) && request.status == Some(status);
        assert!(
            self.emulator
                .wait_for_requests(PATIENCE, |requests| requests.iter().any(answer))
        );
    }

    /// The next request to this endpoint is answered so.
    pub fn fail_once(&self, endpoint: Endpoint, action: FaultAction) {
        self.emulator.fault(Fault {
            endpoint,
            times: 1,
            action,
            after: false,
        });
    }

    /// Lets a feed that works ask this endpoint again, at which something is to go wrong.
    pub fn bring_about(&self, endpoint: Endpoint, feed: &Feed) {
        use Endpoint::*;
        match endpoint {
            SessionLogin | KeyManagerLogin | CertificateSessionLogin | CertificateKeyManagerLogin => {
                self.emulator.expire_sessions();
            }
            AgentInfo if self.kind == Kind::SimplifiedKeyDelivery => self.emulator.expire_sessions(),
            // The node fails, so the load balancer is asked for another.
            AgentInfo => self.fail_once(Read, status(502)),
            // A third of its life is left.
            CommonJwt => feed.advance(Duration::from_secs(220)),
            List | Create | V1Create | FirehoseCreate => self.emulator.remove_feeds(),
            Read | V1Read | FirehoseRead | DatahoseRead => {}
            other => panic!("{other:?} is asked once"),
        }
    }

    #[track_caller]
    pub fn check_an_event_arrives(&self, feed: &Feed, events: &mut usize) {
        works(&self.emulator, feed, *events);
        *events += 1;
        if !matches!(self.kind, Kind::Datafeed1 | Kind::Firehose) {
            let all = self
                .emulator
                .wait_until(PATIENCE, |books| books.acknowledged == *events as u64);
            assert!(all, "{:?}", self.emulator.books());
        }
    }

    #[track_caller]
    pub fn check_traced(&self, line: &Value) {
        let trace_id = line["traceId"].as_str().expect("a trace id");
        let seen = |request: &RequestLog| request.trace_id.as_deref() == Some(trace_id);
        let seen = self
            .emulator
            .wait_for_requests(PATIENCE, |requests| requests.iter().any(seen));
        assert!(seen, "{line}");
    }

    /// Every event was handed out once, and acknowledged where the service can know; the bot's own one unseen.
    pub fn check_books(&self, feed: &Feed, events: usize, replaced: bool) {
        let stats = feed.stats();
        assert_eq!(
            (&stats["filtered"], &stats["received"]),
            (&json!(1), &json!(events - 1)),
            "{stats:#}"
        );
        let created = match self.kind {
            Kind::Datahose => 0,
            _ => 1 + u64::from(replaced),
        };
        assert_eq!(stats["feedsCreated"], created, "{stats:#}");
        let events = events as u64;
        if matches!(self.kind, Kind::Datafeed1 | Kind::Firehose) {
            let all = self
                .emulator
                .wait_until_v1(PATIENCE, |books| books.handed_out == events);
            let books = self.emulator.v1_books();
            assert!(all && (books.routed, books.lost) == (events, 0), "{books:?}");
        } else {
            let books = self.emulator.books();
            assert_eq!((books.handed_out, books.acknowledged), (events, events), "{books:?}");
        }
    }
}
