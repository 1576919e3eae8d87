//! The summary of a CI step, in GitHub-flavoured Markdown.
//!
//! A person who sees a red mark reads this first: what is wrong, why, where the report is, and what to
//! do about it. Names are shown as code, with everything that means something in Markdown or HTML as a
//! character reference: references never have a meaning beyond the character, and GitHub makes no
//! links and mentions inside `<code>`.

use std::fmt::Write as _;

use super::{
    Cause, Finding, Findings, Verdict, causes,
    ci::{Places, artifacts, ended, number, plain, reason, sentence, shell_word},
};

/// GitHub refuses a summary above 1 MiB a step, and other commands of the step may write into it too.
const MOST_BYTES: usize = 512 * 1024;
/// What follows the causes is shorter than this, with texts of [`LONGEST`] characters.
const REST_BYTES: usize = 64 * 1024;
/// So many artifacts of a cause are named.
const EXAMPLES: usize = 5;
/// So many causes are told.
const CAUSES: usize = 100;
/// So many notes are told.
const NOTES: usize = 10;
/// Texts are cut after so many characters.
const LONGEST: usize = 300;

/// A summary of findings, below half a MiB; what is left out is counted.
pub fn summary(findings: &Findings, places: &Places<'_>) -> String {
    let mut text = String::new();
    let title = if findings.is_clean() {
        "as approved"
    } else {
        "not as approved"
    };
    // Writing into a String cannot fail, here and below.
    let _ = writeln!(
        text,
        "## eyemap verify: {title}\n\n{}\n",
        sentence(findings)
    );
    push_amounts(&mut text, findings);
    push_tolerance(&mut text, findings);
    if !findings.is_clean() {
        push_causes(&mut text, findings);
        push_remedy(&mut text, findings, places);
    }
    push_notes(&mut text, findings);
    text
}

fn push_amounts(text: &mut String, findings: &Findings) {
    let amounts = &findings.amounts;
    let rows = [
        ("equal, byte by byte", amounts.same),
        ("within the tolerance", amounts.within_tolerance),
        ("could not be drawn", amounts.failed),
        ("differ", amounts.differ),
        ("with a damaged reference", amounts.damaged),
        ("without a reference", amounts.missing),
        ("approved, and not drawn any more", amounts.orphaned),
    ];
    text.push_str("| artifacts | |\n|---:|---|\n");
    for (words, n) in rows.into_iter().filter(|(_, n)| *n > 0) {
        let _ = writeln!(text, "| {} | {words} |", number(n));
    }
    text.push('\n');
}

fn push_tolerance(text: &mut String, findings: &Findings) {
    let Some(tolerance) = findings.tolerance else {
        return;
    };
    let forced = if tolerance.forced {
        " **It is wider than the smallest step of the palette, and was forced.**"
    } else {
        ""
    };
    let _ = writeln!(
        text,
        "Compared with a tolerance: {} of 255 steps of a colour, {} px of a place.{forced}\n",
        tolerance.color, tolerance.place_px
    );
}

fn push_causes(text: &mut String, findings: &Findings) {
    text.push_str("### Causes\n\n");
    let causes = causes(&findings.findings);
    let mut told = 0;
    for cause in causes.iter().take(CAUSES) {
        let part = of_cause(findings, cause);
        if text.len() + part.len() > MOST_BYTES - REST_BYTES {
            break;
        }
        text.push_str(&part);
        told += 1;
    }
    let rest = &causes[told..];
    if !rest.is_empty() {
        let n: usize = rest.iter().map(|cause| cause.findings.len()).sum();
        let _ = writeln!(
            text,
            "- and {} more causes, of {}, which the report has",
            number(rest.len() as u64),
            artifacts(n as u64)
        );
    }
    text.push('\n');
}

