//! The command as its users meet it: good input, bad input, full disks, Ctrl-C.

#[path = "cli/archives.rs"]
mod archives;
#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/cache_simulate.rs"]
mod cache_simulate;
#[path = "cli/capacities.rs"]
mod capacities;
#[path = "cli/configuration.rs"]
mod configuration;
#[path = "cli/good_input.rs"]
mod good_input;
#[path = "cli/interruption.rs"]
mod interruption;
#[path = "cli/kills.rs"]
mod kills;
#[path = "cli/others_files.rs"]
mod others_files;
#[path = "cli/outputs.rs"]
mod outputs;
#[path = "cli/recording.rs"]
mod recording;
#[path = "cli/report.rs"]
mod report;
#[path = "cli/scarce.rs"]
mod scarce;
#[path = "cli/shards.rs"]
mod shards;
#[path = "cli/store.rs"]
mod store;
#[path = "cli/store_among_others.rs"]
mod store_among_others;
#[path = "cli/store_looked_at.rs"]
mod store_looked_at;
#[path = "cli/surroundings.rs"]
mod surroundings;
#[path = "cli/ways.rs"]
mod ways;
#[path = "cli/words.rs"]
mod words_of_runs;

use std::process::{Command, Output};

use eyemap_snapshots::desk::{Desk, TABLE, fails, files_in, stderr, succeeds, words};

/// Runs a script that mounts a small disk of its own, with the command as `$EYEMAP`. It has come to its
/// end when it leaves the file `done`.
#[track_caller]
fn on_a_small_disk(desk: &Desk, script: &str, done: &str) -> Option<Output> {
    let eyemap = eyemap_snapshots::eyemap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command
            .args(arguments)
            .args(["sh", "-c", script])
            .current_dir(desk.dir.path())
            .env("EYEMAP", eyemap.get_program())
            .env("NO_COLOR", "1");
        command.output()
    };
    let output = [&["--mount"][..], &["--user", "--map-root-user", "--mount"]]
        .into_iter()
        .filter_map(|arguments| run(arguments).ok())
        .find(|output| desk.path(done).exists() && output.status.code() != Some(32));
    if output.is_none() {
        eyemap_snapshots::skipped("`unshare` and `mount` may not make a small disk here");
    }
    output
}
