//! Bodies of `multipart/form-data`.

use hyper::header::CONTENT_TYPE;

use super::Call;
use crate::reply::Reply;

/// The text of the part of this name.
pub fn part(call: &Call, name: &str) -> Result<String, Reply> {
    let content_type = call.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = content_type
        .and_then(boundary)
        .ok_or_else(|| Reply::error(415, "The Content-Type is not multipart/form-data with a boundary"))?;
    let bytes = find(&call.body, &boundary, name)
        .ok_or_else(|| Reply::error(400, &format!("The body has no part named {name}")))?;
    String::from_utf8(bytes.to_vec()).map_err(|_| Reply::error(400, &format!("The part {name} is not UTF-8")))
}

fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.trim().split_once('=')?;
        let value = value.trim_matches('"');
        (name.eq_ignore_ascii_case("boundary") && !value.is_empty()).then(|| value.to_owned())
    })
}

/// Only a part that is closed by a boundary counts: a body that was cut has none.
fn find<'a>(body: &'a [u8], boundary: &str, name: &str) -> Option<&'a [u8]> {
    let delimiter = format!("--{boundary}");
    let mut rest = &body[position(body, delimiter.as_bytes())? + delimiter.len()..];
    let closing = format!("\r\n{delimiter}");
    while let Some(end) = position(rest, closing.as_bytes()) {
        let (part, after) = (&rest[..end], &rest[end + closing.len()..]);
        let head = position(part, b"\r\n\r\n")?;
        if is_named(&part[..head], name) {
            return Some(&part[head + 4..]);
        }
        rest = after;
    }
    None
}

fn is_named(head: &[u8], name: &str) -> bool {
    String::from_utf8_lossy(head).split("\r\n").any(|line| {
        let Some((header, value)) = line.split_once(':') else {
            return false;
        };
        header.eq_ignore_ascii_case("content-disposition")
            && value.split(';').any(|parameter| {
                let parameter = parameter.trim();
                parameter
                    .strip_prefix("name=")
                    .is_some_and(|it| it.trim_matches('"') == name)
            })
    })
}

fn position(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
