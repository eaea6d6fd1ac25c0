//! One node of the agent: its addresses and its connections.

use std::cell::RefCell;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ureq::http::Uri;

use super::parse_uri;
use super::trouble::Trouble;
use crate::config::Service;
use crate::error::Error;
use crate::net::{Cutoff, Http};

pub(super) struct Node {
    pub(super) http: Http,
    pub(super) base_url: String,
    pub(super) info_uri: Uri,
    /// The addresses last asked for by their text, which are parsed once.
    known: RefCell<Option<(String, Uri)>>,
}

impl Node {
    pub(super) fn new(service: &Service, cutoff: &Arc<Cutoff>) -> Result<Node, Error> {
        Ok(Node {
            http: Http::new(service, cutoff),
            base_url: service.base_url.clone(),
            info_uri: parse_uri(&format!("{}/agent/v1/info", service.base_url))?,
            known: RefCell::default(),
        })
    }

    /// The address of a path at this node.
    pub(super) fn uri(&self, path: &str) -> Result<Uri, Trouble> {
        if let Some((known, uri)) = &*self.known.borrow()
            && known == path
        {
            return Ok(uri.clone());
        }
        let uri: Uri = format!("{}{path}", self.base_url)
            .parse()
            .map_err(|error| Trouble::unreadable_feed(&self.base_url, &error))?;
        *self.known.borrow_mut() = Some((path.to_owned(), uri.clone()));
        Ok(uri)
    }

    /// The address of a feed's own endpoint.
    pub(super) fn feed_uri(&self, before: &str, feed: &str, after: &str) -> Result<Uri, Trouble> {
        self.uri(&format!("{before}{}{after}", percent_encode(feed)))
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
