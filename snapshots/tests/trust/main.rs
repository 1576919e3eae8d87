//! Trust: what is pinned, what may run, where, and that nothing else does.

mod attacks;
mod capabilities;
mod modes;
mod names;
#[cfg(unix)]
mod no_gap;
#[cfg(unix)]
mod permissions;
mod pin;
mod verify;

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use eyemap_engine::plugins::{LOCK_FILE, sha256_hex};
use eyemap_snapshots::{desk::succeeds, eyemap};
use serde_json::Value;
use tempfile::TempDir;

const ID: &str = "org.eyemap.fixture.broken";

/// A folder with a table, a configuration, and a library that is its colour stage.
struct Project {
    dir: TempDir,
}

impl Project {
    /// With a sound plugin that ships with nobody.
    fn new() -> Self {
        let project = Self {
            dir: tempfile::tempdir().expect("a directory"),
        };
        std::fs::create_dir(project.path("plugins")).expect("a directory");
        project.put("plugins/libstranger.so", &sound());
        project.configure("");
        project.put(
            "table.csv",
            b"cell_type,region,side,hex1,hex2,layer,synapses\nTm1,LOP,R,10,10,0,1\nTm1,LOP,R,11,10,0,2\n",
        );
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("written");
        path
    }

    fn library(&self) -> PathBuf {
        self.path("plugins/libstranger.so")
    }

    fn lock(&self) -> PathBuf {
        self.path(LOCK_FILE)
    }

    /// The colour stage is the stranger's, and `[plugins.by_id]` says this of it.
    fn configure(&self, by_id: &str) {
        let text = format!("[stages.color]\nplugin = {ID:?}\n[plugins.by_id.{ID:?}]\n{by_id}\n");
        self.put("eyemap.toml", text.as_bytes());
    }

    /// Runs `eyemap` inside it, with a user data directory of its own.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = eyemap();
        command
            .args(arguments)
            .current_dir(&self.dir)
            .env("XDG_DATA_HOME", self.path("data"))
            .env("EYEMAP_FIXTURE_MARK", self.path("mark"));
        command.output().expect("the command runs")
    }

    /// Whether the fixture's constructor ran in a process that may write files: in eyemap's own. It is asked
    /// anew each time.
    fn ran_here(&self) -> bool {
        std::fs::remove_file(self.path("mark")).is_ok()
    }

    /// Writes the lock that a stranger would: it lists the library, to be run in the process of whoever
    /// clones this.
    fn lure(&self, name: &str) -> PathBuf {
        let hash = sha256_hex(&std::fs::read(self.library()).expect("a library"));
        let text = format!(
            "form = 1\n[[plugin]]\nid = {ID:?}\nversion = \"1.0.0\"\nsha256 = {hash:?}\n\
             capabilities = [\"eyemap.color/1\", \"eyemap.cache/1\", \"in-process\"]\n"
        );
        self.put(name, text.as_bytes())
    }

    fn plugin(&self, arguments: &[&str]) -> Output {
        self.run(&[&["plugin"], arguments, &["--config", "eyemap.toml"]].concat())
    }

    fn pin(&self) -> String {
        let output = self.plugin(&["pin", "plugins/libstranger.so"]);
        succeeds(&output);
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn render(&self) -> Output {
        let mut arguments = vec![
            "render",
            "table.csv",
            "--config",
            "eyemap.toml",
            "-o",
            "out",
        ];
        arguments.extend([
            "--region", "LOP", "--metric", "synapses", "--format", "svg", "--force",
        ]);
        self.run(&arguments)
    }

    /// What `plugin list` says of the stranger.
    fn listed(&self) -> Value {
        let output = self.plugin(&["list", "--json"]);
        succeeds(&output);
        let all: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let plugins = all["plugins"].as_array().expect("a list");
        let own = self.library().display().to_string();
        let this = plugins.iter().find(|plugin| plugin["path"] == own.as_str());
        this.expect("listed").clone()
    }

    fn runs(&self) -> String {
        self.listed()["runs"].as_str().expect("a word").to_owned()
    }

    fn locked(&self) -> Vec<toml::Table> {
        entries(&self.lock())
    }
}

/// What a lock lists.
fn entries(lock: &Path) -> Vec<toml::Table> {
    let text = std::fs::read_to_string(lock).expect("a lock");
    let lock: toml::Table = text.parse().expect("TOML");
    let plugins = lock["plugin"].as_array().expect("entries");
    plugins
        .iter()
        .map(|plugin| plugin.as_table().expect("an entry").clone())
        .collect()
}

/// The fixture `broken`, without a fault.
fn sound() -> Vec<u8> {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::read(eyemap_snapshots::broken::broken(dir.path(), "none")).expect("the fixture")
}

/// It, as somebody would build it again: other bytes of the same plugin.
fn rebuilt(n: u32) -> Vec<u8> {
    let mut bytes = sound();
    // What lies behind the section table is nobody's.
    bytes.extend(n.to_le_bytes());
    bytes
}

/// With another text of the same length in its manifest.
fn patched(from: &str, to: &str) -> Vec<u8> {
    use object::{Object as _, ObjectSection as _};

    assert_eq!(from.len(), to.len());
    let mut bytes = sound();
    let file = object::File::parse(&bytes[..]).expect("ELF");
    let section = file
        .section_by_name(".eyemap.manifest")
        .expect("a manifest");
    let (start, len) = section.file_range().expect("in the file");
    let range = start as usize..(start + len) as usize;
    let text = String::from_utf8(bytes[range.clone()].to_vec()).expect("UTF-8");
    assert!(text.contains(from), "{text}");
    bytes[range].copy_from_slice(text.replace(from, to).as_bytes());
    bytes
}
