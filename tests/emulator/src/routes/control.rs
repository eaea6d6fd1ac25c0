//! The control interface: `/emulator/...`, JSON in camelCase, for programs in any language.

use std::time::Duration;

use bytes::Bytes;
use hyper::http::request::Parts;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::input;
use crate::control_settings::{Patch, show};
use crate::faults::Fault;
use crate::reply::Reply;
use crate::shared::{Shared, World};

type Answer = Result<Reply, String>;

pub async fn answer(shared: &Shared, parts: &Parts, path: &str, body: Bytes) -> Reply {
    let body = &body[..];
    let answer = match (parts.method.as_str(), path) {
        ("POST", "events") => publish(shared, body),
        ("GET", "events") => Ok(Reply::of(
            200,
            &shared.look(|world| {
                world.settle();
                world.feeds.event_books()
            }),
        )),
        ("POST", "chat") => chat(shared, body),
        ("GET", "books") => Ok(Reply::of(200, &shared.books())),
        ("GET", "feeds") => Ok(Reply::of(
            200,
            &shared.look(|world| {
                world.settle();
                world.feeds.infos()
            }),
        )),
        ("GET", "feeds/v1") => Ok(shared.look(|world| Reply::of(200, &world.v1.infos()))),
        ("GET", "books/v1") => Ok(shared.look(|world| Reply::of(200, &world.v1.books()))),
        ("POST", "feeds") => add_feed(shared, body),
        ("DELETE", "feeds") => {
            shared.change(|world| world.remove_feeds());
            Ok(Reply::no_content())
        }
        ("POST", "clock") => advance(shared, body),
        ("POST", "sessions/expire") => {
            shared.change(|world| world.sessions.expire_all());
            Ok(Reply::no_content())
        }
        ("POST", "logins") => logins(shared, body),
        ("POST", "certificates") => certificate(shared, body),
        ("POST", "faults") => faults(shared, body),
        ("DELETE", "faults") => {
            shared.change(|world| world.faults.clear());
            Ok(Reply::no_content())
        }
        ("POST", "faults/release") => {
            shared.release();
            Ok(Reply::no_content())
        }
        ("GET", "chaos") => Ok(Reply::of(200, &shared.look(|world| world.chaos.books().clone()))),
        ("GET", "requests") => Ok(shared.look(|world| Reply::of(200, &world.requests.all()))),
        ("GET", "config") => Ok(Reply::of(200, &shared.config())),
        ("GET", "settings") => Ok(Reply::of(200, &shared.look(|world| show(&world.settings)))),
        ("POST", "settings") => settings(shared, body),
        ("GET", "messages") => messages(shared, parts.uri.query().unwrap_or_default()).await,
        ("GET", "wait") => wait(shared, parts.uri.query().unwrap_or_default()).await,
        _ => return refuse(path),
    };
    answer.unwrap_or_else(|message| Reply::error(400, &message))
}

/// Nothing is at this path, or not with this method.
fn refuse(path: &str) -> Reply {
    const PATHS: [(&str, &str); 18] = [
        ("events", "GET, POST"),
        ("chat", "POST"),
        ("books", "GET"),
        ("books/v1", "GET"),
        ("feeds", "GET, POST, DELETE"),
        ("feeds/v1", "GET"),
        ("clock", "POST"),
        ("sessions/expire", "POST"),
        ("logins", "POST"),
        ("certificates", "POST"),
        ("faults", "POST, DELETE"),
        ("faults/release", "POST"),
        ("chaos", "GET"),
        ("requests", "GET"),
        ("config", "GET"),
        ("settings", "GET, POST"),
        ("messages", "GET"),
        ("wait", "GET"),
    ];
    match PATHS.iter().find(|(known, _)| *known == path) {
        Some((_, methods)) => Reply::error(405, "Method not allowed").allow(methods),
        None => Reply::error(404, "There is nothing at this path"),
    }
}

