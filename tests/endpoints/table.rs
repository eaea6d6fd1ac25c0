//! The table: each endpoint, each status that it is documented to answer with, and what the feed makes of that.

use datafeed_emulator::Endpoint::{self, *};

use super::row::Row;
use super::row::Then::{self, Fails, GoesOn, MakesAnother, Nothing};
use super::row::When::{self, First, Later};
use super::world::Kind::{
    self, Certificate, CommonJwt as Jwt, Datafeed1, Datafeed2, Datahose, ExternalNodes as External,
};
use super::world::Kind::{Firehose, SimplifiedKeyDelivery as Simplified};

/// The statuses that are documented, but for those of success, which every test here has seen.
pub const DOCUMENTED: &[(Endpoint, &[u16])] = &[
    (SessionLogin, &[401, 403, 500]),
    (KeyManagerLogin, &[401, 403, 500]),
    (CertificateSessionLogin, &[401, 403, 500]),
    (CertificateKeyManagerLogin, &[401, 403, 500]),
    (V1Create, &[400, 401, 403, 500, 503]),
    (V1Read, &[204, 400, 401, 403, 500]),
    (List, &[400, 401, 500]),
    (Create, &[400, 401, 403, 500]),
    (Read, &[400, 401, 403, 500]),
    (DatahoseRead, &[400, 401, 403, 500]),
    (FirehoseCreate, &[400, 401, 403, 500, 503]),
    (FirehoseRead, &[204, 400, 401, 403, 500]),
    (AgentInfo, &[404, 500]),
    (SessionInfo, &[401, 403, 404, 500]),
    (CommonJwt, &[401, 403, 404, 500]),
];

const BACK_OFF: &str = "BACK_OFF";
const LOG_IN: &str = "LOG_IN";
const GO_ON: &str = "GO_ON";
const LOOK: &str = "LOOK_FOR_FEED";

const AUTH: &str = "AUTH_REJECTED";
const FORBIDDEN: &str = "FORBIDDEN";
const ERROR: &str = "SERVICE_ERROR";

const KEY: &str =
    "check bot.username, and that the public key registered for this service account belongs to bot.privateKey";
const SHOWN: &str = "check that bot.certificate is the one registered for this service account";
const TWENTY: &str = "it has 20 feeds already: give bots that belong together one datafeed.tag";
const NO_READ: &str = "the account is not entitled to read a datafeed";
const TOO_MANY: &str = "the agent has as many feeds of Datafeed 1 as it can";
const NO_HOSE: &str = "not entitled to the datahose, which is an add-on";
const BAD_HOSE: &str = "check datahose.eventTypes, datahose.scopes and datahose.tag";
const NO_JWT: &str = "set commonJwt.enabled to false";
const OLD_POD: &str = "a pod without common JWTs answers so";
const NO_NODE: &str = "it names none as serverFqdn";
const BY_NAME: &str = "the bot's own events are known by bot.username only";

const fn row(endpoint: Endpoint, status: u16, kind: Kind, when: When, then: Then) -> Row {
    Row {
        endpoint,
        status,
        kind,
        when,
        then,
    }
}

