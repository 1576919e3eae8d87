//! A directory in which the command is run, and what it says.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Output,
};

use tempfile::TempDir;

/// Two types in three columns, with layers.
pub const TABLE: &str = "\
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

/// A directory with a table in it, and room for output. It is removed when this is dropped.
pub struct Desk {
    /// The directory.
    pub dir: TempDir,
}

impl Desk {
    /// A directory with `table.csv` in it.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn new(table: &str) -> Self {
        let desk = Self {
            dir: tempfile::tempdir().expect("a directory"),
        };
        desk.write("table.csv", table);
        desk
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file, whose directory is there.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    /// Runs `eyemap render table.csv -o out` with more arguments, inside the directory.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn render(&self, more: &[&str]) -> Output {
        let mut command = crate::eyemap();
        command
            .args(["render", "table.csv", "-o", "out"])
            .args(more)
            .current_dir(self.dir.path());
        command.output().expect("eyemap runs")
    }

    /// Files below `out`, by relative path.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        files_in(&self.path("out"))
    }

    /// A drawn JSON scene.
    ///
    /// # Panics
    /// When it is not there, or no JSON.
    pub fn scene(&self, path: &str) -> serde_json::Value {
        let bytes = std::fs::read(self.path("out").join(path)).expect(path);
        serde_json::from_slice(&bytes).expect("a scene")
    }
}

/// What a run gave: files by relative path. When each of them was written, and with what, is no part of that.
///
/// # Panics
/// When a file cannot be read.
pub fn files_in(dir: &Path) -> BTreeMap<String, Vec<u8>> {
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
                let aside = [".manifest.stamps", ".manifest.run", ".manifest.drawn"];
                if !aside.contains(&name.as_str()) {
                    files.insert(name, std::fs::read(&path).expect("a file"));
                }
            }
        }
    }
    files
}

/// What it wrote to standard error.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The report on one line: wrapping and box-drawing left out.
pub fn words(output: &Output) -> String {
    let text = stderr(output);
    let plain: Vec<&str> = text
        .split_whitespace()
        .filter(|word| !matches!(*word, "x" | "|" | "`->" | "|->"))
        .collect();
    plain.join(" ")
}

/// A run that ended well.
///
/// # Panics
/// When it did not.
#[track_caller]
pub fn succeeds(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
}

/// A run that ended with an exit code and said certain words, wherever its lines were wrapped.
///
/// # Panics
/// When it did not.
#[track_caller]
pub fn fails(output: &Output, code: i32, parts: &[&str]) {
    let words = words(output);
    assert_eq!(output.status.code(), Some(code), "{words}");
    for part in parts {
        assert!(words.contains(part), "{part:?} is not in: {words}");
    }
}
