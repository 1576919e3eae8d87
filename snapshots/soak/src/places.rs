//! Hostile directories: links, pipes, directories and huge files where output, state, stores and references
//! belong. What lies elsewhere stays as it is, and nothing waits or fills memory.

use std::{os::unix::fs::symlink, path::Path};

use crate::trial::{Fault, Trial, same, table};

/// More than any of these runs needs, and less than what lies about would fill.
const MOST_BYTES: u64 = 600 << 20;

/// Places at which the command reads or writes, below the directories of output, store and references. These
/// themselves may be links: whoever names one means what it leads to.
const PLACES: [&str; 14] = [
    "out/manifest.jsonl",
    "out/manifest.json",
    "out/.manifest.journal.jsonl",
    "out/.manifest.stamps",
    "out/.manifest.lock",
    "out/.eyemap-tmp",
    "out/ME_R",
    "out/ME_R/synapses",
    "out/ME_R/synapses/T1.svg",
    "store/log",
    "store/lock",
    "snapshots/references",
    "snapshots/manifest.txt",
    "snapshots/pending",
];

const COMMANDS: [&[&str]; 4] = [
    &["render", "table.csv", "-o", "out", "--config", "on.toml"],
    &["verify", "--references", "snapshots"],
    &["cache", "verify", "--store", "store"],
    &["cache", "stats", "--store", "store"],
];

pub(crate) fn run(trial: &mut Trial) -> Result<(), Fault> {
    trial.write("table.csv", table(4));
    trial.write(
        "on.toml",
        "[cache.artifacts]\nmode = \"on\"\nstore = \"store\"\n",
    );
    std::fs::create_dir(trial.path("foreign")).map_err(|error| error.to_string())?;
    for name in ["T1.svg", "policy-1", "log", "keep.txt"] {
        trial.write(&format!("foreign/{name}"), name);
    }
    let foreign = trial.files("foreign");
    // Half of the time there is something already.
    if trial.random.bool() {
        trial.succeed(&mut trial.eyemap(COMMANDS[0]))?;
        trial.succeed(&mut trial.eyemap(&["verify", "init", "table.csv"]))?;
    }
    for _ in 0..trial.random.usize(1..4) {
        let place = *trial.pick(&PLACES);
        let place = trial.path(place);
        put(trial, &place)?;
    }
    for command in COMMANDS {
        let ended = trial.run(&mut trial.eyemap(command))?;
        if ended.peak > MOST_BYTES {
            return Err(format!(
                "{command:?} took {} bytes:\n{}",
                ended.peak, ended.said
            ));
        }
        same(&trial.files("foreign"), &foreign)
            .map_err(|fault| format!("{command:?}: foreign/{fault}"))?;
    }
    Ok(())
}

/// Puts something hostile at a place.
fn put(trial: &mut Trial, place: &Path) -> Result<(), Fault> {
    let _ = std::fs::remove_dir_all(place);
    let _ = std::fs::remove_file(place);
    if let Some(dir) = place.parent() {
        // What is above may be hostile already.
        let _ = std::fs::create_dir_all(dir);
    }
    let foreign = trial.path("foreign");
    let done = match trial.random.u8(..6) {
        0 => symlink(&foreign, place),
        1 => symlink(foreign.join("keep.txt"), place),
        2 => symlink("/dev/zero", place),
        3 => {
            rustix::fs::mkfifoat(rustix::fs::CWD, place, rustix::fs::Mode::RWXU).map_err(Into::into)
        }
        4 => std::fs::create_dir(place),
        _ => std::fs::File::create(place).and_then(|file| file.set_len(8 << 30)),
    };
    // Where it cannot be put, there is something hostile above it.
    drop(done);
    Ok(())
}
