//! Links and pipes in a snapshot directory: nothing behind them is changed, and nobody waits for them.

use std::{fs, os::unix::fs::symlink, process::Command};

use eyemap_snapshots::desk::Desk;

use crate::{TABLE, approved, edit, fails, files_in, succeeds, verify};

const ONE: [&str; 8] = [
    "--type", "Mi1", "--region", "ME", "--side", "R", "--metric", "cells",
];

/// A directory of somebody else, with files that look like ours.
fn theirs(desk: &Desk) {
    fs::create_dir_all(desk.path("theirs/ME_R")).expect("created");
    desk.write("theirs/ME_R/stray", "1");
    desk.write("theirs/a.svg.snap.new", "2");
    desk.write("theirs/findings.json", "3");
}

#[test]
fn references_that_are_a_link_lose_no_file_of_others() {
    let desk = approved(TABLE, &[&ONE[..], &["--keep", "9"]].concat());
    theirs(&desk);
    let before = files_in(&desk.path("theirs"));
    fs::remove_dir_all(desk.path("snapshots/references")).expect("removed");
    symlink(desk.path("theirs"), desk.path("snapshots/references")).expect("linked");
    for arguments in [&["--guard", "0"][..], &["accept"]] {
        let output = verify(&desk, arguments);
        fails(&output, 2, &[]);
        assert!(files_in(&desk.path("theirs")) == before, "{arguments:?}");
    }
    let told = ["snapshots/references is a symbolic link"];
    fails(&verify(&desk, &["--guard", "0"]), 2, &told);
}

#[test]
fn a_link_among_references_is_an_orphan_and_only_the_link_goes() {
    let desk = approved(TABLE, &[&ONE[..], &["--keep", "9"]].concat());
    theirs(&desk);
    let before = files_in(&desk.path("theirs"));
    symlink(desk.path("theirs"), desk.path("snapshots/references/LO_R")).expect("linked");
    fails(&verify(&desk, &["--guard", "0"]), 4, &["is orphaned"]);
    succeeds(&verify(&desk, &["accept"]));
    assert!(files_in(&desk.path("theirs")) == before);
    assert!(!desk.path("snapshots/references/LO_R").exists());
    succeeds(&verify(&desk, &["--guard", "0"]));
}

#[test]
fn a_report_that_is_a_link_is_not_written_through() {
    let desk = approved(TABLE, &ONE);
    theirs(&desk);
    let before = files_in(&desk.path("theirs"));
    let _ = fs::remove_dir_all(desk.path("snapshots/report"));
    symlink(desk.path("theirs"), desk.path("snapshots/report")).expect("linked");
    let told = ["snapshots/report is a symbolic link"];
    fails(&verify(&desk, &["--guard", "0"]), 2, &told);
    fails(&verify(&desk, &["accept"]), 2, &told);
    fails(&verify(&desk, &["report"]), 2, &told);
    assert!(files_in(&desk.path("theirs")) == before);
    // A directory that the user names may be reached through a link.
    symlink(desk.path("theirs"), desk.path("mine")).expect("linked");
    succeeds(&verify(&desk, &["--guard", "0", "--out", "mine"]));
    assert!(desk.path("theirs/report.html").exists());
}

#[test]
fn pipes_in_place_of_lists_and_pictures_are_named_at_once() {
    let desk = approved(TABLE, &[&ONE[..], &["--keep", "9"]].concat());
    let payload = "snapshots/references/ME_R/cells/Mi1.svg.snap.svg";
    let compare = ["--guard", "0"];
    for (name, code, arguments) in [
        ("snapshots/verify.toml", 2, &compare[..]),
        ("snapshots/manifest.txt", 2, &compare),
        ("snapshots/references/ME_R/cells/Mi1.svg.snap", 5, &compare),
        (payload, 5, &compare),
        ("snapshots/report/findings.json", 2, &["accept"]),
        ("accept.json", 2, &["accept", "--from", "accept.json"]),
    ] {
        // Something is to be accepted.
        let table = fs::read_to_string(desk.path("table.csv")).expect("a table");
        edit(
            &desk,
            "table.csv",
            "Mi1,ME,R,5,5,0,10,1",
            "Mi1,ME,R,5,5,0,10,5",
        );
        fails(&verify(&desk, &compare), 1, &[]);
        desk.write("table.csv", table);
        let path = desk.path(name);
        let there = fs::read(&path).ok();
        let _ = fs::remove_file(&path);
        let made = Command::new("mkfifo").arg(&path).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo {name}");
        fails(&verify(&desk, arguments), code, &["is a FIFO"]);
        fs::remove_file(&path).expect("removed");
        there.map(|bytes| desk.write(name, bytes));
    }
}
