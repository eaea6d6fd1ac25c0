//! What a service, or whoever stands before it, says in an answer that is not the one asked for: told in an error, so
//! shortened, on one line and without secrets.

use serde_json::Value;
use ureq::http::header::{CONTENT_ENCODING, LOCATION};

use crate::net::Reply;

/// Longest piece of a service's own words that is repeated in an error.
const QUOTED: usize = 300;

/// The ids of feeds have about 40 characters; a token has hundreds.
const LONGEST_ID: usize = 60;

/// What is shorter can be guessed, and would take every `1` out of a message.
const SHORTEST_SECRET: usize = 5;

/// A shorter piece of a secret is as likely a word.
const SHORTEST_PIECE: usize = 8;

/// Where a page's title is looked for.
const HEAD_OF_PAGE: usize = 8 << 10;

/// What the request was, as far as it matters for what may be told of the answer.
pub(super) struct Sent<'a> {
    /// The section of the settings that say where it went.
    pub(super) service: &'static str,
    /// What must not be repeated, should the answer quote it.
    pub(super) secrets: Vec<&'a str>,
}

impl Sent<'_> {
    /// Words that may hold some of an answer's, fit to be told.
    pub(super) fn clean(&self, words: &str) -> String {
        one_line(words, 2 * QUOTED, &self.secrets)
    }
}

/// Words about an answer, if there are any; empty words are none.
pub(super) struct Said(String);

impl Said {
    /// Of an answer whose status says that all is well. Costs next to nothing where it is JSON.
    pub(super) fn of<'a>(reply: &Reply, sent: impl FnOnce() -> Sent<'a>) -> Said {
        if reply.header(CONTENT_ENCODING).is_none() && !is_page(&reply.body) {
            return Said(String::new());
        }
        let sent = sent();
        if let Some(encoding) = encoding(reply, &sent) {
            return Said(format!(
                "its Content-Encoding is {encoding}, which was not asked for; a gateway or proxy that compresses answers \
                 must leave these alone"
            ));
        }
        if is_page(&reply.body) {
            Said(page(&reply.body, &sent))
        } else {
            Said(String::new())
        }
    }

    /// Of an answer whose status says that something is wrong.
    pub(super) fn of_refusal(reply: &Reply, sent: &Sent) -> Said {
        if (300..400).contains(&reply.status) {
            return Said(redirect(reply, sent));
        }
        if is_page(&reply.body) {
            return Said(page(&reply.body, sent));
        }
        Said(message(&reply.body, sent).unwrap_or_default())
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

fn encoding(reply: &Reply, sent: &Sent) -> Option<String> {
    let named = reply.header(CONTENT_ENCODING)?;
    let plain = named.trim().is_empty() || named.eq_ignore_ascii_case("identity");
    (!plain).then(|| one_line(named, 40, &sent.secrets))
}

/// Tokens must not travel to wherever an answer points, so it is told instead.
fn redirect(reply: &Reply, sent: &Sent) -> String {
    let service = sent.service;
    let whereto = match reply.header(LOCATION) {
        Some(location) => one_line(&destination(location), QUOTED, &sent.secrets),
        None => "nowhere".to_owned(),
    };
    format!(
        "a redirect to {whereto}; it is not followed, since the tokens would travel along: if the service is there, set \
         {service}.host, {service}.port, {service}.scheme and {service}.context"
    )
}

/// An address without what may be private: the query, parameters, who is to log in there, and on another host the path.
fn destination(location: &str) -> String {
    let end = location.find(['?', '#', ';']).unwrap_or(location.len());
    let bare = &location[..end];
    let Some(at) = bare.find("//") else {
        return bare.to_owned();
    };
    let authority = bare[at + 2..].split('/').next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{}//{host}", &bare[..at])
}

/// The `message` of a service's error body.
fn message(body: &[u8], sent: &Sent) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let message = value.get("message")?.as_str()?;
    Some(one_line(message, QUOTED, &sent.secrets))
}

