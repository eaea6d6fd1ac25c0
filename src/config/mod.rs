//! The configuration: the file that bots already have, read setting by setting, with an error that names the field.

mod certificate;
mod elsewhere;
mod event_types;
mod file;
mod headers;
mod host;
mod key;
mod login;
mod names;
mod no_proxy;
mod nodes;
mod proxy;
mod retry;
mod section;
mod service;
mod state;
mod store;
mod stream;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod trust;
mod values;
mod yaml;

use std::time::Duration;

pub(crate) use certificate::ClientCertificate;
pub(crate) use elsewhere::Elsewhere;
pub(crate) use file::open_regular;
pub(crate) use headers::{Header, MAX_HEADER};
pub(crate) use key::LoginKey;
pub(crate) use login::{Credential, Login};
pub(crate) use nodes::{NodeOrder, Nodes};
pub(crate) use proxy::{Proxy, ProxyKind};
pub(crate) use retry::Retry;
use section::Section;
use service::Defaults;
pub(crate) use service::Service;
pub(crate) use state::{StateDir, Sync};
pub(crate) use stream::{Datafeed1, Stream};
use text::Document;

use crate::clock::Clock;
use crate::error::Error;

/// A checked configuration. Make one with [`Config::parse`].
///
/// `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) pod: Service,
    pub(crate) key_manager: Service,
    /// Where a login by certificate gets its session; none with a key.
    pub(crate) session_auth: Option<Service>,
    pub(crate) agent: Nodes,
    pub(crate) login: Login,
    pub(crate) stream: Stream,
    pub(crate) filter: Filter,
    pub(crate) retry: Retry,
    pub(crate) implicit_ack: bool,
    pub(crate) max_unacknowledged: usize,
    pub(crate) max_response_bytes: usize,
    pub(crate) close_timeout: Duration,
    pub(crate) visibility_timeout: Duration,
    pub(crate) nack_delay: Duration,
    pub(crate) max_attempts: Option<u32>,
    pub(crate) state: Option<StateDir>,
    /// Whether the bot is told where events may have been missed.
    pub(crate) gap_events: bool,
    pub(crate) clock: Clock,
    /// What was odd about it, to be logged when the feed opens.
    pub(crate) warnings: Vec<String>,
}

/// Which events the bot does not want to see. They are acknowledged on the way.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    /// Hand out only these types; none: all.
    pub(crate) event_types: Vec<String>,
    /// What the bot itself has done.
    pub(crate) ignore_own: bool,
}

/// How long the service holds a read without events.
const LONG_POLL: Duration = Duration::from_secs(30);

/// Sections of the vendor's SDKs for what this library does not do.
const UNUSED: [&str; 4] = ["app", "enhancedAuth", "extAppSettings", "manifest"];

impl Config {
    /// Reads a configuration: a JSON text if it starts with `{`, a YAML text if it has several lines, otherwise the path of
    /// a JSON or YAML file.
    ///
    /// Relative paths inside count from the file's folder, or from the working directory for a text. `${NAME}`,
    /// `${NAME:-default}` and `${file:PATH}` in a text are replaced. The files that it names are read and checked.
    ///
    /// # Errors
    ///
    /// [`Code::ConfigInvalid`](crate::Code::ConfigInvalid) and [`Code::FileInvalid`](crate::Code::FileInvalid), with the
    /// field and file at fault.
    pub fn parse(text_or_path: &str) -> Result<Config, Error> {
        let document = text::load(text_or_path)?;
        let root = Section::root(&document.members, &document.folder);
        Config::read(&root).map_err(|error| in_file(&document, error))
    }

    /// The path of every setting that is asked for when this configuration is read.
    #[cfg(feature = "internals")]
    pub(crate) fn known_settings(text_or_path: &str) -> Result<std::collections::BTreeSet<String>, Error> {
        let document = text::load(text_or_path)?;
        let root = Section::root(&document.members, &document.folder);
        Config::read(&root)?;
        Ok(root.known_settings())
    }

