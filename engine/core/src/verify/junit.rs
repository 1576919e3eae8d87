//! JUnit XML, the form in which Jenkins, GitLab and most other CI systems read results of tests.
//!
//! An artifact that is not as approved is a test case: a `failure` if the comparison says so, an `error`
//! if there was no comparison, because it could not be drawn or its reference is damaged.
//! Artifacts that are as approved are one passing test case together, not thousands: a report without
//! any test case is refused by Jenkins. `tests` counts artifacts, so it counts them all.

use std::io::{self, Write};

use super::{
    Finding, Findings, Verdict,
    ci::{artifacts, as_approved, number, plain, total},
};
use crate::draw::xml;

/// So many differences of one artifact are told; `report.html` has them all.
const DIFFERENCES: usize = 20;
/// Texts are cut after so many characters.
const LONGEST: usize = 1000;
/// Name of the suite.
const SUITE: &str = "eyemap verify";

/// Writes findings as JUnit XML, in their order, holding one test case at a time.
///
/// Characters that are not seen, and those that XML 1.0 forbids, are written out as `\u{..}`.
///
/// # Errors
/// When `out` cannot be written.
pub fn junit(findings: &Findings, out: &mut impl Write) -> io::Result<()> {
    let errors = findings.findings.iter().filter(|f| is_error(f)).count();
    let counts = format!(
        r#"name="{SUITE}" tests="{}" failures="{}" errors="{errors}""#,
        total(findings),
        findings.findings.len() - errors,
    );
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, "<testsuites {counts}>")?;
    writeln!(out, r#"  <testsuite {counts} skipped="0">"#)?;
    properties(findings, out)?;
    passed(findings, out)?;
    for finding in &findings.findings {
        test_case(finding, out)?;
    }
    notes(findings, out)?;
    writeln!(out, "  </testsuite>\n</testsuites>")
}

/// An `error` is what could not be compared.
const fn is_error(finding: &Finding) -> bool {
    matches!(finding.verdict, Verdict::Failed | Verdict::Damaged)
}

