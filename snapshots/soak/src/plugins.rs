//! Broken plugins, contained: the command lives on, names the plugin, and leaves no worker.

use eyemap_snapshots::broken::broken;

use crate::trial::{Fault, Trial, table};

const FAULTS: [&str; 16] = [
    "panic",
    "segfault",
    "stack-overflow",
    "abort",
    "exit",
    "endless-loop",
    "sleep",
    "memory-bomb",
    "fork",
    "spawns",
    "network",
    "reads-files",
    "writes-files",
    "threads-left",
    "prints",
    "kill-parent",
];
const PHASES: [&str; 5] = ["load", "create", "prepare", "call", "describe"];
const STAGES: [&str; 3] = ["coordinate", "color", "metadata"];
const ID: &str = "org.eyemap.fixture.broken";

pub(crate) fn run(trial: &mut Trial) -> Result<(), Fault> {
    let fault = format!("{}@{}", trial.pick(&FAULTS), trial.pick(&PHASES));
    let stage = *trial.pick(&STAGES);
    let library = broken(trial.desk.dir.path(), &fault);
    trial.write("table.csv", table(2));
    trial.write(
        "eyemap.toml",
        format!(
            "[stages.{stage}]\nplugin = {library:?}\n\
             [plugins.by_id.{ID:?}]\ntrust = true\n\
             [plugins.contained]\ncall = \"1s\"\nmemory = \"128 MiB\"\n"
        ),
    );
    let arguments = [
        "render",
        "table.csv",
        "-o",
        "out",
        "--config",
        "eyemap.toml",
    ];
    let child = trial.start(&mut trial.eyemap(&arguments), ".words")?;
    let host = child.id();
    let ended = trial.wait(child, ".words")?;
    let what = format!("{fault} as {stage}");
    ended
        .is_sane()
        .map_err(|wrong| format!("{what}: {wrong}"))?;
    let named = ended.said.contains(ID) || ended.said.contains("fixture");
    if ended.code != Some(0) && !named {
        return Err(format!("{what}: the plugin is not named:\n{}", ended.said));
    }
    let left = workers_of(host);
    match left.is_empty() {
        true => Ok(()),
        false => Err(format!("{what}: workers {left:?} are left")),
    }
}

/// Processes that had this one for a parent, or say that they work for it.
fn workers_of(host: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        status.lines().any(|line| {
            line.strip_prefix("PPid:")
                .is_some_and(|parent| parent.trim() == host.to_string())
        })
    })
    .collect()
}
