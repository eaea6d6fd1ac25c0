//! What the endpoints are: requests and answers of the login and of Datafeed 2, without any policy.

mod datafeed2;
mod login;
mod node;
mod said;
mod trace;
mod trouble;

pub(crate) use datafeed2::{AgentApi, FeedId};
pub(crate) use login::{KeyManagerApi, LoginToken, PodApi, Tokens};
pub(crate) use trouble::{Trouble, TroubleKind};

/// What was asked for, and the trace id of the request, which stands in the service's logs too.
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    pub(crate) trace_id: String,
}
