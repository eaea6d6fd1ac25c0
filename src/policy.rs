//! What to do after each outcome: one table, from operation and trouble to action.
//!
//! The rule behind it: try again unless it is proven that trying cannot help. Nothing that once worked is ever proven
//! not to work.

use crate::net::FailureKind;
use crate::protocol::TroubleKind;

/// What the poller asked of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Login,
    List,
    Create,
    Read,
}

/// What the feed has already managed, which decides what a refusal proves.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct History {
    pub(crate) logged_in: bool,
    /// A feed was found, created or read.
    pub(crate) served: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// The feed is closing.
    Stop,
    /// Wait, with growing and random intervals, and do it again.
    BackOff,
    /// Get new tokens, then do it again.
    LogIn,
    /// Look whether the feed still exists before doing anything about it.
    LookForFeed,
    /// It cannot work: stop for good and say why, with this advice.
    Fail(&'static str),
}

pub(crate) fn decide(operation: Operation, trouble: TroubleKind, history: History) -> Action {
    use Action::{BackOff, Fail, LogIn, LookForFeed, Stop};
    use Operation::{Create, List, Login, Read};
    use TroubleKind::{Network, Status};

    match (operation, trouble) {
        (_, Network(FailureKind::Cut)) => Stop,
        (Login, Status(400 | 401 | 403)) if !history.logged_in => Fail(ADVICE_LOGIN),
        (Login, _) => BackOff,
        (List | Create | Read, Status(401)) => LogIn,
        (Create, Status(403)) if !history.served => Fail(ADVICE_CREATE),
        (List | Read, Status(403)) if !history.served => Fail(ADVICE_FORBIDDEN),
        (Read, Status(400)) => LookForFeed,
        (List | Create | Read, _) => BackOff,
    }
}

const ADVICE_LOGIN: &str = "check bot.username, and that the public key registered for this service account belongs to \
                            bot.privateKey; if both are right, check this machine's clock, since a login token lives \
                            five minutes";
const ADVICE_CREATE: &str = "the account may not create a feed, or it has 20 feeds already: give bots that belong \
                             together one datafeed.tag, or wait 30 minutes until unread feeds are gone";
const ADVICE_FORBIDDEN: &str = "the account is not entitled to read a datafeed; ask the pod's administrator";

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{BackOff, LogIn, LookForFeed, Stop};
    use Operation::{Create, List, Login, Read};
    use TroubleKind::{Malformed, Network, Status};

    const NEW: History = History {
        logged_in: false,
        served: false,
    };
    const LOGGED_IN: History = History {
        logged_in: true,
        served: false,
    };
    const SERVED: History = History {
        logged_in: true,
        served: true,
    };

    #[test]
    fn what_may_pass_is_tried_again() {
        let passing = [
            Network(FailureKind::NameUnknown),
            Network(FailureKind::NotConnected),
            Network(FailureKind::Tls),
            Network(FailureKind::ConnectionLost),
            Network(FailureKind::TimedOut),
            Network(FailureKind::NotHttp),
            Network(FailureKind::TooLarge),
            Malformed,
            Status(302),
            Status(404),
            Status(408),
            Status(429),
            Status(500),
            Status(502),
            Status(503),
            Status(504),
            Status(599),
        ];
        for operation in [Login, List, Create, Read] {
            for trouble in passing {
                for history in [NEW, LOGGED_IN, SERVED] {
                    let action = decide(operation, trouble, history);
                    assert_eq!(action, BackOff, "{operation:?} {trouble:?} {history:?}");
                }
            }
        }
    }

    #[test]
    fn a_refused_login_is_final_only_from_the_start() {
        for status in [400, 401, 403] {
            assert!(matches!(decide(Login, Status(status), NEW), Action::Fail(_)));
            assert_eq!(decide(Login, Status(status), LOGGED_IN), BackOff);
            assert_eq!(decide(Login, Status(status), SERVED), BackOff);
        }
    }

    #[test]
    fn an_expired_session_is_renewed() {
        for operation in [List, Create, Read] {
            assert_eq!(decide(operation, Status(401), SERVED), LogIn);
            assert_eq!(decide(operation, Status(401), LOGGED_IN), LogIn);
        }
    }

    #[test]
    fn a_missing_entitlement_is_final_only_before_it_ever_worked() {
        for operation in [List, Create, Read] {
            assert!(matches!(decide(operation, Status(403), LOGGED_IN), Action::Fail(_)));
            assert_eq!(decide(operation, Status(403), SERVED), BackOff);
        }
    }

    #[test]
    fn a_read_s_400_means_to_look_and_others_to_wait() {
        assert_eq!(decide(Read, Status(400), SERVED), LookForFeed);
        assert_eq!(decide(List, Status(400), SERVED), BackOff);
        assert_eq!(decide(Create, Status(400), SERVED), BackOff);
    }

    #[test]
    fn a_closing_feed_stops() {
        for operation in [Login, List, Create, Read] {
            assert_eq!(decide(operation, Network(FailureKind::Cut), SERVED), Stop);
        }
    }
}
