//! Findings by what explains them, so that one change to a legend is one line and not ten thousand.

use std::collections::BTreeMap;

use super::{Finding, Kind, Verdict, finding::BY_HASH};

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

fn title(finding: &Finding) -> (Option<Kind>, String) {
    match (finding.verdict, finding.differences.first()) {
        (Verdict::Differs, Some(first)) if first.kind.is_of_hexagons() => {
            (Some(first.kind), first.kind.words().into())
        }
        // Hashes differ from map to map; what they are about does not.
        (Verdict::Differs, Some(first)) if first.what == BY_HASH => {
            (Some(first.kind), finding.message.clone())
        }
        (Verdict::Differs, Some(first)) => (Some(first.kind), first.line()),
        (Verdict::Differs, None) => (None, finding.message.clone()),
        (Verdict::Failed, _) => (None, format!("could not be drawn: {}", finding.message)),
        (Verdict::Damaged, _) => (None, format!("reference damaged: {}", finding.message)),
        (Verdict::Missing, _) => (None, finding.message.clone()),
        (Verdict::Orphaned, _) => (None, "approved, but nothing draws it any more".into()),
    }
}
