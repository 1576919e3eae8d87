//! Runs the benches against release builds of the plugins.

use crate::{
    Done, build,
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
