//! What is in an output directory: `manifest.json`, and the journal that becomes it.
//!
//! Each finished map is a line in the journal, written in one step with the renaming of its file, so
//! that the last line about a map is about the file that is there, whichever of several runs drew it.
//! At the end of a run the journal is merged by map into the manifest, which is sorted and replaced
//! as a whole. What a killed run left in the journal is taken in by the next one.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use eyemap_abi::job::Side;
use serde::{Deserialize, Serialize};

use crate::{
    draw::Format,
    name::{directory, file_stem},
    sink::{Pending, write_atomically},
};

mod stamps;

pub use stamps::Stamp;
pub(crate) use stamps::Stamps;

/// Name of the manifest in the output directory.
pub const MANIFEST_FILE: &str = "manifest.json";
const LOCK_FILE: &str = ".manifest.lock";
const JOURNAL_FILE: &str = ".manifest.journal.jsonl";
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

impl Key {
    /// Where its file is: `ME_R/synapses/Tm3.svg`. Depends on the key alone.
    pub fn path(&self) -> String {
        format!(
            "{}_{}/{}/{}.{}",
            directory(&self.region),
            self.side.letter(),
            directory(&self.metric),
            file_stem(&self.cell_type),
            self.format.extension()
        )
    }
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
        // Paths are deleted by pruning and linked to, so none but a map's own is believed.
        if let Some(entry) = document.maps.iter().find(|entry| !entry.is_in_place()) {
            return Err(damaged(format!(
                "{:?} is not the path of its map",
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

impl Entry {
    fn is_in_place(&self) -> bool {
        self.path.is_empty() || self.path == self.key.path()
    }
}

/// The journal of an output directory, as one run writes to it.
#[derive(Debug)]
pub struct Journal {
    dir: PathBuf,
    /// What the manifest listed when the run began.
    before: Manifest,
    /// That, and what the journal of a killed run adds.
    known: Manifest,
    stamps: Stamps,
    /// The directory's lock: held by one thread of one process at a time.
    lock: Mutex<File>,
}

impl Journal {
    /// Starts to write into a directory.
    ///
    /// # Errors
    /// When the directory cannot be written, or its manifest is damaged.
    pub fn start(dir: &Path) -> Result<Self, ManifestError> {
        let path = dir.join(LOCK_FILE);
        let lock = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(|source| ManifestError::Io { path, source })?;
        let before = Manifest::read(dir)?;
        let (mut known, mut stamps) = (before.clone(), Stamps::read(dir));
        // One that is damaged is told at the end of the run, as ever; until then it is not believed.
        if merge(&mut known, &mut stamps, &dir.join(JOURNAL_FILE)).is_err() {
            (known, stamps) = (before.clone(), Stamps::read(dir));
        }
        Ok(Self {
            before,
            known,
            stamps,
            dir: dir.into(),
            lock: Mutex::new(lock),
        })
    }

    /// The entry of a map whose file was there with this fingerprint when the run began, and looks as
    /// it did when it was written.
    pub fn unchanged(&self, key: &Key, fingerprint: &str) -> Option<&Entry> {
        let entry = self.known.entries.get(key)?;
        let sound = entry.status != Status::Failed && entry.fingerprint == fingerprint;
        let stamp = self.stamps.get(&entry.path).filter(|_| sound)?;
        let now = Stamp::of_file(&self.dir.join(&entry.path))?;
        (now == stamp).then_some(entry)
    }

    /// Puts a map's file in its place and notes it, in one step for all runs.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn publish(&self, file: Option<Pending>, entry: &Entry) -> Result<(), ManifestError> {
        let stamp = file
            .as_ref()
            .and_then(Pending::path)
            .and_then(Stamp::of_file);
        let mut line = serde_json::to_vec(&Line { entry, stamp }).unwrap_or_default();
        line.push(b'\n');
        self.locked(|| {
            let path = self.dir.join(JOURNAL_FILE);
            let failed = |source| ManifestError::Io {
                path: path.clone(),
                source,
            };
            let mut journal = File::options()
                .create(true)
                .append(true)
                .open(&path)
                .map_err(failed)?;
            let before = journal.metadata().map_err(failed)?.len();
            let renamed = file.map_or(Ok(()), Pending::publish);
            if let Err(source) = renamed.and_then(|()| journal.write_all(&line)) {
                // Half a line would spoil the next one.
                let _ = journal.set_len(before);
                return Err(failed(source));
            }
            Ok(())
        })
    }

    fn locked<T>(
        &self,
        work: impl FnOnce() -> Result<T, ManifestError>,
    ) -> Result<T, ManifestError> {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let failed = |source| ManifestError::Io {
            path: self.dir.join(LOCK_FILE),
            source,
        };
        lock.lock().map_err(failed)?;
        let done = work();
        lock.unlock().map_err(failed)?;
        done
    }

    /// Merges the journal into the manifest and removes it. `keep` decides which entries stay of
    /// those that were there when the run began; the files of the others are deleted. `and_then` is
    /// called with the new manifest before another run can change it.
    ///
    /// # Errors
    /// When the manifest is damaged or cannot be written; the journal then stays.
    pub fn finish(
        &self,
        keep: impl Fn(&Key) -> bool,
        and_then: impl FnOnce(&Manifest) -> Result<(), ManifestError>,
    ) -> Result<Manifest, ManifestError> {
        self.locked(|| {
            let mut manifest = Manifest::read(&self.dir)?;
            let journal = self.dir.join(JOURNAL_FILE);
            let mut stamps = Stamps::read(&self.dir);
            merge(&mut manifest, &mut stamps, &journal)?;
            let stale = |(key, entry): (&Key, &Entry)| {
                let changed = self.before.entries.get(key) != Some(entry);
                (!changed && !keep(key)).then(|| key.clone())
            };
            let gone: Vec<Key> = manifest.entries.iter().filter_map(stale).collect();
            for key in &gone {
                if manifest
                    .entries
                    .remove(key)
                    .is_some_and(|entry| !entry.path.is_empty())
                {
                    remove(&self.dir.join(key.path()))?;
                }
            }
            let path = self.dir.join(MANIFEST_FILE);
            write_atomically(&path, &manifest.to_json())
                .map_err(|source| ManifestError::Io { path, source })?;
            // Before the journal goes: without stamps, maps are only drawn once more than needed.
            let paths = manifest.entries.values().map(|entry| entry.path.as_str());
            stamps
                .write(&self.dir, paths)
                .map_err(|source| ManifestError::Io {
                    path: self.dir.join(stamps::STAMPS_FILE),
                    source,
                })?;
            remove(&journal)?;
            and_then(&manifest)?;
            Ok(manifest)
        })
    }
}

/// A line of the journal: a map, and how its file looked.
#[derive(Serialize, Deserialize)]
struct Line<E> {
    #[serde(flatten)]
    entry: E,
    stamp: Option<Stamp>,
}

/// Takes in the lines of a journal. A last line that was cut by a kill is no entry.
fn merge(
    manifest: &mut Manifest,
    stamps: &mut Stamps,
    journal: &Path,
) -> Result<(), ManifestError> {
    let text = match std::fs::read(journal) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        text => text.map_err(|source| ManifestError::Io {
            path: journal.into(),
            source,
        })?,
    };
    let whole = text
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |end| end + 1);
    for (number, line) in text[..whole].split(|&byte| byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        let line = serde_json::from_slice::<Line<Entry>>(line);
        let line = line.ok().filter(|line| line.entry.is_in_place());
        let damaged = || ManifestError::Damaged {
            path: journal.into(),
            reason: format!("line {} is no entry", number + 1),
        };
        let Line { entry, stamp } = line.ok_or_else(damaged)?;
        if let Some(stamp) = stamp {
            stamps.set(entry.path.clone(), stamp);
        }
        manifest.insert(entry);
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

    fn entry(cell_type: &str) -> Entry {
        let key = Key {
            cell_type: cell_type.into(),
            region: "ME".into(),
            side: Side::Right,
            metric: "cells".into(),
            format: Format::Svg,
        };
        Entry {
            path: key.path(),
            key,
            bytes: 1,
            fingerprint: "00".into(),
            status: Status::Rendered,
            error: None,
        }
    }

    fn failed(cell_type: &str) -> Entry {
        Entry {
            path: String::new(),
            bytes: 0,
            fingerprint: String::new(),
            status: Status::Failed,
            error: Some("no".into()),
            ..entry(cell_type)
        }
    }

    fn names(manifest: &Manifest) -> Vec<&str> {
        manifest
            .entries
            .keys()
            .map(|key| key.cell_type.as_str())
            .collect()
    }

    /// Publishes a map as a run does.
    fn draw(journal: &Journal, cell_type: &str) -> PathBuf {
        let path = journal.dir.join(entry(cell_type).path);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("created");
        let file = Pending::write(&path, b"x").expect("written");
        journal
            .publish(Some(file), &entry(cell_type))
            .expect("published");
        path
    }

    fn finish(journal: &Journal, keep: impl Fn(&Key) -> bool) -> Manifest {
        journal.finish(keep, |_| Ok(())).expect("merged")
    }

    #[test]
    fn a_second_run_merges_and_only_pruning_deletes() {
        let dir = tempfile::tempdir().expect("a directory");
        let mut files = Vec::new();
        for name in ["b", "a"] {
            let journal = Journal::start(dir.path()).expect("a journal");
            files.push(draw(&journal, name));
            finish(&journal, |_| true);
        }
        assert_eq!(
            names(&Manifest::read(dir.path()).expect("read")),
            ["a", "b"]
        );
        let journal = Journal::start(dir.path()).expect("a journal");
        assert_eq!(names(&finish(&journal, |key| key.cell_type == "b")), ["b"]);
        assert!(files[0].exists() && !files[1].exists());
    }

    #[test]
    fn pruning_spares_what_another_run_draws_meanwhile() {
        let dir = tempfile::tempdir().expect("a directory");
        let pruning = Journal::start(dir.path()).expect("a journal");
        let other = Journal::start(dir.path()).expect("a journal");
        let file = draw(&other, "theirs");
        draw(&pruning, "ours");
        assert_eq!(
            names(&finish(&pruning, |key| key.cell_type == "ours")),
            ["ours", "theirs"]
        );
        assert_eq!(names(&finish(&other, |_| true)), ["ours", "theirs"]);
        assert!(file.exists());
    }

    #[test]
    fn the_journal_of_a_killed_run_is_taken_in_up_to_its_cut_line() {
        let dir = tempfile::tempdir().expect("a directory");
        let left = dir.path().join(JOURNAL_FILE);
        let mut text = serde_json::to_vec(&entry("killed")).expect("json");
        text.extend_from_slice(b"\n{\"cell_type\":\"cut");
        std::fs::write(&left, text).expect("a journal");
        let journal = Journal::start(dir.path()).expect("a journal");
        assert_eq!(names(&finish(&journal, |_| true)), ["killed"]);
        assert!(!left.exists());
    }

    #[test]
    fn a_journal_that_is_damaged_is_named_and_kept() {
        let dir = tempfile::tempdir().expect("a directory");
        let left = dir.path().join(JOURNAL_FILE);
        std::fs::write(&left, "{\"cell_type\":\n").expect("a journal");
        let journal = Journal::start(dir.path()).expect("a journal");
        let error = journal
            .finish(|_| true, |_| Ok(()))
            .expect_err("damaged")
            .to_string();
        assert!(error.ends_with("line 1 is no entry"), "{error}");
        assert!(left.exists());
    }

    #[test]
    fn a_map_that_fails_keeps_its_earlier_file_listed_until_it_is_pruned() {
        let dir = tempfile::tempdir().expect("a directory");
        let journal = Journal::start(dir.path()).expect("a journal");
        let file = draw(&journal, "a");
        journal.publish(None, &failed("a")).expect("noted");
        let listed = finish(&journal, |_| true);
        let found = listed.entries.values().next().expect("an entry");
        assert_eq!(
            (found.status, &found.path),
            (Status::Failed, &entry("a").path)
        );
        finish(&Journal::start(dir.path()).expect("a journal"), |_| false);
        assert!(!file.exists());
    }

    #[test]
    fn a_damaged_or_hostile_manifest_is_refused_and_kept() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join(MANIFEST_FILE);
        let hostile = |path: &str| {
            let entry = Entry {
                path: path.into(),
                ..entry("x")
            };
            Manifest {
                entries: [(entry.key.clone(), entry)].into(),
            }
            .to_json()
        };
        for text in [
            b"{".to_vec(),
            b"{\"form\":9,\"maps\":[]}".to_vec(),
            hostile("../../x"),
            hostile(".git/config"),
            hostile("javascript:alert(1)"),
        ] {
            std::fs::write(&path, &text).expect("a manifest");
            let error = Manifest::read(dir.path()).expect_err("refused");
            assert!(matches!(error, ManifestError::Damaged { .. }), "{error}");
            assert_eq!(std::fs::read(&path).expect("kept"), text);
        }
    }
}
