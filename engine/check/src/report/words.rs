//! The report for people.

use std::fmt::Write as _;

use super::{Done, Report};
use crate::{CHECKS, Check, Fault, Of, Outcome, text::plain};

/// A failure has at most so many lines: the first, details, what was printed, remedy, how to ask again.
const MOST_LINES: usize = 12;
const MOST_DETAILS: usize = MOST_LINES - 4;
/// Longer lines are cut.
const LONGEST: usize = 300;

/// The whole report, ending with one line that sums up.
pub fn words(report: &Report) -> String {
    let mut text = String::new();
    head(report, &mut text);
    for group in [Of::Files, Of::Stages, Of::Policies] {
        let of = |done: &&Done| done.check.of == group;
        let mut done = report.done.iter().filter(of).peekable();
        if done.peek().is_some() {
            let _ = writeln!(text, "\n{}", title(group));
        }
        for done in done {
            one(report, done, &mut text);
        }
    }
    let counts = report.counts();
    let _ = writeln!(
        text,
        "\n{} passed, {} failed, {} skipped in {:.1} s; seed {}",
        counts.passed,
        counts.failed,
        counts.skipped,
        report.took.as_secs_f64(),
        report.seed
    );
    text
}

/// What `--list` prints: each check and what holds when it passes.
pub fn list() -> String {
    let checks = || CHECKS.iter().copied().flatten();
    let width = checks()
        .map(|check: &Check| check.id.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for check in checks() {
        let _ = writeln!(text, "{:width$}  {}", check.id, check.holds);
    }
    text
}

fn head(report: &Report, text: &mut String) {
    let path = plain(&report.path.to_string_lossy(), LONGEST);
    let _ = match &report.plugin {
        Some(plugin) => {
            let version = plain(&plugin.version, 40);
            writeln!(text, "{} {version} ({path})", plugin.id)
        }
        None => writeln!(text, "{path}"),
    };
    if report.in_process {
        text.push_str(
            "in this process: nothing is caught, and nothing is compared between processes\n",
        );
    }
}

const fn title(of: Of) -> &'static str {
    match of {
        Of::Files => "The library",
        Of::Stages => "Its stages",
        Of::Policies => "Its cache policy",
    }
}

fn one(report: &Report, done: &Done, text: &mut String) {
    let id = done.check.id;
    // Writing into a String cannot fail.
    let _ = match &done.outcome {
        Outcome::Passed { note } if note.is_empty() => writeln!(text, "  ✓ {id}"),
        Outcome::Passed { note } => writeln!(text, "  ✓ {id}: {}", plain(note, LONGEST)),
        Outcome::Skipped { why } => writeln!(text, "  - {id}: skipped, {}", plain(why, LONGEST)),
        Outcome::Failed(fault) => {
            failure(fault, done, text);
            writeln!(
                text,
                "      again:  {}",
                plain(&report.again(done.check), LONGEST)
            )
        }
    };
    if done.printed_bytes > 0 {
        let bytes = done.printed_bytes;
        let _ = writeln!(text, "      it printed {bytes} bytes to standard output");
    }
}

fn failure(fault: &Fault, done: &Done, text: &mut String) {
    let _ = writeln!(
        text,
        "  ✗ {}: {}",
        done.check.id,
        plain(&fault.what, LONGEST)
    );
    for line in lines(fault) {
        let _ = writeln!(text, "      {line}");
    }
    let _ = writeln!(text, "      remedy: {}", plain(&fault.remedy, LONGEST));
}

/// The details, each on a line, and how many more there are.
pub(super) fn lines(fault: &Fault) -> Vec<String> {
    let all: Vec<&str> = fault.details.iter().flat_map(|text| text.lines()).collect();
    let shown = if all.len() > MOST_DETAILS {
        MOST_DETAILS - 1
    } else {
        all.len()
    };
    let mut lines: Vec<String> = all[..shown]
        .iter()
        .map(|line| plain(line, LONGEST))
        .collect();
    if shown < all.len() {
        lines.push(format!("and {} lines more", all.len() - shown));
    }
    lines
}
