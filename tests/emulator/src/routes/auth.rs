//! Whether a request carries the tokens that its service asks for.

use super::Call;
use crate::reply::Reply;
use crate::session::Kind;
use crate::settings::Settings;

/// Each token on its own: missing, or not good.
pub fn check_token(call: &Call, kind: Kind) -> Result<(), Reply> {
    let name = kind.header();
    let Some(value) = call.headers.get(name).and_then(|value| value.to_str().ok()) else {
        return Err(Reply::error(401, &format!("The {name} header is missing")));
    };
    let token = match kind {
        Kind::Bearer => value
            .strip_prefix("Bearer ")
            .ok_or_else(|| Reply::error(401, "The Authorization header is not a bearer token"))?,
        _ => value,
    };
    let good = call.shared.look(|world| {
        let now = world.clock.now();
        world.sessions.is_good(kind, token, now)
    });
    match good {
        true => Ok(()),
        false => Err(Reply::error(
            401,
            &format!("Invalid session: the {name} is unknown or has expired"),
        )),
    }
}

/// What the pod asks for: the session token, or where there is a common JWT, either.
pub fn check_session(call: &Call) -> Result<(), Reply> {
    let bears = call.headers.contains_key(Kind::Bearer.header());
    match bears && call.shared.look(|world| world.settings.common_jwt) {
        true => check_token(call, Kind::Bearer),
        false => check_token(call, Kind::Session),
    }
}

/// What the agent asks for.
pub fn check_tokens(call: &Call) -> Result<(), Reply> {
    match call.shared.look(|world| world.settings.common_jwt) {
        true => check_token(call, Kind::Bearer)?,
        false => check_token(call, Kind::Session)?,
    }
    let asks = |settings: &Settings| settings.require_key_manager_token && !settings.simplified_key_delivery;
    match call.shared.look(|world| asks(&world.settings)) {
        true => check_token(call, Kind::KeyManager),
        false => Ok(()),
    }
}
