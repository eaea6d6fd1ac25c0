//! The configuration: the file that bots already have, read setting by setting, with an error that names the field.

mod file;
mod host;
mod key;
mod nodes;
mod proxy;
mod section;
mod service;
#[cfg(test)]
mod tests;
mod trust;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

pub(crate) use key::LoginKey;
pub(crate) use nodes::{NodeOrder, Nodes};
pub(crate) use proxy::Proxy;
use section::Section;
use service::Defaults;
pub(crate) use service::{MAX_HEADER, Service};

use crate::clock::Clock;
use crate::error::{Code, Error};

/// A checked configuration. Make one with [`Config::parse`].
///
/// `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) pod: Service,
    pub(crate) key_manager: Service,
    pub(crate) agent: Nodes,
    pub(crate) username: String,
    pub(crate) key: LoginKey,
    pub(crate) tag: Option<String>,
    pub(crate) include_invisible: Option<bool>,
    pub(crate) retry: Retry,
    pub(crate) implicit_ack: bool,
    pub(crate) max_unacknowledged: usize,
    pub(crate) max_response_bytes: usize,
    pub(crate) close_timeout: Duration,
    pub(crate) visibility_timeout: Duration,
    pub(crate) nack_delay: Duration,
    pub(crate) clock: Clock,
    /// What was odd about it, to be logged when the feed opens.
    pub(crate) warnings: Vec<String>,
}

/// How long to wait before the next try.
#[derive(Debug, Clone)]
pub(crate) struct Retry {
    /// Consecutive failures after which the feed gives up; none: never.
    pub(crate) max_attempts: Option<u32>,
    pub(crate) initial: Duration,
    pub(crate) multiplier: f64,
    pub(crate) max: Duration,
}

/// How long the service holds a read without events.
const LONG_POLL: Duration = Duration::from_secs(30);

/// Settings of the vendor's SDKs that this version does not use.
const UNUSED: [(&str, &[&str]); 3] = [
    ("", &["datahose", "commonJwt", "app", "extAppSettings", "sessionAuth"]),
    ("bot", &["certificate", "certificatePath", "certificatePassword"]),
    ("datafeed", &["idFilePath"]),
];

impl Config {
    /// Reads a configuration: a JSON text if it starts with `{`, otherwise the path of a JSON file.
    ///
    /// Relative paths inside count from the file's folder, or from the working directory for a text. The key file is
    /// read and checked.
    ///
    /// # Errors
    ///
    /// [`Code::ConfigInvalid`] and [`Code::FileInvalid`], with the field and file at fault.
    pub fn parse(text_or_path: &str) -> Result<Config, Error> {
        if text_or_path.trim().is_empty() {
            return Err(Error::new(
                Code::ConfigInvalid,
                "the configuration is empty; give a JSON object, or the path of a JSON file",
            ));
        }
        if text_or_path.trim_start().starts_with(['{', '[']) {
            return Config::from_json(text_or_path, Path::new(""));
        }
        let path = Path::new(text_or_path);
        let invalid = |message: String| Error::new(Code::FileInvalid, message).with_file(text_or_path);
        let bytes = file::read(
            path,
            "the configuration, read as a path because it does not start with '{'",
        )?;
        let text = String::from_utf8(bytes).map_err(|_| invalid(format!("{text_or_path} is not valid UTF-8")))?;
        // Some editors begin UTF-8 files with a mark that JSON does not have.
        let text = text.trim_start_matches('\u{feff}');
        if !text.trim_start().starts_with('{') {
            return Err(invalid(format!(
                "{text_or_path} holds no JSON object; this version reads configurations in JSON only"
            )));
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        Config::from_json(text, folder).map_err(|error| match error.file() {
            None => error.with_file(text_or_path),
            Some(_) => error,
        })
    }

    fn from_json(text: &str, folder: &Path) -> Result<Config, Error> {
        if nesting(text) > MAX_NESTING {
            let message =
                format!("the configuration is nested deeper than {MAX_NESTING} levels, which no setting needs");
            return Err(Error::new(Code::ConfigInvalid, message));
        }
        let value: Value = serde_json::from_str(text).map_err(|error| {
            // The parser's own words name the place and what it expected, never a value.
            Error::new(
                Code::ConfigInvalid,
                format!("the configuration is not valid JSON: {error}"),
            )
        })?;
        let Value::Object(members) = &value else {
            return Err(Error::new(
                Code::ConfigInvalid,
                "the configuration must be a JSON object",
            ));
        };
        let root = Section::root(members);
        let bot = root.section("bot")?;
        let datafeed = root.section("datafeed")?;
        let pod = root.section("pod")?;
        let agent = root.section("agent")?;
        let key_manager = root.section("keyManager")?;
        let private_key = bot.section("privateKey")?;
        let retry = root.section("retry")?;
        let feed_retry = datafeed.section("retry")?;

        check_version(&datafeed)?;
        let username = read_username(&bot)?;
        let defaults = Defaults::new(&root, trust::read(&root, folder)?)?;
        let mut warnings = Vec::new();
        let mut config = Config {
            pod: defaults.service(&[&pod])?,
            key_manager: defaults.service(&[&key_manager])?,
            agent: Nodes::read(&defaults, &agent, &mut warnings)?,
            username,
            key: load_key(&bot, &private_key, folder)?,
            tag: read_tag(&datafeed)?,
            include_invisible: datafeed.boolean("includeInvisible")?,
            retry: Retry::read(&retry, &feed_retry)?,
            implicit_ack: match root.string("ack")? {
                None | Some("explicit") => false,
                Some("implicit") => true,
                Some(_) => return Err(Error::config("ack", "ack must be \"explicit\" or \"implicit\"")),
            },
            max_unacknowledged: root.integer("maxUnacknowledged", 1, 1_000_000)?.unwrap_or(1000) as usize,
            max_response_bytes: root.integer("maxResponseBytes", 1024, 1 << 31)?.unwrap_or(64 << 20) as usize,
            close_timeout: read_millis(&root, "closeTimeout", 0, 60_000, 1000)?,
            visibility_timeout: read_millis(&root, "visibilityTimeout", 10, 3_600_000, 30_000)?,
            nack_delay: read_millis(&root, "nackDelay", 0, 3_600_000, 1000)?,
            clock: Clock::new(),
            warnings,
        };
        if let Some(short) = config.agent.services.iter().find(|node| node.read_timeout <= LONG_POLL) {
            let millis = short.read_timeout.as_millis();
            config.warnings.push(format!(
                "readTimeout is {millis} ms, but the service answers a read without events after {} ms; quiet times will look like \
                 trouble",
                LONG_POLL.as_millis()
            ));
        }
        for (name, unused) in UNUSED {
            let section = match name {
                "" => &root,
                "bot" => &bot,
                _ => &datafeed,
            };
            for setting in unused.iter().filter(|setting| section.known(setting)) {
                let path = section.path(setting);
                config
                    .warnings
                    .push(format!("{path} is not supported by this version and has no effect"));
            }
        }
        config.warnings.extend(root.unknown());
        Ok(config)
    }
}

/// Far beyond any setting's. The parser recurses, and the caller's thread may have a small stack.
const MAX_NESTING: usize = 32;

/// How deep arrays and objects go if the text is JSON, and at least that if it is not.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let mut in_string = false;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => {
                bytes.next();
            }
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn check_version(datafeed: &Section) -> Result<(), Error> {
    let message = match datafeed.string("version")? {
        None => return Ok(()),
        Some(version) if version.eq_ignore_ascii_case("v2") => return Ok(()),
        Some(version) if version.eq_ignore_ascii_case("v1") => {
            "datafeed.version is \"v1\", which this version does not support; use \"v2\"".to_owned()
        }
        Some(_) => "datafeed.version must be \"v2\"".to_owned(),
    };
    Err(Error::config("datafeed.version", message))
}

