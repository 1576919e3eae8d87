//! Whole runs of the built command.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The command of the build that is measured.
#[derive(Debug, Clone)]
pub struct Eyemap(PathBuf);

impl Eyemap {
    /// The one in `EYEMAP_BUILD_DIR`.
    ///
    /// # Panics
    /// When nothing was built.
    pub fn built() -> Self {
        let build = std::env::var_os("EYEMAP_BUILD_DIR").map(PathBuf::from);
        let build = build.unwrap_or_else(|| panic!("run the benches with `cargo xtask bench`"));
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        Self(root.join(build).join("eyemap"))
    }

    /// Draws the right medulla of a table anew, with a configuration of `dir` and on so many threads.
    /// Milliseconds of drawing and writing.
    ///
    /// # Panics
    /// When the run fails.
    pub fn render_ms(&self, table: &Path, dir: &Path, config: &str, jobs: &str) -> f64 {
        let output = Command::new(&self.0)
            .arg("render")
            .arg(table)
            .args(["--region", "ME", "--side", "R"])
            .args(["--json", "--force", "--jobs", jobs, "-o"])
            .arg(dir.join("out"))
            .arg("--config")
            .arg(dir.join(config))
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", self.0.display()));
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        let summary: serde_json::Value =
            serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        let elapsed = summary["elapsed_ms"].as_f64();
        elapsed.unwrap_or_else(|| panic!("no time in {said}"))
    }
}