fn of_cause(findings: &Findings, cause: &Cause) -> String {
    let n = cause.findings.len() as u64;
    // A cause is never empty, and its indices are those of the findings that it was made from.
    let first = &findings.findings[cause.findings[0]];
    let mut text = format!(
        "- **{} {}**: {}\n",
        artifacts(n),
        ended(cause.verdict, n == 1),
        code(reason(cause, first))
    );
    for &i in cause.findings.iter().take(EXAMPLES) {
        let finding = &findings.findings[i];
        let _ = writeln!(text, "  - {}{}", code(&finding.path), detail(finding));
    }
    if n > EXAMPLES as u64 {
        let _ = writeln!(text, "  - and {} more", number(n - EXAMPLES as u64));
    }
    text
}

/// The first difference of one artifact, where its cause does not say it already.
fn detail(finding: &Finding) -> String {
    match finding.differences.first() {
        Some(first) if finding.verdict == Verdict::Differs => {
            let more = match finding.n_differences {
                0 | 1 => String::new(),
                n => format!(" and {} more", number(n - 1)),
            };
            let line = if first.kind.is_of_hexagons() {
                format!(" {}", code(&first.line()))
            } else {
                String::new()
            };
            format!("{line}{more}")
        }
        _ => String::new(),
    }
}

fn push_remedy(text: &mut String, findings: &Findings, places: &Places<'_>) {
    let (report, pending) = (places.result("report.html"), places.result("pending"));
    let _ = writeln!(
        text,
        "### What to do\n\nThe pictures side by side are in {}, what would be approved in {}.\n",
        code(&report),
        code(&pending)
    );
    if let Some(shard) = findings.shard {
        let _ = writeln!(
            text,
            "This is shard {} of {}: `eyemap verify merge` joins the parts, and the joined report is the \
             one to accept from.\n",
            shard.number, shard.of
        );
    }
    let only_errors = |finding: &Finding| matches!(finding.verdict, Verdict::Failed);
    if findings.findings.iter().all(only_errors) {
        text.push_str("There is nothing to accept before everything can be drawn.\n\n");
        return;
    }
    let snapshots = shell_word(&plain(places.snapshots, LONGEST));
    let pending = shell_word(&plain(&pending, LONGEST));
    let _ = writeln!(
        text,
        "If the changes are meant, download these files, open the report, accept what is right, save \
         `accept.json`, and run where the snapshots are under version control:\n\n\
         ```sh\n\
         eyemap verify accept --snapshots {snapshots} --from accept.json --pending {pending}\n\
         ```\n\n\
         CI accepts nothing on its own.\n"
    );
}

fn push_notes(text: &mut String, findings: &Findings) {
    if findings.notes.is_empty() {
        return;
    }
    text.push_str("### Notes\n\n");
    for note in findings.notes.iter().take(NOTES) {
        let _ = writeln!(text, "- {}", code(note));
    }
    if findings.notes.len() > NOTES {
        let rest = number((findings.notes.len() - NOTES) as u64);
        let _ = writeln!(text, "- and {rest} more, in `findings.json`");
    }
}

