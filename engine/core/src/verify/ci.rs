//! What JUnit, annotations and the step summary have in common: where files are, names that cannot
//! mean anything but themselves, and numbers of artifacts in words.
//!
//! A cell type may be called anything. Before a name reaches a CI system it becomes one line without
//! characters that are not seen; each form then escapes what means something in that form.

use std::{collections::BTreeMap, fmt::Write as _};

use super::{Amounts, Cause, Finding, Findings, Verdict};

/// Where the files of a comparison are, as its user would write the paths: relative to the directory
/// in which the command ran, or absolute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places<'a> {
    /// The snapshot directory.
    pub snapshots: &'a str,
    /// The manifest of approved artifacts, within the snapshot directory or beside it.
    pub manifest: &'a str,
    /// The directory of results, in which `report.html` and `pending/` are.
    pub out: &'a str,
}

impl Places<'_> {
    /// A file among the results.
    pub(super) fn result(&self, name: &str) -> String {
        joined(self.out, name)
    }

    /// The file that an annotation of this finding belongs to: the kept picture, else the manifest.
    pub(super) fn source(&self, finding: &Finding) -> String {
        match &finding.reference {
            Some(reference) => joined(self.snapshots, reference),
            None => self.manifest.to_owned(),
        }
    }
}

fn joined(dir: &str, name: &str) -> String {
    match dir {
        "" | "." => name.to_owned(),
        _ => format!("{}/{name}", dir.trim_end_matches('/')),
    }
}

/// Text in one line, at most `most` characters long before what is escaped, in which nothing is
/// hidden: controls, line breaks and marks that turn the direction of writing become `\u{..}`.
pub fn plain(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len().min(most * 4));
    for (i, c) in text.chars().enumerate() {
        if i == most {
            out.push('…');
            break;
        }
        if is_hidden(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether a character is not seen, or changes how others are seen, or XML 1.0 cannot carry it.
/// U+061C, U+200B to U+200F, U+202A to U+202E and U+2066 to U+2069 are the marks of Unicode Annex 9
/// and spaces without width.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
            | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// How many artifacts there are at all: those that are as approved and those that are not.
pub(super) fn total(findings: &Findings) -> u64 {
    as_approved(&findings.amounts) + findings.findings.len() as u64
}

/// How many artifacts are as approved, tolerated ones included.
pub(super) const fn as_approved(amounts: &Amounts) -> u64 {
    amounts.same + amounts.within_tolerance
}

/// What was found in one sentence: `3 of 10,000 artifacts are not as approved: 2 differ, 1 is new.`
pub(super) fn sentence(findings: &Findings) -> String {
    let (wrong, total) = (findings.findings.len() as u64, total(findings));
    let shard = findings.shard.map_or(String::new(), |shard| {
        format!(" of shard {}/{}", shard.number, shard.of)
    });
    if total == 0 {
        return format!("There are no artifacts to compare{shard}.");
    }
    if wrong == 0 {
        return format!("All {}{shard} are as approved.", artifacts(total));
    }
    let are = if total == 1 { "is" } else { "are" };
    format!(
        "{} of {}{shard} {are} not as approved: {}.",
        number(wrong),
        artifacts(total),
        by_verdict(findings).join(", ")
    )
}

/// `2 differ`, `1 could not be drawn`, in the order of exit codes.
fn by_verdict(findings: &Findings) -> Vec<String> {
    let mut counts: BTreeMap<Verdict, u64> = BTreeMap::new();
    for finding in &findings.findings {
        *counts.entry(finding.verdict).or_default() += 1;
    }
    let words = |(verdict, n)| format!("{} {}", number(n), ended(verdict, n == 1));
    counts.into_iter().map(words).collect()
}

/// What follows the number of artifacts that ended so.
pub(super) const fn ended(verdict: Verdict, one: bool) -> &'static str {
    match (verdict, one) {
        (Verdict::Failed, _) => "could not be drawn",
        (Verdict::Differs, true) => "differs",
        (Verdict::Differs, false) => "differ",
        (Verdict::Damaged, true) => "has a damaged reference",
        (Verdict::Damaged, false) => "have damaged references",
        (Verdict::Missing, true) => "has no reference",
        (Verdict::Missing, false) => "have no reference",
        (Verdict::Orphaned, true) => "is not drawn any more",
        (Verdict::Orphaned, false) => "are not drawn any more",
    }
}

/// A cause in words that do not repeat its verdict; `first` is the first of its findings.
pub(super) fn reason<'a>(cause: &'a Cause, first: &'a Finding) -> &'a str {
    match cause.verdict {
        // These are grouped by their message, so that of the first is that of all.
        Verdict::Failed | Verdict::Damaged => &first.message,
        Verdict::Differs | Verdict::Missing | Verdict::Orphaned => &cause.title,
    }
}

/// `1 artifact`, `10,000 artifacts`.
pub(super) fn artifacts(n: u64) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} artifact{s}", number(n))
}

/// A number with its digits in groups of three.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + 6);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A word of a command line that a POSIX shell reads as this text and nothing else.
pub fn shell_word(text: &str) -> String {
    let harmless = |c: char| c.is_alphanumeric() || "/._-+=:@%,".contains(c);
    if !text.is_empty() && text.chars().all(harmless) && !text.starts_with('-') {
        return text.to_owned();
    }
    let mut out = String::new();
    // A path that begins with `-` would be read as an option, quoted or not.
    let here = if text.starts_with('-') { "./" } else { "" };
    // Writing into a String cannot fail.
    let _ = write!(out, "'{here}{}'", text.replace('\'', r"'\''"));
    out
}

