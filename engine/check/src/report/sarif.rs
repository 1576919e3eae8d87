//! SARIF 2.1.0, the form in which code hosts show results of analyses. A check is a rule, a failure a
//! result; what holds or was skipped is no result.

use serde_json::{Value, json};

use super::{Report, words::lines};
use crate::{CHECKS, Check, Fault, Outcome, text::plain};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// Texts are cut after so many characters.
const LONGEST: usize = 1000;

/// The report as a SARIF log.
pub fn sarif(report: &Report) -> Value {
    let rules: Vec<&Check> = CHECKS.iter().copied().flatten().collect();
    let results: Vec<Value> = report
        .done
        .iter()
        .filter_map(|done| match &done.outcome {
            Outcome::Failed(fault) => Some(result(report, done.check, fault, &rules)),
            _ => None,
        })
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "eyemap plugin check",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|check| rule(check)).collect::<Vec<_>>(),
            }},
            "invocations": [{ "executionSuccessful": true }],
            "artifacts": [{
                "location": { "uri": uri(report) },
                "hashes": { "sha-256": report.sha256 },
            }],
            "results": results,
        }],
    })
}

fn rule(check: &Check) -> Value {
    json!({
        "id": check.id,
        "shortDescription": { "text": check.holds },
        "defaultConfiguration": { "level": "error" },
    })
}

fn result(report: &Report, check: &Check, fault: &Fault, rules: &[&Check]) -> Value {
    let mut text = vec![plain(&fault.what, LONGEST)];
    text.extend(lines(fault));
    text.push(format!("Remedy: {}", plain(&fault.remedy, LONGEST)));
    text.push(format!("Again: {}", report.again(check)));
    json!({
        "ruleId": check.id,
        "ruleIndex": rules.iter().position(|rule| rule.id == check.id),
        "level": "error",
        "message": { "text": text.join("\n") },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(report), "index": 0 },
        }}],
        // The same failure of a new build of the plugin is the same failure.
        "partialFingerprints": { "check/v1": check.id },
    })
}

/// The path as a URI reference: relative if it was named so.
fn uri(report: &Report) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    let mut uri = String::new();
    if report.path.is_absolute() {
        uri.push_str("file://");
    }
    for &byte in report.path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}
