//! The memory of this process.

use std::fs;

pub const MEGABYTE: usize = 1 << 20;

/// A line of the process' status, in bytes.
fn status(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.trim_matches([':', '\t', ' ', 'k', 'B']).parse::<usize>().ok());
    kilobytes.expect("a number of kilobytes") << 10
}

/// How much more memory than before the process had at its height meanwhile.
#[track_caller]
pub fn costs_at_most(limit: usize, what: &str, doing: impl FnOnce()) {
    fs::write("/proc/self/clear_refs", "5").expect("the height can be set back");
    let before = status("VmRSS");
    doing();
    let cost = status("VmHWM").saturating_sub(before);
    assert!(cost <= limit, "{what} cost {} MB", cost / MEGABYTE);
}
