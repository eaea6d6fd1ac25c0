//! Runs rows of the storm, prints the table, and fails when something was not as promised.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use datafeed_storm::driver::{Run, fresh_folder};
use datafeed_storm::row::Row;
use datafeed_storm::schedule::Size;
use datafeed_storm::table;

#[derive(Parser)]
struct Options {
    /// What everything is drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many events each row gets.
    #[arg(long, default_value_t = 100_000)]
    events: u32,
    /// How many things are to go wrong in each row; for each ninety events one, where nothing is said.
    #[arg(long)]
    faults: Option<u32>,
    /// How many of those are kills; a tenth, where nothing is said.
    #[arg(long)]
    kills: Option<u32>,
    /// Only rows whose names contain this.
    #[arg(long, default_value = "")]
    only: String,
    /// Where the bots keep their files.
    #[arg(long, default_value = "target/storm")]
    folder: PathBuf,
}

fn main() -> io::Result<ExitCode> {
    let options = Options::parse();
    // Some never happen, since the request that they wait for does not come: of a hundred events, one does.
    let faults = options.faults.unwrap_or(options.events / 90);
    let size = Size {
        events: options.events,
        faults,
        kills: options.kills.unwrap_or(faults / 10),
    };
    let bot = std::env::current_exe()?.with_file_name("storm-bot");
    let rows = Row::all()
        .into_iter()
        .filter(|row| row.to_string().contains(&options.only));
    let mut threads = Vec::new();
    for row in rows {
        let run = Run {
            row,
            size,
            seed: options.seed,
            bot: bot.clone(),
            folder: fresh_folder(&options.folder, row)?,
        };
        threads.push(std::thread::spawn(|| run.run()));
    }
    let mut reports = Vec::new();
    for thread in threads {
        reports.push(thread.join().map_err(|_| io::Error::other("a row has panicked"))??);
    }
    println!("{}", table::render(&reports));
    eprint!("{}", table::complaints(&reports));
    Ok(match reports.iter().all(|report| report.holds()) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
