//! The cases of `cases.txt`, by the Rust interface.

#[expect(dead_code, reason = "what is in the folder is the feed's own")]
#[path = "../common/folder.rs"]
mod folder;
#[path = "../common/side_by_side.rs"]
mod side_by_side;

mod bot;

use std::fmt;

use bot::Bot;
use side_by_side::side_by_side;

const CASES: &str = include_str!("cases.txt");

/// A case's name, and its steps with the lines on which they stand.
struct Case {
    name: &'static str,
    steps: Vec<(usize, &'static str)>,
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (index, line) in CASES.lines().enumerate() {
        if let Some(name) = line.strip_prefix("case ") {
            let steps = Vec::new();
            cases.push(Case { name, steps });
        } else if !line.is_empty() && !line.starts_with('#') {
            let case = cases.last_mut().expect("a case begins before its steps");
            case.steps.push((index + 1, line));
        }
    }
    cases
}

#[test]
fn every_case_holds() {
    side_by_side(cases(), |case| {
        assert!(!case.steps.is_empty(), "a case without steps");
        let mut bot = Bot::new();
        for (line, step) in &case.steps {
            println!("{}: line {line}: {step}", case.name);
            bot.step(step);
        }
    });
}
