//! From a request to its answer: which endpoint it is for, what goes wrong on request, and the log.

mod agent;
mod auth;
mod control;
mod damage;
mod datahose;
mod input;
mod login;
mod message;
mod multipart;
mod poll;
mod v1;

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Request, Response};

use crate::entry::Entry;
use crate::faults::{Endpoint, FaultAction};
use crate::reply::Reply;
use crate::session::Kind;
use crate::shared::Shared;
use crate::stream::{Cut, Scissors, Then};
use crate::v1::V1Stream;

/// A request to the service, read whole.
struct Call {
    shared: Arc<Shared>,
    headers: HeaderMap,
    query: String,
    /// Which agent was asked.
    agent: usize,
    /// That of the client.
    certificate: Option<Arc<[u8]>>,
    body: Bytes,
    /// The datafeed or stream that the path names.
    named: String,
}

/// What is to be had at a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    Everything,
    ControlOnly,
}

/// Who is at the other end of a connection, and what is to be had there.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub served: Served,
    /// Which agent it has come to.
    pub agent: usize,
    /// The client's own, which it has the key to.
    pub certificate: Option<Arc<[u8]>>,
}

pub async fn answer(
    shared: Arc<Shared>,
    visitor: Visitor,
    scissors: Scissors,
    request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let reply = reply(&shared, visitor, scissors, request).await;
    let moved = shared.look(|world| world.settings.logins_follow_clock.then(|| world.clock.now()));
    let reply = match moved {
        Some(now) => reply.dated(now),
        None => reply,
    };
    reply.into_response()
}

async fn reply(shared: &Arc<Shared>, visitor: Visitor, scissors: Scissors, request: Request<Incoming>) -> Reply {
    let (parts, body) = request.into_parts();
    if let Some(path) = parts.uri.path().strip_prefix("/emulator/") {
        let path = path.to_owned();
        return match body.collect().await {
            Ok(body) => control::answer(shared, &parts, &path, body.to_bytes()).await,
            Err(_) => Reply::error(400, "the body is cut short"),
        };
    }
    match visitor.served {
        Served::Everything => service(shared.clone(), visitor, scissors, parts, body).await,
        Served::ControlOnly => not_found(),
    }
}

async fn service(shared: Arc<Shared>, visitor: Visitor, scissors: Scissors, parts: Parts, body: Incoming) -> Reply {
    let route = shared.look(|world| {
        let path = parts.uri.path().strip_prefix(&*world.settings.context);
        path.map_or(Err(not_found()), |path| find(&parts.method, path))
    });
    let endpoint = route.as_ref().ok().map(|(endpoint, _)| *endpoint);
    let chunked = parts.headers.contains_key("transfer-encoding");
    let mut entry = Entry::open(&shared, &parts, endpoint);
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return entry.close(Reply::error(400, "The body is cut short")),
    };
    let (endpoint, named) = match route {
        Ok(route) => route,
        Err(reply) => return entry.close(reply),
    };
    if chunked {
        // Allowed, but many a gateway does not take it.
        return entry.close(Reply::error(411, "The length of the body is missing"));
    }
    if let Err(refusal) = shared.look(|world| pass_gateway(world.settings.gateway_header.as_ref(), &parts)) {
        return entry.close(refusal);
    }
    let call = Call {
        shared: shared.clone(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        agent: visitor.agent,
        certificate: visitor.certificate,
        body,
        named,
    };
    let Some(fault) = shared.look(|world| world.next_fault(endpoint)) else {
        return undamaged(endpoint, call, entry, &scissors).await;
    };
    // Before it shows in the log, after which it may be released.
    let mut release = shared.hold();
    if matches!(fault.action, FaultAction::Delay(_) | FaultAction::Hold) && !fault.after {
        entry.show();
        match fault.action {
            FaultAction::Delay(delay) => tokio::time::sleep(delay).await,
            _ => drop(release.changed().await),
        }
        return undamaged(endpoint, call, entry, &scissors).await;
    }
    let handled = match fault.after {
        true => Some(handle(endpoint, call, &mut entry).await),
        false => None,
    };
    entry.show();
    if fault.action.replaces() {
        entry.lose();
    }
    match damage::damage(fault.action, handled, release).await {
        (reply, None) => finish(reply, entry, &scissors),
        (reply, Some((after, then))) => {
            scissors.cut(Cut {
                after,
                then,
                body: reply.body.len(),
                status: reply.status,
                entry,
            });
            reply.last()
        }
    }
}

fn pass_gateway(wanted: Option<&(String, String)>, parts: &Parts) -> Result<(), Reply> {
    let Some((name, value)) = wanted else { return Ok(()) };
    match parts.headers.get(name.as_str()).map(|given| given == value.as_str()) {
        Some(true) => Ok(()),
        _ => Err(Reply::error(401, "The gateway does not know this key")),
    }
}

async fn undamaged(endpoint: Endpoint, call: Call, mut entry: Entry, scissors: &Scissors) -> Reply {
    let shared = call.shared.clone();
    let reply = handle(endpoint, call, &mut entry).await;
    if matches!(endpoint, Endpoint::Read | Endpoint::DatahoseRead) && reply.status < 300 {
        shared.look(|world| world.chaos.a_read_worked());
    }
    finish(reply, entry, scissors)
}

