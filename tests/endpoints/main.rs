//! Every endpoint and every status that it is documented to answer with, in plain HTTP and over TLS: what the feed makes
//! of it, what it says, and that events arrive afterwards.

#[path = "../common/mod.rs"]
mod common;

mod row;
mod special;
mod table;
mod trust;
mod world;

use common::side_by_side::side_by_side;
use datafeed_emulator::Endpoint;
use datafeed_emulator::Endpoint::*;
use row::{Row, Try};
use table::{DOCUMENTED, TABLE};

/// Tries the rows of these endpoints.
#[track_caller]
fn check(endpoints: &[Endpoint]) {
    let rows: Vec<Row> = TABLE
        .iter()
        .filter(|row| endpoints.contains(&row.endpoint))
        .copied()
        .collect();
    assert!(!rows.is_empty());
    side_by_side(Try::each(rows), Try::run);
}

#[test]
fn every_documented_status_has_a_row() {
    for (endpoint, statuses) in DOCUMENTED {
        for status in *statuses {
            let row = TABLE
                .iter()
                .find(|row| row.endpoint == *endpoint && row.status == *status);
            assert!(row.is_some(), "{endpoint:?} {status}");
        }
    }
}

#[test]
fn logins() {
    check(&[
        SessionLogin,
        KeyManagerLogin,
        CertificateSessionLogin,
        CertificateKeyManagerLogin,
    ]);
}

#[test]
fn the_first_datafeed_and_its_firehose() {
    check(&[V1Create, V1Read, FirehoseCreate, FirehoseRead]);
}

#[test]
fn the_second_datafeed_and_the_datahose() {
    check(&[List, Create, Read, DatahoseRead]);
}

#[test]
fn what_is_asked_besides() {
    check(&[AgentInfo, SessionInfo, CommonJwt]);
}
