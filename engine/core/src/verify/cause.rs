//! Findings by what explains them, so that one change to a legend is one line and not ten thousand.

use std::collections::BTreeMap;

use super::{Difference, Finding, Kind, Verdict, finding::BY_HASH};

/// Findings that one thing explains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// What is wrong with them.
    pub verdict: Verdict,
    /// What their most telling difference is about; none unless they differ.
    pub kind: Option<Kind>,
    /// It in words: `legend tick 3: 10 -> 12`.
    pub title: String,
    /// Which findings, as indices, rising. Never empty.
    pub findings: Vec<usize>,
}

/// Groups findings by cause: each is in exactly one group. Verdicts come in the order of exit codes,
/// then causes by the number of their findings, most first.
pub fn causes(findings: &[Finding]) -> Vec<Cause> {
    let mut groups: BTreeMap<(Verdict, Option<Kind>, String), Vec<usize>> = BTreeMap::new();
    for (i, finding) in findings.iter().enumerate() {
        let (kind, title) = title(finding);
        groups
            .entry((finding.verdict, kind, title))
            .or_default()
            .push(i);
    }
    let group = |((verdict, kind, title), findings)| Cause {
        verdict,
        kind,
        title,
        findings,
    };
    let mut causes: Vec<Cause> = groups.into_iter().map(group).collect();
    // Stable, so that equals stay in the order of explanation.
    causes.sort_by_key(|cause| (cause.verdict, usize::MAX - cause.findings.len()));
    causes
}

/// A difference in one line. Numbers that a text says then and now are those of its map, such as how
/// many columns have data: they are left out, so that one change to a template is one cause.
fn without_own_numbers(difference: &Difference) -> String {
    let [before, after] = [&difference.before, &difference.after].map(|text| numbers_apart(text));
    if before.1.is_empty() || before.1 != after.1 {
        return difference.line();
    }
    Difference {
        before: before.0,
        after: after.0,
        ..difference.clone()
    }
    .line()
}

/// A text with `…` in place of each whole number that stands alone, and these numbers.
fn numbers_apart(text: &str) -> (String, Vec<&str>) {
    let mut numbers = Vec::new();
    let words = text.split_inclusive(char::is_whitespace).map(|piece| {
        let word = piece.trim_end();
        if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_digit()) {
            return piece.to_owned();
        }
        numbers.push(word);
        piece.replacen(word, "…", 1)
    });
    (words.collect(), numbers)
}

fn title(finding: &Finding) -> (Option<Kind>, String) {
    match (finding.verdict, finding.differences.first()) {
        (Verdict::Differs, Some(first)) if first.kind.is_of_hexagons() => {
            (Some(first.kind), first.kind.words().into())
        }
        // Hashes differ from map to map; what they are about does not.
        (Verdict::Differs, Some(first)) if first.what == BY_HASH => {
            (Some(first.kind), finding.message.clone())
        }
        (Verdict::Differs, Some(first)) => (Some(first.kind), without_own_numbers(first)),
        (Verdict::Differs, None) => (None, finding.message.clone()),
        (Verdict::Failed, _) => (None, format!("could not be drawn: {}", finding.message)),
        (Verdict::Damaged, _) => (None, format!("reference damaged: {}", finding.message)),
        (Verdict::Missing, _) => (None, finding.message.clone()),
        (Verdict::Orphaned, _) => (None, "approved, but nothing draws it any more".into()),
    }
}
