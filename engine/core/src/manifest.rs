//! What a run wrote: `manifest.json`, and the journal that becomes it.
//!
//! While a run goes on, each finished map is a line in a journal of the run's own. At the end the
//! journal is merged by map into the manifest, which is sorted and replaced as a whole. A run that
//! was killed leaves its journal behind, and the next run takes it in. Runs that share a directory
//! merge one after the other.

use std::{
    collections::BTreeMap,
    fs::{File, TryLockError},
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use eyemap_abi::job::Side;
use serde::{Deserialize, Serialize};

use crate::{draw::Format, sink::write_atomically};

/// Name of the manifest in the output directory.
pub const MANIFEST_FILE: &str = "manifest.json";
const LOCK_FILE: &str = ".manifest.lock";
const JOURNAL_PREFIX: &str = ".manifest.journal-";
const FORM: u32 = 1;

/// What became of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It has data and was drawn.
    Rendered,
    /// It was drawn, and no column has data.
    Blank,
    /// It was not drawn; `error` says why.
    Failed,
}

/// Names an entry: a map in a format.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// Cell type.
    pub cell_type: String,
    /// Region.
    pub region: String,
    /// Side of the brain.
    pub side: Side,
    /// Metric.
    pub metric: String,
    /// Format.
    pub format: Format,
}

/// One map in one format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Which map and format.
    #[serde(flatten)]
    pub key: Key,
    /// The file, relative to the output directory, with `/`. For a failed map it is what an earlier
    /// run drew, or empty.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// 32 hexadecimal digits over everything that the file depends on; empty without a file.
    pub fingerprint: String,
    /// What became of it.
    pub status: Status,
    /// Why it failed.
    pub error: Option<String>,
}

/// A manifest as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifest {
    /// Entries by map.
    pub entries: BTreeMap<Key, Entry>,
}

/// Why a manifest or journal is not usable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManifestError {
    /// It cannot be read or written.
    #[error("cannot use {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is damaged or of another form.
    #[error("{} is damaged or of another version: {reason}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl ManifestError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Io { .. } => {
                "check that the output directory can be written and has space".into()
            }
            Self::Damaged { path, .. } => format!(
                "move {} away and render again: the maps are listed anew",
                path.display()
            ),
        }
    }
}

#[derive(Deserialize)]
struct Document {
    form: u32,
    maps: Vec<Entry>,
}

impl Manifest {
    /// Reads the manifest of a directory; one without is empty.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or has another form.
    pub fn read(dir: &Path) -> Result<Self, ManifestError> {
        let path = dir.join(MANIFEST_FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(ManifestError::Io { path, source }),
        };
        let damaged = |reason: String| ManifestError::Damaged {
            path: path.clone(),
            reason,
        };
        let document: Document =
            serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        if document.form != FORM {
            let reason = format!("it has form {}, this engine knows {FORM}", document.form);
            return Err(damaged(reason));
        }
        let outside = |entry: &&Entry| !is_inside(&entry.path);
        if let Some(entry) = document.maps.iter().find(outside) {
            return Err(damaged(format!(
                "the path {:?} leaves the directory",
                entry.path
            )));
        }
        let entries = document
            .maps
            .into_iter()
            .map(|entry| (entry.key.clone(), entry))
            .collect();
        Ok(Self { entries })
    }

    /// The manifest as JSON: one line a map, so that differences read well.
    pub fn to_json(&self) -> Vec<u8> {
        let mut text = format!("{{\"form\":{FORM},\"maps\":[").into_bytes();
        for (i, entry) in self.entries.values().enumerate() {
            text.extend_from_slice(if i == 0 { b"\n" } else { b",\n" });
            // Writing JSON of plain structs into memory cannot fail.
            let _ = serde_json::to_writer(&mut text, entry);
        }
        text.extend_from_slice(b"\n]}\n");
        text
    }

