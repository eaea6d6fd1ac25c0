//! Bodies of requests.

use hyper::HeaderMap;
use hyper::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Call;
use crate::reply::Reply;

/// A JSON object sent to the service as `application/json`; no body at all counts as `{}`.
pub fn object<T: DeserializeOwned>(call: &Call) -> Result<T, Reply> {
    if !call.body.is_empty() && !is_json(&call.headers) {
        return Err(Reply::error(415, "The Content-Type is not application/json"));
    }
    parse(&call.body).map_err(|message| Reply::error(400, &message))
}

/// A JSON object; no body at all counts as `{}`. The message of a failure names the field.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let body = if body.is_empty() { b"{}" } else { body };
    let value: Value = serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?;
    if !value.is_object() {
        return Err("the body is not a JSON object".into());
    }
    field_by_field(value)
}

pub fn field_by_field<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(value).map_err(|error| match error.path().to_string() {
        path if path == "." => error.inner().to_string(),
        path => format!("{path}: {}", error.inner()),
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let kind = value.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}
