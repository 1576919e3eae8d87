//! `eyemap plugin check`: each check can pass and can fail, whatever a plugin does the command goes on,
//! and nothing is left of its processes.

mod file;
mod loading;
mod patch;
mod processes;
mod reports;

use std::{path::PathBuf, process::Output};

use eyemap_snapshots::{build_dir, library, plugin};
use serde_json::Value;

/// A directory with a library in it.
struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn new(bytes: &[u8]) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("libx.so"), bytes).expect("a library");
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let path = self.path("libx.so");
        let path = path.to_str().expect("a plain path");
        eyemap_snapshots::run(&[&["plugin", "check", path], arguments].concat())
    }

    /// Its report, and its exit code.
    fn report(&self, arguments: &[&str]) -> (Value, i32) {
        let output = self.run(&[arguments, &["--json"]].concat());
        let report = serde_json::from_slice(&output.stdout);
        let report = report.unwrap_or_else(|error| panic!("{error}: {output:?}"));
        (report, output.status.code().expect("an exit code"))
    }

    /// Asks one check, which must fail; what it says, in one line.
    fn failure(&self, id: &str) -> String {
        let (report, code) = self.report(&["--only", id]);
        let check = &report["checks"][0];
        assert_eq!(check["outcome"], "failed", "{check:#}");
        assert_eq!((check["id"].as_str(), code), (Some(id), 1));
        assert!(!check["remedy"].as_str().unwrap_or_default().is_empty());
        format!("{} {}", check["what"], check["details"])
    }
}

/// One check must fail and say this.
fn fails(bytes: &[u8], id: &str, said: &str) {
    let failure = Desk::new(bytes).failure(id);
    assert!(failure.contains(said), "{id}: no {said:?} in {failure}");
}

/// One check must pass.
fn passes(bytes: &[u8], id: &str) {
    let (report, code) = Desk::new(bytes).report(&["--only", id]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(report["passed"], 1, "{report:#}");
}

/// A plugin that passes all.
fn good() -> Vec<u8> {
    std::fs::read(plugin("lru-policy")).expect("a plugin of the bundle")
}

fn example(name: &str) -> Vec<u8> {
    let path = build_dir().join("examples").join(library(name));
    std::fs::read(path).expect("a fixture: run the tests with `cargo xtask test`")
}

/// The fixture with one fault.
fn faulty(fault: &str) -> Vec<u8> {
    let marker = format!("EYEMAP-FILE-FAULT:{:22}", "none");
    let fault = format!("EYEMAP-FILE-FAULT:{fault:22}");
    patch::replace(&example("file_faults"), marker.as_bytes(), fault.as_bytes())
}
