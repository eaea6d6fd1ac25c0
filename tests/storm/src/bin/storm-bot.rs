//! A bot of the storm: `STORM_PROCESS=NUMBER storm-bot CONFIG-FILE BOOKS SEED`, until its standard input ends.

use std::process::ExitCode;

use datafeed_storm::bot::{self, exit};
use datafeed_storm::instance::PROCESS;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [config, books, seed] = &arguments[..] else {
        eprintln!("usage: storm-bot CONFIG-FILE BOOKS SEED");
        return exit::WRONG.into();
    };
    let Ok(seed) = seed.parse() else {
        eprintln!("the seed is a number");
        return exit::WRONG.into();
    };
    // By the environment, so that the configuration can name it too.
    let process = std::env::var(PROCESS).ok().and_then(|number| number.parse().ok());
    let Some(process) = process else {
        eprintln!("{PROCESS} says no number");
        return exit::WRONG.into();
    };
    match bot::run(config, books.as_ref(), seed, process) {
        Ok(status) => status.into(),
        Err(error) => {
            eprintln!("what must not happen: {error}");
            exit::WRONG.into()
        }
    }
}
