//! The cells of the matrix: what is read, how the bot logs in, and the way to the service.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafeed_emulator::proxy::{Proxy, ProxySettings};
use datafeed_emulator::socks::{SocksProxy, SocksSettings};
use datafeed_emulator::{Certificate, EVENT_TYPES, Emulator, Endpoint, Settings};
use serde_json::{Value, json};

use super::common::folder::Folder;
use super::common::*;
use super::secrets::Account;
use super::tap::Tap;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Datafeed2,
    Datahose,
    /// Datafeed 1, served from Datafeed 2.
    Bridged,
    Datafeed1,
    Firehose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    Rsa,
    Certificate,
    SimplifiedKeyDelivery,
    CommonJwt,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// But for the login by certificate, which takes TLS.
    Plain,
    Tls,
    TlsThroughProxy,
    TlsThroughSocks,
}

pub const STREAMS: [Stream; 5] = [
    Stream::Datafeed2,
    Stream::Datahose,
    Stream::Bridged,
    Stream::Datafeed1,
    Stream::Firehose,
];
pub const LOGINS: [Login; 4] = [
    Login::Rsa,
    Login::Certificate,
    Login::SimplifiedKeyDelivery,
    Login::CommonJwt,
];
pub const WAYS: [Way; 4] = [Way::Plain, Way::Tls, Way::TlsThroughProxy, Way::TlsThroughSocks];

/// A type that nobody has documented.
pub const NEW_TYPE: &str = "SOMETHINGENTIRELYNEW";

// No piece of these is a word of anybody's.
pub const PROXY_USER: &str = "uq5f1c-zw-kk30-vb";
pub const PROXY_PASSWORD: &str = "p8d2e: q/w é%20-xj6t";
pub const STORE_PASSWORD: &str = "s77ab kx-ö-4gq9-zz";
pub const HEADER_SECRET: &str = "h90cd-wq.jx7-5tt1";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub stream: Stream,
    pub login: Login,
    pub way: Way,
    pub ignore_own: bool,
}

impl fmt::Display for Cell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cell { stream, login, way, .. } = self;
        write!(formatter, "{stream:?} {login:?} {way:?}")?;
        formatter.write_str(if self.ignore_own { "" } else { " with the bot's own" })
    }
}

/// Everything that a cell needs while it lives.
pub struct Scene {
    pub emulator: Emulator,
    pub config: Value,
    tap: Option<Tap>,
    proxy: Option<Proxy>,
    socks: Option<SocksProxy>,
    _folder: Folder,
}

impl Cell {
    pub fn all() -> Vec<Cell> {
        let mut cells = Vec::new();
        for stream in STREAMS {
            for login in LOGINS {
                for way in WAYS {
                    cells.push(Cell {
                        stream,
                        login,
                        way,
                        ignore_own: true,
                    });
                }
            }
        }
        cells.push(Cell {
            ignore_own: false,
            ..cells[0]
        });
        cells
    }

    /// What a read of this stream is to the emulator.
    pub fn read(self) -> Endpoint {
        match self.stream {
            Stream::Datafeed2 => Endpoint::Read,
            Stream::Datahose => Endpoint::DatahoseRead,
            Stream::Bridged | Stream::Datafeed1 => Endpoint::V1Read,
            Stream::Firehose => Endpoint::FirehoseRead,
        }
    }

    /// Whether the service knows what was acknowledged.
    pub fn acknowledges(self) -> bool {
        matches!(self.stream, Stream::Datafeed2 | Stream::Datahose)
    }

    pub fn set_up(self, account: &mut Account) -> Scene {
        let plain = self.way == Way::Plain;
        let tls = !plain || self.login == Login::Certificate;
        let emulator = emulator(Settings {
            poll: Duration::from_millis(100),
            tls: tls.then_some(Certificate::Good),
            // For the bot's own message, whichever way the feed goes.
            plain_too: tls,
            bridge: self.stream == Stream::Bridged,
            simplified_key_delivery: self.login == Login::SimplifiedKeyDelivery,
            common_jwt: self.login == Login::CommonJwt,
            abandoned_reads_take: false,
            ..Settings::default()
        });
        let folder = Folder::new();
        let mut config = config(
            &emulator,
            json!({
                "defaultHeaders": {"X-Gateway": HEADER_SECRET},
                "nackDelay": 1,
                // As long as it takes on a machine that has other things to do.
                "closeTimeout": 45_000,
                "ignoreOwn": self.ignore_own,
                "datafeed": {"idFilePath": folder.path("feed.id")},
            }),
        );
        account.add_secret(HEADER_SECRET);
        account.add_private_key(config["bot"]["privateKey"]["content"].as_str().expect("a key"));
        self.set_stream(&mut config);
        if self.login == Login::Certificate {
            self.set_certificate(&emulator, &folder, &mut config, account);
        }
        let mut scene = Scene {
            tap: None,
            proxy: None,
            socks: None,
            config,
            emulator,
            _folder: folder,
        };
        self.set_way(&mut scene, account);
        scene
    }

