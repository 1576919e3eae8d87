//! What is left out of the command's words, because it differs between runs or machines.
//!
//! A case says which of these it needs. One that hides nothing in a case is a mistake in it, so that
//! none stays behind when words change.

use std::path::Path;

use eyemap_snapshots::{build_dir, case::Redaction};
use regex::Regex;

use crate::desk::{Desk, Ended};

/// A pattern, and what stands in its place.
type Filter = (String, &'static str);

/// A text without what is hidden.
pub(crate) fn without(hidden: &[Redaction], text: &str, desk: &Desk) -> String {
    let filters = hidden.iter().flat_map(|&kind| of(kind, desk));
    filters.fold(text.to_owned(), |text, (pattern, replacement)| {
        let pattern = Regex::new(&pattern).unwrap_or_else(|error| panic!("{error}"));
        pattern.replace_all(&text, replacement).into_owned()
    })
}

fn of(kind: Redaction, desk: &Desk) -> Vec<Filter> {
    let fixed = |filters: &[(&str, &'static str)]| {
        let owned = |&(pattern, text): &(&str, _)| (pattern.to_owned(), text);
        filters.iter().map(owned).collect()
    };
    match kind {
        // How long a run takes depends on the machine. Where its time went, what limits it and what was
        // slow are whole lines, and which of them there are depends on the machine too.
        Redaction::Times => fixed(&[
            (r"\d+\.\d+ s, [\d.]+ maps/s", "[time]"),
            (r"(?m)^time of (?:one thread|\d+ threads): .*\n", ""),
            (r"(?m)^.* of the time of (?:one thread|\d+ threads).*\n", ""),
            (r"(?m)^Nothing was done that takes time\.\n", ""),
            (r"(?m)^(?:very )?slow: .* took .*\n", ""),
            (r"(?m)^\d+ operations more were slow; .*\n", ""),
            (r#"("\w+_(?:ms|ns)"): [\d.e-]+"#, "$1: [time]"),
            (
                r#"("(?:colors|coordinates|draw|metadata|store|write)"): [\d.e-]+"#,
                "$1: [time]",
            ),
        ]),
        // What the allocator and the system make of it.
        Redaction::Memory => fixed(&[(
            r#"("(?:peak_|predicted_)?memory_bytes"): \d+"#,
            "$1: [memory]",
        )]),
        Redaction::Build => vec![(literal(&build_dir()), "[build]")],
        Redaction::Desk => vec![(literal(desk.path()), "[desk]")],
        // A release changes them everywhere, and nothing else.
        Redaction::Versions => fixed(&[(r"\b\d+\.\d+\.\d+\b", "[version]")]),
        Redaction::Hashes => fixed(&[(r"\b(?:[0-9a-f]{64}|[0-9a-f]{32})\b", "[hash]")]),
    }
}

/// The lines of standard error that say more than how many maps were drawn in which time.
pub(crate) fn remarkable(stderr: &str, desk: &Desk) -> String {
    let drawn = r"\d+ maps? \(\d+ blank\), [\d.]+ k?B, written to out";
    let unchanged = r"\d+ maps? unchanged(?: in out)?(?: \(\d+ taken from the store\))?";
    let opened = r"open out(?:/index\.html| \(--index adds a page of all maps\))";
    let summary = format!(r"^(?:{drawn}|{unchanged}|{drawn}, {unchanged}); {opened}$");
    let summary = Regex::new(&summary).unwrap_or_else(|error| panic!("{error}"));
    let said = without(&[Redaction::Times], stderr, desk);
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| !summary.is_match(line))
        .collect();
    lines.join("\n")
}

/// Redactions that hide nothing in what was said.
pub(crate) fn unused(hidden: &[Redaction], ended: &Ended, desk: &Desk) -> Vec<String> {
    let said = [&ended.stdout, &ended.stderr];
    let hides_nothing = |kind: &&Redaction| {
        let mut said = said.iter();
        said.all(|text| without(&[**kind], text, desk) == text.as_str())
    };
    let unused = hidden.iter().filter(hides_nothing);
    unused
        .map(|kind| format!("redact: {kind:?} hides nothing here; take it out"))
        .collect()
}

/// A pattern that is just this path.
fn literal(path: &Path) -> String {
    regex::escape(&path.to_string_lossy())
}
