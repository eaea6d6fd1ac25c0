//! The table, row by row and without a network.

use std::collections::BTreeSet;

use super::Operation::{
    Account, CertificateLogin, Create, CreateFirst, Info, Jwt, List, Login, Read, ReadDatahose, ReadFirst,
};
use super::Outcome::Failed;
use super::*;
use FailureKind::{ConnectionLost, Cut, NameUnknown, NotConnected, NotHttp, TimedOut, Tls, TooLarge};
use TroubleKind::{Malformed, Network, Status};

const NEW: Situation = Situation {
    logged_in_before: false,
    served_before: false,
    clocks_apart: false,
    key_manager_did: false,
    jwt_is_good: false,
    node_is_gone: false,
    missed_once: false,
    refused_for_a_minute: false,
};
const LOGGED_IN: Situation = Situation {
    logged_in_before: true,
    ..NEW
};
const SERVED: Situation = Situation {
    served_before: true,
    ..LOGGED_IN
};
const OPERATIONS: [Operation; 11] = [
    Login,
    CertificateLogin,
    Jwt,
    Account,
    Info,
    List,
    Create,
    Read,
    ReadDatahose,
    CreateFirst,
    ReadFirst,
];
const KINDS: [FailureKind; 8] = [
    NameUnknown,
    NotConnected,
    Tls,
    ConnectionLost,
    TimedOut,
    NotHttp,
    TooLarge,
    Cut,
];

const LISTED: [Listed; 7] = [
    Listed::Current,
    Listed::Another,
    Listed::Nothing,
    Listed::Oldest,
    Listed::Older,
    Listed::Undecided,
    Listed::Unlisted,
];

/// Every status that can come, and every other failure.
fn failures() -> Vec<TroubleKind> {
    let mut all: Vec<TroubleKind> = (100..1000).map(Status).collect();
    all.extend(KINDS.map(Network));
    all.push(Malformed);
    all
}

fn situations() -> Vec<Situation> {
    (0..256)
        .map(|bits| Situation {
            logged_in_before: bits & 1 != 0,
            served_before: bits & 2 != 0,
            clocks_apart: bits & 4 != 0,
            missed_once: bits & 8 != 0,
            refused_for_a_minute: bits & 16 != 0,
            jwt_is_good: bits & 32 != 0,
            node_is_gone: bits & 64 != 0,
            key_manager_did: bits & 128 != 0,
        })
        .collect()
}