fn is_page(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

/// A gateway's page, by its title.
fn page(body: &[u8], sent: &Sent) -> String {
    let start = body.trim_ascii_start();
    let head = String::from_utf8_lossy(&start[..start.len().min(HEAD_OF_PAGE)]);
    let title = one_line(title(&head).unwrap_or_default(), QUOTED, &sent.secrets);
    let titled = if title.is_empty() {
        String::new()
    } else {
        format!(" titled {title:?}")
    };
    format!("it is an HTML page{titled}, not the service's answer; a gateway or proxy may stand between")
}

fn title(head: &str) -> Option<&str> {
    // ASCII letters only change their case: the offsets stay.
    let lower = head.to_ascii_lowercase();
    let opening = lower.find("<title")?;
    let start = opening + lower[opening..].find('>')? + 1;
    let length = lower[start..].find('<').unwrap_or(lower.len() - start);
    Some(&head[start..start + length])
}

fn one_line(text: &str, most: usize, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() >= SHORTEST_SECRET) {
        text = text.replace(secret, "[secret]");
    }
    // What looks like a part of a secret, a run of characters longer than any id, is not repeated either.
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .map(|word| match word {
            _ if word.len() > LONGEST_ID => "[long word]",
            _ if is_piece(word, secrets) => "[secret]",
            _ => word,
        })
        .collect();
    words.join(" ").chars().take(most).collect()
}

/// Whether a word is a part of a secret: one that was cut on its way.
fn is_piece(word: &str, secrets: &[&str]) -> bool {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
    bare.len() >= SHORTEST_PIECE && secrets.iter().any(|secret| secret.contains(bare))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent<'a>(secrets: &[&'a str]) -> Sent<'a> {
        Sent {
            service: "agent",
            secrets: secrets.to_vec(),
        }
    }

    #[test]
    fn a_service_s_words_are_shortened_and_kept_on_one_line() {
        let body = format!("{{\"message\":\"first\\nsecond {}\"}}", "word ".repeat(200));
        let words = message(body.as_bytes(), &sent(&[])).expect("a message");
        assert!(words.starts_with("first second word"));
        assert_eq!(words.chars().count(), QUOTED);
        assert!(message(b"<html>", &sent(&[])).is_none());
    }

    #[test]
    fn secrets_that_a_service_quotes_are_not_repeated() {
        let token = "eyJ".repeat(100);
        let body = format!("{{\"message\":\"bad token s3cret and {token} and {}\"}}", &token[..100]);
        let words = message(body.as_bytes(), &sent(&["s3cret", &token])).expect("a message");
        assert_eq!(words, "bad token [secret] and [secret] and [long word]");
        let body = format!("{{\"message\":\"it begins with '{}', says the gateway\"}}", &token[..9]);
        let words = message(body.as_bytes(), &sent(&[&token])).expect("a message");
        assert_eq!(words, "it begins with [secret] says the gateway");
    }

    #[test]
    fn a_page_is_told_by_its_title() {
        let told = |body: &str| page(body.as_bytes(), &sent(&["s3cret"]));
        assert!(!is_page(b"{}") && !is_page(b"") && is_page(b"\n<html>"));
        for untitled in ["\n <html>", "<title></title>"] {
            let words = told(untitled);
            assert!(words.starts_with("it is an HTML page, not"), "{words}");
        }
        for (body, title) in [
            (
                "<html><TITLE lang='en'>\n502\x1b Bad  Gateway </TITLE>",
                "502 Bad Gateway",
            ),
            ("<!DOCTYPE html><title>Straße</title>", "Straße"),
            ("<title>never ends", "never ends"),
            ("<title>the s3cret</title>", "the [secret]"),
        ] {
            let words = told(body);
            assert!(words.contains(&format!("titled {title:?}")), "{words}");
        }
    }

    #[test]
    fn where_a_redirect_leads_is_told_without_what_may_be_private() {
        for (location, told) in [
            (
                "https://user:pw@other.example:8443/path?token=x#y",
                "https://other.example:8443",
            ),
            ("//other.example/path", "//other.example"),
            ("/login?next=x", "/login"),
            ("/login;jsessionid=x", "/login"),
            ("file:///etc/passwd", "file://"),
            ("", ""),
        ] {
            assert_eq!(destination(location), told);
        }
    }
}