fn properties(findings: &Findings, out: &mut impl Write) -> io::Result<()> {
    let mut all = vec![
        ("engine", findings.engine.clone()),
        ("manifest", findings.manifest.clone()),
    ];
    if let Some(shard) = findings.shard {
        all.push(("shard", format!("{}/{}", shard.number, shard.of)));
    }
    if let Some(tolerance) = findings.tolerance {
        all.push(("tolerance-color", tolerance.color.to_string()));
        all.push(("tolerance-place-px", tolerance.place_px.to_string()));
        all.push(("tolerance-forced", tolerance.forced.to_string()));
    }
    writeln!(out, "    <properties>")?;
    for (name, value) in all {
        let value = escaped(&value);
        writeln!(out, r#"      <property name="{name}" value="{value}"/>"#)?;
    }
    writeln!(out, "    </properties>")
}

fn passed(findings: &Findings, out: &mut impl Write) -> io::Result<()> {
    let (amounts, same) = (&findings.amounts, as_approved(&findings.amounts));
    if same == 0 && !findings.findings.is_empty() {
        return Ok(());
    }
    let mut name = format!("{} as approved", artifacts(same));
    if amounts.within_tolerance > 0 {
        let tolerated = number(amounts.within_tolerance);
        name = format!("{name}, {tolerated} of them within the tolerance");
    }
    writeln!(out, r#"    <testcase classname="eyemap" name="{name}"/>"#)
}

fn test_case(finding: &Finding, out: &mut impl Write) -> io::Result<()> {
    let (dirs, file) = finding.path.rsplit_once('/').unwrap_or(("", &finding.path));
    // Jenkins groups by the dots of class names, GitLab shows them as they are.
    let class = if dirs.is_empty() {
        "eyemap".to_owned()
    } else {
        format!("eyemap.{}", dirs.replace('/', "."))
    };
    let element = if is_error(finding) {
        "error"
    } else {
        "failure"
    };
    write!(
        out,
        "    <testcase classname=\"{}\" name=\"{}\">\n      <{element} message=\"{}\" type=\"{}\">",
        escaped(&class),
        escaped(file),
        escaped(&finding.message),
        kind(finding),
    )?;
    for line in lines(finding) {
        writeln!(out, "{}", escaped(&line))?;
    }
    writeln!(out, "</{element}>\n    </testcase>")
}

/// What is wrong, in one word of the forms of `findings.json`: `legend`, `missing`.
fn kind(finding: &Finding) -> String {
    let word = match finding.differences.first() {
        Some(first) if finding.verdict == Verdict::Differs => serde_json::to_value(first.kind),
        _ => serde_json::to_value(finding.verdict),
    };
    // Both are enums without fields, which serde writes as words.
    let word = word.unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

/// What a person reads below the message.
fn lines(finding: &Finding) -> Vec<String> {
    let mut lines = vec![finding.path.clone()];
    lines.extend(finding.map.iter().map(ToString::to_string));
    let told = finding.differences.iter().take(DIFFERENCES);
    lines.extend(told.map(super::Difference::line));
    let told = finding.differences.len().min(DIFFERENCES) as u64;
    if finding.n_differences > told {
        lines.push(format!("and {} more", number(finding.n_differences - told)));
    }
    if let Some(pixels) = finding.pixels {
        let (count, of) = (number(pixels.count), number(pixels.of));
        let largest = pixels.largest;
        lines.push(format!(
            "{count} of {of} pixels differ, by at most {largest} of 255"
        ));
    }
    let reference = finding
        .reference
        .iter()
        .map(|path| format!("approved: {path}"));
    lines.extend(reference);
    lines.extend(
        finding
            .pending
            .iter()
            .map(|path| format!("pending: {path}")),
    );
    lines
}

fn notes(findings: &Findings, out: &mut impl Write) -> io::Result<()> {
    if findings.notes.is_empty() {
        return Ok(());
    }
    write!(out, "    <system-out>")?;
    for note in &findings.notes {
        writeln!(out, "{}", escaped(note))?;
    }
    writeln!(out, "</system-out>")
}

/// Text for XML, cut, in one line, in which nothing is hidden.
pub fn escaped(text: &str) -> String {
    xml(&plain(text, LONGEST))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use roxmltree::{Document, Node};

    use super::*;
    use crate::verify::{Tolerance, ci::samples};

    fn text(findings: &Findings) -> String {
        let mut out = Vec::new();
        junit(findings, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn named<'a>(document: &'a Document<'_>, name: &str) -> Vec<Node<'a, 'a>> {
        let named = |node: &Node<'_, '_>| node.has_tag_name(name);
        document.descendants().filter(named).collect()
    }

    #[test]
    fn each_verdict_is_a_test_case_of_its_kind() {
        let mut findings = samples::mixed();
        findings.amounts.within_tolerance = 2;
        findings.tolerance = Some(Tolerance {
            color: 2,
            place_px: 0.5,
            forced: false,
        });
        findings.notes = vec!["a <note>".into()];
        findings.engine = "0".into();
        insta::assert_snapshot!(text(&findings), @r#"
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="eyemap verify" tests="109" failures="5" errors="2">
  <testsuite name="eyemap verify" tests="109" failures="5" errors="2" skipped="0">
    <properties>
      <property name="engine" value="0"/>
      <property name="manifest" value="00000000000000000000000000000000"/>
      <property name="tolerance-color" value="2"/>
      <property name="tolerance-place-px" value="0.5"/>
      <property name="tolerance-forced" value="false"/>
    </properties>
    <testcase classname="eyemap" name="102 artifacts as approved, 2 of them within the tolerance"/>
    <testcase classname="eyemap.ME_R.synapses" name="Dm4.svg">
      <failure message="1 difference" type="legend">ME_R/synapses/Dm4.svg
Dm4 ME R synapses
legend tick 3: 10 -&gt; 12
approved: kept/ME_R/synapses/Dm4.svg
pending: ME_R/synapses/Dm4.svg
</failure>
    </testcase>
    <testcase classname="eyemap.ME_R.synapses" name="Mi1.svg">
      <error message="layer 11 has no rows" type="failed">ME_R/synapses/Mi1.svg
Mi1 ME R synapses
</error>
    </testcase>
    <testcase classname="eyemap.ME_R.synapses" name="Mi4.svg">
      <failure message="never approved" type="missing">ME_R/synapses/Mi4.svg
Mi4 ME R synapses
pending: ME_R/synapses/Mi4.svg
</failure>
    </testcase>
    <testcase classname="eyemap.ME_R.synapses" name="Mi9.svg">
      <failure message="nothing draws it" type="orphaned">ME_R/synapses/Mi9.svg
Mi9 ME R synapses
</failure>
    </testcase>
    <testcase classname="eyemap.ME_R.synapses" name="T4|@a.svg">
      <failure message="1 difference" type="layer_value">ME_R/synapses/T4|@a.svg
T4|@a ME R synapses
column 30,20 layer 4: 7 (bin 2) -&gt; 12 (bin 3)
pending: ME_R/synapses/T4|@a.svg
</failure>
    </testcase>
    <testcase classname="eyemap.ME_R.synapses" name="Tm3.svg">
      <failure message="2 differences" type="legend">ME_R/synapses/Tm3.svg
Tm3 ME R synapses
legend tick 3: 10 -&gt; 12
column 29,20 layer 4: 7 (bin 2) -&gt; 12 (bin 3)
and 5 more
pending: ME_R/synapses/Tm3.svg
</failure>
    </testcase>
    <testcase classname="eyemap.ME_R.synapses" name="Tm9.svg">
      <error message="its hash is no hash" type="damaged">ME_R/synapses/Tm9.svg
Tm9 ME R synapses
pending: ME_R/synapses/Tm9.svg
</error>
    </testcase>
    <system-out>a &lt;note&gt;
</system-out>
  </testsuite>
</testsuites>
"#);
    }

    #[test]
    fn a_clean_comparison_has_a_test_case_that_passes() {
        let clean = text(&samples::all(vec![]));
        let document = Document::parse(&clean).unwrap();
        let cases = named(&document, "testcase");
        assert_eq!(cases.len(), 1);
        assert_eq!(
            cases[0].attribute("name"),
            Some("100 artifacts as approved")
        );
        assert!(!cases[0].has_children());
    }

    proptest! {
        #[test]
        fn any_text_is_read_back_as_it_is_shown(
            name in ".{0,30}",
            message in prop_oneof!["(?s).{0,60}", proptest::sample::select(&samples::HOSTILE[..]).prop_map(String::from)],
            failed in any::<bool>(),
        ) {
            let verdict = if failed { Verdict::Failed } else { Verdict::Missing };
            let mut difference = samples::value(3);
            difference.after.clone_from(&message);
            let finding = samples::finding(&name, verdict, &message, vec![difference.clone()]);
            let xml = text(&samples::all(vec![finding]));
            let document = Document::parse(&xml).unwrap();
            let element = if failed { "error" } else { "failure" };
            let found = named(&document, element);
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!(found[0].attribute("message"), Some(&*plain(&message, LONGEST)));
            let line = plain(&difference.line(), LONGEST);
            prop_assert!(found[0].text().unwrap_or_default().lines().any(|l| l == line));
            let suite = named(&document, "testsuite")[0];
            let count = |name| suite.attribute(name).unwrap().parse::<usize>().unwrap();
            prop_assert_eq!(count("tests"), 101);
            prop_assert_eq!((count("errors"), count("failures")), (usize::from(failed), usize::from(!failed)));
        }
    }
}
