//! One node of the agent: its addresses and its connections.

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::Uri;

use super::login::parse_uri;
use super::trouble::Trouble;
use crate::config::Service;
use crate::error::Error;
use crate::net::{Cutoff, Http};

pub(super) struct Node {
    pub(super) http: Http,
    pub(super) base_url: String,
    pub(super) list_uri: Uri,
    pub(super) create_uri: Uri,
    /// The feed last read and its address, which is parsed once.
    read_uri: Option<(String, Uri)>,
}

impl Node {
    pub(super) fn new(service: &Service, tag: Option<&str>, cutoff: &Arc<Cutoff>) -> Result<Node, Error> {
        let feeds = format!("{}/agent/v5/datafeeds", service.base_url);
        let query = tag.map_or_else(String::new, |tag| format!("?tag={}", percent_encode(tag)));
        Ok(Node {
            http: Http::new(service, cutoff),
            base_url: service.base_url.clone(),
            list_uri: parse_uri(&format!("{feeds}{query}"))?,
            create_uri: parse_uri(&feeds)?,
            read_uri: None,
        })
    }

    pub(super) fn read_uri(&mut self, feed: &str) -> Result<Uri, Trouble> {
        if let Some((known, uri)) = &self.read_uri
            && known == feed
        {
            return Ok(uri.clone());
        }
        let text = format!("{}/agent/v5/datafeeds/{}/read", self.base_url, percent_encode(feed));
        let uri: Uri = text
            .parse()
            .map_err(|error| Trouble::unreadable_feed(&self.base_url, &error))?;
        self.read_uri = Some((feed.to_owned(), uri.clone()));
        Ok(uri)
    }
}

/// Everything but RFC 3986's unreserved characters is encoded in a path segment or a query value.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_encoded_for_the_query() {
        assert_eq!(percent_encode("desk 1/é&x=y"), "desk%201%2F%C3%A9%26x%3Dy");
    }
}