#[test]
fn each_row_is_reached_by_what_it_is_for() {
    let examples: &[(&str, Operation, Outcome, Situation)] = &[
        ("closing", Login, Failed(Network(Cut)), NEW),
        ("closing", Read, Failed(Network(Cut)), SERVED),
        (
            "clocks-apart",
            Login,
            Failed(Status(401)),
            Situation {
                clocks_apart: true,
                ..NEW
            },
        ),
        (
            "clocks-apart",
            Login,
            Failed(Status(401)),
            Situation {
                clocks_apart: true,
                ..SERVED
            },
        ),
        ("login-refused", Login, Failed(Status(401)), NEW),
        ("login-refused", Login, Failed(Status(403)), NEW),
        ("login-refused", Login, Failed(Status(400)), NEW),
        ("login-failed", Login, Failed(Status(401)), LOGGED_IN),
        (
            "login-failed",
            Login,
            Failed(Status(503)),
            Situation {
                clocks_apart: true,
                ..NEW
            },
        ),
        ("login-failed", Login, Failed(Network(Tls)), NEW),
        ("certificate-refused", CertificateLogin, Failed(Status(401)), NEW),
        ("login-failed", CertificateLogin, Failed(Status(401)), LOGGED_IN),
        ("account-hidden", Account, Failed(Status(403)), LOGGED_IN),
        ("account-hidden", Account, Failed(Status(404)), LOGGED_IN),
        ("session-expired", Account, Failed(Status(401)), LOGGED_IN),
        ("pod-in-trouble", Account, Failed(Status(503)), LOGGED_IN),
        ("jwt-refused", Jwt, Failed(Status(403)), LOGGED_IN),
        ("account-hidden", Account, Failed(Malformed), LOGGED_IN),
        ("pod-out-of-reach", Account, Failed(Network(NotConnected)), LOGGED_IN),
        ("pod-lost", Jwt, Failed(Network(TimedOut)), LOGGED_IN),
        ("pod-slow", Account, Failed(Status(429)), LOGGED_IN),
        ("jwt-failed", Jwt, Failed(Status(404)), LOGGED_IN),
        ("session-expired", Jwt, Failed(Status(401)), SERVED),
        (
            "jwt-later",
            Jwt,
            Failed(Status(503)),
            Situation {
                jwt_is_good: true,
                ..SERVED
            },
        ),
        ("session-expired", ReadFirst, Failed(Status(401)), SERVED),
        ("session-expired", ReadDatahose, Failed(Status(401)), SERVED),
        ("feed-expired", ReadFirst, Failed(Status(400)), SERVED),
        ("datahose-refused", ReadDatahose, Failed(Status(400)), LOGGED_IN),
        ("anything-else", ReadDatahose, Failed(Status(400)), SERVED),
        ("datahose-forbidden", ReadDatahose, Failed(Status(403)), LOGGED_IN),
        ("not-entitled", CreateFirst, Failed(Status(403)), LOGGED_IN),
        ("bound-to-node", ReadFirst, Failed(Network(NotConnected)), SERVED),
        ("bound-to-node", ReadFirst, Failed(Status(503)), SERVED),
        (
            "node-gone",
            ReadFirst,
            Failed(Network(NotConnected)),
            Situation {
                node_is_gone: true,
                ..SERVED
            },
        ),
        ("node-in-trouble", CreateFirst, Failed(Status(503)), LOGGED_IN),
        ("node-out-of-reach", Info, Failed(Network(NotConnected)), LOGGED_IN),
        (
            "no-agent-info",
            Info,
            Failed(Status(500)),
            Situation {
                key_manager_did: true,
                ..NEW
            },
        ),
        ("session-expired", List, Failed(Status(401)), LOGGED_IN),
        ("session-expired", Create, Failed(Status(401)), LOGGED_IN),
        ("session-expired", Read, Failed(Status(401)), SERVED),
        ("feed-exists", List, Outcome::Listed(Listed::Current), SERVED),
        (
            "feed-refuses",
            List,
            Outcome::Listed(Listed::Current),
            Situation {
                refused_for_a_minute: true,
                ..SERVED
            },
        ),
        (
            "feed-missing",
            List,
            Outcome::Listed(Listed::Nothing),
            Situation {
                missed_once: true,
                ..SERVED
            },
        ),
        (
            "feed-missing",
            List,
            Outcome::Listed(Listed::Another),
            Situation {
                missed_once: true,
                ..SERVED
            },
        ),
        ("feed-found", List, Outcome::Listed(Listed::Another), LOGGED_IN),
        ("no-feed", List, Outcome::Listed(Listed::Nothing), LOGGED_IN),
        ("made-first", List, Outcome::Listed(Listed::Oldest), SERVED),
        ("made-later", List, Outcome::Listed(Listed::Older), SERVED),
        ("made-just-now", List, Outcome::Listed(Listed::Undecided), SERVED),
        ("made-unlisted", List, Outcome::Listed(Listed::Unlisted), SERVED),
        ("read-refused", Read, Failed(Status(400)), SERVED),
        ("create-forbidden", Create, Failed(Status(403)), LOGGED_IN),
        ("not-entitled", List, Failed(Status(403)), LOGGED_IN),
        ("not-entitled", Read, Failed(Status(403)), LOGGED_IN),
        ("slow-down", Read, Failed(Status(429)), SERVED),
        ("node-out-of-reach", List, Failed(Network(NameUnknown)), LOGGED_IN),
        ("node-out-of-reach", Read, Failed(Network(NotConnected)), SERVED),
        ("node-out-of-reach", Read, Failed(Network(Tls)), SERVED),
        ("node-lost", Read, Failed(Network(ConnectionLost)), SERVED),
        ("node-lost", Read, Failed(Network(TimedOut)), SERVED),
        ("node-timed-out", Read, Failed(Status(408)), SERVED),
        ("node-in-trouble", Create, Failed(Status(500)), LOGGED_IN),
        ("node-in-trouble", Read, Failed(Status(599)), SERVED),
        ("answer-unreadable", Read, Failed(Network(NotHttp)), SERVED),
        ("answer-unreadable", Read, Failed(Network(TooLarge)), SERVED),
        ("answer-malformed", Read, Failed(Malformed), SERVED),
        ("anything-else", Read, Failed(Status(403)), SERVED),
        ("anything-else", List, Failed(Status(400)), SERVED),
        ("anything-else", Read, Failed(Status(302)), SERVED),
    ];
    for (rule, operation, outcome, situation) in examples {
        let row = decide(*operation, *outcome, situation);
        assert_eq!(row.rule, *rule, "{operation:?} {outcome:?} {situation:?}");
    }
    let reached: BTreeSet<&str> = examples.iter().map(|(rule, ..)| *rule).collect();
    let rules: BTreeSet<&str> = TABLE.iter().map(|row| row.rule).collect();
    assert_eq!(reached, rules);
    assert_eq!(rules.len(), TABLE.len(), "a name stands for one row");
}

