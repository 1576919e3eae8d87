//! `eyemap verify` as its users meet it: approve, change, look, approve again.
//!
//! Every run says by itself whether it is in a CI system, as these tests run in one too.

#[path = "verify/accept.rs"]
mod accept;
#[path = "verify/approval.rs"]
mod approval;
#[path = "verify/changes.rs"]
mod changes;
#[path = "verify/ci.rs"]
mod ci;
#[path = "verify/damage.rs"]
mod damage;
#[path = "verify/damage_of_lists.rs"]
mod damage_of_lists;
#[path = "verify/hashes.rs"]
mod hashes;
#[path = "verify/insta.rs"]
mod insta;
#[path = "verify/interruption.rs"]
mod interruption;
#[path = "verify/others_files.rs"]
mod others_files;
#[path = "verify/plugin.rs"]
mod plugin;
#[path = "verify/shards.rs"]
mod shards;
#[path = "verify/tolerance.rs"]
mod tolerance;
#[path = "verify/unchanged.rs"]
mod unchanged;

use std::process::{Command, Output};

use eyemap_snapshots::desk::{Desk, TABLE, fails, files_in, stderr, succeeds, words};
use serde_json::Value;

/// All formats, as `--format` takes them.
const ALL: &str = "svg,svg-static,json,png";

/// `eyemap verify` in a directory, outside of any CI system.
fn verify_command(desk: &Desk, arguments: &[&str]) -> Command {
    let mut command = eyemap_snapshots::eyemap();
    command.arg("verify").args(arguments);
    command.current_dir(desk.dir.path());
    command
}

/// Runs `eyemap verify` with arguments.
fn verify(desk: &Desk, arguments: &[&str]) -> Output {
    verify_in(desk, arguments, &[])
}

/// Runs it with an environment.
fn verify_in(desk: &Desk, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = verify_command(desk, arguments);
    command.envs(environment.iter().copied());
    command.output().expect("eyemap runs")
}

/// Runs `eyemap verify init table.csv`, which approves what is drawn now.
#[track_caller]
fn init(desk: &Desk, more: &[&str]) {
    let arguments = [&["init", "table.csv"], more].concat();
    succeeds(&verify(desk, &arguments));
}

/// A table whose pictures are approved.
#[track_caller]
fn approved(table: &str, more: &[&str]) -> Desk {
    let desk = Desk::new(table);
    init(&desk, more);
    desk
}

/// A table and a configuration whose pictures are approved.
#[track_caller]
fn approved_with(config: &str, more: &[&str]) -> Desk {
    let desk = Desk::new(TABLE);
    desk.write("eyemap.toml", config);
    init(&desk, &[&["--config", "eyemap.toml"], more].concat());
    desk
}

/// A JSON document below the directory.
#[track_caller]
fn json(desk: &Desk, path: &str) -> Value {
    let bytes = std::fs::read(desk.path(path)).expect(path);
    serde_json::from_slice(&bytes).expect(path)
}

/// What the last comparison found.
#[track_caller]
fn findings(desk: &Desk) -> Value {
    json(desk, "snapshots/report/findings.json")
}

/// Findings, as they are listed.
fn listed(findings: &Value) -> &[Value] {
    findings["findings"].as_array().map_or(&[], Vec::as_slice)
}

/// Paths of findings.
fn paths(findings: &Value) -> Vec<&str> {
    let all = listed(findings).iter();
    all.filter_map(|finding| finding["path"].as_str()).collect()
}

/// Kinds of the differences of a finding, each once, in their order.
fn kinds(finding: &Value) -> Vec<&str> {
    let all = finding["differences"].as_array().into_iter().flatten();
    let mut kinds: Vec<&str> = all.filter_map(|one| one["kind"].as_str()).collect();
    kinds.dedup();
    kinds
}

/// The finding of an artifact.
#[track_caller]
fn finding<'f>(findings: &'f Value, path: &str) -> &'f Value {
    let mut all = listed(findings).iter();
    let found = all.find(|finding| finding["path"] == path);
    found.unwrap_or_else(|| panic!("{path} is not among {:?}", paths(findings)))
}

/// First line of what is said.
fn first_line(output: &Output) -> String {
    stderr(output).lines().next().unwrap_or_default().to_owned()
}

/// Names of files that wait to be accepted beside what was approved.
fn pending(desk: &Desk) -> Vec<String> {
    let names = files_in(&desk.path("snapshots")).into_keys();
    names.filter(|name| name.contains(".snap.new")).collect()
}

/// Replaces text of a file that has it.
#[track_caller]
fn edit(desk: &Desk, name: &str, from: &str, to: &str) {
    let text = std::fs::read_to_string(desk.path(name)).expect(name);
    assert!(text.contains(from), "{name} has no {from:?}: {text}");
    desk.write(name, text.replacen(from, to, 1));
}
