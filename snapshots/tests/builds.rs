//! Debug and release builds, of the command and of its plugins, draw the same bytes with any number of
//! threads: what one approves the others find as approved, every time.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// The release build, that `cargo xtask builds` makes beside the other.
fn release() -> PathBuf {
    let dir = std::env::var_os("EYEMAP_RELEASE_DIR");
    dir.map(PathBuf::from)
        .expect("EYEMAP_RELEASE_DIR is not set: run this with `cargo xtask builds`")
}

fn verify(command: &mut Command, dir: &Path, arguments: &[&str]) -> Output {
    eyemap_snapshots::outside_ci(command)
        .current_dir(dir)
        .env_remove("EYEMAP_PLUGIN_PATH")
        .arg("verify")
        .args(arguments)
        .output()
        .expect("eyemap starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A laboratory's directory with real data, approved by a debug build.
fn laboratory(example: &str, formats: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    let example = eyemap_snapshots::project("examples").join(example);
    for entry in std::fs::read_dir(&example).expect("an example").flatten() {
        std::fs::copy(entry.path(), dir.path().join(entry.file_name())).expect("copied");
    }
    let table = ["counts.csv", "cells.csv", "cells.csv.gz"];
    let table = table
        .into_iter()
        .find(|name| dir.path().join(name).exists());
    let arguments = [
        "init",
        table.expect("a table"),
        "--config",
        "eyemap.toml",
        "--format",
        formats,
    ];
    let mut debug = eyemap_snapshots::eyemap();
    let done = verify(&mut debug, dir.path(), &arguments);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    dir
}

#[test]
fn twenty_unchanged_runs_of_both_builds_with_one_and_two_threads_raise_no_alarm() {
    let labs = [
        laboratory("synthetic", "svg,svg-static,json,png"),
        laboratory("nern2024", "svg"),
    ];
    for run in 0..20 {
        let lab = &labs[usize::from(run % 4 == 3)];
        let mut command = match run % 2 {
            0 => Command::new(release().join("eyemap")),
            _ => eyemap_snapshots::eyemap(),
        };
        let jobs = if run % 4 < 2 { "1" } else { "2" };
        let done = verify(&mut command, lab.path(), &["--jobs", jobs, "--guard", "0"]);
        let said = said(&done);
        assert_eq!(done.status.code(), Some(0), "run {run}: {said}");
        assert!(said.contains("artifacts compared"), "run {run}: {said}");
        assert!(!said.contains("differ"), "run {run}: {said}");
    }
}

#[test]
fn the_guard_draws_the_same_with_plugins_of_the_other_build() {
    let lab = laboratory("synthetic", "svg,png");
    let plugins = release().join("plugins");
    let plugins = plugins.to_str().expect("a path of plain letters");
    let arguments = ["--guard", "12", "--guard-plugins", plugins];
    let done = verify(&mut eyemap_snapshots::eyemap(), lab.path(), &arguments);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
}
