//! Workflow commands of GitHub Actions: lines that its runner shows beside a commit.
//!
//! One line a cause, not one an artifact: GitHub shows ten errors of a step and drops the rest
//! silently. A command ends at the first line break and a property at `,` or `:`, so what comes from a
//! table is escaped as GitHub's own toolkit does
//! (<https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts>).

use super::{
    Cause, Findings, causes,
    ci::{Places, artifacts, ended, number, plain, reason},
};

/// GitHub shows so many errors of one step.
const MOST: usize = 10;
/// Titles and messages are cut after so many characters.
const LONGEST: usize = 600;

/// One `::error` command for each cause, those that explain most artifacts first, at most ten. Where
/// there are more causes, the last command says how many. None if everything is as approved.
///
/// Each is one line without a line break, to be written to standard output as it is.
pub fn annotations(findings: &Findings, places: &Places<'_>) -> Vec<String> {
    let mut causes = causes(&findings.findings);
    // Stable: causes of the same size stay in the order of exit codes.
    causes.sort_by_key(|cause| usize::MAX - cause.findings.len());
    let told = if causes.len() > MOST {
        MOST - 1
    } else {
        causes.len()
    };
    let (told, rest) = causes.split_at(told);
    let one = |cause| of_cause(findings, cause, places);
    told.iter()
        .map(one)
        .chain((!rest.is_empty()).then(|| of_rest(rest, places)))
        .collect()
}

fn of_cause(findings: &Findings, cause: &Cause, places: &Places<'_>) -> String {
    // A cause is never empty, and its indices are those of the findings that it was made from.
    let first = &findings.findings[cause.findings[0]];
    let n = cause.findings.len() as u64;
    let title = format!("{} {}", artifacts(n), ended(cause.verdict, n == 1));
    let (first_path, report) = (plain(&first.path, LONGEST), places.result("report.html"));
    let example = if n == 1 {
        first_path
    } else {
        format!("first {first_path}")
    };
    let message = format!(
        "{} ({example}); report: {report}",
        plain(reason(cause, first), LONGEST)
    );
    error(&title, Some(&places.source(first)), &message)
}

fn of_rest(rest: &[Cause], places: &Places<'_>) -> String {
    let n: usize = rest.iter().map(|cause| cause.findings.len()).sum();
    let title = format!("{} more causes", number(rest.len() as u64));
    let message = format!(
        "They explain {}; all are in {}",
        artifacts(n as u64),
        places.result("report.html")
    );
    error(&title, None, &message)
}

fn error(title: &str, file: Option<&str>, message: &str) -> String {
    let file = file.map_or(String::new(), |file| format!("file={},", property(file)));
    format!("::error {file}title={}::{}", property(title), data(message))
}

/// The part after the second `::`.
fn data(text: &str) -> String {
    // A path may hold what `plain` would have cut or written out; nothing that ends a line may stay.
    plain(text, 4 * LONGEST).replace('%', "%25")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::verify::{
        Finding, Verdict,
        ci::samples::{self, HOSTILE, PLACES},
    };

    /// A command as GitHub's runner reads it: properties and message.
    fn read(line: &str) -> (Vec<(String, String)>, String) {
        let undone = |text: &str| {
            let text = text.replace("%3A", ":").replace("%2C", ",");
            text.replace("%0D", "\r")
                .replace("%0A", "\n")
                .replace("%25", "%")
        };
        let rest = line.strip_prefix("::error ").unwrap();
        let (properties, message) = rest.split_once("::").unwrap();
        let properties = properties.split(',').map(|property| {
            let (key, value) = property.split_once('=').unwrap();
            (key.to_owned(), undone(value))
        });
        (properties.collect(), undone(message))
    }

    #[test]
    fn each_cause_is_one_line() {
        let lines = annotations(&samples::mixed(), &PLACES).join("\n");
        insta::assert_snapshot!(lines, @r#"
::error file=snapshots/kept/ME_R/synapses/Dm4.svg,title=2 artifacts differ::legend tick 3: 10 -> 12 (first ME_R/synapses/Dm4.svg); report: eyemap-verify/report.html
::error file=snapshots/manifest.txt,title=1 artifact could not be drawn::layer 11 has no rows (ME_R/synapses/Mi1.svg); report: eyemap-verify/report.html
::error file=snapshots/manifest.txt,title=1 artifact differs::values of layers (ME_R/synapses/T4|@a.svg); report: eyemap-verify/report.html
::error file=snapshots/manifest.txt,title=1 artifact has a damaged reference::its hash is no hash (ME_R/synapses/Tm9.svg); report: eyemap-verify/report.html
::error file=snapshots/manifest.txt,title=1 artifact has no reference::never approved (ME_R/synapses/Mi4.svg); report: eyemap-verify/report.html
::error file=snapshots/manifest.txt,title=1 artifact is not drawn any more::approved, but nothing draws it any more (ME_R/synapses/Mi9.svg); report: eyemap-verify/report.html
"#);
        assert!(annotations(&samples::all(vec![]), &PLACES).is_empty());
    }

    #[test]
    fn more_than_ten_causes_are_counted_in_the_last_line() {
        let different = |i: u32| {
            let name = format!("Tm{i}");
            samples::finding(
                &name,
                Verdict::Differs,
                "",
                vec![samples::legend(i.min(12))],
            )
        };
        let lines = annotations(&samples::all((0..20).map(different).collect()), &PLACES);
        assert_eq!(lines.len(), 10);
        assert!(
            lines[0].contains("title=8 artifacts differ::"),
            "{}",
            lines[0]
        );
        insta::assert_snapshot!(lines[9], @r#"::error title=4 more causes::They explain 4 artifacts; all are in eyemap-verify/report.html"#);
        let lines = annotations(&samples::all((0..10).map(different).collect()), &PLACES);
        assert_eq!(lines.len(), 10);
        assert!(lines.iter().all(|line| line.contains("1 artifact differs")));
    }

    fn hostile() -> impl Strategy<Value = String> {
        prop_oneof![
            "(?s).{0,40}",
            proptest::sample::select(&HOSTILE[..]).prop_map(String::from)
        ]
    }

    fn found(name: &str, message: &str, reference: Option<String>) -> Finding {
        let mut finding = samples::finding(name, Verdict::Failed, message, vec![]);
        finding.reference = reference;
        finding
    }

    proptest! {
        #[test]
        fn no_name_ends_a_line_or_a_property(
            found in proptest::collection::vec(
                (hostile(), hostile(), proptest::option::of(hostile())), 1..30),
            out in hostile(),
        ) {
            let found = found.iter().map(|(name, message, reference)| self::found(name, message, reference.clone()));
            let findings = samples::all(found.collect());
            let places = Places { out: &out, ..PLACES };
            let lines = annotations(&findings, &places);
            prop_assert!((1..=10).contains(&lines.len()));
            for line in lines {
                prop_assert!(!line.contains(char::is_control), "{:?}", line);
                let (properties, message) = read(&line);
                let names: Vec<&str> = properties.iter().map(|(name, _)| name.as_str()).collect();
                prop_assert!(message.contains("report.html"));
                if names == ["title"] {
                    prop_assert!(properties[0].1.ends_with(" more causes"));
                    continue;
                }
                prop_assert_eq!(names, ["file", "title"]);
                let is_it = |finding: &Finding| {
                    plain(&places.source(finding), LONGEST) == properties[0].1
                        && message.starts_with(&format!("{} (", plain(&finding.message, LONGEST)))
                        && message.contains(&plain(&finding.path, LONGEST))
                };
                prop_assert!(findings.findings.iter().any(is_it), "{:?}", line);
            }
        }
    }
}
