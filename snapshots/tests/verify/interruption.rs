//! Ctrl-C and two at once: nothing wrong is said, and nothing is half-approved.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use eyemap_snapshots::desk::{Desk, TABLE};

use crate::{
    ALL, approved, edit, findings, listed, pending, stderr, succeeds, verify, verify_command,
};

/// So many types that a comparison takes seconds.
const TYPES: usize = 1500;

fn large_table() -> String {
    let mut table = "cell_type,region,side,hex1,hex2,synapses\n".to_owned();
    for cell_type in 0..TYPES {
        for column in 0..12 {
            let n = column * cell_type + 1;
            table += &format!("T{cell_type},ME,R,{},{},{n}\n", column / 4, column % 4);
        }
    }
    table
}

#[test]
fn ctrl_c_ends_a_comparison_and_says_nothing_of_orphans() {
    let desk = approved(
        &large_table(),
        &["--format", "png", "--type", "T0", "--keep", "0"],
    );
    // All types are drawn now, and the one that was approved is not.
    edit(
        &desk,
        "snapshots/verify.toml",
        "types = [\"T0\"]",
        "types = [\"T[1-9]*\"]",
    );
    let mut child = verify_command(&desk, &["--jobs", "1"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("eyemap starts");
    let start = Instant::now();
    while pending(&desk).is_empty() && start.elapsed() < Duration::from_secs(600) {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(
        child.try_wait().expect("asked").is_none(),
        "it was too quick"
    );
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.is_ok_and(|status| status.success()));
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(stderr(&output).contains("stopped before the end; nothing is said of orphans"));
    let found = findings(&desk);
    let missing = listed(&found).len();
    assert!(0 < missing && missing < TYPES - 1, "{missing}");
    assert!(listed(&found).iter().all(|one| one["verdict"] == "missing"));
    assert_eq!(found["amounts"]["orphaned"], 0);
}

#[test]
fn of_two_who_accept_at_once_one_wins_and_nothing_is_spoiled() {
    let desk = approved(TABLE, &["--format", ALL, "--keep", "100"]);
    for round in 1..=3 {
        let was = if round == 1 {
            "5,5,0,70,3".to_owned()
        } else {
            format!("5,5,0,{},3", 70 + round - 1)
        };
        edit(&desk, "table.csv", &was, &format!("5,5,0,{},3", 70 + round));
        assert_eq!(verify(&desk, &["--guard", "0"]).status.code(), Some(1));
        let start = || {
            let mut command = verify_command(&desk, &["accept"]);
            command
                .stderr(Stdio::piped())
                .spawn()
                .expect("eyemap starts")
        };
        let both = [start(), start()];
        let outputs = both.map(|child| child.wait_with_output().expect("it ends"));
        let won = outputs
            .iter()
            .filter(|output| output.status.success())
            .count();
        assert!(won >= 1, "{}", outputs.each_ref().map(stderr).join("\n"));
        for output in outputs.iter().filter(|output| !output.status.success()) {
            let said = crate::words(output);
            assert_eq!(output.status.code(), Some(2), "{said}");
            let busy = said.contains("is being changed by another process");
            assert!(busy || said.contains("was approved anew since"), "{said}");
        }
        succeeds(&verify(&desk, &["--guard", "0"]));
        assert_eq!(pending(&desk), [""; 0]);
    }
}

#[test]
fn a_lock_that_somebody_left_stops_nobody() {
    let desk: Desk = approved(TABLE, &[]);
    desk.write("snapshots/.verify.lock", "");
    edit(&desk, "table.csv", "5,5,0,70,3", "5,5,0,71,3");
    assert_eq!(verify(&desk, &[]).status.code(), Some(1));
    succeeds(&verify(&desk, &["accept"]));
    succeeds(&verify(&desk, &[]));
}