fn read_username(bot: &Section) -> Result<String, Error> {
    let message = match bot.string("username")? {
        Some(name) if name.contains(char::is_control) => "bot.username must be a name in one line",
        Some(name) if !name.trim().is_empty() => return Ok(name.to_owned()),
        _ => "bot.username is missing: the name of the bot's service account",
    };
    Err(Error::config("bot.username", message))
}

fn load_key(bot: &Section, private_key: &Section, folder: &Path) -> Result<LoginKey, Error> {
    let given = |text: &&str| !text.is_empty();
    let content = private_key.string("content")?.filter(given);
    let path = private_key.string("path")?.filter(given);
    let old_path = bot.string("privateKeyPath")?.filter(given);
    match (content, path.or(old_path)) {
        (Some(_), Some(_)) => Err(Error::config(
            "bot.privateKey",
            "bot.privateKey has both content and path; give one of them",
        )),
        (Some(content), None) => LoginKey::from_content(content, "bot.privateKey.content"),
        (None, Some(named)) => {
            let field = if path.is_some() {
                "bot.privateKey.path"
            } else {
                "bot.privateKeyPath"
            };
            let named = PathBuf::from(named);
            let file = if named.is_absolute() { named } else { folder.join(named) };
            LoginKey::from_file(&file, field)
        }
        (None, None) => Err(Error::config(
            "bot.privateKey",
            "bot.privateKey is missing: give \"path\" (a PEM file) or \"content\" (the PEM text)",
        )),
    }
}

/// The service limits a tag to 100 characters.
fn read_tag(datafeed: &Section) -> Result<Option<String>, Error> {
    let message = match datafeed.string("tag")? {
        None | Some("") => return Ok(None),
        Some(tag) if tag.contains(char::is_control) => "datafeed.tag must be in one line".to_owned(),
        Some(tag) => match tag.chars().count() {
            ..=100 => return Ok(Some(tag.to_owned())),
            count => format!("datafeed.tag must have at most 100 characters, but has {count}"),
        },
    };
    Err(Error::config("datafeed.tag", message))
}

fn read_millis(section: &Section, name: &'static str, least: i64, most: i64, default: u64) -> Result<Duration, Error> {
    let millis = section.integer(name, least, most)?;
    Ok(Duration::from_millis(millis.map_or(default, |millis| millis as u64)))
}

impl Retry {
    /// Intervals come from `datafeed.retry`, then `retry`, then the SDKs' defaults. The number of attempts comes from
    /// `datafeed.retry` only: the SDKs' datafeed loop does not inherit it either, and tries for ever by default.
    fn read(general: &Section, own: &Section) -> Result<Retry, Error> {
        let most = 86_400_000;
        let millis = |name: &'static str, default: i64| -> Result<Duration, Error> {
            let general = general.integer(name, 1, most)?;
            let millis = own.integer(name, 1, most)?.or(general).unwrap_or(default);
            Ok(Duration::from_millis(millis as u64))
        };
        general.known("maxAttempts");
        let attempts = own.integer("maxAttempts", -1, i64::from(i32::MAX))?;
        let general_multiplier = general.factor("multiplier")?;
        Ok(Retry {
            max_attempts: attempts
                .filter(|attempts| *attempts > 0)
                .map(|attempts| attempts as u32),
            initial: millis("initialIntervalMillis", 500)?,
            multiplier: own.factor("multiplier")?.or(general_multiplier).unwrap_or(2.0),
            max: millis("maxIntervalMillis", 300_000)?,
        })
    }
}
