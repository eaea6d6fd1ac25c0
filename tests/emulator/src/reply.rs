//! Answers, before they become HTTP.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, DATE, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde::Serialize;
use serde_json::json;

use crate::clock::Millis;

/// The end of the year 9999; HTTP knows no later date.
const LAST_DATE: Millis = 253_402_300_799_000;

#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub body: Bytes,
    headers: Vec<(HeaderName, String)>,
}

impl Reply {
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Reply {
            status,
            body: body.into(),
            headers: vec![(CONTENT_TYPE, content_type.to_owned())],
        }
    }

    pub fn json(status: u16, body: impl Into<Bytes>) -> Self {
        Reply::new(status, "application/json;charset=UTF-8", body)
    }

    pub fn of(status: u16, value: &impl Serialize) -> Self {
        let body = serde_json::to_vec(value).expect("plain data becomes JSON");
        Reply::json(status, body)
    }

    pub fn no_content() -> Self {
        Reply {
            status: 204,
            body: Bytes::new(),
            headers: Vec::new(),
        }
    }

    /// The service's error body.
    pub fn error(status: u16, message: &str) -> Self {
        Reply::of(status, &json!({"code": status, "message": message}))
    }

    pub fn retry_after(mut self, value: Option<String>) -> Self {
        self.headers.extend(value.map(|value| (RETRY_AFTER, value)));
        self
    }

    pub fn allow(mut self, methods: &str) -> Self {
        self.headers.push((ALLOW, methods.to_owned()));
        self
    }

    /// The connection ends with this answer.
    pub fn last(mut self) -> Self {
        self.headers.push((CONNECTION, "close".to_owned()));
        self
    }

    /// Says when it was given, which would otherwise be real time.
    pub fn dated(mut self, at: Millis) -> Self {
        let at = UNIX_EPOCH + Duration::from_millis(at.min(LAST_DATE));
        self.headers.push((DATE, httpdate::fmt_http_date(at)));
        self
    }

    pub fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