    fn set_stream(self, config: &mut Value) {
        match self.stream {
            Stream::Datafeed2 => {}
            Stream::Bridged | Stream::Datafeed1 => config["datafeed"]["version"] = json!("v1"),
            Stream::Firehose => config["stream"] = json!("firehose"),
            Stream::Datahose => {
                let types = EVENT_TYPES.iter().map(|(name, _)| *name).chain([NEW_TYPE]);
                config["stream"] = json!("datahose");
                config["datahose"] = json!({"tag": "matrix", "eventTypes": types.collect::<Vec<_>>()});
            }
        }
    }

    /// As one PEM text or, where proxies are, as a PKCS#12 store.
    fn set_certificate(self, emulator: &Emulator, folder: &Folder, config: &mut Value, account: &mut Account) {
        let username = emulator.settings().username;
        let certificate = emulator.client_certificate(&username).expect("a certificate");
        account.add_private_key(&certificate.private_key);
        let certificate = if matches!(self.way, Way::Plain | Way::Tls) {
            json!({"content": certificate.pem()})
        } else {
            account.add_secret(STORE_PASSWORD);
            let path = folder.write("bot.p12", certificate.pkcs12(STORE_PASSWORD));
            json!({"path": path, "password": STORE_PASSWORD})
        };
        // No name: the service knows it from the certificate.
        config["bot"] = json!({"certificate": certificate});
    }

    fn set_way(self, scene: &mut Scene, account: &mut Account) {
        let credentials = Some((PROXY_USER.to_owned(), PROXY_PASSWORD.to_owned()));
        let (scheme, port) = match self.way {
            Way::Plain => {
                let url = scene.emulator.plain_url().expect("plain HTTP");
                let (_, port) = url.rsplit_once(':').expect("a port");
                let tap = Tap::before(port.parse().expect("a port"));
                let plain = json!({"scheme": "http", "port": tap.port()});
                let services: &[&str] = match self.login {
                    Login::Certificate => &["pod", "agent"],
                    _ => &["pod", "agent", "keyManager"],
                };
                for service in services {
                    scene.config[service] = plain.clone();
                }
                scene.tap = Some(tap);
                return;
            }
            Way::Tls => return,
            Way::TlsThroughProxy => {
                let settings = ProxySettings {
                    credentials,
                    ..ProxySettings::default()
                };
                let proxy = scene.proxy.insert(Proxy::start(settings).expect("a proxy"));
                ("http", proxy.port())
            }
            Way::TlsThroughSocks => {
                let settings = SocksSettings {
                    credentials,
                    ..SocksSettings::default()
                };
                let proxy = scene.socks.insert(SocksProxy::start(settings).expect("a proxy"));
                ("socks5h", proxy.port())
            }
        };
        account.add_secret(PROXY_USER);
        account.add_secret(PROXY_PASSWORD);
        // As a header carries them.
        account.add_secret(&STANDARD.encode(format!("{PROXY_USER}:{PROXY_PASSWORD}")));
        scene.config["proxy"] = json!({
            "scheme": scheme, "host": "127.0.0.1", "port": port, "username": PROXY_USER, "password": PROXY_PASSWORD,
        });
    }
}

impl Scene {
    /// Whatever went by in the clear, and that what should go through a proxy went there.
    pub fn check_way(&self, account: &mut Account) {
        if let Some(tap) = &self.tap {
            let secrets = tap.secrets();
            let signed = secrets
                .iter()
                .any(|token| token.matches('.').count() == 2 && token.len() > 300);
            assert_eq!(signed, self.config["bot"]["privateKey"].is_object(), "login tokens");
            assert!(secrets.len() > 5, "{secrets:?}");
            secrets.iter().for_each(|secret| account.add_secret(secret));
        }
        if let Some(proxy) = &self.proxy {
            let books = proxy.books();
            // Logins and agent at least.
            assert!(books.tunnels >= 2 && books.unauthorized == 0, "{books:?}");
        }
        if let Some(proxy) = &self.socks {
            let books = proxy.books();
            assert!(books.tunnels >= 2 && books.unauthorized == 0, "{books:?}");
        }
    }
}
