//! What the endpoints are: requests and answers of the logins, of both datafeeds and of the datahose, without any policy.

mod agent;
mod base_url;
mod datafeed1;
mod datafeed2;
mod datahose;
mod login;
mod login_token;
mod node;
mod pod;
mod read;
mod said;
mod tokens;
mod trace;
mod trouble;

use ureq::http::Uri;

pub(crate) use agent::AgentApi;
pub(crate) use base_url::{AGENT_PATH, normalized};
pub(crate) use datafeed2::{FeedId, is_usable};
pub(crate) use login::LoginApi;
pub(crate) use login_token::LoginToken;
pub(crate) use pod::{Account, PodApi};
pub(crate) use read::Asked;
pub(crate) use tokens::{CommonJwt, Tokens, claims_key_delivery};
pub(crate) use trouble::{Trouble, TroubleKind};

use crate::error::{Code, Error};

/// What was asked for, and the trace id of the request, which stands in the service's logs too.
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    pub(crate) trace_id: String,
}

fn parse_uri(text: &str) -> Result<Uri, Error> {
    text.parse()
        .map_err(|error| Error::new(Code::ConfigInvalid, format!("{text} is no valid address: {error}")))
}
