//! Compares what the SDK and the ABI offer with what they offered before, by `cargo-semver-checks`.

use std::process::Command;

use crate::{
    Done,
    museum::{PUBLISHED, newest_tag},
    process::{cargo, exists, run as run_to_end},
};

/// The crates that plugins are written against.
const PACKAGES: [&str; 2] = ["eyemap-abi", "eyemap-sdk"];

/// As `cargo xtask semver`: fails where a plugin's source might no longer compile although the version
/// says that it does. The baseline is the newest tag `v*`, and without one the ABI as published.
pub(crate) fn run() -> Done {
    if !exists("cargo-semver-checks") {
        return Err(
            "this needs `cargo-semver-checks` on the PATH (cargo install cargo-semver-checks --locked)"
                .into(),
        );
    }
    let baseline = newest_tag().unwrap_or_else(|| PUBLISHED.to_owned());
    if !has(&baseline) {
        return Err(format!(
            "this checkout has no revision {baseline} to compare with: fetch the whole history"
        ));
    }
    println!("comparing with {baseline}");
    let mut checks = cargo(&[
        "semver-checks",
        "check-release",
        "--baseline-rev",
        &baseline,
    ]);
    for package in PACKAGES {
        checks.args(["--package", package]);
    }
    run_to_end(&mut checks)
}

fn has(revision: &str) -> bool {
    let mut git = Command::new("git");
    git.args(["cat-file", "-e"])
        .arg(format!("{revision}^{{commit}}"))
        .current_dir(crate::process::root())
        .stderr(std::process::Stdio::null());
    git.status().is_ok_and(|status| status.success())
}
