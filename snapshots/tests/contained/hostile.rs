//! Hostile plugins: the command that draws with one lives on, says which it was and what it did, and within
//! the time that it was given.

mod plugins;

use std::{
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use eyemap_engine::plugins::{IN_PROCESS, Lock, Locked, Manifest, Mode, read_manifest, sha256_hex};
use eyemap_snapshots::eyemap;
use plugins::{HOSTILE, Hostile};
use tempfile::TempDir;

/// Draws the table of a folder with its configuration.
pub(super) fn draws(dir: &Path) -> Command {
    let mut command = eyemap();
    command.current_dir(dir).args([
        "render",
        "table.csv",
        "--config",
        "eyemap.toml",
        "-o",
        "out",
    ]);
    command.args(["--metric", "synapses", "--region", "LOP", "--format", "svg"]);
    command
}

/// A folder with a table of three columns, one of them with a layer, and a configuration that draws it with a library.
struct Project(TempDir);

impl Project {
    /// With a lock that lets it run in eyemap's own process, where that is its mode.
    fn new(hostile: &Hostile, mode: Mode) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let library = (hostile.library)(dir.path());
        let stage = hostile.stage;
        let bytes = std::fs::read(&library).expect("a library");
        let mut config = format!(
            "[stages.{stage}]\nplugin = {library:?}\n\
             [plugins.contained]\ncall = \"1s\"\nmemory = \"128 MiB\"\n"
        );
        match read_manifest(&library, &bytes) {
            Ok(Manifest { id, .. }) if mode == Mode::Contained => {
                config.push_str(&format!("[plugins.by_id.{id:?}]\ntrust = true\n"));
            }
            Ok(manifest) => {
                let mut locked = Locked::of(&manifest, sha256_hex(&bytes));
                let accepted = locked.capabilities.get_or_insert_default();
                accepted.push(IN_PROCESS.into());
                let lock = Lock {
                    path: dir.path().join("mine.lock"),
                    plugins: vec![locked],
                    ..Lock::default()
                };
                lock.write().expect("a lock");
            }
            Err(_) => {}
        }
        let table = "cell_type,region,side,hex1,hex2,layer,synapses\n\
             Tm1,LOP,R,10,10,0,1\nTm1,LOP,R,11,10,0,2\nTm1,LOP,R,12,10,0,30\n\
             Tm1,LOP,R,12,10,2,30\n";
        std::fs::write(dir.path().join("eyemap.toml"), config).expect("written");
        std::fs::write(dir.path().join("table.csv"), table).expect("written");
        Self(dir)
    }

    fn render(&self) -> Output {
        let mut command = draws(self.0.path());
        if self.0.path().join("mine.lock").exists() {
            command.args(["--lock", "mine.lock"]);
        }
        command.output().expect("the command runs")
    }
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The words, however the lines of a terminal break.
fn contains(text: &str, part: &str) -> bool {
    let joined = |text: &str| {
        let words = text
            .split_whitespace()
            .filter(|word| !["│", "|", "×", "╰─▶", "├─▶"].contains(word));
        words.collect::<Vec<_>>().join(" ")
    };
    joined(text).contains(&joined(part))
}

fn survives(hostile: &Hostile, mode: Mode, said: &[&str]) {
    let what = format!("{} ({})", hostile.what, mode.word());
    let started = Instant::now();
    let output = Project::new(hostile, mode).render();
    assert!(
        started.elapsed() < Duration::from_secs(120),
        "{what}: {:?}",
        started.elapsed()
    );
    let text = errors(&output);
    let code = output.status.code();
    assert!(
        code.is_some(),
        "{what}: the host died: {:?}\n{text}",
        output.status
    );
    let expected: &[i32] = if said.is_empty() { &[0] } else { &[1, 2] };
    assert!(
        code.is_some_and(|code| expected.contains(&code)),
        "{what}: {code:?}\n{text}"
    );
    assert!(
        !text.contains(['\u{1b}', '\u{7}', '\r']),
        "{what}: {text:?}"
    );
    for part in said {
        assert!(contains(&text, part), "{what}: no {part:?} in\n{text}");
    }
}

#[test]
fn no_hostile_plugin_ends_the_host_when_it_is_contained() {
    assert!(HOSTILE.len() >= 25);
    for hostile in HOSTILE {
        survives(hostile, Mode::Contained, hostile.contained);
    }
}

#[test]
fn what_can_be_contained_in_the_host_itself_is() {
    for hostile in HOSTILE {
        if let Some(said) = hostile.trusted {
            survives(hostile, Mode::Trusted, said);
        }
    }
}

#[test]
fn no_worker_is_left_when_the_command_has_ended() {
    let left = || {
        let workers = std::fs::read_dir("/proc").expect("processes").flatten();
        workers
            .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
            .filter(|words| {
                words
                    .windows(23)
                    .any(|word| word == b"__eyemap-plugin-worker\0")
            })
            .count()
    };
    let before = left();
    for fault in ["endless-loop@call", "none"] {
        let hostile = Hostile {
            what: "left",
            stage: "color",
            library: if fault == "none" {
                |dir: &Path| eyemap_snapshots::broken::broken(dir, "none")
            } else {
                |dir: &Path| eyemap_snapshots::broken::broken(dir, "endless-loop@call")
            },
            contained: &[],
            trusted: None,
        };
        Project::new(&hostile, Mode::Contained).render();
    }
    let start = Instant::now();
    // Tests beside this one have workers too; they end as well.
    while left() > before && start.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(left() <= before, "{} workers are left", left());
}
