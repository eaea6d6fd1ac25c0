//! What is read: a datafeed of either version, the firehose or the datahose.

use std::path::PathBuf;

use super::event_types;
use super::names::is_plain_name;
use super::section::Section;
use crate::error::Error;

#[derive(Debug, Clone)]
pub(crate) enum Stream {
    /// A queue of the bot's own that the service keeps.
    Datafeed2 {
        tag: Option<String>,
        include_invisible: Option<bool>,
    },
    /// A feed of the first version: of what the bot may see, or of the whole pod.
    Datafeed1(Datafeed1),
    /// A queue of the whole pod's events.
    Datahose(Datahose),
}

#[derive(Debug, Clone)]
pub(crate) struct Datafeed1 {
    /// Of the whole pod.
    pub(crate) firehose: bool,
    /// Where the id of the feed is kept.
    pub(crate) id_file: PathBuf,
    /// Most events in one answer, if the service is to be told so.
    pub(crate) limit: Option<u32>,
}

#[derive(Debug, Clone)]
pub(crate) struct Datahose {
    pub(crate) tag: String,
    pub(crate) event_types: Vec<String>,
    pub(crate) scopes: Vec<String>,
}

/// The service's limits, in characters.
const LONGEST_TAG: usize = 100;
const LONGEST_DATAHOSE_TAG: usize = 80;

impl Stream {
    /// The name by which `stream` chooses it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Stream::Datafeed1(Datafeed1 { firehose: true, .. }) => "firehose",
            Stream::Datafeed1(_) | Stream::Datafeed2 { .. } => "datafeed",
            Stream::Datahose(_) => "datahose",
        }
    }

    pub(crate) fn tag(&self) -> Option<&str> {
        match self {
            Stream::Datafeed2 { tag, .. } => tag.as_deref(),
            Stream::Datafeed1(_) => None,
            Stream::Datahose(datahose) => Some(&datahose.tag),
        }
    }

    /// Whether the service forgets an event as soon as it has handed it out.
    pub(crate) fn forgets(&self) -> bool {
        matches!(self, Stream::Datafeed1(_))
    }

    pub(super) fn read(
        root: &Section,
        datafeed: &Section,
        datahose: &Section,
        username: Option<&str>,
        warnings: &mut Vec<String>,
    ) -> Result<Stream, Error> {
        let version_1 = read_version(datafeed)?;
        let first = |firehose| -> Result<Stream, Error> {
            Ok(Stream::Datafeed1(Datafeed1 {
                firehose,
                id_file: read_id_file(datafeed, firehose)?,
                limit: datafeed.integer("limit", 1, 10_000)?.map(|limit| limit as u32),
            }))
        };
        let second = Stream::Datafeed2 {
            tag: read_tag(datafeed, LONGEST_TAG)?,
            include_invisible: datafeed.boolean("includeInvisible")?,
        };
        // Read whatever the version is: to change that word must not bring up faults in others.
        let first_datafeed = first(false)?;
        let hose = Datahose::read(datahose, username, warnings)?;
        let stream = match root.filled("stream")?.as_deref() {
            Some("datafeed") => None,
            Some("firehose") => Some(first(true)?),
            Some("datahose") => Some(hose.chosen()?),
            Some(_) => {
                return Err(Error::config(
                    "stream",
                    "stream must be \"datafeed\", \"datahose\" or \"firehose\"",
                ));
            }
            None if datahose.is_there() && !datafeed.is_there() => Some(hose.chosen()?),
            None => {
                if datahose.is_there() {
                    warnings.push(
                        "datafeed and datahose are both configured; the datafeed is read: set \"stream\": \"datahose\" \
                         if the other is meant"
                            .to_owned(),
                    );
                }
                None
            }
        };
        Ok(stream.unwrap_or(if version_1 { first_datafeed } else { second }))
    }
}

/// Whether it is the first one.
fn read_version(datafeed: &Section) -> Result<bool, Error> {
    match datafeed.filled("version")? {
        None => Ok(false),
        Some(version) if version.eq_ignore_ascii_case("v2") => Ok(false),
        Some(version) if version.eq_ignore_ascii_case("v1") => Ok(true),
        Some(_) => Err(Error::config(
            "datafeed.version",
            "datafeed.version must be \"v2\" or \"v1\"",
        )),
    }
}

fn read_tag(section: &Section, longest: usize) -> Result<Option<String>, Error> {
    let Some(tag) = section.filled("tag")? else {
        return Ok(None);
    };
    let field = section.path("tag");
    let message = match tag.chars().count() {
        _ if tag.contains(char::is_control) => format!("{field} must be in one line"),
        count if count > longest => format!("{field} must have at most {longest} characters, but has {count}"),
        _ => return Ok(Some(tag)),
    };
    Err(Error::config(field, message))
}

/// A file, or the folder of one with the usual name.
fn read_id_file(datafeed: &Section, firehose: bool) -> Result<PathBuf, Error> {
    let name = if firehose { "firehose.id" } else { "datafeed.id" };
    let Some(given) = datafeed.filled("idFilePath")? else {
        return Ok(datafeed.locate_for_later(name));
    };
    let path = datafeed.locate_for_later(&given);
    if given.ends_with('/') || path.is_dir() {
        return Ok(path.join(name));
    }
    Ok(path)
}

impl Datahose {
    fn read(section: &Section, username: Option<&str>, warnings: &mut Vec<String>) -> Result<Datahose, Error> {
        // The default of the vendor's SDKs, so that a bot that moves goes on with its queue.
        let usual = || {
            let tag = format!("datahose-{}", username.unwrap_or("bot"));
            tag.chars().take(LONGEST_DATAHOSE_TAG).collect()
        };
        Ok(Datahose {
            tag: read_tag(section, LONGEST_DATAHOSE_TAG)?.unwrap_or_else(usual),
            event_types: event_types::read(section, "eventTypes", warnings)?,
            scopes: read_scopes(section)?,
        })
    }

    fn chosen(self) -> Result<Stream, Error> {
        if self.event_types.is_empty() {
            return Err(Error::config(
                "datahose.eventTypes",
                "datahose.eventTypes is missing: a list of the types to receive, such as [\"MESSAGESENT\"]; the service \
                 has no default for it",
            ));
        }
        Ok(Stream::Datahose(self))
    }
}

fn read_scopes(section: &Section) -> Result<Vec<String>, Error> {
    let scopes = section.texts("scopes")?;
    match scopes.iter().position(|scope| !is_plain_name(scope)) {
        None => Ok(scopes),
        Some(index) => {
            let field = format!("{}[{index}]", section.path("scopes"));
            let message = format!("{field} must be the name of a scope");
            Err(Error::config(field, message))
        }
    }
}
