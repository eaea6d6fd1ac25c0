//! The database and its log, with files as they are when a process ends in the middle.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::batch::Identity;
use crate::ledger::{Kept, SetAside, Standing};

struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "datafeed-store-{}-{}",
            std::process::id(),
            MADE.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a new folder");
        Folder(path)
    }

    fn open(&self) -> Opened {
        let state = StateDir {
            folder: self.0.clone(),
            sync: Sync::Batch,
        };
        Store::open(&state, Some("bot"), &Clock::new()).expect("a store")
    }

    fn database(&self) -> PathBuf {
        self.0.join("state.db")
    }

    fn log(&self) -> PathBuf {
        folder::log_of(&self.0)
    }

    /// The files as they are now, which is what a process leaves that is killed.
    fn copy(&self) -> Folder {
        let copy = Folder::new();
        for (from, to) in [(self.database(), copy.database()), (self.log(), copy.log())] {
            fs::copy(from, to).expect("a copy");
        }
        copy
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn acknowledged(identity: Identity) -> Changes<EventText> {
    Changes {
        standings: vec![(identity, Some(Standing::Acknowledged))],
        ..Changes::default()
    }
}

fn kept(serial: u64, text: &str) -> Kept<EventText> {
    Kept {
        serial,
        identity: Some(Identity::MAX - Identity::from(serial)),
        attempts: 0,
        event: EventText::of_own(text.to_owned()),
    }
}

fn write(store: &mut Store, changes: &Changes<EventText>) {
    store.write(changes, None).expect("it is written");
}

fn texts(opened: &Opened) -> Vec<(u64, String)> {
    let kept = opened.restored.kept.iter();
    kept.map(|kept| (kept.serial, kept.event.as_str().to_owned())).collect()
}

fn cut(path: &Path, length: usize) {
    let file = fs::OpenOptions::new().write(true).open(path).expect("a file");
    file.set_len(length as u64).expect("it is cut");
}

#[test]
fn what_was_written_is_there_again() {
    let folder = Folder::new();
    let mut opened = folder.open();
    assert_eq!(opened.place.lost, None);
    let forget_at = opened.store.clock.now() + std::time::Duration::from_secs(600);
    let changes = Changes {
        standings: vec![
            (1, Some(Standing::Tried(3))),
            (2, Some(Standing::Tried(1))),
            (2, Some(Standing::Acknowledged)),
            (3, Some(Standing::Confirmed(forget_at))),
            (4, Some(Standing::Placeholder)),
            (5, Some(Standing::Acknowledged)),
            (5, None),
            (Identity::MAX, Some(Standing::Acknowledged)),
        ],
        kept: vec![kept(10, "{\"n\":\"\u{e9}\"}"), kept(9, "{}"), kept(8, "[]")],
        released: vec![8],
        set_aside: vec![SetAside {
            attempts: 7,
            event: EventText::of_own("{\"a\":1}".to_owned()),
        }],
        ..Changes::default()
    };
    let mark = Mark {
        feed: Some("feed".to_owned()),
        done_until: Some(u64::MAX >> 1),
        reading: true,
        lost: true,
    };
    opened.store.write(&changes, Some(&mark)).expect("it is written");
    let seed = opened.place.identity_seed;
    drop(opened);
    let again = folder.open();
    assert_eq!((again.place.identity_seed, &again.place.mark), (seed, &mark));
    let mut standings = again.restored.standings.clone();
    standings.sort_unstable_by_key(|(identity, _)| *identity);
    let [tried, done, (3, Standing::Confirmed(at)), other, last] = standings[..] else {
        panic!("{standings:?}");
    };
    assert_eq!(tried, (1, Standing::Tried(3)));
    assert_eq!(done, (2, Standing::Acknowledged));
    assert_eq!(other, (4, Standing::Placeholder));
    assert_eq!(last, (Identity::MAX, Standing::Acknowledged));
    let left = at.since(again.store.clock.now()).as_secs();
    assert!((500..=600).contains(&left), "the time is counted on: {left} s");
    assert_eq!(
        texts(&again),
        [(9, "{}".to_owned()), (10, "{\"n\":\"\u{e9}\"}".to_owned())]
    );
    assert_eq!(again.restored.letters, 1);
    let letter = again.store.letter(1).expect("it can be read").expect("it is there");
    assert_eq!((letter.attempts, &*letter.event), (7, "{\"a\":1}"));
    for unknown in [0, 2, u64::MAX] {
        assert_eq!(again.store.letter(unknown), Ok(None));
    }
}

#[test]
fn the_id_of_a_letter_is_never_used_again() {
    let folder = Folder::new();
    let mut store = folder.open().store;
    for id in 1..4 {
        let set_aside = vec![SetAside {
            attempts: 1,
            event: EventText::of_own("{}".to_owned()),
        }];
        write(
            &mut store,
            &Changes {
                set_aside,
                ..Changes::default()
            },
        );
        let letters: Vec<u64> = store
            .letters(0, 9)
            .expect("letters")
            .iter()
            .map(|letter| letter.id)
            .collect();
        assert_eq!(letters, [id]);
        let letters_taken = vec![id];
        write(
            &mut store,
            &Changes {
                letters_taken,
                ..Changes::default()
            },
        );
        drop(store);
        store = folder.open().store;
    }
}

/// What a process leaves that is killed while it writes is a log that ends anywhere. That is no damage, and what was
/// finished before is there.
#[test]
fn a_log_that_ends_anywhere_is_whole_up_to_there() {
    let folder = Folder::new();
    let mut store = folder.open().store;
    let length = || fs::metadata(folder.log()).expect("the log").len() as usize;
    let mut ends = Vec::new();
    for identity in 0..4 {
        let mut changes = acknowledged(identity);
        // One of several pages.
        changes.kept.push(kept(identity as u64, &format!("[{:01900}]", 0)));
        write(&mut store, &changes);
        ends.push(length());
    }
    for length in (ends[0]..=ends[3]).step_by(37).chain(ends.clone()) {
        let copy = folder.copy();
        cut(&copy.log(), length);
        let opened = copy.open();
        assert_eq!(opened.place.lost, None, "{length}");
        let finished = ends.iter().filter(|end| **end <= length).count();
        assert_eq!(opened.restored.standings.len(), finished, "{length}");
        assert_eq!(opened.restored.kept.len(), finished, "{length}");
    }
}

/// After that the log is written on, over what was left of the write that was not finished.
#[test]
fn a_log_that_was_cut_is_written_on() {
    let folder = Folder::new();
    let mut store = folder.open().store;
    write(&mut store, &acknowledged(1));
    let finished = fs::metadata(folder.log()).expect("the log").len() as usize;
    let mut changes = acknowledged(2);
    changes.kept = (0..20).map(|serial| kept(serial, &format!("[{:0900}]", 0))).collect();
    write(&mut store, &changes);
    let all = fs::metadata(folder.log()).expect("the log").len() as usize;
    for left in [all - 1, all - 1024, all - 1040, (finished + all) / 2] {
        let copy = folder.copy();
        cut(&copy.log(), left);
        write(&mut copy.open().store, &acknowledged(3));
        let opened = copy.copy().open();
        assert_eq!(opened.place.lost, None, "{left}");
        let mut known: Vec<Identity> = opened
            .restored
            .standings
            .iter()
            .map(|(identity, _)| *identity)
            .collect();
        known.sort_unstable();
        assert_eq!(known, [1, 3], "{left}");
    }
}

#[test]
fn a_byte_that_is_not_as_it_was_written_is_found_wherever_it_matters() {
    let folder = Folder::new();
    let mut store = folder.open().store;
    for identity in 0..3 {
        write(&mut store, &acknowledged(identity));
    }
    let length = fs::metadata(folder.log()).expect("the log").len() as usize;
    // The last transaction is left out: of that one it cannot be told whether it was ever finished.
    let last = length - 1024 - 24;
    for at in (0..last).step_by(29) {
        let copy = folder.copy();
        let mut log = fs::read(copy.log()).expect("the log");
        log[at] ^= 0x10;
        fs::write(copy.log(), log).expect("the log");
        let opened = copy.open();
        // The log's number of its checkpoint, which nobody reads, is in its sums.
        assert!(opened.place.lost.is_some(), "byte {at}");
    }
}

#[test]
fn a_long_log_is_taken_over_and_begins_anew() {
    let folder = Folder::new();
    let mut store = folder.open().store;
    let length = || fs::metadata(folder.log()).expect("the log").len();
    let mut longest = 0;
    for identity in 0..5000 {
        write(&mut store, &acknowledged(identity % 100));
        store.tidy().expect("it is tidied");
        longest = longest.max(length());
    }
    assert!((1 << 20..3 << 20).contains(&longest), "{longest}");
    assert_eq!(folder.copy().open().restored.standings.len(), 100);
}

#[test]
fn attempts_are_forgotten_after_a_day_and_acknowledgements_grow_old() {
    let folder = Folder::new();
    let mut store = folder.open().store;
    let changes = Changes {
        standings: vec![(1, Some(Standing::Tried(1))), (2, Some(Standing::Acknowledged))],
        ..Changes::default()
    };
    write(&mut store, &changes);
    drop(store);
    let mut database = Database::open(&folder.database()).expect("the database");
    let (now, wall) = (Moment::default(), wall_clock_millis());
    let minute = 60_000;
    let mut after = |minutes: u64| {
        let loaded = load::load(&mut database, now, wall + minutes * minute).expect("it is loaded");
        loaded.restored.standings
    };
    let tried = (1, Standing::Tried(1));
    assert_eq!(after(59), [tried, (2, Standing::Acknowledged)]);
    // As in a process that lives so long: after an hour it counts as confirmed, and is remembered for a quarter of one.
    let [_, (2, Standing::Confirmed(forget_at))] = after(65)[..] else {
        panic!("it is confirmed")
    };
    assert!(forget_at.0 <= 10 * minute && forget_at.0 > 9 * minute, "{forget_at:?}");
    assert_eq!(after(23 * 60), [tried, (2, Standing::Confirmed(now))]);
    assert_eq!(after(25 * 60), [(2, Standing::Confirmed(now))]);
}

#[test]
fn what_was_to_be_remembered_until_a_time_that_is_over_is_forgotten_at_once() {
    let folder = Folder::new();
    let mut opened = folder.open();
    let forget_at = opened.store.clock.now() + std::time::Duration::from_secs(60);
    let standings = vec![(1, Some(Standing::Confirmed(forget_at)))];
    write(
        &mut opened.store,
        &Changes {
            standings,
            ..Changes::default()
        },
    );
    drop(opened);
    let mut database = Database::open(&folder.database()).expect("the database");
    let now = Moment(5);
    let loaded = load::load(&mut database, now, wall_clock_millis() + 90_000).expect("it is loaded");
    assert_eq!(loaded.restored.standings, [(1, Standing::Confirmed(now))]);
}
