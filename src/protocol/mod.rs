//! What the endpoints are: requests and answers of the login and of Datafeed 2, without any policy.

mod datafeed2;
mod login;
mod trace;
mod trouble;

pub(crate) use datafeed2::{AgentApi, ReadAnswer};
pub(crate) use login::{KeyManagerApi, PodApi, Tokens, login_token};
pub(crate) use trouble::{Trouble, TroubleKind};
