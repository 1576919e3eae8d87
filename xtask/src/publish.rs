//! The crates that plugins are written against, for a registry.

use crate::{
    Done,
    process::{cargo, run as run_to_end},
};

/// In the order in which one needs the other.
const CRATES: [&str; 2] = ["eyemap-abi", "eyemap-sdk"];

/// As `cargo xtask publish [--dry-run]`: packs the crates and builds them from what was packed. Only without
/// `--dry-run` they are uploaded, for which cargo has to be logged in and all has to be committed.
pub(crate) fn run(is_dry: bool) -> Done {
    let mut publish = cargo(&["publish", "--locked"]);
    for name in CRATES {
        publish.args(["--package", name]);
    }
    if is_dry {
        publish.args(["--dry-run", "--allow-dirty"]);
    }
    run_to_end(&mut publish)
}
