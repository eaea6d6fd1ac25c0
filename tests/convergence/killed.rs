//! An instance that is killed with events in its hands.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::common::*;
use super::scene::{INSTANCES, agreed, create_together, get_all, hold_creates, one_by_one};

const CHILD: &str = "DATAFEED_KILLED_INSTANCE";
const HOLDS: &str = "holds an event";

#[test]
fn one_that_is_killed_takes_nothing_along() {
    if let Ok(config) = std::env::var(CHILD) {
        live_until_killed(&serde_json::from_str(&config).expect("a configuration"));
    }
    const EVENTS: usize = 60;
    let emulator = emulator(one_by_one());
    hold_creates(&emulator);
    let config = config(&emulator, json!({}));
    let feeds = [(); INSTANCES - 1].map(|()| Feed::open(&config));
    let mut killed = Killed(
        Command::new(std::env::current_exe().expect("this program"))
            .args([
                "--exact",
                "killed::one_that_is_killed_takes_nothing_along",
                "--nocapture",
            ])
            .env(CHILD, config.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program again"),
    );
    create_together(&emulator);
    agreed(&emulator, &feeds);
    emulator.publish((0..EVENTS).map(numbered));
    let told = BufReader::new(killed.0.stdout.take().expect("a pipe")).lines();
    assert!(told.map_while(Result::ok).any(|line| line.contains(HOLDS)));
    drop(killed);
    get_all(&emulator, &feeds, 0..EVENTS);
}

/// An instance that acknowledges nothing.
fn live_until_killed(config: &Value) -> ! {
    let feed = Feed::open(config);
    loop {
        feed.must_next();
        println!("{HOLDS}");
    }
}

/// Killed when dropped, with SIGKILL.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        self.0.kill().expect("it is there");
        self.0.wait().expect("it has ended");
    }
}
