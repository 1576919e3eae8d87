//! A project with one library of its own, a table and a configuration.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use eyemap_snapshots::{broken::broken, eyemap};
use serde_json::Value;
use tempfile::TempDir;

/// Id of the library.
pub(crate) const ID: &str = "org.eyemap.fixture.broken";

pub(crate) struct Desk(pub(crate) TempDir);

impl Desk {
    /// With a sound library `libmine.so`, a colour stage among others, that the configuration names.
    pub(crate) fn new() -> Self {
        let desk = Self(tempfile::tempdir().expect("a directory"));
        desk.library("none");
        desk.configure("");
        let table = "cell_type,region,side,hex1,hex2,layer,synapses\nTm1,LOP,R,10,10,0,1\n";
        std::fs::write(desk.path("table.csv"), table).expect("written");
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Puts a library with a fault in place.
    pub(crate) fn library(&self, fault: &str) -> PathBuf {
        let dir = tempfile::tempdir_in(self.0.path()).expect("a directory");
        let path = self.path("libmine.so");
        std::fs::rename(broken(dir.path(), fault), &path).expect("moved");
        path
    }

    pub(crate) fn configure(&self, more: &str) {
        let config = format!("[stages.color]\nplugin = \"./libmine.so\"\n{more}");
        std::fs::write(self.path("eyemap.toml"), config).expect("written");
    }

    /// Runs the command here, with a user data directory of its own.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = eyemap();
        command
            .current_dir(&self.0)
            .env("XDG_DATA_HOME", self.path("data"));
        command.args(arguments).output().expect("the command runs")
    }

    pub(crate) fn pin(&self, more: &[&str]) {
        let pin = ["plugin", "pin", "libmine.so", "--config", "eyemap.toml"];
        let output = self.run(&[&pin, more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    }

    pub(crate) fn render(&self) -> Output {
        let render = [
            "render",
            "table.csv",
            "--config",
            "eyemap.toml",
            "-o",
            "out",
            "--force",
        ];
        self.run(&[&render[..], &["--metric", "synapses", "--format", "svg"]].concat())
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.path("eyemap-plugins.lock")
    }

    pub(crate) fn lock_text(&self) -> String {
        std::fs::read_to_string(self.lock()).expect("a lock")
    }

    /// What `verify --json` says of the library of this desk, and the exit code.
    pub(crate) fn verified(&self) -> (Vec<String>, Option<i32>) {
        let output = self.run(&["plugin", "verify", "--config", "eyemap.toml", "--json"]);
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let all = document["plugins"].as_array().expect("a list");
        let mine = all.iter().filter(|one| one["locked"]["id"] == ID);
        let states = mine.map(|one| one["state"].as_str().expect("a state").to_owned());
        (states.collect(), output.status.code())
    }
}

pub(crate) fn errors(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    text.split_whitespace()
        .filter(|word| *word != "|")
        .collect::<Vec<_>>()
        .join(" ")
}

/// It failed, and says all of these; an error is never longer than a screen.
pub(crate) fn fails(output: &Output, said: &[&str]) {
    let code = output.status.code();
    let text = errors(output);
    assert!(
        code.is_some_and(|code| code == 1 || code == 2),
        "{code:?} {text}"
    );
    for part in said {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

pub(crate) fn succeeds(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", errors(output));
}

/// Whether the fault `network@prepare` was let through, as its message says.
pub(crate) fn ran(desk: &Desk) -> &'static str {
    let text = errors(&desk.render());
    match text {
        _ if text.contains("network: done") => "in-process",
        _ if text.contains("network: refused") => "contained",
        _ => panic!("{text}"),
    }
}

pub(crate) fn mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("changed");
}
