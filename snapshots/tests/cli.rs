//! The command as its users meet it: good input, bad input, full disks, Ctrl-C.

#[path = "cli/archives.rs"]
mod archives;
#[path = "cli/bad_input.rs"]
mod bad_input;
#[path = "cli/cache_simulate.rs"]
mod cache_simulate;
#[path = "cli/configuration.rs"]
mod configuration;
#[path = "cli/good_input.rs"]
mod good_input;
#[path = "cli/interruption.rs"]
mod interruption;
#[path = "cli/kills.rs"]
mod kills;
#[path = "cli/report.rs"]
mod report;
#[path = "cli/shards.rs"]
mod shards;
#[path = "cli/store.rs"]
mod store;
#[path = "cli/ways.rs"]
mod ways;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// A directory with a table in it, and room for output.
struct Desk {
    dir: TempDir,
}

impl Desk {
    fn new(table: &str) -> Self {
        let desk = Self {
            dir: tempfile::tempdir().expect("a directory"),
        };
        desk.write("table.csv", table);
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    /// Runs `eyemap render table.csv -o out` with more arguments, inside the directory.
    fn render(&self, more: &[&str]) -> Output {
        let mut command = eyemap_snapshots::eyemap();
        command
            .args(["render", "table.csv", "-o", "out"])
            .args(more)
            .current_dir(self.dir.path());
        command.output().expect("eyemap runs")
    }

    /// Files below `out`, by relative path.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        files_in(&self.path("out"))
    }

    /// A drawn JSON scene.
    fn scene(&self, path: &str) -> serde_json::Value {
        let bytes = std::fs::read(self.path("out").join(path)).expect(path);
        serde_json::from_slice(&bytes).expect("a scene")
    }
}

/// What a run gave; when each file was written is no part of that.
fn files_in(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path
                    .strip_prefix(dir)
                    .expect("inside")
                    .to_string_lossy()
                    .into_owned();
                if ![".manifest.stamps", ".manifest.run"].contains(&name.as_str()) {
                    files.insert(name, std::fs::read(&path).expect("a file"));
                }
            }
        }
    }
    files
}

/// Runs a script that mounts a small disk of its own, with the command as `$EYEMAP`. It has come to its
/// end when it leaves the file `done`.
fn on_a_small_disk(desk: &Desk, script: &str, done: &str) -> Output {
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
    [&["--mount"][..], &["--user", "--map-root-user", "--mount"]]
        .into_iter()
        .filter_map(|arguments| run(arguments).ok())
        .find(|output| desk.path(done).exists() && output.status.code() != Some(32))
        .expect(
            "`unshare` and `mount` make a small disk; run this as root or allow user namespaces",
        )
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The report on one line: wrapping and box-drawing left out.
fn words(output: &Output) -> String {
    let text = stderr(output);
    let plain: Vec<&str> = text
        .split_whitespace()
        .filter(|word| !matches!(*word, "x" | "|" | "`->" | "|->"))
        .collect();
    plain.join(" ")
}

#[track_caller]
fn succeeds(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
}

#[track_caller]
fn fails(output: &Output, code: i32, parts: &[&str]) {
    let words = words(output);
    assert_eq!(output.status.code(), Some(code), "{words}");
    for part in parts {
        assert!(words.contains(part), "{part:?} is not in: {words}");
    }
}

/// Two types in three columns, with layers.
const TABLE: &str = "\
cell_type,region,side,hex1,hex2,layer,synapses,cells
Mi1,ME,R,5,5,0,10,1
Mi1,ME,R,5,5,1,4,1
Mi1,ME,R,5,5,2,6,1
Mi1,ME,R,5,6,0,20,2
Mi1,ME,R,5,6,1,20,2
Mi1,ME,R,6,6,0,,1
Tm3,ME,R,5,5,0,7,1
Tm3,ME,R,5,5,3,7,1
Tm3,ME,L,5,5,0,70,3
Tm3,LO,L,5,7,0,1,1
";