    fn read(root: &Section) -> Result<Config, Error> {
        if root.known("bdk") && !root.known("bot") {
            let message = "bdk must not be around the settings, as in an application of Spring Boot; give what is in it at \
                           the top level";
            return Err(Error::config("bdk", message));
        }
        let bot = root.section("bot")?;
        let datafeed = root.section("datafeed")?;
        let datahose = root.section("datahose")?;
        let pod = root.section("pod")?;
        let agent = root.section("agent")?;
        let key_manager = root.section("keyManager")?;
        let session_auth = root.section("sessionAuth")?;

        let mut warnings = Vec::new();
        let login = Login::read(root, &bot, &mut warnings)?;
        let defaults = Defaults::new(root)?;
        let username = login.username.as_deref();
        let state = StateDir::read(root)?;
        let stream = Stream::read(root, &datafeed, &datahose, username, &mut warnings)?;
        // Both are read: to choose another stream must not bring up faults elsewhere.
        let (general, feed_retry, hose_retry) = (
            root.section("retry")?,
            datafeed.section("retry")?,
            datahose.section("retry")?,
        );
        let (feed_retry, hose_retry) = (Retry::read(&general, &feed_retry)?, Retry::read(&general, &hose_retry)?);
        let mut config = Config {
            pod: defaults.service(&[&pod])?,
            key_manager: defaults.login_service(&key_manager, &login)?,
            session_auth: match &login.credential {
                Credential::Certificate(_) => Some(defaults.login_service(&session_auth, &login)?),
                Credential::Key(_) => {
                    // Read for nothing but its faults: to choose another login must not bring them up.
                    if session_auth.is_there() {
                        defaults.service(&[&session_auth])?;
                    }
                    None
                }
            },
            agent: Nodes::read(&defaults, &agent)?,
            login,
            retry: match stream {
                Stream::Datahose(_) => hose_retry,
                _ => feed_retry,
            },
            stream,
            filter: Filter {
                event_types: event_types::read(root, "eventTypes", &mut warnings)?,
                ignore_own: root.boolean("ignoreOwn")?.unwrap_or(true),
            },
            implicit_ack: match root.filled("ack")?.as_deref() {
                None | Some("explicit") => false,
                Some("implicit") => true,
                Some(_) => return Err(Error::config("ack", "ack must be \"explicit\" or \"implicit\"")),
            },
            max_unacknowledged: root.integer("maxUnacknowledged", 1, 1_000_000)?.unwrap_or(1000) as usize,
            max_response_bytes: root.integer("maxResponseBytes", 1024, 1 << 31)?.unwrap_or(64 << 20) as usize,
            close_timeout: read_millis(root, "closeTimeout", 0, 60_000, 1000)?,
            visibility_timeout: read_millis(root, "visibilityTimeout", 10, 3_600_000, 30_000)?,
            nack_delay: read_millis(root, "nackDelay", 0, 3_600_000, 1000)?,
            max_attempts: state::read_max_attempts(root, state.as_ref())?,
            state,
            gap_events: root.boolean("gapEvents")?.unwrap_or(true),
            clock: Clock::new(),
            warnings,
        };
        config.check_authorization()?;
        config.warn_of_short_timeouts();
        for setting in UNUSED.iter().filter(|setting| root.known(setting)) {
            let warning = format!("{setting} is for what this library does not do, and has no effect");
            root.warn(warning);
        }
        config.warnings.extend(root.warnings());
        Ok(config)
    }

    /// With a common JWT, its header is taken.
    fn check_authorization(&self) -> Result<(), Error> {
        if !self.login.common_jwt {
            return Ok(());
        }
        let services = self.agent.services.iter().chain([&self.pod]);
        let mut headers = services.flat_map(|service| &service.headers);
        match headers.find(|header| header.name == "authorization") {
            None => Ok(()),
            Some(header) => {
                let field = header.field.as_str();
                let message = format!("{field} cannot be set with commonJwt.enabled, which needs this header itself");
                Err(Error::config(field, message))
            }
        }
    }

    fn warn_of_short_timeouts(&mut self) {
        if let Some(short) = self.agent.services.iter().find(|node| node.read_timeout <= LONG_POLL) {
            let millis = short.read_timeout.as_millis();
            self.warnings.push(format!(
                "readTimeout is {millis} ms, but the service answers a read without events after {} ms; quiet times will \
                 look like trouble",
                LONG_POLL.as_millis()
            ));
        }
    }
}

/// What is wrong within a file is told with the file.
fn in_file(document: &Document, error: Error) -> Error {
    match (&document.file, error.file()) {
        (Some(file), None) => error.with_file(file),
        _ => error,
    }
}

fn read_millis(section: &Section, name: &'static str, least: i64, most: i64, default: u64) -> Result<Duration, Error> {
    let millis = section.integer(name, least, most)?;
    Ok(Duration::from_millis(millis.map_or(default, |millis| millis as u64)))
}