/// Text as code, on one line.
fn code(text: &str) -> String {
    let mut out = String::from("<code>");
    let mut before = ' ';
    for c in plain(text, LONGEST).chars() {
        // GitHub makes links of what begins with `www.` also in HTML.
        let is_plain = c.is_alphanumeric()
            || " /-,\u{2026}".contains(c)
            || c == '.' && !matches!(before, 'w' | 'W');
        if is_plain || !c.is_ascii() {
            out.push(c);
        } else {
            let _ = write!(out, "&#{};", u32::from(c));
        }
        before = c;
    }
    out.push_str("</code>");
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::verify::ci::samples::{self, HOSTILE, PLACES};

    #[test]
    fn it_says_what_why_where_and_what_to_do() {
        let mut findings = samples::mixed();
        findings.notes = vec!["a tolerance of <2> was asked for".into()];
        insta::assert_snapshot!(summary(&findings, &PLACES), @r#"
## eyemap verify: not as approved

7 of 107 artifacts are not as approved: 1 could not be drawn, 3 differ, 1 has a damaged reference, 1 has no reference, 1 is not drawn any more.

| artifacts | |
|---:|---|
| 100 | equal, byte by byte |
| 1 | could not be drawn |
| 3 | differ |
| 1 | with a damaged reference |
| 1 | without a reference |
| 1 | approved, and not drawn any more |

### Causes

- **1 artifact could not be drawn**: <code>layer 11 has no rows</code>
  - <code>ME&#95;R/synapses/Mi1.svg</code>
- **2 artifacts differ**: <code>legend tick 3&#58; 10 -&#62; 12</code>
  - <code>ME&#95;R/synapses/Dm4.svg</code>
  - <code>ME&#95;R/synapses/Tm3.svg</code> and 6 more
- **1 artifact differs**: <code>values of layers</code>
  - <code>ME&#95;R/synapses/T4&#124;&#64;a.svg</code> <code>column 30,20 layer 4&#58; 7 &#40;bin 2&#41; -&#62; 12 &#40;bin 3&#41;</code>
- **1 artifact has a damaged reference**: <code>its hash is no hash</code>
  - <code>ME&#95;R/synapses/Tm9.svg</code>
- **1 artifact has no reference**: <code>never approved</code>
  - <code>ME&#95;R/synapses/Mi4.svg</code>
- **1 artifact is not drawn any more**: <code>approved, but nothing draws it any more</code>
  - <code>ME&#95;R/synapses/Mi9.svg</code>

### What to do

The pictures side by side are in <code>eyemap-verify/report.html</code>, what would be approved in <code>eyemap-verify/pending</code>.

If the changes are meant, download these files, open the report, accept what is right, save `accept.json`, and run where the snapshots are under version control:

```sh
eyemap verify accept --snapshots snapshots --from accept.json --pending eyemap-verify/pending
```

CI accepts nothing on its own.

### Notes

- <code>a tolerance of &#60;2&#62; was asked for</code>
"#);
    }

    #[test]
    fn a_clean_one_is_short() {
        insta::assert_snapshot!(summary(&samples::all(vec![]), &PLACES), @r#"
## eyemap verify: as approved

All 100 artifacts are as approved.

| artifacts | |
|---:|---|
| 100 | equal, byte by byte |
"#);
    }

    #[test]
    fn it_stays_below_the_limit_and_counts_what_it_leaves_out() {
        let long = "@".repeat(100_000);
        let different = |i: u32| {
            let mut difference = samples::legend(i % 3000);
            difference.before.clone_from(&long);
            let name = format!("{i}{long}");
            samples::finding(&name, Verdict::Differs, &long, vec![difference])
        };
        let mut findings = samples::all((0..300).map(different).collect());
        findings.notes = vec![long.clone(); 50];
        let places = Places {
            out: &long,
            ..PLACES
        };
        let text = summary(&findings, &places);
        assert!(text.len() < MOST_BYTES, "{}", text.len());
        assert!(
            text.contains("- and 200 more causes, of 200 artifacts"),
            "{}",
            text.len()
        );
        assert!(text.contains("- and 40 more, in `findings.json`"));
        assert!(text.contains("eyemap verify accept"));
    }

    proptest! {
        #[test]
        fn no_name_means_anything(name in prop_oneof![
            "(?s).{0,80}",
            proptest::sample::select(&HOSTILE[..]).prop_map(String::from),
        ]) {
            let shown = code(&name);
            let inner = shown.strip_prefix("<code>").and_then(|s| s.strip_suffix("</code>")).unwrap();
            prop_assert!(!inner.contains(['<', '>', '`', '|', '@', '*', '_', '[', ']', '\\', '\n', ':', '~', '!', '(']), "{}", inner);
            prop_assert!(!inner.to_lowercase().contains("www."));
            // It is shown as it is called: references undone give the text.
            let xml = format!("<code>{inner}</code>");
            let document = roxmltree::Document::parse(&xml).unwrap();
            prop_assert_eq!(document.root_element().text().unwrap_or_default(), plain(&name, LONGEST));
        }
    }
}
