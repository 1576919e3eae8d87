//! Standard output and standard error. Names come from tables, so control characters are escaped.

use std::{
    io::{ErrorKind, Write as _},
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::failure::{Failure, USAGE};

/// Writes text to standard output. A reader that went away, as `head` does, is no error.
pub(crate) fn text(text: &str) -> Result<ExitCode, Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::new(
            USAGE,
            format!("cannot write to standard output: {error}"),
        )),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// Writes a JSON document to standard output.
pub(crate) fn json(value: &serde_json::Value) -> Result<ExitCode, Failure> {
    text(&format!("{value:#}\n"))
}

/// Whether notes are left unsaid.
static QUIET: AtomicBool = AtomicBool::new(false);

/// From here on nothing but errors and faults is said.
pub(crate) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

/// Whether nothing but errors and faults is said.
pub(crate) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Writes a line to standard error, unless it was asked not to.
pub(crate) fn note(line: &str) {
    if !is_quiet() {
        fault(line);
    }
}

/// Writes a line to standard error that is said in any case.
pub(crate) fn fault(line: &str) {
    to_stderr(&format!("{line}\n"));
}

/// Writes a report to standard error. Parts of it come from files: of what moves a terminal, only colours
/// and ends of lines are left.
pub(crate) fn error(report: &str) {
    to_stderr(&format!("error:{}\n", shown(report)));
}

/// Nobody may be there to read it any more, as after `2>&1 | head`; that ends no run.
fn to_stderr(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

fn shown(report: &str) -> String {
    let mut out = String::with_capacity(report.len());
    let mut rest = report;
    while let Some(c) = rest.chars().next() {
        let (first, after) = rest.split_at(color(rest).unwrap_or(c.len_utf8()));
        match first.len() > c.len_utf8() || c == '\n' {
            true => out.push_str(first),
            false => out.push_str(&plain(first)),
        }
        rest = after;
    }
    out
}

/// Length of the sequence `ESC [ digits m` at the start, which changes a colour and no more.
fn color(text: &str) -> Option<usize> {
    let inside = text.strip_prefix("\u{1b}[")?;
    let end = inside.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    inside[end..].starts_with('m').then_some(2 + end + 1)
}

/// Marks that turn the direction of writing, and letters without width: a terminal shows them as
/// something else than they are.
const fn is_hidden(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A name as it may reach a terminal.
pub(crate) fn plain(name: &str) -> String {
    let escape = |c: char| match c.is_control() || is_hidden(c) {
        true => c.escape_default().collect::<String>(),
        false => c.to_string(),
    };
    name.chars().map(escape).collect()
}

/// A number of artifacts in words.
pub(crate) fn artifacts(n: usize) -> String {
    match n {
        1 => "1 artifact".into(),
        n => format!("{n} artifacts"),
    }
}

/// Bytes as people read them, in units of 1000.
pub(crate) fn bytes(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in ["kB", "MB", "GB", "TB"] {
        if value < 1000.0 {
            break;
        }
        (value, unit) = (value / 1000.0, next);
    }
    if unit == "B" {
        format!("{bytes} B")
    } else {
        format!("{value:.1} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_names_are_readable_and_harmless() {
        assert_eq!(
            (bytes(999).as_str(), bytes(1_234_567).as_str()),
            ("999 B", "1.2 MB")
        );
        assert_eq!(plain("a\u{1b}[31mb\n🪰"), "a\\u{1b}[31mb\\n🪰");
        assert_eq!(plain("T\u{202e}4mé"), "T\\u{202e}4mé");
    }
}

#[cfg(test)]
mod shown {
    use super::shown;

    #[test]
    fn a_report_moves_no_terminal() {
        let colored = "\u{1b}[31mred\u{1b}[0m\nnext";
        assert_eq!(shown(colored), colored);
        assert_eq!(
            shown("a\u{1b}]0;title\u{7}\u{1b}[2J\r"),
            "a\\u{1b}]0;title\\u{7}\\u{1b}[2J\\r"
        );
        assert_eq!(shown("a\u{202e}b"), "a\\u{202e}b");
    }
}
