//! What to do after each outcome: one table, from operation and outcome to action.
//!
//! The rule behind it: try again unless it is proven that trying cannot help. Nothing that once worked is ever proven not
//! to work. A queue that may hold events is never thrown away.

mod table;
#[cfg(test)]
mod tests;

pub(crate) use table::TABLE;

use crate::net::FailureKind;
use crate::protocol::TroubleKind;

/// What the poller asked of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// With a key, at the pod or at the key manager.
    Login,
    /// With a certificate, at the session service or at the key manager.
    CertificateLogin,
    /// A common JWT, at the pod.
    Jwt,
    /// Who the bot is, at the pod.
    Account,
    /// What the agent says about itself.
    Info,
    /// Of Datafeed 2.
    List,
    /// Of Datafeed 2.
    Create,
    /// Of Datafeed 2.
    Read,
    /// Of the datahose.
    ReadDatahose,
    /// Of Datafeed 1, or of its firehose.
    CreateFirst,
    /// Of Datafeed 1, or of its firehose.
    ReadFirst,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A list came. (Other answers need no decision.)
    Listed(Listed),
    Failed(TroubleKind),
}

/// What a list says about the feed to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    /// The feed that is read is listed.
    Current,
    /// Not that one, or none is read yet; but there is one of ours.
    Another,
    /// There is none of ours.
    Nothing,
    /// The feed that was just made is listed, and none is older.
    Oldest,
    /// The feed that was just made is listed, and so is an older one.
    Older,
    /// The list does not tell which feed is the oldest: the one that was just made is not listed yet, or without a date.
    Undecided,
    /// The feed that was just made should be listed by now, and is not.
    Unlisted,
}

/// What else decides.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Situation {
    /// A login has succeeded.
    pub(crate) logged_in_before: bool,
    /// A feed was found, created or read.
    pub(crate) served_before: bool,
    /// The service's clock showed that the login token is out of time.
    pub(crate) clocks_apart: bool,
    /// The key manager has given what the agent was asked about.
    pub(crate) key_manager_did: bool,
    /// The common JWT that is to be renewed is still good.
    pub(crate) jwt_is_good: bool,
    /// The feed that is read is missing from a list for the first time.
    pub(crate) missed_once: bool,
    /// With Datafeed 1: the feed's node has been out of reach for half an hour, and there are others.
    pub(crate) node_is_gone: bool,
    /// The feed that is read has refused every read for a minute, also those that acknowledged nothing.
    pub(crate) refused_for_a_minute: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    GoOn,
    /// The feed is closing.
    Stop,
    /// Wait, with growing and random intervals, and do it again.
    BackOff,
    /// Move to the agent's next node, where there are several; then the same.
    NextNode,
    /// Get new tokens, then do it again.
    LogIn,
    /// Date login tokens by the service's clock from now on, then log in again.
    SetClock,
    /// List the feeds before doing anything about the feed.
    LookForFeed,
    /// List the feeds once more in a moment: lists may lag behind.
    LookAgain,
    /// Read the listed feed.
    Adopt,
    /// Make a feed. An old one is left alone. The new one is not read before it is settled that it is the oldest.
    Create,
    /// List the feeds again in a moment, until it is settled.
    Settle,
    /// It is settled: read the feed that was made.
    Keep,
    /// It is settled: read the older feed, and delete the one that was made, which was never read.
    Yield,
    /// It cannot work: stop for good and say why, with this advice.
    Fail(&'static str),
}

impl Action {
    /// The name used in the log.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Action::GoOn => "GO_ON",
            Action::Stop => "STOP",
            Action::BackOff => "BACK_OFF",
            Action::NextNode => "NEXT_NODE",
            Action::LogIn => "LOG_IN",
            Action::SetClock => "SET_CLOCK",
            Action::LookForFeed => "LOOK_FOR_FEED",
            Action::LookAgain => "LOOK_AGAIN",
            Action::Adopt => "ADOPT",
            Action::Create => "CREATE",
            Action::Settle => "SETTLE",
            Action::Keep => "KEEP",
            Action::Yield => "YIELD",
            Action::Fail(_) => "FAIL",
        }
    }
}

/// One row of the table: after these operations and this outcome, when this holds, do that.
#[derive(Debug)]
pub(crate) struct Row {
    /// Names the row in the log and in the documentation.
    pub(crate) rule: &'static str,
    operations: &'static [Operation],
    met: Met,
    when: When,
    pub(crate) action: Action,
}

/// Which outcomes a row is for.
#[derive(Debug)]
enum Met {
    Listed(&'static [Listed]),
    Network(&'static [FailureKind]),
    Malformed,
    Status(&'static [u16]),
    /// 500 to 599.
    AnyServerError,
    AnyFailure,
}

/// In which situations a row holds.
#[derive(Debug, Clone, Copy)]
enum When {
    Always,
    NeverLoggedIn,
    NeverServed,
    ClocksApart,
    KeyManagerDid,
    JwtIsGood,
    NodeIsGone,
    MissedOnce,
    RefusedForAMinute,
}

/// An outcome laid out flat, so that a row compares numbers and nothing that is not there.
struct Seen {
    listed: Option<Listed>,
    network: Option<FailureKind>,
    malformed: bool,
    /// 0 if there is none.
    status: u16,
}

impl Seen {
    fn of(outcome: Outcome) -> Seen {
        let nothing = Seen {
            listed: None,
            network: None,
            malformed: false,
            status: 0,
        };
        match outcome {
            Outcome::Listed(listed) => Seen {
                listed: Some(listed),
                ..nothing
            },
            Outcome::Failed(TroubleKind::Network(kind)) => Seen {
                network: Some(kind),
                ..nothing
            },
            Outcome::Failed(TroubleKind::Malformed) => Seen {
                malformed: true,
                ..nothing
            },
            Outcome::Failed(TroubleKind::Status(status)) => Seen { status, ..nothing },
        }
    }
}

impl Row {
    fn fits(&self, operation: Operation, seen: &Seen, situation: &Situation) -> bool {
        self.operations.contains(&operation) && self.met.fits(seen) && self.when.holds(situation)
    }
}

impl Met {
    fn fits(&self, seen: &Seen) -> bool {
        match self {
            Met::AnyFailure => seen.listed.is_none(),
            Met::Malformed => seen.malformed,
            Met::Listed(all) => seen.listed.is_some_and(|listed| all.contains(&listed)),
            Met::Network(kinds) => seen.network.is_some_and(|kind| kinds.contains(&kind)),
            Met::Status(all) => all.contains(&seen.status),
            Met::AnyServerError => (500..600).contains(&seen.status),
        }
    }
}

impl When {
    fn holds(self, situation: &Situation) -> bool {
        match self {
            When::Always => true,
            When::NeverLoggedIn => !situation.logged_in_before,
            When::NeverServed => !situation.served_before,
            When::ClocksApart => situation.clocks_apart,
            When::KeyManagerDid => situation.key_manager_did,
            When::JwtIsGood => situation.jwt_is_good,
            When::NodeIsGone => situation.node_is_gone,
            When::MissedOnce => situation.missed_once,
            When::RefusedForAMinute => situation.refused_for_a_minute,
        }
    }
}

/// The first row that fits.
pub(crate) fn decide(operation: Operation, outcome: Outcome, situation: &Situation) -> &'static Row {
    let seen = Seen::of(outcome);
    let mut rows = TABLE.iter();
    // The last rows fit every failure, and a test tries every outcome.
    rows.find(|row| row.fits(operation, &seen, situation))
        .unwrap_or(&TABLE[TABLE.len() - 1])
}
