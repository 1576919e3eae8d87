//! JUnit XML, the form in which most CI systems read results of tests. A check is a test case.

use std::fmt::Write as _;

use eyemap_engine::verify::escaped_xml;

use super::{Done, Report, words::lines};
use crate::{Outcome, text::plain};

/// Texts are cut after so many characters.
const LONGEST: usize = 1000;

/// The report as JUnit XML.
///
/// Characters that are not seen, and those that XML 1.0 forbids, are written out as `\u{..}`.
pub fn junit(report: &Report) -> String {
    let counts = report.counts();
    let attributes = format!(
        r#"name="eyemap plugin check" tests="{}" failures="{}" errors="0" skipped="{}" time="{:.3}""#,
        report.done.len(),
        counts.failed,
        counts.skipped,
        report.took.as_secs_f64()
    );
    let mut out =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {attributes}>\n");
    let _ = writeln!(out, "  <testsuite {attributes}>\n    <properties>");
    let seed = report.seed.to_string();
    let path = report.path.to_string_lossy();
    for (name, value) in [
        ("file", &*path),
        ("sha256", &report.sha256),
        ("seed", &seed),
    ] {
        let value = escaped(value);
        let _ = writeln!(out, r#"      <property name="{name}" value="{value}"/>"#);
    }
    out.push_str("    </properties>\n");
    for done in &report.done {
        test_case(report, done, &mut out);
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

fn test_case(report: &Report, done: &Done, out: &mut String) {
    let class = report.plugin.as_ref().map_or("plugin", |plugin| &plugin.id);
    let _ = write!(
        out,
        r#"    <testcase classname="{}" name="{}" time="{:.3}""#,
        escaped(class),
        done.check.id,
        done.took.as_secs_f64()
    );
    let _ = match &done.outcome {
        Outcome::Passed { .. } => writeln!(out, "/>"),
        Outcome::Skipped { why } => writeln!(
            out,
            ">\n      <skipped message=\"{}\"/>\n    </testcase>",
            escaped(why)
        ),
        Outcome::Failed(fault) => {
            let mut text = lines(fault);
            text.push(format!("remedy: {}", plain(&fault.remedy, LONGEST)));
            text.push(format!("again: {}", report.again(done.check)));
            let text: Vec<_> = text.iter().map(|line| escaped(line)).collect();
            writeln!(
                out,
                ">\n      <failure message=\"{}\" type=\"{}\">{}</failure>\n    </testcase>",
                escaped(&fault.what),
                done.check.id,
                text.join("\n")
            )
        }
    };
}

fn escaped(text: &str) -> String {
    escaped_xml(text)
}
