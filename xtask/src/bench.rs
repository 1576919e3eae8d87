//! Runs the benches against release builds of the plugins, and the programs beside them.

use std::process::Command;

use crate::{
    Done,
    build::{self, target_dir},
    process::{cargo, run as run_to_end},
};

/// Builds, and runs all benches or those that a filter names.
pub(crate) fn run(filter: Option<&str>) -> Done {
    let built = build::run_into(true)?;
    let mut bench = cargo(&["bench", "--package", "eyemap-benches"]);
    if let Some(filter) = filter {
        bench.args(["--", filter]);
    }
    run_to_end(bench.env("EYEMAP_BUILD_DIR", &built.dir))
}

/// Runs `workload`, which makes tables, with its arguments.
pub(crate) fn workload(arguments: &[&str]) -> Done {
    run_to_end(program("workload")?.args(arguments))
}

/// Runs a program that measures the command, with its arguments.
pub(crate) fn report(name: &str, arguments: &[&str]) -> Done {
    let built = build::run_into(true)?;
    // The tables are made by a program of its own, so that the one that measures stays small.
    let workload = program("workload")?;
    let mut report = program(name)?;
    report
        .args(arguments)
        .env("EYEMAP_BUILD_DIR", &built.dir)
        .env("EYEMAP_WORKLOAD", workload.get_program());
    run_to_end(&mut report)
}

/// A program of the benches, in release. It runs where the user is, so that paths are as typed.
fn program(name: &str) -> Result<Command, String> {
    run_to_end(&mut cargo(&[
        "build",
        "--release",
        "--package",
        "eyemap-benches",
        "--bin",
        name,
    ]))?;
    Ok(Command::new(target_dir().join("release").join(name)))
}
