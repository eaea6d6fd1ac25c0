use std::io::Write;

use super::*;
use crate::row::{Row, Version};

const ONE: Row = Row {
    version: Version::V2,
    state_dir: true,
    instances: 1,
};

/// Books as they are on the disk. Processes begin at the times that they say.
fn account(row: Row, books: &str) -> Account {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(books.as_bytes()).unwrap();
    let mut account = Account::open(file.path(), row.promise().memory).unwrap();
    account.read_on().unwrap();
    account
}

/// Of one event for each of these: when it was published, whether the service has confirmed it, and when it was gone.
fn evidence(row: Row, events: &[(u64, bool, u64)]) -> Evidence {
    let first = (0, false, u64::MAX);
    let events = || [&first].into_iter().chain(events);
    let gone = |(number, event): (usize, &(u64, bool, u64))| Gone {
        at: event.2,
        behind: number as u32,
        taken_by: None,
    };
    let confirmed = match row.version {
        Version::V1 => Vec::new(),
        Version::V2 => events().map(|event| event.1).collect(),
    };
    Evidence {
        published: events().map(|event| event.0).collect(),
        confirmed,
        gone: vec![events().enumerate().map(gone).collect(); row.instances],
    }
}

/// How many were acknowledged, told, gone with a process, and lost.
fn verdict(row: Row, events: &[(u64, bool, u64)], books: &[&str]) -> [u64; 4] {
    let accounts: Vec<Account> = books.iter().map(|books| account(row, books)).collect();
    sums(&judge(row.promise(), &evidence(row, events), &accounts))
}

fn sums(verdict: &Verdict) -> [u64; 4] {
    [
        verdict.acknowledged,
        verdict.told,
        verdict.gone_with_process,
        verdict.lost,
    ]
}

const KEPT: u64 = u64::MAX;

#[test]
fn what_the_library_said_ok_to_is_acknowledged() {
    let events = [(10, true, KEPT), (10, false, KEPT), (10, false, KEPT)];
    let books = "started 1 5\ntook 1\nacknowledging 1\nacknowledged 1\ntook 2\nrefused 2\n";
    assert_eq!(verdict(ONE, &events, &[books]), [1, 0, 0, 2]);
}

#[test]
fn an_acknowledgement_that_was_cut_short_counts_if_the_service_has_it() {
    let books = "started 1 5\ntook 1\nacknowledging 1\ntook 2\nacknowledging 2\nstarted 2 20\n";
    let of = |confirmed| verdict(ONE, &[(10, true, KEPT), (10, confirmed, KEPT)], &[books]);
    // Of the first one the process has outlived the call, and has written nothing: that is no doubt.
    assert_eq!((of(true), of(false)), ([1, 0, 0, 1], [0, 0, 0, 2]));
}

#[test]
fn nothing_that_was_confirmed_without_the_bot_is_told_away() {
    let books = "started 1 5\ntook gap/1/20/a\nacknowledging gap/1/20/a\nacknowledged gap/1/20/a\n";
    let events = [(10, false, KEPT), (10, true, KEPT), (21, false, KEPT)];
    assert_eq!(verdict(ONE, &events, &[books]), [0, 1, 0, 2]);
}

#[test]
fn a_gap_that_is_not_acknowledged_tells_nothing() {
    let events = [(10, false, 10)];
    let with = |rest: &str| verdict(ONE, &events, &[&format!("started 1 5\ntook gap/1/20/a\n{rest}")]);
    assert_eq!(with(""), [0, 0, 0, 1]);
    assert_eq!(with("acknowledging gap/1/20/a\nstarted 2 30\n"), [0, 0, 0, 1]);
}

#[test]
fn a_gap_without_a_beginning_tells_of_what_its_process_may_have_received() {
    let events = [(10, false, 10), (10, false, 20), (31, false, 31)];
    let gap = "gap/unknown/30/a";
    let books = format!("started 1 5\nstarted 2 20\ntook {gap}\nacknowledging {gap}\nacknowledged {gap}\n");
    let verdict = verdict(ONE, &events, &[&books]);
    assert_eq!(
        verdict,
        [0, 1, 0, 2],
        "not of what was gone before, and not of what came later"
    );
}

#[test]
fn with_a_state_store_nothing_goes_with_a_process() {
    let books = "started 1 5\ntook 1\nstarted 2 20\n";
    for version in [Version::V1, Version::V2] {
        let row = Row { version, ..ONE };
        assert_eq!(verdict(row, &[(10, false, 10)], &[books]), [0, 0, 0, 1]);
    }
}

/// Of Datafeed 1 without a state store. When each event, published at 10, was gone, and whose read took it, if one did.
fn verdict_of_v1(events: &[(u64, Option<u32>)], books: &str) -> [u64; 4] {
    let row = Row {
        version: Version::V1,
        state_dir: false,
        instances: 1,
    };
    let published: Vec<_> = events.iter().map(|(at, _)| (10, false, *at)).collect();
    let mut evidence = evidence(row, &published);
    for (gone, (_, taken_by)) in evidence.gone[0].iter_mut().skip(1).zip(events) {
        gone.taken_by = *taken_by;
    }
    sums(&judge(row.promise(), &evidence, &[account(row, books)]))
}

/// What a bot does with the second event.
const TWO: &str = "took 2\nacknowledging 2\nacknowledged 2\n";