#[test]
fn every_outcome_has_a_row_and_none_falls_through() {
    let listed = LISTED.map(Outcome::Listed);
    for situation in situations() {
        for operation in OPERATIONS {
            let mut outcomes: Vec<Outcome> = failures().into_iter().map(Failed).collect();
            if operation == List {
                outcomes.extend(listed);
            }
            for outcome in outcomes {
                let row = decide(operation, outcome, &situation);
                assert!(
                    row.fits(operation, &Seen::of(outcome), &situation),
                    "{operation:?} {outcome:?} {situation:?}"
                );
            }
        }
    }
}

#[test]
fn only_a_refusal_from_the_start_is_final() {
    for situation in situations() {
        for operation in OPERATIONS {
            for failure in failures() {
                let row = decide(operation, Failed(failure), &situation);
                if !matches!(row.action, Action::Fail(_)) {
                    continue;
                }
                let refused = match operation {
                    Login | CertificateLogin => {
                        matches!(failure, Status(400 | 401 | 403)) && !situation.logged_in_before
                    }
                    ReadDatahose => matches!(failure, Status(400 | 403)) && !situation.served_before,
                    _ => failure == Status(403) && !situation.served_before,
                };
                assert!(refused, "{operation:?} {failure:?} {situation:?}");
            }
        }
    }
}

#[test]
fn what_may_pass_is_tried_again_for_ever() {
    let passing = failures().into_iter().filter(|failure| match failure {
        Network(kind) => *kind != Cut,
        Malformed => true,
        Status(status) => matches!(status, 300..=399 | 404 | 408 | 429 | 500..=599),
    });
    for failure in passing {
        for operation in OPERATIONS {
            for situation in situations() {
                let action = decide(operation, Failed(failure), &situation).action;
                let goes_on = match operation {
                    // The old token is good, or a name will do: the feed goes on.
                    Jwt => situation.jwt_is_good,
                    Info => situation.key_manager_did,
                    Account => !matches!(
                        failure,
                        Network(NameUnknown | NotConnected | Tls | ConnectionLost | TimedOut)
                            | Status(408 | 429 | 500..=599)
                    ),
                    _ => false,
                };
                if operation == ReadFirst
                    && situation.node_is_gone
                    && matches!(failure, Network(NameUnknown | NotConnected))
                {
                    assert_eq!(action, Action::Create);
                    continue;
                }
                let tries_again = matches!(action, Action::BackOff | Action::NextNode);
                let tries_again = tries_again || (goes_on && action == Action::GoOn);
                assert!(tries_again, "{operation:?} {failure:?} {situation:?}: {action:?}");
            }
        }
    }
}

#[test]
fn a_login_s_trouble_does_not_move_the_agent() {
    for situation in situations() {
        for failure in failures() {
            for operation in [Login, CertificateLogin, Jwt, Account] {
                assert_ne!(decide(operation, Failed(failure), &situation).action, Action::NextNode);
            }
        }
    }
}

#[test]
fn a_feed_is_made_only_where_a_list_says_so_or_where_there_is_none() {
    for situation in situations() {
        for operation in OPERATIONS {
            for failure in failures() {
                let action = decide(operation, Failed(failure), &situation).action;
                let node_is_gone = situation.node_is_gone && matches!(failure, Network(NameUnknown | NotConnected));
                if operation == ReadFirst && (failure == Status(400) || node_is_gone) {
                    assert_eq!(action, Action::Create, "the first version has no list");
                    continue;
                }
                assert!(
                    !matches!(action, Action::Create | Action::Adopt | Action::Keep | Action::Yield),
                    "a failure proves nothing"
                );
            }
        }
    }
}

#[test]
fn a_feed_is_deleted_only_where_a_list_has_it_and_an_older_one() {
    for situation in situations() {
        for listed in LISTED {
            let action = decide(List, Outcome::Listed(listed), &situation).action;
            assert_eq!(
                action == Action::Yield,
                listed == Listed::Older,
                "{listed:?} {situation:?}"
            );
            let makes = matches!(listed, Listed::Nothing) && !situation.missed_once
                || matches!(listed, Listed::Current) && situation.refused_for_a_minute;
            assert_eq!(
                action == Action::Create,
                makes,
                "no second one while the first is not settled"
            );
        }
    }
}

#[test]
fn a_feed_of_the_first_version_stays_at_its_node() {
    for situation in situations() {
        for failure in failures() {
            assert_ne!(decide(ReadFirst, Failed(failure), &situation).action, Action::NextNode);
        }
    }
}
