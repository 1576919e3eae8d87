//! What the last run into a directory read and wrote. If none of it changed there is nothing to do,
//! and not even the table needs to be read.
//!
//! Files are taken for unchanged as [`Stamp`] says; configuration, plugins and the choice of maps by a
//! hash. Whatever is not known to be the same makes a run an ordinary one, which looks at every map.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::{
    config::Config,
    manifest::{Lines, MANIFEST_FILE, Stamp, Stamps},
    pipeline::Pipeline,
    sink::{Dir, Pending, Scratch, sweep},
};

/// Name of the note in the output directory.
const NOTE_FILE: &str = ".manifest.run";
/// A larger note is none: it would name more than a hundred million files.
const MOST_BYTES: u64 = 16 << 30;

/// A file that was changed so shortly before it was read could be changed again without its time
/// telling.
const SETTLED: Duration = Duration::from_millis(100);

/// All that a run depends on.
#[derive(Debug, Clone)]
pub struct Inputs {
    files: Vec<(PathBuf, Stamp)>,
    hash: String,
}

/// The note: what was read, and how many maps came of it. The paths of the files follow, a
/// line each, with their archive after a tab if they are in one.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    inputs: String,
    manifest: Stamp,
    maps: u64,
    notes: Vec<String>,
}

/// A run that has nothing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// How many maps there are.
    pub maps: u64,
    /// What the user was told of the table then.
    pub notes: Vec<String>,
}

impl Inputs {
    /// Takes together configuration, plugins and files; none when a file cannot be looked at.
    pub fn of(config: &Config, pipeline: &Pipeline, files: &[&Path]) -> Option<Self> {
        let stamp = |path: &&Path| {
            let path = std::path::absolute(path).ok()?;
            let stamp = Stamp::of(&std::fs::metadata(&path).ok()?);
            Some((path, stamp))
        };
        let files: Vec<_> = files.iter().map(stamp).collect::<Option<_>>()?;
        let mut hash = pipeline.hash();
        hash.text(&serde_json::to_string(config).ok()?);
        for (path, stamp) in &files {
            hash.text(&path.to_string_lossy());
            hash.text(&serde_json::to_string(stamp).ok()?);
        }
        let hash = hash.finish().to_string();
        Some(Self { files, hash })
    }

    /// Takes in what else the run depends on.
    #[must_use]
    pub fn with(mut self, more: &str) -> Self {
        self.hash.push_str(more);
        self
    }

    /// Whether the files look as they did, and did not change just before.
    fn are_settled(&self) -> bool {
        self.files.iter().all(|(path, stamp)| {
            let Ok(metadata) = std::fs::metadata(path) else {
                return false;
            };
            let changed = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            let age = changed.elapsed().unwrap_or(Duration::ZERO);
            Stamp::of(&metadata) == *stamp && age > SETTLED
        })
    }

    /// The last run into a directory, if it read the same and all that it wrote is still there.
    pub fn are_done(&self, out: &Path) -> Option<Done> {
        let out = Dir::open(out).ok()?;
        let mut lines = Lines::new(out.open_file(NOTE_FILE, MOST_BYTES).ok()?);
        let note: Note = serde_json::from_slice(lines.next().ok()??).ok()?;
        let manifest = Stamp::of_file(&out, MANIFEST_FILE)?;
        if note.inputs != self.hash || manifest != note.manifest {
            return None;
        }
        let stamps = Stamps::read(&out);
        while let Some(line) = lines.next().ok()? {
            let line = std::str::from_utf8(line).ok()?;
            let (path, archive) = match line.split_once('\t') {
                Some((path, archive)) => (path, Some(archive)),
                None => (line, None),
            };
            // Paths come from our own note; one that leads elsewhere has no stamp.
            let stamp = stamps.get(path)?;
            if Stamp::of_file(&out, archive.unwrap_or(path)) != Some(stamp) {
                return None;
            }
        }
        // What a run left that was killed after its note.
        sweep(&out).ok()?;
        Some(Done {
            maps: note.maps,
            notes: note.notes,
        })
    }

    /// Notes a run that is complete. `paths` are its files, relative to the directory.
    ///
    /// # Errors
    /// When the note cannot be written; the next run then looks at every map.
    pub fn note(
        &self,
        out: &Path,
        (maps, notes): (u64, &[&String]),
        paths: impl Iterator<Item = String>,
    ) -> io::Result<()> {
        let out = Dir::open(out)?;
        let Some(manifest) = Stamp::of_file(&out, MANIFEST_FILE) else {
            return Ok(());
        };
        if !self.are_settled() {
            return Ok(());
        }
        let note = Note {
            inputs: self.hash.clone(),
            manifest,
            maps,
            notes: notes.iter().map(|&note| note.clone()).collect(),
        };
        let scratch = Scratch::open(&out)?;
        let mut text = Pending::begin(&scratch, NOTE_FILE)?;
        serde_json::to_writer(&mut text, &note)?;
        for path in paths {
            write!(text, "\n{path}")?;
        }
        writeln!(text)?;
        text.finish()?.publish().map(drop)
    }
}