fn publish(shared: &Shared, body: &[u8]) -> Answer {
    let events: Vec<&RawValue> =
        serde_json::from_slice(body).map_err(|error| format!("the body is not a JSON array of events: {error}"))?;
    let books = shared.change(|world| {
        world.settle();
        for event in events {
            world.publish(event.get().into());
        }
        world.feeds.books()
    });
    Ok(Reply::of(200, &books))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chat {
    count: usize,
}

fn chat(shared: &Shared, body: &[u8]) -> Answer {
    let chat: Chat = input::parse(body)?;
    let books = shared.change(|world| {
        world.settle();
        for _ in 0..chat.count {
            let event = world.chat.event();
            world.publish(event.into());
        }
        world.feeds.books()
    });
    Ok(Reply::of(200, &books))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFeed {
    /// Given: an entry that is not a datafeed.
    id: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    tag: Option<String>,
}

fn add_feed(shared: &Shared, body: &[u8]) -> Answer {
    let feed: NewFeed = input::parse(body)?;
    if feed.id.is_none() && feed.kind.is_some() {
        return Err("type: only an entry with an id of its own has one".into());
    }
    let id = shared.change(|world| {
        let now = world.settle();
        match feed.id {
            Some(id) => {
                let kind = feed.kind.as_deref().unwrap_or("datahose");
                world.feeds.add_foreign(&id, kind, feed.tag, now);
                id
            }
            None => world.feeds.create(feed.tag, now),
        }
    });
    Ok(Reply::of(201, &json!({"id": id})))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Advance {
    advance_millis: u64,
}

fn advance(shared: &Shared, body: &[u8]) -> Answer {
    let by: Advance = input::parse(body)?;
    shared.pod.advance(Duration::from_millis(by.advance_millis));
    let now = shared.look(World::settle);
    Ok(Reply::of(200, &json!({"nowMillis": now})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Logins {
    reject: bool,
}

fn logins(shared: &Shared, body: &[u8]) -> Answer {
    let logins: Logins = input::parse(body)?;
    shared.change(|world| world.sessions.reject_logins(logins.reject));
    Ok(Reply::no_content())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCertificate {
    /// The bot's where it is not given.
    username: Option<String>,
}

fn certificate(shared: &Shared, body: &[u8]) -> Answer {
    let new: NewCertificate = input::parse(body)?;
    shared.look(|world| {
        let username = new.username.unwrap_or_else(|| world.settings.username.clone());
        let clients = world
            .clients
            .as_mut()
            .ok_or("certificates: there are none without TLS")?;
        let made = clients.issue(&username).map_err(|error| format!("username: {error}"))?;
        Ok(Reply::of(201, &made))
    })
}

/// One fault, or a list of them.
fn faults(shared: &Shared, body: &[u8]) -> Answer {
    let value: Value = serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    let faults: Vec<Fault> = match value {
        Value::Array(_) => input::field_by_field(value)?,
        value => vec![input::field_by_field(value)?],
    };
    faults.iter().try_for_each(Fault::check)?;
    shared.change(|world| faults.into_iter().for_each(|fault| world.faults.add(fault)));
    Ok(Reply::no_content())
}

fn settings(shared: &Shared, body: &[u8]) -> Answer {
    let patch: Patch = input::parse(body)?;
    shared.change(|world| {
        let settings = patch.apply(world.settings.clone());
        world.set(settings)?;
        Ok(Reply::of(200, &show(&world.settings)))
    })
}

/// Answers when a count of the books has come to a value, or 408 when that takes too long.
async fn wait(shared: &Shared, query: &str) -> Answer {
    let (mut v1, mut name) = (false, None);
    let patience = Patience::read(query, 1, |key, value| {
        let known = matches!(key, "books" | "v1Books");
        if known {
            (v1, name) = (key == "v1Books", Some(value.to_owned()));
        }
        known
    })?;
    let name = name.ok_or("books: missing")?;
    patience
        .wait(shared, || {
            let books = match v1 {
                true => json!(shared.look(|world| world.v1.books())),
                false => json!(shared.books()),
            };
            let value = books[&name].as_u64();
            let value = value.ok_or_else(|| format!("books: there is no {name} in the books"))?;
            Ok((value, books))
        })
        .await
}

/// Answers what the bot has said, when that is as much as is waited for, or 408 when that takes too long.
async fn messages(shared: &Shared, query: &str) -> Answer {
    let patience = Patience::read(query, 0, |_, _| false)?;
    patience
        .wait(shared, || {
            let messages = shared.look(|world| world.messages.clone());
            Ok((messages.len() as u64, messages.into()))
        })
        .await
}

/// What a request waits for: a count, and for how long.
struct Patience {
    at_least: u64,
    timeout: Duration,
}

impl Patience {
    /// `more` takes what is no matter of patience, and says whether it knows it.
    fn read(query: &str, at_least: u64, mut more: impl FnMut(&str, &str) -> bool) -> Result<Patience, String> {
        let mut patience = Patience {
            at_least,
            timeout: Duration::from_secs(10),
        };
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            let number = || value.parse::<u64>().map_err(|error| format!("{key}: {error}"));
            match &*key {
                "atLeast" => patience.at_least = number()?,
                "timeoutMillis" => patience.timeout = Duration::from_millis(number()?.min(86_400_000)),
                _ if more(&key, &value) => (),
                _ => return Err(format!("{key}: unknown")),
            }
        }
        Ok(patience)
    }

    /// `look` tells how far it is, and what to answer then.
    async fn wait(self, shared: &Shared, look: impl Fn() -> Result<(u64, Value), String>) -> Answer {
        let deadline = Instant::now() + self.timeout;
        let mut news = shared.subscribe();
        loop {
            news.borrow_and_update();
            let (count, told) = look()?;
            if count >= self.at_least {
                return Ok(Reply::of(200, &told));
            }
            if timeout_at(deadline, news.changed()).await.is_err() {
                return Ok(Reply::of(408, &told));
            }
        }
    }
}