#[cfg(test)]
pub(super) mod samples {
    //! Findings for tests of what is made from them.

    use super::*;
    use crate::verify::{Difference, Kind, Level, MapName};

    pub(in crate::verify) const PLACES: Places<'_> = Places {
        snapshots: "snapshots",
        manifest: "snapshots/manifest.txt",
        out: "eyemap-verify",
    };

    /// Names that mean something to XML, Markdown, HTML, GitHub's runner, a terminal or a shell.
    pub(in crate::verify) const HOSTILE: [&str; 8] = [
        "\n::set-output name=a::b",
        "</failure><x>]]>&amp;\u{1b}[31m\u{0}",
        "| a | ``` <script>alert(1)</script> @eyemap [x](http://a.example) www.b.example #12",
        "\u{202e}gvs.3mT",
        "50%, 3:4\r::error::no",
        "<!-- --> _x_ *y* ~~z~~ \\| &#124;",
        "'; rm -rf $HOME `id`",
        "",
    ];

    pub(in crate::verify) fn legend(tick: u32) -> Difference {
        Difference {
            kind: Kind::Legend,
            column: None,
            layer: None,
            what: format!("tick {tick}"),
            before: "10".into(),
            after: "12".into(),
            fills: None,
            at: None,
        }
    }

    pub(in crate::verify) fn value(hex1: i32) -> Difference {
        Difference {
            kind: Kind::LayerValue,
            column: Some([hex1, 20]),
            layer: Some("4".into()),
            what: String::new(),
            before: "7 (bin 2)".into(),
            after: "12 (bin 3)".into(),
            fills: Some(["#ffeeee".into(), "#ffcccc".into()]),
            at: Some([12.5, 7.0]),
        }
    }

    pub(in crate::verify) fn finding(
        cell_type: &str,
        verdict: Verdict,
        message: &str,
        differences: Vec<Difference>,
    ) -> Finding {
        let path = format!("ME_R/synapses/{cell_type}.svg");
        Finding {
            map: Some(MapName {
                cell_type: cell_type.into(),
                region: "ME".into(),
                side: "R".into(),
                metric: "synapses".into(),
            }),
            format: Some(crate::draw::Format::Svg),
            verdict,
            level: (!differences.is_empty()).then_some(Level::Structure),
            message: message.into(),
            n_differences: differences.len() as u64,
            differences,
            pixels: None,
            approved: None,
            reference: None,
            pending: (!matches!(verdict, Verdict::Orphaned | Verdict::Failed))
                .then(|| path.clone()),
            path,
        }
    }

    /// Findings with the right amounts, and 100 artifacts that are as approved.
    pub(in crate::verify) fn all(found: Vec<Finding>) -> Findings {
        let mut findings = Findings::new("0".repeat(32), None, None);
        for finding in &found {
            findings.amounts.count(finding.verdict);
        }
        findings.amounts.same = 100;
        findings.amounts.compared = 100 + findings.amounts.differ;
        findings.findings = found;
        findings
    }

    /// One of each verdict, two of a cause, and a hostile name.
    pub(in crate::verify) fn mixed() -> Findings {
        let mut kept = finding("Dm4", Verdict::Differs, "1 difference", vec![legend(3)]);
        kept.reference = Some("kept/ME_R/synapses/Dm4.svg".into());
        let mut two = finding(
            "Tm3",
            Verdict::Differs,
            "2 differences",
            vec![legend(3), value(29)],
        );
        two.n_differences = 7;
        all(vec![
            kept,
            finding("Mi1", Verdict::Failed, "layer 11 has no rows", vec![]),
            finding("Mi4", Verdict::Missing, "never approved", vec![]),
            finding("Mi9", Verdict::Orphaned, "nothing draws it", vec![]),
            finding("T4|@a", Verdict::Differs, "1 difference", vec![value(30)]),
            two,
            finding("Tm9", Verdict::Damaged, "its hash is no hash", vec![]),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_written_out_and_what_is_long_is_cut() {
        assert_eq!(plain("a\n\u{202e}b\u{1b}", 9), r"a\n\u{202e}b\u{1b}");
        assert_eq!(plain("abcdef", 3), "abc…");
        assert_eq!(plain("αβγ", 3), "αβγ");
    }

    #[test]
    fn a_word_of_a_command_stays_one_word() {
        assert_eq!(shell_word("out/a-1"), "out/a-1");
        assert_eq!(shell_word("my out"), "'my out'");
        assert_eq!(shell_word("it's"), r"'it'\''s'");
        assert_eq!(shell_word("-rf"), "'./-rf'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn the_sentence_counts_each_verdict() {
        insta::assert_snapshot!(sentence(&samples::mixed()), @"7 of 107 artifacts are not as approved: 1 could not be drawn, 3 differ, 1 has a damaged reference, 1 has no reference, 1 is not drawn any more.");
        insta::assert_snapshot!(sentence(&samples::all(vec![])), @"All 100 artifacts are as approved.");
        let mut none = samples::all(vec![]);
        none.amounts = Amounts::default();
        none.shard = Some("2/3".parse().unwrap());
        insta::assert_snapshot!(sentence(&none), @"There are no artifacts to compare of shard 2/3.");
    }

    #[test]
    fn digits_come_in_groups_of_three() {
        let texts = [0, 999, 1000, 1_234_567].map(number);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567"]);
    }
}
