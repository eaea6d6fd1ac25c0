//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use datafeed_emulator::{Certificate, EmptyRead, Layout, Order, Settings, StaleAck};

use crate::printed::Printed;

/// An agent, pod and key manager on loopback, for bots that need a Symphony datafeed without a pod.
///
/// Prints one line of JSON on stdout: the configuration to connect with.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Serve over HTTPS, with a certificate that is good or is not
    #[arg(long, value_name = "CERTIFICATE", num_args = 0..=1, default_missing_value = "good", value_enum)]
    tls: Option<CertificateName>,
    /// With --tls, the port of the control interface; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 0, requires = "tls")]
    control_port: u16,
    /// With --tls, serve everything in plain HTTP too, on the port of the control interface
    #[arg(long, requires = "tls")]
    plain_too: bool,
    /// The bot's username
    #[arg(long, default_value = "emulator-bot")]
    username: String,
    /// A base path before every path of the service, such as /my-context
    #[arg(long, default_value = "")]
    context: String,
    /// The bot's public key as PEM; without it a pair is made, and the private key printed
    #[arg(long, value_name = "FILE")]
    public_key: Option<PathBuf>,
    /// How long a read without events waits, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    poll_ms: u64,
    /// How long events that were read stay hidden before they come back
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    visibility_timeout_ms: u64,
    /// How long a feed lives without a read
    #[arg(long, value_name = "MS", default_value_t = 1_800_000)]
    feed_ttl_ms: u64,
    /// How long a session lives
    #[arg(long, value_name = "MS", default_value_t = 1_209_600_000)]
    session_ttl_ms: u64,
    /// How many events a read returns at most
    #[arg(long, value_name = "N", default_value_t = 100)]
    batch_max: usize,
    /// How old what a list of feeds shows is at most: anything up to this, drawn for each list
    #[arg(long, value_name = "MS", default_value_t = 0)]
    list_stale_ms: u64,
    /// In which order waiting events are handed out
    #[arg(long, value_enum, default_value_t = OrderName::Fifo)]
    order: OrderName,
    /// How a read without events is answered
    #[arg(long, value_enum, default_value_t = EmptyReadName::List)]
    empty_read: EmptyReadName,
    /// What a well-formed ackId does that removes nothing
    #[arg(long, value_enum, default_value_t = StaleAckName::Ignore)]
    stale_ack: StaleAckName,
    /// How the answer to a read is laid out
    #[arg(long, value_enum, default_value_t = LayoutName::Compact)]
    layout: LayoutName,
    /// Serve Datafeed 1 from Datafeed 2
    #[arg(long)]
    bridge: bool,
    /// Log bots in whose session token is enough, without a key manager
    #[arg(long)]
    simplified_key_delivery: bool,
    /// Give out the common JWT, which the agent takes in place of the session token
    #[arg(long)]
    common_jwt: bool,
    /// The account may not read the datahose
    #[arg(long)]
    not_entitled: bool,
    #[command(flatten)]
    pub printed: Printed,
    /// Publish so many generated events a second, whenever there is a feed
    #[arg(long, value_name = "PER SECOND", num_args = 0..=1, default_missing_value = "4", value_parser = rate)]
    pub chat: Option<f64>,
    /// Let so many of a hundred requests go wrong at random
    #[arg(long, value_name = "PER HUNDRED", num_args = 0..=1, default_missing_value = "10", default_value_t = 0.0)]
    chaos: f64,
    /// The seed of everything that is drawn
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// End when stdin comes to its end
    #[arg(long)]
    pub until_stdin_closes: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CertificateName {
    Good,
    WrongHost,
    Expired,
    UnknownRoot,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OrderName {
    Fifo,
    Shuffled,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum EmptyReadName {
    List,
    NoContent,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum StaleAckName {
    Ignore,
    BadRequest,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LayoutName {
    Compact,
    Varied,
}

impl Options {
    pub fn settings(&self) -> Result<Settings, String> {
        let read = |path: &PathBuf| {
            std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
        };
        Ok(Settings {
            port: self.port,
            tls: self.tls.map(|certificate| match certificate {
                CertificateName::Good => Certificate::Good,
                CertificateName::WrongHost => Certificate::WrongHost,
                CertificateName::Expired => Certificate::Expired,
                CertificateName::UnknownRoot => Certificate::UnknownRoot,
            }),
            control_port: self.control_port,
            plain_too: self.plain_too,
            username: self.username.clone(),
            context: self.context.clone(),
            poll: Duration::from_millis(self.poll_ms),
            visibility_timeout: Duration::from_millis(self.visibility_timeout_ms),
            feed_ttl: Duration::from_millis(self.feed_ttl_ms),
            session_ttl: Duration::from_millis(self.session_ttl_ms),
            batch: self.batch_max..=self.batch_max,
            list_stale: Duration::ZERO..=Duration::from_millis(self.list_stale_ms),
            seed: self.seed,
            chaos: self.chaos,
            bridge: self.bridge,
            simplified_key_delivery: self.simplified_key_delivery,
            common_jwt: self.common_jwt,
            datahose_entitled: !self.not_entitled,
            order: match self.order {
                OrderName::Fifo => Order::Fifo,
                OrderName::Shuffled => Order::Shuffled,
            },
            empty_read: match self.empty_read {
                EmptyReadName::List => EmptyRead::List,
                EmptyReadName::NoContent => EmptyRead::NoContent,
            },
            stale_ack: match self.stale_ack {
                StaleAckName::Ignore => StaleAck::Ignore,
                StaleAckName::BadRequest => StaleAck::BadRequest,
            },
            layout: match self.layout {
                LayoutName::Compact => Layout::Compact,
                LayoutName::Varied => Layout::Varied,
            },
            public_key_pem: self.public_key.as_ref().map(read).transpose()?,
            ..Settings::default()
        })
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.001..=1000.0).contains(&rate) => Ok(rate),
        _ => Err("a number from 0.001 to 1000".into()),
    }
}
