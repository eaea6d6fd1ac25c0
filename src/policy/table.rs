//! The table. The first row that fits counts.

use super::Action::{
    Adopt, BackOff, Create as Make, Fail, GoOn, Keep, LogIn, LookAgain, LookForFeed, NextNode, SetClock, Settle, Stop,
    Yield,
};
use super::Listed::{Another, Current, Nothing, Older, Oldest, Undecided, Unlisted};
use super::Met::{AnyFailure, AnyServerError, Listed, Malformed, Network, Status};
use super::Operation::{
    Account, CertificateLogin, Create, CreateFirst, Info, Jwt, List, Login, Read, ReadDatahose, ReadFirst,
};
use super::When::{
    Always, ClocksApart, JwtIsGood, KeyManagerDid, MissedOnce, NeverLoggedIn, NeverServed, NodeIsGone,
    RefusedForAMinute,
};
use super::{Action, Met, Operation, Row, When};
use crate::net::FailureKind::{ConnectionLost, Cut, NameUnknown, NotConnected, NotHttp, TimedOut, Tls, TooLarge};

const LOGIN: &[Operation] = &[Login, CertificateLogin];
const POD: &[Operation] = &[Jwt, Account];
const AGENT: &[Operation] = &[Info, List, Create, Read, ReadDatahose, CreateFirst, ReadFirst];
const SESSION: &[Operation] = &[
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
const ALL: &[Operation] = &[
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
const READ_OR_LIST: &[Operation] = &[List, Read, CreateFirst, ReadFirst];

#[rustfmt::skip]
pub(crate) const TABLE: &[Row] = &[
    row("closing",             ALL,                Network(&[Cut]),                            Always,            Stop),

    row("clocks-apart",        &[Login],           Status(&[400, 401, 403]),                   ClocksApart,       SetClock),
    row("login-refused",       &[Login],           Status(&[400, 401, 403]),                   NeverLoggedIn,     Fail(ADVICE_LOGIN)),
    row("certificate-refused", &[CertificateLogin], Status(&[400, 401, 403]),                  NeverLoggedIn,     Fail(ADVICE_CERTIFICATE)),
    row("login-failed",        LOGIN,              AnyFailure,                                 Always,            BackOff),
    row("no-agent-info",       &[Info],            AnyFailure,                                 KeyManagerDid,     GoOn),
    row("session-expired",     SESSION,            Status(&[401]),                             Always,            LogIn),
    row("jwt-refused",         &[Jwt],             Status(&[403]),                             NeverServed,       Fail(ADVICE_JWT)),
    row("jwt-later",           &[Jwt],             AnyFailure,                                 JwtIsGood,         GoOn),
    row("pod-out-of-reach",    POD,                Network(&[NameUnknown, NotConnected, Tls]), Always,            BackOff),
    row("pod-lost",            POD,                Network(&[ConnectionLost, TimedOut]),       Always,            BackOff),
    row("pod-slow",            POD,                Status(&[408, 429]),                        Always,            BackOff),
    row("pod-in-trouble",      POD,                AnyServerError,                             Always,            BackOff),
    row("jwt-failed",          &[Jwt],             AnyFailure,                                 Always,            BackOff),
    row("account-hidden",      &[Account],         AnyFailure,                                 Always,            GoOn),

    row("feed-refuses",        &[List],            Listed(&[Current]),                         RefusedForAMinute, Make),
    row("feed-exists",         &[List],            Listed(&[Current]),                         Always,            GoOn),
    row("feed-missing",        &[List],            Listed(&[Another, Nothing]),                MissedOnce,        LookAgain),
    row("feed-found",          &[List],            Listed(&[Another]),                         Always,            Adopt),
    row("no-feed",             &[List],            Listed(&[Nothing]),                         Always,            Make),
    row("made-first",          &[List],            Listed(&[Oldest]),                          Always,            Keep),
    row("made-later",          &[List],            Listed(&[Older]),                           Always,            Yield),
    row("made-just-now",       &[List],            Listed(&[Undecided]),                       Always,            Settle),
    row("made-unlisted",       &[List],            Listed(&[Unlisted]),                        Always,            Keep),

    row("read-refused",        &[Read],            Status(&[400]),                             Always,            LookForFeed),
    row("feed-expired",        &[ReadFirst],       Status(&[400]),                             Always,            Make),
    row("datahose-refused",    &[ReadDatahose],    Status(&[400]),                             NeverServed,       Fail(ADVICE_DATAHOSE)),
    row("datahose-forbidden",  &[ReadDatahose],    Status(&[403]),                             NeverServed,       Fail(ADVICE_ENTITLED)),
    row("create-forbidden",    &[Create],          Status(&[403]),                             NeverServed,       Fail(ADVICE_CREATE)),
    row("not-entitled",        READ_OR_LIST,       Status(&[403]),                             NeverServed,       Fail(ADVICE_FORBIDDEN)),
    row("slow-down",           AGENT,              Status(&[429]),                             Always,            BackOff),
    row("node-gone",           &[ReadFirst],       Network(&[NameUnknown, NotConnected]),      NodeIsGone,        Make),
    row("bound-to-node",       &[ReadFirst],       AnyFailure,                                 Always,            BackOff),
    row("node-out-of-reach",   AGENT,              Network(&[NameUnknown, NotConnected, Tls]), Always,            NextNode),
    row("node-lost",           AGENT,              Network(&[ConnectionLost, TimedOut]),       Always,            NextNode),
    row("node-timed-out",      AGENT,              Status(&[408]),                             Always,            NextNode),
    row("node-in-trouble",     AGENT,              AnyServerError,                             Always,            NextNode),
    row("answer-unreadable",   AGENT,              Network(&[NotHttp, TooLarge]),              Always,            NextNode),
    row("answer-malformed",    AGENT,              Malformed,                                  Always,            NextNode),
    row("anything-else",       AGENT,              AnyFailure,                                 Always,            BackOff),
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
const ADVICE_CERTIFICATE: &str = "check that bot.certificate is the one registered for this service account and has not \
                                  expired, and that sessionAuth and keyManager lead to the services that take \
                                  certificates";
const ADVICE_JWT: &str = "the pod gives no common JWT to this account: set commonJwt.enabled to false, or ask the pod's \
                          administrator for it";
const ADVICE_DATAHOSE: &str =
    "the request itself is refused: check datahose.eventTypes, datahose.scopes and datahose.tag";
const ADVICE_ENTITLED: &str = "the account is not entitled to the datahose, which is an add-on: ask the pod's \
                               administrator, or read the datafeed (\"stream\": \"datafeed\")";
const ADVICE_CREATE: &str = "the account may not create a feed, or it has 20 feeds already: give bots that belong \
                             together one datafeed.tag, or wait 30 minutes until unread feeds are gone";
const ADVICE_FORBIDDEN: &str = "the account is not entitled to read a datafeed; ask the pod's administrator";
