//! A store beside the files, the processes and the faults of others.

use std::{
    path::Path,
    process::{Child, Command, Output},
    time::Duration,
};

use serde_json::Value;

use super::store::{ATLAS, STORED, counts, desk, summary};
use crate::{Desk, fails, files_in, succeeds, words};

fn verify(desk: &Desk, more: &[&str]) -> Output {
    let mut command = eyemap_snapshots::eyemap();
    command
        .args(["cache", "verify", "--store", "store"])
        .args(more)
        .current_dir(desk.dir.path())
        .output()
        .expect("eyemap runs")
}

/// What `eyemap cache verify` finds in a store that is damaged.
fn found_damaged(desk: &Desk) -> Value {
    let output = verify(desk, &["--json"]);
    assert_eq!(output.status.code(), Some(5), "{}", words(&output));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Files whose names look like a store's, and one that does not.
fn project(desk: &Desk) {
    for name in [
        "project/00/112233445566778899aabbccddeeff",
        "project/policy-1",
        "project/log",
        "project/ab/notes.txt",
    ] {
        let path = desk.path(name);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("made");
        std::fs::write(path, "of somebody").expect("written");
    }
}

#[test]
fn a_directory_of_somebody_else_is_no_store_and_the_maps_are_drawn_without_one() {
    let desk = desk(3);
    summary(&desk, &[]);
    let drawn = desk.files();
    project(&desk);
    let before = files_in(&desk.path("project"));
    std::fs::remove_dir_all(desk.path("out")).expect("removed");
    let output = desk.render(&[&ATLAS[..], &["--store", "project"]].concat());
    succeeds(&output);
    let told = words(&output);
    assert!(told.contains("project is not a store: it holds"), "{told}");
    assert!(
        told.contains("name a directory that is empty or does not exist yet"),
        "{told}"
    );
    assert!(desk.files() == drawn);
    for what in ["verify", "clear"] {
        let mut command = eyemap_snapshots::eyemap();
        let output = command
            .args(["cache", what, "--store", "project"])
            .current_dir(desk.dir.path())
            .output()
            .expect("eyemap runs");
        fails(&output, 2, &["project is not a store"]);
    }
    assert!(files_in(&desk.path("project")) == before);
}

#[test]
fn an_empty_name_is_no_store() {
    let desk = desk(1);
    desk.write("eyemap.toml", "[cache.artifacts]\nstore = \"\"\n");
    let before = files_in(desk.dir.path());
    fails(
        &desk.render(&["--config", "eyemap.toml"]),
        2,
        &[
            "eyemap.toml:2",
            "cache.artifacts.store: name a directory, such as .eyemap/cache",
        ],
    );
    fails(&desk.render(&["--store", ""]), 2, &["--store"]);
    assert!(files_in(desk.dir.path()) == before);
}

/// A process that takes the lock of the store and is stopped then.
struct Stopped(Child);

impl Stopped {
    fn holding(lock: &Path) -> Self {
        let script = "exec 9>>\"$0\" && flock 9 && kill -STOP $$";
        let child = Command::new("sh").args(["-c", script]).arg(lock).spawn();
        let stopped = Self(child.expect("sh starts"));
        while !stopped.is_stopped() {
            std::thread::sleep(Duration::from_millis(2));
        }
        stopped
    }

    /// The letter of its state stands after its name, which is in parentheses.
    fn is_stopped(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()));
        let stat = stat.expect("a process");
        let state = stat.rsplit(") ").next().expect("a state");
        assert!(!state.starts_with('Z'), "it has ended");
        state.starts_with('T')
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.0.kill().expect("killed");
        self.0.wait().expect("it ends");
    }
}

#[test]
fn a_process_that_was_stopped_with_the_lock_in_its_hands_stops_no_other() {
    if !eyemap_engine::testing::has("flock") {
        return;
    }
    let desk = desk(40);
    assert_eq!(counts(&summary(&desk, &STORED)), [40, 0, 0]);
    let drawn = desk.files();
    let again = |salt: &str| {
        std::fs::remove_dir_all(desk.path("out")).expect("removed");
        summary(&desk, &[&STORED[..], &["--scale", salt]].concat())
    };
    let stopped = Stopped::holding(&desk.path("store/lock"));
    let warm = again("1");
    assert_eq!(counts(&warm), [0, 40, 40]);
    assert!(desk.files() == drawn);
    let told = warm["notes"].to_string();
    assert!(
        told.contains("another process held the lock of the store store"),
        "{told}"
    );
    // All that is drawn anew is drawn, and none of it is kept.
    let cold = again("2");
    assert_eq!(counts(&cold), [40, 0, 0]);
    let told = cold["notes"].to_string();
    assert!(
        told.contains("40 artifacts could not be put into it"),
        "{told}"
    );
    fails(
        &verify(&desk, &[]),
        2,
        &["is held by another process", "fuser store/lock"],
    );
    drop(stopped);
    assert_eq!(counts(&again("2")), [40, 0, 0]);
    assert_eq!(counts(&again("2")), [0, 40, 40]);
    succeeds(&verify(&desk, &[]));
}

#[test]
fn a_check_tells_of_a_damaged_beginning_of_the_log_and_loses_no_artifact() {
    let desk = desk(6);
    summary(&desk, &STORED);
    let log = desk.path("store/log");
    let mut bytes = std::fs::read(&log).expect("a log");
    bytes[5] ^= 1;
    std::fs::write(&log, &bytes).expect("damaged");
    let found = found_damaged(&desk);
    assert_eq!(
        (&found["damaged_header"], &found["sound"], &found["orphans"]),
        (&true.into(), &6.into(), &0.into())
    );
    std::fs::write(&log, &bytes).expect("damaged");
    let output = verify(&desk, &[]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("the beginning of the log was damaged"),
        "{text}"
    );
    succeeds(&verify(&desk, &[]));
}

#[test]
fn a_check_tells_of_an_artifact_that_became_a_directory_and_leaves_it() {
    let desk = desk(6);
    summary(&desk, &STORED);
    let mut files = files_in(&desk.path("store")).into_keys();
    let name = files
        .find(|name| name.as_bytes().get(2) == Some(&b'/'))
        .expect("an artifact");
    let at = desk.path("store").join(&name);
    std::fs::remove_file(&at).expect("removed");
    std::fs::create_dir(&at).expect("made");
    let found = found_damaged(&desk);
    assert_eq!(
        (&found["damaged"], &found["sound"], &found["left"]["first"]),
        (&1.into(), &5.into(), &serde_json::json!([name]))
    );
    let output = verify(&desk, &[]);
    succeeds(&output);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("left, for it may belong to somebody else") && text.contains(&name),
        "{text}"
    );
    assert!(at.is_dir());
}

#[test]
fn what_is_left_is_named_also_where_its_name_is_no_text() {
    use std::os::unix::ffi::OsStrExt as _;
    let desk = desk(1);
    summary(&desk, &STORED);
    let name = std::ffi::OsStr::from_bytes(b"\x1b[31m\xff");
    std::fs::write(desk.path("store").join(name), "of somebody").expect("written");
    let output = verify(&desk, &["--json"]);
    succeeds(&output);
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(found["left"]["count"], 1, "{found}");
    let output = verify(&desk, &[]);
    succeeds(&output);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("\\u{1b}[31m\\xFF"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}