#[test]
fn without_one_version_1_loses_what_a_killed_process_had() {
    let held = [(11, Some(1))];
    assert_eq!(
        verdict_of_v1(&held, "started 1 5\ntook 1\nstarted 2 20\n"),
        [0, 0, 1, 0]
    );
    assert_eq!(verdict_of_v1(&held, "started 1 5\ntook 1\n"), [0, 0, 0, 1], "it lives");
    // Received and never handed out: by a process that got a later one, or that was killed before.
    let two = [(11, Some(1)), (11, Some(1))];
    let skipped = format!("started 1 5\n{TWO}started 2 20\n");
    assert_eq!(verdict_of_v1(&two, &skipped), [1, 0, 0, 1]);
    let killed = format!("started 1 5\nstarted 2 20\n{TWO}");
    assert_eq!(verdict_of_v1(&two, &killed), [1, 0, 1, 0]);
    // The second process has read it.
    let two = [(21, Some(2)), (21, Some(2))];
    assert_eq!(verdict_of_v1(&two, &killed), [1, 0, 0, 1]);
    // And that was told, to a process that was killed before it could acknowledge.
    let told = format!("started 1 5\nstarted 2 20\ntook gap/1/15/a\n{TWO}started 3 30\n");
    assert_eq!(verdict_of_v1(&two, &told), [1, 0, 1, 0]);
}

#[test]
fn without_one_version_1_loses_what_a_read_takes_that_a_killed_process_has_left() {
    let taken_by = |process, books: &str| verdict_of_v1(&[(21, Some(process)), (22, Some(2))], books);
    // When the second process ran already.
    let killed = format!("started 1 5\nstarted 2 20\n{TWO}");
    assert_eq!(taken_by(1, &killed), [1, 0, 1, 0]);
    assert_eq!(taken_by(2, &killed), [1, 0, 0, 1], "its own read");
    assert_eq!(taken_by(3, &killed), [1, 0, 0, 1], "of no process of this line");
    assert_eq!(taken_by(0, &killed), [1, 0, 0, 1], "nobody knows whose");
    // It has got past it before it was killed.
    let past = format!("started 1 5\n{TWO}started 2 20\n");
    assert_eq!(taken_by(1, &past), [1, 0, 0, 1]);
    // The numbers are those that the processes were started with: one was killed before it could say so.
    let silent = format!("started 2 5\nstarted 3 20\n{TWO}");
    assert_eq!(
        (taken_by(2, &silent), taken_by(3, &silent)),
        ([1, 0, 1, 0], [1, 0, 0, 1])
    );
}

#[test]
fn without_one_version_1_loses_what_went_with_its_feed_and_nobody_was_left_to_tell() {
    let gone_at = |at| {
        verdict_of_v1(
            &[(at, None), (22, Some(2))],
            &format!("started 1 5\nstarted 2 20\n{TWO}"),
        )
    };
    assert_eq!((gone_at(15), gone_at(21)), ([1, 0, 1, 0], [1, 0, 0, 1]));
}

#[test]
fn without_one_version_2_loses_only_what_nobody_was_left_to_tell() {
    let row = Row {
        state_dir: false,
        ..ONE
    };
    let judged = |gone, books| verdict(row, &[(10, false, gone)], &[books]);
    let had_it = "started 1 5\ntook 1\nstarted 2 20\n";
    assert_eq!(judged(KEPT, had_it), [0, 0, 0, 1], "the service still has it");
    assert_eq!(
        judged(15, had_it),
        [0, 0, 1, 0],
        "its feed died while nobody ran who knew it"
    );
    assert_eq!(judged(25, had_it), [0, 0, 0, 1], "the second process has to tell");
    // Of several instances, none may be left.
    let three = Row { instances: 2, ..row };
    let events = [(10, false, 15)];
    assert_eq!(verdict(three, &events, &[had_it, had_it]), [0, 0, 1, 0]);
    assert_eq!(verdict(three, &events, &[had_it, "started 3 5\n"]), [0, 0, 0, 1]);
}

#[test]
fn an_event_is_for_any_instance_that_shares_a_feed_and_for_each_that_has_its_own() {
    let took = "started 1 5\ntook 1\nacknowledging 1\nacknowledged 1\n";
    let books = [took, "started 2 5\n"];
    let shared = Row { instances: 2, ..ONE };
    assert_eq!(verdict(shared, &[(10, true, KEPT)], &books), [1, 0, 0, 0]);
    let own = Row {
        version: Version::V1,
        ..shared
    };
    assert_eq!(verdict(own, &[(10, false, 11)], &books), [1, 0, 0, 1]);
}

#[test]
fn an_event_that_comes_again_is_repeated_as_far_as_it_is_to_be_remembered() {
    let row = |state_dir| Row { state_dir, ..ONE };
    let repeated = |state_dir, books: &str| account(row(state_dir), books).counts.repeated;
    let once = "started 1 5\ntook 1\nacknowledging 1\nacknowledged 1\n";
    let at_once = format!("{once}took 1\n");
    let later = format!("{once}started 2 20\ntook 1\n");
    assert_eq!((repeated(true, &at_once), repeated(true, &later)), (1, 1));
    assert_eq!((repeated(false, &at_once), repeated(false, &later)), (1, 0));
    let in_doubt = "started 1 5\ntook 1\nacknowledging 1\nstarted 2 20\ntook 1\n";
    let refused = "started 1 5\ntook 1\nrefused 1\ntook 1\n";
    assert_eq!((repeated(true, in_doubt), repeated(true, refused)), (0, 0));
    let gap = |id| format!("took gap/1/2/{id}\nacknowledging gap/1/2/{id}\nacknowledged gap/1/2/{id}\n");
    let gaps = format!("started 1 5\n{}{}", gap("a"), gap("b"));
    assert_eq!(repeated(true, &gaps), 0);
    assert_eq!(repeated(true, &format!("{gaps}{}", gap("a"))), 1);
}
