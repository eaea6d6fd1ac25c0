//! The two RSA logins, of the pod and of the key manager.

use serde::Deserialize;
use serde_json::json;

use super::{Call, input};
use crate::reply::Reply;
use crate::session::Kind;

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
        let token = world.sessions.open(kind, now, world.settings.session_ttl);
        let mut body = json!({"name": kind.header(), "token": token});
        if kind == Kind::Session {
            body["authorizationToken"] = json!(format!("Bearer {token}"));
        }
        Ok(Reply::of(200, &body))
    })
}
