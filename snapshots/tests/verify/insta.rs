//! `cargo insta accept` accepts what is pending, with the program that Rust projects review snapshots with.

use std::process::{Command, Output};

use eyemap_snapshots::desk::Desk;

use crate::{
    ALL, TABLE, approved, edit, files_in, first_line, pending, stderr, succeeds, verify, words,
};

/// Runs `cargo insta accept` in a directory.
fn cargo_insta(desk: &Desk) -> Output {
    let mut command = Command::new("cargo-insta");
    // Settings of the machine must not change what it does here.
    for name in [
        "INSTA_UPDATE",
        "INSTA_WORKSPACE_ROOT",
        "INSTA_FORCE_PASS",
        "CI",
    ] {
        command.env_remove(name);
    }
    let command = command.arg("accept").current_dir(desk.dir.path());
    command.output().expect("cargo-insta starts")
}

/// A package without anything, as `cargo insta` wants one above the snapshots.
fn package(desk: &Desk) {
    desk.write(
        "Cargo.toml",
        "[package]\nname = \"maps\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[lib]\npath = \"lib.rs\"\n[workspace]\n",
    );
    desk.write("lib.rs", "");
}

/// Approves, changes a value, compares, and lets `cargo insta` accept, where it is there.
#[track_caller]
fn accepted_by_insta(keep: &str) -> Option<Desk> {
    if !eyemap_snapshots::has("cargo-insta") {
        return None;
    }
    let desk = approved(TABLE, &["--format", ALL, "--keep", keep]);
    package(&desk);
    edit(
        &desk,
        "table.csv",
        "Mi1,ME,R,5,5,0,10,1",
        "Mi1,ME,R,5,5,0,12,1",
    );
    edit(&desk, "table.csv", "Tm3,LO", "Tx,ME,R,5,5,0,3,1\nTm3,LO");
    assert_eq!(verify(&desk, &[]).status.code(), Some(1));
    assert!(!pending(&desk).is_empty());
    let output = cargo_insta(&desk);
    succeeds(&output);
    assert_eq!(pending(&desk), [""; 0], "{}", stderr(&output));
    Some(desk)
}

#[test]
fn kept_pictures_that_cargo_insta_accepted_pass() {
    let Some(desk) = accepted_by_insta("100") else {
        return;
    };
    let output = verify(&desk, &[]);
    succeeds(&output);
    assert_eq!(first_line(&output), "72 artifacts compared: 72 as approved");
    let note =
        "28 artifacts were accepted beside the manifest; `eyemap verify accept` takes them in";
    assert!(words(&output).contains(note), "{}", words(&output));
    let picture = "references/ME_R/synapses/Mi1.png.snap.png";
    let kept = |desk: &Desk| files_in(&desk.path("snapshots"))[picture].clone();
    let accepted = kept(&desk);
    let output = verify(&desk, &["accept"]);
    succeeds(&output);
    assert!(words(&output).contains("28 accepted beside the manifest taken in"));
    assert_eq!(kept(&desk), accepted);
    let output = verify(&desk, &[]);
    succeeds(&output);
    // Nothing but how many are as approved, and how long that took.
    assert_eq!(stderr(&output).lines().count(), 2, "{}", stderr(&output));
}

#[test]
fn hashes_that_cargo_insta_accepted_pass_and_leave_no_files() {
    let Some(desk) = accepted_by_insta("0") else {
        return;
    };
    let loose = files_in(&desk.path("snapshots/references"));
    assert_eq!(loose.len(), 28, "{:?}", loose.keys());
    let output = verify(&desk, &[]);
    succeeds(&output);
    assert!(words(&output).contains("28 artifacts were accepted beside the manifest"));
    succeeds(&verify(&desk, &["accept"]));
    let loose = files_in(&desk.path("snapshots/references"));
    assert!(loose.is_empty(), "{:?}", loose.keys());
    let manifest = std::fs::read_to_string(desk.path("snapshots/manifest.txt")).expect("it");
    assert_eq!(manifest.lines().count(), 73);
    let output = verify(&desk, &[]);
    succeeds(&output);
    // Nothing but how many are as approved, and how long that took.
    assert_eq!(stderr(&output).lines().count(), 2, "{}", stderr(&output));
}
