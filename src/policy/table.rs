//! The table. The first row that fits counts.

use super::Action::{
    Adopt, BackOff, Create as Make, Fail, GoOn, LogIn, LookAgain, LookForFeed, NextNode, SetClock, Stop,
};
use super::Listed::{Another, Current, Nothing};
use super::Met::{AnyFailure, AnyServerError, Listed, Malformed, Network, Status};
use super::Operation::{Create, List, Login, Read};
use super::When::{Always, ClocksApart, MissedOnce, NeverLoggedIn, NeverServed, RefusedForAMinute};
use super::{Action, Met, Operation, Row, When};
use crate::net::FailureKind::{ConnectionLost, Cut, NameUnknown, NotConnected, NotHttp, TimedOut, Tls, TooLarge};

const ALL: &[Operation] = &[Login, List, Create, Read];
const AGENT: &[Operation] = &[List, Create, Read];

#[rustfmt::skip]
pub(crate) const TABLE: &[Row] = &[
    row("closing",           ALL,           Network(&[Cut]),                               Always,            Stop),

    row("clocks-apart",      &[Login],      Status(&[400, 401, 403]),                      ClocksApart,       SetClock),
    row("login-refused",     &[Login],      Status(&[400, 401, 403]),                      NeverLoggedIn,     Fail(ADVICE_LOGIN)),
    row("login-failed",      &[Login],      AnyFailure,                                    Always,            BackOff),
    row("session-expired",   AGENT,         Status(&[401]),                                Always,            LogIn),

    row("feed-refuses",      &[List],       Listed(&[Current]),                            RefusedForAMinute, Make),
    row("feed-exists",       &[List],       Listed(&[Current]),                            Always,            GoOn),
    row("feed-missing",      &[List],       Listed(&[Another, Nothing]),                   MissedOnce,        LookAgain),
    row("feed-found",        &[List],       Listed(&[Another]),                            Always,            Adopt),
    row("no-feed",           &[List],       Listed(&[Nothing]),                            Always,            Make),

    row("read-refused",      &[Read],       Status(&[400]),                                Always,            LookForFeed),
    row("create-forbidden",  &[Create],     Status(&[403]),                                NeverServed,       Fail(ADVICE_CREATE)),
    row("not-entitled",      &[List, Read], Status(&[403]),                                NeverServed,       Fail(ADVICE_FORBIDDEN)),
    row("slow-down",         AGENT,         Status(&[429]),                                Always,            BackOff),
    row("node-out-of-reach", AGENT,         Network(&[NameUnknown, NotConnected, Tls]),    Always,            NextNode),
    row("node-lost",         AGENT,         Network(&[ConnectionLost, TimedOut]),          Always,            NextNode),
    row("node-timed-out",    AGENT,         Status(&[408]),                                Always,            NextNode),
    row("node-in-trouble",   AGENT,         AnyServerError,                                Always,            NextNode),
    row("answer-unreadable", AGENT,         Network(&[NotHttp, TooLarge]),                 Always,            NextNode),
    row("answer-malformed",  AGENT,         Malformed,                                     Always,            NextNode),
    row("anything-else",     AGENT,         AnyFailure,                                    Always,            BackOff),
];

const fn row(rule: &'static str, operations: &'static [Operation], met: Met, when: When, action: Action) -> Row {
    Row {
        rule,
        operations,
        met,
        when,
        action,
    }
}

const ADVICE_LOGIN: &str = "check bot.username, and that the public key registered for this service account belongs to \
                            bot.privateKey; if both are right, check this machine's clock, since a login token lives \
                            five minutes";
const ADVICE_CREATE: &str = "the account may not create a feed, or it has 20 feeds already: give bots that belong \
                             together one datafeed.tag, or wait 30 minutes until unread feeds are gone";
const ADVICE_FORBIDDEN: &str = "the account is not entitled to read a datafeed; ask the pod's administrator";