    /// A map that fails keeps the file of an earlier run: listed, so that it can be pruned.
    fn insert(&mut self, mut entry: Entry) {
        if entry.status == Status::Failed
            && let Some(earlier) = self.entries.get(&entry.key)
        {
            entry.path.clone_from(&earlier.path);
            entry.bytes = earlier.bytes;
            entry.fingerprint.clone_from(&earlier.fingerprint);
        }
        self.entries.insert(entry.key.clone(), entry);
    }
}

/// Relative, and without a step upwards.
fn is_inside(path: &str) -> bool {
    let plain = |part: std::path::Component<'_>| matches!(part, std::path::Component::Normal(_));
    Path::new(path).components().all(plain)
}

/// The journal of one run.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    path: PathBuf,
    /// Locked while the run lives, so that others can tell a run from what a killed one left.
    file: Mutex<File>,
}

impl Journal {
    /// Starts the journal of a run into a directory.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn start(dir: &Path) -> Result<Self, ManifestError> {
        // Between creating and locking, a run that ends would take the journal for one left behind.
        let _lock = lock(dir)?;
        let path = dir.join(format!("{JOURNAL_PREFIX}{}.jsonl", std::process::id()));
        let open = || {
            let file = File::options().create(true).append(true).open(&path)?;
            file.lock()?;
            Ok(file)
        };
        let file = open().map_err(|source| ManifestError::Io {
            path: path.clone(),
            source,
        })?;
        Ok(Self {
            dir: dir.into(),
            path,
            file: Mutex::new(file),
        })
    }

    /// Notes a finished map. The line has left the process when this returns.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn note(&self, entry: &Entry) -> Result<(), ManifestError> {
        let mut line = serde_json::to_vec(entry).unwrap_or_default();
        line.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&line).map_err(|source| ManifestError::Io {
            path: self.path.clone(),
            source,
        })
    }

    /// Merges the journal into the manifest and removes it. `keep` decides which entries stay; the
    /// files of the others are deleted.
    ///
    /// # Errors
    /// When the manifest is damaged or cannot be written; the journal then stays.
    pub fn finish(self, keep: impl Fn(&Key) -> bool) -> Result<Manifest, ManifestError> {
        let _lock = lock(&self.dir)?;
        let mut manifest = Manifest::read(&self.dir)?;
        let left = left_behind(&self.dir, &self.path);
        for journal in left.iter().chain([&self.path]) {
            merge(&mut manifest, journal)?;
        }
        let gone: Vec<_> = manifest
            .entries
            .keys()
            .filter(|key| !keep(key))
            .cloned()
            .collect();
        for key in &gone {
            if let Some(entry) = manifest
                .entries
                .remove(key)
                .filter(|entry| !entry.path.is_empty())
            {
                remove(&self.dir.join(entry.path))?;
            }
        }
        let path = self.dir.join(MANIFEST_FILE);
        write_atomically(&path, &manifest.to_json())
            .map_err(|source| ManifestError::Io { path, source })?;
        for journal in left.iter().chain([&self.path]) {
            remove(journal)?;
        }
        Ok(manifest)
    }
}

fn lock(dir: &Path) -> Result<File, ManifestError> {
    let path = dir.join(LOCK_FILE);
    let open = || {
        let file = File::options().create(true).append(true).open(&path)?;
        file.lock()?;
        Ok(file)
    };
    open().map_err(|source| ManifestError::Io {
        path: path.clone(),
        source,
    })
}

/// Journals of runs that ended without merging them.
fn left_behind(dir: &Path, own: &Path) -> Vec<PathBuf> {
    let is_journal = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(JOURNAL_PREFIX) && path != own
    };
    let dead = |path: &PathBuf| {
        let locked = File::open(path).map(|file| file.try_lock());
        !matches!(locked, Ok(Err(TryLockError::WouldBlock)) | Err(_))
    };
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(is_journal)
        .filter(dead)
        .collect();
    paths.sort();
    paths
}