#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    // What was never logged in is refused for good, what was, is not.
    row(SessionLogin,               401, Datafeed2,   First, Fails("login-refused", AUTH, KEY)),
    row(SessionLogin,               403, Datafeed2,   First, Fails("login-refused", FORBIDDEN, KEY)),
    row(SessionLogin,               500, Datafeed2,   First, GoesOn("login-failed", BACK_OFF, "logging in to the pod")),
    row(SessionLogin,               401, Datafeed2,   Later, GoesOn("login-failed", BACK_OFF, "logging in to the pod")),
    row(SessionLogin,               403, Datafeed2,   Later, GoesOn("login-failed", BACK_OFF, "logging in to the pod")),
    row(SessionLogin,               500, Datafeed2,   Later, GoesOn("login-failed", BACK_OFF, "logging in to the pod")),
    row(KeyManagerLogin,            401, Datafeed2,   First, Fails("login-refused", AUTH, KEY)),
    row(KeyManagerLogin,            403, Datafeed2,   First, Fails("login-refused", FORBIDDEN, KEY)),
    row(KeyManagerLogin,            500, Datafeed2,   First, GoesOn("login-failed", BACK_OFF, "the key manager")),
    row(KeyManagerLogin,            401, Datafeed2,   Later, GoesOn("login-failed", BACK_OFF, "the key manager")),
    row(KeyManagerLogin,            403, Datafeed2,   Later, GoesOn("login-failed", BACK_OFF, "the key manager")),
    row(KeyManagerLogin,            500, Datafeed2,   Later, GoesOn("login-failed", BACK_OFF, "the key manager")),
    row(CertificateSessionLogin,    401, Certificate, First, Fails("certificate-refused", AUTH, SHOWN)),
    row(CertificateSessionLogin,    403, Certificate, First, Fails("certificate-refused", FORBIDDEN, SHOWN)),
    row(CertificateSessionLogin,    500, Certificate, First, GoesOn("login-failed", BACK_OFF, "the session service")),
    row(CertificateSessionLogin,    401, Certificate, Later, GoesOn("login-failed", BACK_OFF, "the session service")),
    row(CertificateSessionLogin,    403, Certificate, Later, GoesOn("login-failed", BACK_OFF, "the session service")),
    row(CertificateSessionLogin,    500, Certificate, Later, GoesOn("login-failed", BACK_OFF, "the session service")),
    row(CertificateKeyManagerLogin, 401, Certificate, First, Fails("certificate-refused", AUTH, SHOWN)),
    row(CertificateKeyManagerLogin, 403, Certificate, First, Fails("certificate-refused", FORBIDDEN, SHOWN)),
    row(CertificateKeyManagerLogin, 500, Certificate, First, GoesOn("login-failed", BACK_OFF, "the key manager")),
    row(CertificateKeyManagerLogin, 401, Certificate, Later, GoesOn("login-failed", BACK_OFF, "the key manager")),
    row(CertificateKeyManagerLogin, 403, Certificate, Later, GoesOn("login-failed", BACK_OFF, "the key manager")),
    row(CertificateKeyManagerLogin, 500, Certificate, Later, GoesOn("login-failed", BACK_OFF, "the key manager")),

    row(V1Create,       400, Datafeed1, First, GoesOn("anything-else", BACK_OFF, "creating a feed")),
    row(V1Create,       401, Datafeed1, First, GoesOn("session-expired", LOG_IN, "creating a feed")),
    row(V1Create,       403, Datafeed1, First, Fails("not-entitled", FORBIDDEN, NO_READ)),
    row(V1Create,       500, Datafeed1, First, GoesOn("node-in-trouble", BACK_OFF, "creating a feed")),
    row(V1Create,       503, Datafeed1, First, GoesOn("node-in-trouble", BACK_OFF, TOO_MANY)),
    row(V1Create,       400, Datafeed1, Later, GoesOn("anything-else", BACK_OFF, "creating a feed")),
    row(V1Create,       401, Datafeed1, Later, GoesOn("session-expired", LOG_IN, "creating a feed")),
    row(V1Create,       403, Datafeed1, Later, GoesOn("anything-else", BACK_OFF, "creating a feed")),
    row(V1Create,       500, Datafeed1, Later, GoesOn("node-in-trouble", BACK_OFF, "creating a feed")),
    row(V1Create,       503, Datafeed1, Later, GoesOn("node-in-trouble", BACK_OFF, TOO_MANY)),
    row(V1Read,         204, Datafeed1, First, Nothing),
    row(V1Read,         400, Datafeed1, First, MakesAnother("feed-expired")),
    row(V1Read,         401, Datafeed1, First, GoesOn("session-expired", LOG_IN, "reading the feed")),
    row(V1Read,         403, Datafeed1, First, Fails("not-entitled", FORBIDDEN, NO_READ)),
    row(V1Read,         500, Datafeed1, First, GoesOn("bound-to-node", BACK_OFF, "reading the feed")),
    row(V1Read,         204, Datafeed1, Later, Nothing),
    row(V1Read,         400, Datafeed1, Later, MakesAnother("feed-expired")),
    row(V1Read,         401, Datafeed1, Later, GoesOn("session-expired", LOG_IN, "reading the feed")),
    row(V1Read,         403, Datafeed1, Later, GoesOn("bound-to-node", BACK_OFF, "reading the feed")),
    row(V1Read,         500, Datafeed1, Later, GoesOn("bound-to-node", BACK_OFF, "reading the feed")),

    row(FirehoseCreate, 400, Firehose,  First, GoesOn("anything-else", BACK_OFF, "creating a feed")),
    row(FirehoseCreate, 401, Firehose,  First, GoesOn("session-expired", LOG_IN, "creating a feed")),
    row(FirehoseCreate, 403, Firehose,  First, Fails("not-entitled", FORBIDDEN, NO_READ)),
    row(FirehoseCreate, 500, Firehose,  First, GoesOn("node-in-trouble", BACK_OFF, "creating a feed")),
    row(FirehoseCreate, 503, Firehose,  First, GoesOn("node-in-trouble", BACK_OFF, TOO_MANY)),
    row(FirehoseCreate, 403, Firehose,  Later, GoesOn("anything-else", BACK_OFF, "creating a feed")),
    row(FirehoseRead,   204, Firehose,  First, Nothing),
    row(FirehoseRead,   400, Firehose,  First, MakesAnother("feed-expired")),
    row(FirehoseRead,   401, Firehose,  First, GoesOn("session-expired", LOG_IN, "reading the feed")),
    row(FirehoseRead,   403, Firehose,  First, Fails("not-entitled", FORBIDDEN, NO_READ)),
    row(FirehoseRead,   500, Firehose,  First, GoesOn("bound-to-node", BACK_OFF, "reading the feed")),
    row(FirehoseRead,   400, Firehose,  Later, MakesAnother("feed-expired")),
    row(FirehoseRead,   401, Firehose,  Later, GoesOn("session-expired", LOG_IN, "reading the feed")),
    row(FirehoseRead,   403, Firehose,  Later, GoesOn("bound-to-node", BACK_OFF, "reading the feed")),
    row(FirehoseRead,   500, Firehose,  Later, GoesOn("bound-to-node", BACK_OFF, "reading the feed")),

    row(List,           400, Datafeed2, First, GoesOn("anything-else", BACK_OFF, "listing")),
    row(List,           401, Datafeed2, First, GoesOn("session-expired", LOG_IN, "listing")),
    row(List,           500, Datafeed2, First, GoesOn("node-in-trouble", BACK_OFF, "listing")),
    row(List,           400, Datafeed2, Later, GoesOn("anything-else", BACK_OFF, "listing")),
    row(List,           401, Datafeed2, Later, GoesOn("session-expired", LOG_IN, "listing")),
    row(List,           500, Datafeed2, Later, GoesOn("node-in-trouble", BACK_OFF, "listing")),
    row(Create,         400, Datafeed2, First, GoesOn("anything-else", BACK_OFF, "creating a feed")),
    row(Create,         401, Datafeed2, First, GoesOn("session-expired", LOG_IN, "creating a feed")),
    row(Create,         403, Datafeed2, First, Fails("create-forbidden", FORBIDDEN, TWENTY)),
    row(Create,         500, Datafeed2, First, GoesOn("node-in-trouble", BACK_OFF, "creating a feed")),
    row(Create,         400, Datafeed2, Later, GoesOn("anything-else", BACK_OFF, "creating a feed")),
    row(Create,         401, Datafeed2, Later, GoesOn("session-expired", LOG_IN, "creating a feed")),
    row(Create,         403, Datafeed2, Later, GoesOn("anything-else", BACK_OFF, "creating a feed")),
    row(Create,         500, Datafeed2, Later, GoesOn("node-in-trouble", BACK_OFF, "creating a feed")),
    row(Read,           400, Datafeed2, First, GoesOn("read-refused", LOOK, "reading the feed")),
    row(Read,           401, Datafeed2, First, GoesOn("session-expired", LOG_IN, "reading the feed")),
    row(Read,           403, Datafeed2, First, GoesOn("anything-else", BACK_OFF, "reading the feed")),
    row(Read,           500, Datafeed2, First, GoesOn("node-in-trouble", BACK_OFF, "reading the feed")),
    row(Read,           400, Datafeed2, Later, GoesOn("read-refused", LOOK, "reading the feed")),
    row(Read,           401, Datafeed2, Later, GoesOn("session-expired", LOG_IN, "reading the feed")),
    row(Read,           403, Datafeed2, Later, GoesOn("anything-else", BACK_OFF, "reading the feed")),
    row(Read,           500, Datafeed2, Later, GoesOn("node-in-trouble", BACK_OFF, "reading the feed")),

    row(DatahoseRead,   400, Datahose,  First, Fails("datahose-refused", ERROR, BAD_HOSE)),
    row(DatahoseRead,   401, Datahose,  First, GoesOn("session-expired", LOG_IN, "reading the datahose")),
    row(DatahoseRead,   403, Datahose,  First, Fails("datahose-forbidden", FORBIDDEN, NO_HOSE)),
    row(DatahoseRead,   500, Datahose,  First, GoesOn("node-in-trouble", BACK_OFF, "reading the datahose")),
    row(DatahoseRead,   400, Datahose,  Later, GoesOn("anything-else", BACK_OFF, "reading the datahose")),
    row(DatahoseRead,   401, Datahose,  Later, GoesOn("session-expired", LOG_IN, "reading the datahose")),
    row(DatahoseRead,   403, Datahose,  Later, GoesOn("anything-else", BACK_OFF, "reading the datahose")),
    row(DatahoseRead,   500, Datahose,  Later, GoesOn("node-in-trouble", BACK_OFF, "reading the datahose")),

    // Agents that are too old to say anything about themselves deliver no keys, and name no node.
    row(AgentInfo,      404, Simplified, First, Nothing),
    row(AgentInfo,      500, Simplified, First, GoesOn("no-agent-info", GO_ON, "about itself")),
    row(AgentInfo,      404, Simplified, Later, Nothing),
    row(AgentInfo,      500, Simplified, Later, GoesOn("no-agent-info", GO_ON, "about itself")),
    row(AgentInfo,      404, External,   First, GoesOn("answer-malformed", BACK_OFF, NO_NODE)),
    row(AgentInfo,      500, External,   First, GoesOn("node-in-trouble", BACK_OFF, "about itself")),
    row(AgentInfo,      404, External,   Later, GoesOn("answer-malformed", BACK_OFF, NO_NODE)),
    row(AgentInfo,      500, External,   Later, GoesOn("node-in-trouble", BACK_OFF, "about itself")),

    row(SessionInfo,    401, Datafeed2,  First, GoesOn("session-expired", LOG_IN, "who the bot is")),
    row(SessionInfo,    403, Datafeed2,  First, GoesOn("account-hidden", GO_ON, BY_NAME)),
    row(SessionInfo,    404, Datafeed2,  First, GoesOn("account-hidden", GO_ON, BY_NAME)),
    row(SessionInfo,    500, Datafeed2,  First, GoesOn("pod-in-trouble", BACK_OFF, "who the bot is")),

    row(CommonJwt,      401, Jwt,        First, GoesOn("session-expired", LOG_IN, "getting a common JWT")),
    row(CommonJwt,      403, Jwt,        First, Fails("jwt-refused", FORBIDDEN, NO_JWT)),
    row(CommonJwt,      404, Jwt,        First, GoesOn("jwt-failed", BACK_OFF, OLD_POD)),
    row(CommonJwt,      500, Jwt,        First, GoesOn("pod-in-trouble", BACK_OFF, "getting a common JWT")),
    // The one that the bot has is good for a while.
    row(CommonJwt,      401, Jwt,        Later, GoesOn("session-expired", LOG_IN, "getting a common JWT")),
    row(CommonJwt,      403, Jwt,        Later, GoesOn("jwt-later", GO_ON, "getting a common JWT")),
    row(CommonJwt,      404, Jwt,        Later, GoesOn("jwt-later", GO_ON, OLD_POD)),
    row(CommonJwt,      500, Jwt,        Later, GoesOn("jwt-later", GO_ON, "getting a common JWT")),
];
