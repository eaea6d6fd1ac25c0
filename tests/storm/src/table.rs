//! What came of the rows, as Markdown.

use std::fmt::Write;

use crate::driver::Report;

const HEAD: &[&str] = &[
    "",
    "published",
    "handed out",
    "acknowledged",
    "told as gap",
    "gone with a killed process",
    "lost",
    "repeated after acknowledgement",
    "faults",
    "of those, kills",
    "memory of a bot",
    "state store",
    "seconds",
];

/// The table.
pub fn render(reports: &[Report]) -> String {
    let mut table = format!("| {} |\n|{}\n", HEAD.join(" | "), "---|".repeat(HEAD.len()));
    for report in reports {
        let verdict = &report.verdict;
        let cells = [
            report.row.to_string(),
            thousands(report.published),
            thousands(report.counts.took),
            thousands(verdict.acknowledged),
            thousands(verdict.told),
            thousands(verdict.gone_with_process),
            thousands(verdict.lost),
            thousands(report.counts.repeated),
            thousands(report.faults),
            thousands(report.seen.kills),
            bytes(report.seen.memory),
            if report.row.state_dir {
                bytes(report.seen.state)
            } else {
                "none".into()
            },
            report.seconds.to_string(),
        ];
        // Writing to a string cannot fail.
        let _ = writeln!(table, "| {} |", cells.join(" | "));
    }
    table
}

/// What is wrong with the rows, in words. Nothing, when everything was as promised.
pub fn complaints(reports: &[Report]) -> String {
    let mut text = String::new();
    for report in reports.iter().filter(|report| !report.holds()) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}:", report.row);
        for what in report.broken.iter().chain(&report.seen.wrong) {
            let _ = writeln!(text, "  {what}");
        }
        let _ = writeln!(
            text,
            "  lost {}, such as {:?}; repeated {}",
            report.verdict.lost, report.verdict.examples, report.counts.repeated
        );
    }
    text
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn bytes(bytes: u64) -> String {
    let tenths = bytes * 10 / (1024 * 1024);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_easy_to_read() {
        let texts = [0, 999, 1_000, 1_234_567].map(thousands);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(bytes(3 * 1024 * 1024 / 2), "1.5 MiB");
    }
}
