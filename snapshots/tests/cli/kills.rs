//! A killed run and the same command once more leave what an undisturbed run leaves.

// How many kills hit is what the test has to show.
#![allow(clippy::print_stdout)]

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::{Desk, files_in, succeeds};

const KILLS: u32 = 20;
const TYPES: usize = 800;

/// So many types that a run takes a second or more.
fn table(types: usize) -> String {
    let mut table = "cell_type,region,side,hex1,hex2,synapses\n".to_owned();
    for cell_type in 0..types {
        for column in 0..30 {
            let (hex1, hex2, n) = (column / 6, column % 6, column * cell_type);
            table += &format!("T{cell_type},ME,R,{hex1},{hex2},{n}\n");
        }
    }
    table
}

fn command(desk: &Desk, out: &str) -> Command {
    let mut command = eyemap_snapshots::eyemap();
    command
        .args(["render", "table.csv", "-o", out, "--index"])
        .args(["--format", "svg,json"])
        .current_dir(desk.dir.path())
        .stderr(Stdio::null());
    command
}

/// Kills a run once its journal has a number of maps; whether it was drawing then.
pub(crate) fn kill(desk: &Desk, mut child: Child, after: usize) -> bool {
    let journal = desk.path("out/.manifest.journal.jsonl");
    let noted = || std::fs::read_to_string(&journal).map_or(0, |text| text.matches('\n').count());
    let mut runs = true;
    while runs && noted() < after {
        std::thread::sleep(Duration::from_millis(1));
        runs = child.try_wait().expect("a process").is_none();
    }
    child.kill().expect("killed");
    child.wait().expect("it ends");
    runs && journal.exists()
}

#[test]
fn a_kill_at_any_moment_and_the_same_command_leave_what_an_undisturbed_run_leaves() {
    let desk = Desk::new(&table(TYPES));
    let output = command(&desk, "undisturbed").output().expect("eyemap runs");
    succeeds(&output);
    let expected = files_in(&desk.path("undisturbed"));
    let mut drawing = 0;
    for number in 0..KILLS {
        // Spread over the run, from its first moment to the one in which all is drawn and nothing sorted.
        let after = 2 * TYPES * number as usize / (KILLS - 1) as usize;
        let child = command(&desk, "out").spawn().expect("eyemap starts");
        drawing += u32::from(kill(&desk, child, after));
        succeeds(&command(&desk, "out").output().expect("eyemap runs"));
        let found = desk.files();
        let names = |files: &std::collections::BTreeMap<String, Vec<u8>>| {
            files.keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(names(&found), names(&expected), "kill {number}");
        assert!(found == expected, "kill {number}: other bytes");
        assert!(!desk.path("out/.eyemap-tmp").exists(), "kill {number}");
        std::fs::remove_dir_all(desk.path("out")).expect("removed");
    }
    println!("{drawing} of {KILLS} kills hit a run that was drawing");
    // The first may come before anything is noted, the last ones after the end.
    assert!(drawing >= KILLS / 2, "{drawing} kills of {KILLS} hit");
}
