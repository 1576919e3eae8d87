//! Asks one check as its users do, by the command.

use std::path::Path;

use eyemap_check::{Check, Fault, Outcome};
use eyemap_snapshots::eyemap;
use serde_json::Value;

/// What the command says of one check of a library.
///
/// # Panics
/// When it does not answer with a document.
pub(crate) fn asked(library: &Path, check: &Check) -> Outcome {
    asked_from(library, check, 7)
}

/// As [`asked`], with random inputs from this seed.
pub(crate) fn asked_from(library: &Path, check: &Check, seed: u64) -> Outcome {
    let mut command = eyemap();
    command.args(["plugin", "check"]).arg(library);
    let output = command
        .args(["--only", check.id, "--json", "--reproduce"])
        .arg(seed.to_string())
        .output()
        .unwrap_or_else(|error| panic!("{error}"));
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let found = &document["checks"][0];
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    match found["outcome"].as_str() {
        Some("passed") => Outcome::noted(text("note")),
        Some("skipped") => Outcome::skipped(text("why")),
        Some("failed") => Outcome::Failed(Fault {
            what: text("what"),
            details: serde_json::from_value(found["details"].clone()).unwrap_or_default(),
            remedy: text("remedy"),
        }),
        _ => panic!("no outcome in {found}"),
    }
}