/// Takes in the lines of a journal. A last line that was cut by a kill is no entry.
fn merge(manifest: &mut Manifest, journal: &Path) -> Result<(), ManifestError> {
    let failed = |source| ManifestError::Io {
        path: journal.into(),
        source,
    };
    let lines = BufReader::new(File::open(journal).map_err(failed)?).split(b'\n');
    for line in lines {
        let entry = serde_json::from_slice::<Entry>(&line.map_err(failed)?).ok();
        if let Some(entry) = entry.filter(|entry| is_inside(&entry.path)) {
            manifest.insert(entry);
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), ManifestError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(ManifestError::Io {
            path: path.into(),
            source,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(cell_type: &str, path: &str) -> Entry {
        Entry {
            key: Key {
                cell_type: cell_type.into(),
                region: "ME".into(),
                side: Side::Right,
                metric: "cells".into(),
                format: Format::Svg,
            },
            path: path.into(),
            bytes: 3,
            fingerprint: "00".into(),
            status: Status::Rendered,
            error: None,
        }
    }

    fn names(manifest: &Manifest) -> Vec<&str> {
        manifest
            .entries
            .keys()
            .map(|key| key.cell_type.as_str())
            .collect()
    }

    #[test]
    fn a_second_run_merges_and_only_pruning_deletes() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("a.svg"), "a").expect("a file");
        for name in ["b", "a"] {
            let journal = Journal::start(dir.path()).expect("a journal");
            journal
                .note(&entry(name, &format!("{name}.svg")))
                .expect("noted");
            journal.finish(|_| true).expect("merged");
        }
        assert_eq!(
            names(&Manifest::read(dir.path()).expect("read")),
            ["a", "b"]
        );
        assert!(dir.path().join("a.svg").exists());
        let journal = Journal::start(dir.path()).expect("a journal");
        let pruned = journal.finish(|key| key.cell_type == "b").expect("pruned");
        assert_eq!(names(&pruned), ["b"]);
        assert!(!dir.path().join("a.svg").exists());
    }

    #[test]
    fn the_journal_of_a_killed_run_is_taken_in_up_to_its_cut_line() {
        let dir = tempfile::tempdir().expect("a directory");
        let left = dir.path().join(format!("{JOURNAL_PREFIX}1.jsonl"));
        let mut text = serde_json::to_vec(&entry("killed", "k.svg")).expect("json");
        text.extend_from_slice(b"\n{\"cell_type\":\"cut");
        std::fs::write(&left, text).expect("a journal");
        let manifest = Journal::start(dir.path())
            .and_then(|j| j.finish(|_| true))
            .expect("merged");
        assert_eq!(names(&manifest), ["killed"]);
        assert!(!left.exists());
    }

    #[test]
    fn a_map_that_fails_keeps_its_earlier_file_listed_until_it_is_pruned() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("a.svg"), "a").expect("a file");
        let failed = Entry {
            status: Status::Failed,
            error: Some("no".into()),
            ..entry("a", "")
        };
        for entry in [entry("a", "a.svg"), failed] {
            let journal = Journal::start(dir.path()).expect("a journal");
            journal.note(&entry).expect("noted");
            journal.finish(|_| true).expect("merged");
        }
        let listed = Manifest::read(dir.path()).expect("read");
        let found = listed.entries.values().next().expect("an entry");
        assert_eq!(
            (found.status, found.path.as_str()),
            (Status::Failed, "a.svg")
        );
        let journal = Journal::start(dir.path()).expect("a journal");
        journal.finish(|_| false).expect("pruned");
        assert!(!dir.path().join("a.svg").exists());
    }

    #[test]
    fn a_damaged_or_hostile_manifest_is_refused_and_kept() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(MANIFEST_FILE);
        let hostile = Manifest {
            entries: [entry("x", "../../x")]
                .into_iter()
                .map(|e| (e.key.clone(), e))
                .collect(),
        };
        for text in [&b"{"[..], b"{\"form\":9,\"maps\":[]}", &hostile.to_json()] {
            std::fs::write(&path, text).expect("a manifest");
            let error = Manifest::read(dir.path()).expect_err("refused");
            assert!(matches!(error, ManifestError::Damaged { .. }), "{error}");
            assert_eq!(std::fs::read(&path).expect("kept"), text);
        }
    }
}
