//! The report for machines.

use serde_json::{Value, json};

use super::{Done, Report};
use crate::{Ask, Of, Outcome};

/// Version of this form. Keys may be added without a new one.
pub const FORM: u32 = 1;

/// The report as one document.
pub fn json(report: &Report) -> Value {
    let counts = report.counts();
    json!({
        "form": FORM,
        "file": report.path.to_string_lossy(),
        "sha256": report.sha256,
        "plugin": report.plugin,
        "seed": report.seed.to_string(),
        "in_process": report.in_process,
        "passed": counts.passed,
        "failed": counts.failed,
        "skipped": counts.skipped,
        "took_ms": report.took.as_millis() as u64,
        "checks": report.done.iter().map(|done| check(report, done)).collect::<Vec<_>>(),
    })
}

fn check(report: &Report, done: &Done) -> Value {
    let mut value = json!({
        "id": done.check.id,
        "holds": done.check.holds,
        "of": match done.check.of {
            Of::Files => "file",
            Of::Stages => "stages",
            Of::Policies => "policy",
        },
        "runs_code": !matches!(done.check.ask, Ask::File(_)),
        "took_ms": done.took.as_secs_f64() * 1e3,
        "printed_bytes": done.printed_bytes,
    });
    match &done.outcome {
        Outcome::Passed { note } => {
            value["outcome"] = "passed".into();
            value["note"] = note.clone().into();
        }
        Outcome::Skipped { why } => {
            value["outcome"] = "skipped".into();
            value["why"] = why.clone().into();
        }
        Outcome::Failed(fault) => {
            value["outcome"] = "failed".into();
            value["what"] = fault.what.clone().into();
            value["details"] = fault.details.clone().into();
            value["remedy"] = fault.remedy.clone().into();
            value["again"] = report.again(done.check).into();
        }
    }
    value
}
