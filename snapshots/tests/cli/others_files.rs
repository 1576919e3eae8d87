//! Files of others: what lies behind a link is left alone, what is no file is named, and nobody waits for it.

use std::{os::unix::fs::symlink, process::Command};

use crate::{Desk, TABLE, fails, files_in, succeeds, words};

const ONE: [&str; 8] = [
    "--type", "Mi1", "--region", "ME", "--side", "R", "--metric", "cells",
];

/// A named pipe that nobody writes into.
fn fifo(desk: &Desk, name: &str) {
    let path = desk.path(name);
    let _ = std::fs::remove_file(&path);
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo {name}");
}

#[test]
fn a_link_in_an_output_directory_is_named_and_nothing_behind_it_changes() {
    let desk = Desk::new(TABLE);
    std::fs::create_dir_all(desk.path("theirs/cells")).expect("created");
    desk.write("theirs/cells/Mi1.svg", "theirs");
    std::fs::create_dir(desk.path("out")).expect("created");
    symlink(desk.path("theirs"), desk.path("out/ME_R")).expect("linked");
    let before = files_in(&desk.path("theirs"));
    // The maps behind it fail, the others are drawn.
    let output = desk.render(&[]);
    fails(&output, 1, &["out/ME_R is a symbolic link", "move it away"]);
    assert!(files_in(&desk.path("theirs")) == before);
    assert!(desk.path("out/LO_L/cells/Tm3.svg").exists());
    // Pruning does not reach there either.
    fails(&desk.render(&["--prune", "--type", "Mi1"]), 1, &[]);
    assert!(files_in(&desk.path("theirs")) == before);
    for name in [".manifest.journal.jsonl", ".manifest.lock", ".eyemap-tmp"] {
        let desk = Desk::new(TABLE);
        std::fs::create_dir(desk.path("out")).expect("created");
        desk.write("theirs", "theirs");
        symlink(desk.path("theirs"), desk.path("out").join(name)).expect("linked");
        let told = format!("out/{name} is a symbolic link");
        fails(&desk.render(&ONE), 2, &[&told]);
        assert_eq!(std::fs::read(desk.path("theirs")).expect("it"), b"theirs");
    }
}

#[test]
fn the_output_directory_itself_may_be_a_link() {
    let desk = Desk::new(TABLE);
    std::fs::create_dir(desk.path("disk")).expect("created");
    symlink(desk.path("disk"), desk.path("out")).expect("linked");
    succeeds(&desk.render(&ONE));
    assert!(desk.path("disk/ME_R/cells/Mi1.svg").exists());
    let again = desk.render(&ONE);
    assert!(words(&again).contains("unchanged"), "{}", words(&again));
}

#[test]
fn a_directory_where_a_map_belongs_fails_that_map_alone() {
    let desk = Desk::new(TABLE);
    std::fs::create_dir_all(desk.path("out/ME_R/cells/Mi1.svg/full")).expect("created");
    let output = desk.render(&["--format", "svg,json"]);
    let told = ["1 failed", "Mi1.svg is a directory", "move it away"];
    fails(&output, 1, &told);
    let files = desk.files();
    assert!(files.contains_key("ME_R/cells/Mi1.json"));
    assert!(files.contains_key("LO_L/cells/Tm3.svg"));
    std::fs::remove_dir_all(desk.path("out/ME_R/cells/Mi1.svg")).expect("removed");
    succeeds(&desk.render(&["--format", "svg,json"]));
    // One archive that cannot be put fails its maps, and those of the other archives are drawn.
    std::fs::create_dir_all(desk.path("out/archives/maps-00000.tar")).expect("created");
    let archives = ["--archive", "tar", "--archive-maps", "4"];
    let output = desk.render(&archives);
    fails(&output, 1, &["4 failed", "maps-00000.tar is a directory"]);
    assert!(desk.path("out/archives/maps-00001.tar").is_file());
}

#[test]
fn a_fifo_or_a_file_without_end_where_state_is_read_is_named_at_once() {
    let desk = Desk::new(TABLE);
    succeeds(&desk.render(&ONE));
    // What is only there to save work is done again.
    for name in ["out/.manifest.stamps", "out/.manifest.run"] {
        fifo(&desk, name);
        succeeds(&desk.render(&ONE));
        assert!(desk.path(name).is_file(), "{name}");
    }
    for name in [
        "out/manifest.json",
        "out/.manifest.journal.jsonl",
        "out/.manifest.lock",
    ] {
        let there = std::fs::read(desk.path(name)).ok();
        fifo(&desk, name);
        fails(&desk.render(&ONE), 2, &["is a FIFO", "move it away"]);
        std::fs::remove_file(desk.path(name)).expect("removed");
        there.map(|bytes| desk.write(name, bytes));
    }
    fifo(&desk, "plan.json");
    fifo(&desk, "trace.csv");
    let runs: [&[&str]; 4] = [
        &["render", "--plan", "plan.json", "-o", "out"],
        &["merge", "out", "-o", "joined", "--plan", "plan.json"],
        &["cache", "tune", "--trace", "trace.csv"],
        &[
            "render",
            "table.csv",
            "-o",
            "out",
            "--record-trace",
            "trace.csv",
        ],
    ];
    for arguments in runs {
        let mut command = eyemap_snapshots::eyemap();
        let command = command.args(arguments).current_dir(desk.dir.path());
        let output = command.output().expect("eyemap runs");
        fails(&output, 2, &["is a FIFO"]);
    }
}
