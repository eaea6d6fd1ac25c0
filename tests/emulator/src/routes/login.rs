//! The logins, each of two services: by an RSA key and by a client certificate; and the common JWT.

use serde::Deserialize;
use serde_json::json;

use super::{Call, auth, input};
use crate::BOT_USER_ID;
use crate::clock::Millis;
use crate::reply::Reply;
use crate::session::Kind;
use crate::shared::World;

#[derive(Deserialize)]
struct Login {
    token: String,
}

pub fn login(call: &Call, kind: Kind) -> Result<Reply, Reply> {
    let login: Login = input::object(call)?;
    call.shared.look(|world| {
        let now = world.clock.now();
        let judged_at = world.sessions.login_time(now, world.settings.logins_follow_clock);
        world
            .sessions
            .check_login(&login.token, &world.settings.username, judged_at)
            .map_err(|reason| Reply::error(401, &reason))?;
        Ok(open(world, kind, now))
    })
}

/// The handshake has shown that the client has the key; nothing is sent besides.
pub fn login_by_certificate(call: &Call, kind: Kind) -> Result<Reply, Reply> {
    let has = |name: &str| call.headers.contains_key(name);
    if !call.body.is_empty() || has("content-type") || has("transfer-encoding") {
        return Err(Reply::error(
            400,
            "A login by certificate has no body, and no sign of one",
        ));
    }
    let refuse = |reason: &str| Reply::error(401, reason);
    let certificate = call
        .certificate
        .as_ref()
        .ok_or_else(|| refuse("There is no client certificate"))?;
    call.shared.look(|world| {
        world.sessions.check_account().map_err(|reason| refuse(&reason))?;
        let clients = world.clients.as_ref();
        let name = clients.and_then(|clients| clients.common_name(certificate));
        match name {
            Some(name) if name == world.settings.username => {
                let now = world.clock.now();
                Ok(open(world, kind, now))
            }
            Some(_) => Err(refuse("The client certificate's common name is not the bot's username")),
            None => Err(refuse(
                "The client certificate is not signed by the emulator's authority",
            )),
        }
    })
}

fn open(world: &mut World, kind: Kind, now: Millis) -> Reply {
    let World { sessions, settings, .. } = world;
    let token = match kind {
        Kind::Session if settings.simplified_key_delivery => {
            let claims = json!({"sub": settings.username, "canUseSimplifiedKeyDelivery": true});
            sessions.open_jwt(kind, claims, now, settings.session_ttl)
        }
        _ => sessions.open(kind, now, settings.session_ttl),
    };
    let mut body = json!({"name": kind.header(), "token": token});
    if kind == Kind::Session {
        let bearer = match world.settings.common_jwt {
            true => open_common_jwt(world, now),
            false => token,
        };
        body["authorizationToken"] = json!(format!("Bearer {bearer}"));
    }
    Reply::of(200, &body)
}

/// Renews the common JWT of a session.
pub fn common_jwt(call: &Call) -> Result<Reply, Reply> {
    if !call.shared.look(|world| world.settings.common_jwt) {
        return Err(Reply::error(404, "The common JWT is not enabled on this pod"));
    }
    auth::check_token(call, Kind::Session)?;
    Ok(call.shared.look(|world| {
        let now = world.clock.now();
        let token = open_common_jwt(world, now);
        let seconds = world.settings.common_jwt_ttl.as_secs();
        Reply::of(
            200,
            &json!({"token_type": "Bearer", "expires_in": seconds, "access_token": token}),
        )
    }))
}

fn open_common_jwt(world: &mut World, now: Millis) -> String {
    let World { sessions, settings, .. } = world;
    let claims = json!({"sub": settings.username, "userId": BOT_USER_ID});
    sessions.open_jwt(Kind::Bearer, claims, now, settings.common_jwt_ttl)
}
