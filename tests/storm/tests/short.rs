//! Every row for a short time, with a fixed seed.

use std::path::Path;
use std::thread;

use datafeed_storm::driver::{Run, fresh_folder};
use datafeed_storm::row::Row;
use datafeed_storm::schedule::Size;
use datafeed_storm::table;

#[test]
fn what_is_promised_holds_while_everything_goes_wrong() {
    let size = Size {
        events: 10_000,
        faults: 150,
        kills: 15,
    };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("storm");
    let start = |row| {
        let run = Run {
            row,
            size,
            seed: 1,
            bot: env!("CARGO_BIN_EXE_storm-bot").into(),
            folder: fresh_folder(&folder, row).expect("a folder"),
        };
        thread::spawn(|| run.run())
    };
    let threads: Vec<_> = Row::all().into_iter().map(start).collect();
    let reports: Vec<_> = threads
        .into_iter()
        .map(|thread| thread.join().expect("a row ends").expect("a row can be run"))
        .collect();
    println!("{}", table::render(&reports));
    for report in &reports {
        assert!(report.seen.kills > 0, "{}: nobody was killed", report.row);
        assert!(report.seen.memory > 0, "{}: nobody was looked at", report.row);
        assert!(report.verdict.acknowledged > 0, "{}: nothing came", report.row);
    }
    assert_eq!(table::complaints(&reports), "");
}