/// What nothing happens to. Where events go with the answer, the entry waits for its last byte.
fn finish(reply: Reply, entry: Entry, scissors: &Scissors) -> Reply {
    if !entry.carries() {
        return entry.close(reply);
    }
    scissors.cut(Cut {
        after: usize::MAX,
        then: Then::Whole,
        body: reply.body.len(),
        status: reply.status,
        entry,
    });
    reply
}

async fn handle(endpoint: Endpoint, call: Call, entry: &mut Entry) -> Reply {
    let handled = match endpoint {
        Endpoint::SessionLogin => login::login(&call, Kind::Session),
        Endpoint::KeyManagerLogin => login::login(&call, Kind::KeyManager),
        Endpoint::CertificateSessionLogin => login::login_by_certificate(&call, Kind::Session),
        Endpoint::CertificateKeyManagerLogin => login::login_by_certificate(&call, Kind::KeyManager),
        Endpoint::CommonJwt => login::common_jwt(&call),
        Endpoint::List => agent::list(&call),
        Endpoint::Create => agent::create(&call),
        Endpoint::Read => agent::read(&call, entry).await,
        Endpoint::Delete => agent::delete(&call),
        Endpoint::DatahoseRead => datahose::read(&call, entry).await,
        Endpoint::V1Create => v1::create(&call, V1Stream::Datafeed),
        Endpoint::V1Read => v1::read(&call, V1Stream::Datafeed, entry).await,
        Endpoint::FirehoseCreate => v1::create(&call, V1Stream::Firehose),
        Endpoint::FirehoseRead => v1::read(&call, V1Stream::Firehose, entry).await,
        Endpoint::CreateMessage => message::create(&call),
        Endpoint::AgentInfo => agent::info(&call),
        Endpoint::SessionInfo => agent::session_info(&call),
        Endpoint::Health => Ok(agent::health()),
    };
    handled.unwrap_or_else(|refusal| refusal)
}

/// The endpoint of a path without its context, and what it names.
fn find(method: &Method, path: &str) -> Result<(Endpoint, String), Reply> {
    let path = path.strip_prefix('/').ok_or_else(not_found)?;
    let parts: Vec<&str> = path.split('/').collect();
    let (methods, named): (&[(Method, Endpoint)], &str) = match parts[..] {
        ["login", "pubkey", "authenticate"] => (&[(Method::POST, Endpoint::SessionLogin)], ""),
        ["relay", "pubkey", "authenticate"] => (&[(Method::POST, Endpoint::KeyManagerLogin)], ""),
        ["login", "idm", "tokens"] => (&[(Method::POST, Endpoint::CommonJwt)], ""),
        ["sessionauth", "v1", "authenticate"] => (&[(Method::POST, Endpoint::CertificateSessionLogin)], ""),
        ["keyauth", "v1", "authenticate"] => (&[(Method::POST, Endpoint::CertificateKeyManagerLogin)], ""),
        ["agent", "v5", "datafeeds"] => (&[(Method::GET, Endpoint::List), (Method::POST, Endpoint::Create)], ""),
        ["agent", "v5", "datafeeds", id] if !id.is_empty() => (&[(Method::DELETE, Endpoint::Delete)], id),
        ["agent", "v5", "datafeeds", id, "read"] => (&[(Method::POST, Endpoint::Read)], id),
        ["agent", "v5", "events", "read"] => (&[(Method::POST, Endpoint::DatahoseRead)], ""),
        ["agent", "v4", "datafeed", "create"] => (&[(Method::POST, Endpoint::V1Create)], ""),
        ["agent", "v4", "datafeed", id, "read"] => (&[(Method::GET, Endpoint::V1Read)], id),
        ["agent", "v4", "firehose", "create"] => (&[(Method::POST, Endpoint::FirehoseCreate)], ""),
        ["agent", "v4", "firehose", id, "read"] => (&[(Method::GET, Endpoint::FirehoseRead)], id),
        ["agent", "v4", "stream", id, "message", "create"] if !id.is_empty() => {
            (&[(Method::POST, Endpoint::CreateMessage)], id)
        }
        ["agent", "v1", "info"] => (&[(Method::GET, Endpoint::AgentInfo)], ""),
        ["agent", "v3", "health"] => (&[(Method::GET, Endpoint::Health)], ""),
        ["pod", "v2", "sessioninfo"] => (&[(Method::GET, Endpoint::SessionInfo)], ""),
        _ => return Err(not_found()),
    };
    match methods.iter().find(|(known, _)| known == method) {
        Some((_, endpoint)) => Ok((*endpoint, named.to_owned())),
        None => {
            let known: Vec<&str> = methods.iter().map(|(known, _)| known.as_str()).collect();
            Err(Reply::error(405, "Method not allowed").allow(&known.join(", ")))
        }
    }
}

fn not_found() -> Reply {
    Reply::error(404, "There is nothing at this path")
}
