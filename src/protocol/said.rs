//! What a service, or whoever stands before it, says in an answer that is not the one asked for: told in an error, so
//! shortened, on one line and without secrets.

use serde_json::Value;
use ureq::http::Uri;
use ureq::http::header::{CONTENT_ENCODING, LOCATION};

use crate::net::Reply;

/// Longest piece of a service's own words that is repeated in an error.
const QUOTED: usize = 300;

/// The ids of feeds have about 40 characters; a token has hundreds.
const LONGEST_ID: usize = 60;

/// Where a page's title is looked for.
const HEAD_OF_PAGE: usize = 8 << 10;

/// Words about an answer, if there are any; empty words are none.
pub(super) struct Said(String);

impl Said {
    /// Of an answer whose status says that all is well. Costs next to nothing where it is JSON.
    pub(super) fn of(reply: &Reply) -> Said {
        if let Some(encoding) = encoding(reply) {
            return Said(format!(
                "it is encoded as {encoding}, which was not asked for; whatever stands between must not compress"
            ));
        }
        Said(page(&reply.body).unwrap_or_default())
    }

    /// Of an answer whose status says that something is wrong. `secrets`: what was sent that must not be repeated,
    /// should the service quote it.
    pub(super) fn of_refusal(reply: &Reply, secrets: &[&str]) -> Said {
        if (300..400).contains(&reply.status) {
            return Said(redirect(reply));
        }
        Said(
            message(&reply.body, secrets)
                .or_else(|| page(&reply.body))
                .unwrap_or_default(),
        )
    }

    /// The reason, with these words.
    pub(super) fn after(self, reason: &str) -> String {
        if self.0.is_empty() {
            reason.to_owned()
        } else {
            format!("{reason}: {}", self.0)
        }
    }
}

fn encoding(reply: &Reply) -> Option<String> {
    let named = reply.header(CONTENT_ENCODING)?;
    let plain = named.trim().is_empty() || named.eq_ignore_ascii_case("identity");
    (!plain).then(|| one_line(named, 40))
}

/// Tokens must not travel to wherever an answer points, so it is told instead.
fn redirect(reply: &Reply) -> String {
    let location = reply.header(LOCATION).and_then(|text| text.parse::<Uri>().ok());
    let origin = location.as_ref().and_then(|uri| {
        let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
        // Without what may stand before an @.
        let port = authority.port_u16().map_or_else(String::new, |port| format!(":{port}"));
        Some(format!("{scheme}://{}{port}", authority.host()))
    });
    let whereto = match (origin, location) {
        (Some(origin), _) => format!("a redirect to {}", one_line(&origin, QUOTED)),
        (None, Some(_)) => "a redirect to another path of the same host".to_owned(),
        (None, None) => "a redirect without a usable address".to_owned(),
    };
    format!(
        "{whereto}; redirects are not followed, since the tokens would travel along: set host, scheme, port and context \
         to where the service is"
    )
}

/// The `message` of a service's error body.
fn message(body: &[u8], secrets: &[&str]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let mut message = value.get("message")?.as_str()?.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        message = message.replace(secret, "[secret]");
    }
    Some(one_line(&message, QUOTED))
}

/// A gateway's page, by its title.
fn page(body: &[u8]) -> Option<String> {
    let start = body.iter().position(|byte| !byte.is_ascii_whitespace())?;
    if body[start] != b'<' {
        return None;
    }
    let head = String::from_utf8_lossy(&body[start..body.len().min(start + HEAD_OF_PAGE)]);
    let title = title(&head).filter(|title| !title.is_empty());
    let titled = title.map_or_else(String::new, |title| format!(" titled \"{title}\""));
    Some(format!(
        "it is a page{titled}, not the service's answer; a gateway or proxy may stand between"
    ))
}

fn title(head: &str) -> Option<String> {
    // ASCII letters only change their case: the offsets stay.
    let lower = head.to_ascii_lowercase();
    let opening = lower.find("<title")?;
    let start = opening + lower[opening..].find('>')? + 1;
    let end = start + lower[start..].find('<')?;
    Some(one_line(head[start..end].trim(), QUOTED))
}

fn one_line(text: &str, most: usize) -> String {
    // What looks like a part of a secret, a run of characters longer than any id, is not repeated either.
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .map(|word| if word.len() > LONGEST_ID { "[long word]" } else { word })
        .collect();
    words.join(" ").chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_s_words_are_shortened_and_kept_on_one_line() {
        let body = format!("{{\"message\":\"first\\nsecond {}\"}}", "word ".repeat(200));
        let words = message(body.as_bytes(), &[]).expect("a message");
        assert!(words.starts_with("first second word"));
        assert_eq!(words.chars().count(), QUOTED);
        assert_eq!(message(b"<html>", &[]), None);
    }

    #[test]
    fn secrets_that_a_service_quotes_are_not_repeated() {
        let token = "eyJ".repeat(100);
        let body = format!("{{\"message\":\"bad token s3cret and {token} and {}\"}}", &token[..100]);
        let words = message(body.as_bytes(), &["s3cret", &token]).expect("a message");
        assert_eq!(words, "bad token [secret] and [secret] and [long word]");
    }

    #[test]
    fn a_page_is_told_by_its_title() {
        let titled = |body: &str| page(body.as_bytes());
        assert_eq!(titled("{}"), None);
        assert_eq!(titled(""), None);
        let bare = titled("\n <html>").expect("a page");
        assert!(bare.starts_with("it is a page, not"), "{bare}");
        for (body, title) in [
            (
                "<html><TITLE lang='en'>\n502\x1b Bad  Gateway </TITLE>",
                "502 Bad Gateway",
            ),
            ("<!DOCTYPE html><title>Straße</title>", "Straße"),
        ] {
            let words = titled(body).expect("a page");
            assert!(words.contains(&format!("titled \"{title}\"")), "{words}");
        }
        assert!(
            titled("<title>never ends")
                .expect("a page")
                .starts_with("it is a page, not")
        );
        assert!(
            titled("<title></title>")
                .expect("a page")
                .starts_with("it is a page, not")
        );
    }
}
