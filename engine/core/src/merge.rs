//! Joins the output directories of shards into one, as if one run had drawn them.
//!
//! Manifests are read as streams, so memory does not grow with the maps. All of them are read once
//! before anything is written: damage and conflicts are found with the target untouched. Sources are
//! not believed: their paths are those of their maps, their files are no links and have the size that
//! is listed.

mod files;
mod missing;
mod streams;

use std::{
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{
    index,
    manifest::{Entries, Entry, Journal, Key, Listed, ManifestError, Status, Waiting, drawn_with},
    plan::{Drawn, PlanFile},
    sink::Dir,
};
use files::Files;
use streams::Streams;

pub use missing::{Missing, missing};

/// What to join, and where.
#[derive(Debug, Clone, Copy)]
pub struct MergeOptions<'a> {
    /// The output directories of shards.
    pub sources: &'a [PathBuf],
    /// The directory that gets it all; created if missing.
    pub out: &'a Path,
    /// Write an `index.html`.
    pub index: bool,
    /// What the shards must have been drawn by.
    pub plan: Option<&'a PlanFile>,
    /// Set to stop after the file that is being brought.
    pub cancel: &'a AtomicBool,
    /// How it waits for a run that holds the target.
    pub waiting: Waiting<'a>,
}

/// What a merge did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MergeSummary {
    /// Maps in formats that were brought.
    pub merged: u64,
    /// Maps in formats that were there already.
    pub unchanged: u64,
    /// Files that are links to those of the sources.
    pub linked: u64,
    /// Files that were copied, as a source is on another disk.
    pub copied: u64,
    /// Bytes of both.
    pub bytes: u64,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
}

/// Why directories cannot be joined.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// A source has no manifest.
    #[error("{} has no manifest.json: it is no output directory, or its run did not end", .0.display())]
    NoManifest(PathBuf),
    /// A source has a journal that is not in its manifest.
    #[error("the run into {} did not end", .0.display())]
    Unfinished(PathBuf),
    /// A manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Two directories have other pictures of one map.
    #[error("{map} is not the same in {} and in {}", .first.display(), .second.display())]
    Conflict {
        /// Which map, in which format.
        map: String,
        /// One directory.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A directory was not drawn by the plan.
    #[error("{} is no shard of the plan: {what}", .dir.display())]
    OfNoPlan {
        /// The directory.
        dir: PathBuf,
        /// What is other.
        what: String,
    },
    /// A file is not what the manifest of its source says.
    #[error("{} is not what its manifest says: {reason}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A file cannot be brought.
    #[error("cannot bring {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl MergeError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::NoManifest(_) => "name output directories of `eyemap render`".into(),
            Self::Unfinished(_) => {
                "run its command again, or wait for it: it goes on where it stopped".into()
            }
            Self::Manifest(error) => error.help(),
            Self::Conflict { .. } => {
                "they come from other tables, configurations or plugins: draw all shards from one \
                 plan, or merge into another directory"
                    .into()
            }
            Self::OfNoPlan { .. } => {
                "draw its shard again with `eyemap render --plan`, into an empty directory; without --plan directories are joined whatever they were drawn with".into()
            }
            Self::Damaged { .. } => "draw its shard again, with the same command".into(),
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "the disk is full: free space and run the same command again".into()
            }
            Self::Io { .. } => "check that the directories can be read and written".into(),
        }
    }

    /// Whether a directory is damaged or of another version, not only wrong.
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Damaged { .. } | Self::Manifest(ManifestError::Damaged { .. })
        )
    }
}

/// Joins directories. Merging again changes nothing; a merge that was killed is completed by the same
/// command.
///
/// # Errors
/// When a source is no whole output directory, two of them differ about a map, or the target cannot be
/// written. Sources stay as they are.
pub fn merge(options: &MergeOptions<'_>) -> Result<MergeSummary, MergeError> {
    let sources = sources(options)?;
    // Also what the target has must not differ, so it is read as one of them.
    let mut all = Vec::new();
    match Dir::open(options.out) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        out => all.push(out.map_err(unusable(options.out))?),
    }
    all.extend(sources.iter().cloned());
    let ways = ways(&all, options.plan)?;
    let mut streams = Streams::open(&all)?;
    while streams.next()?.is_some() {}
    let journal = Journal::start(options.out, options.waiting)?;
    for way in &ways {
        journal.draws_with(way)?;
    }
    let mut merge = Merge {
        files: Files::new(journal.scratch()),
        journal: &journal,
        summary: MergeSummary::default(),
    };
    let mut all = vec![journal.dir().clone()];
    all.extend(sources);
    let mut streams = Streams::open(&all)?;
    while let Some((from, entry)) = streams.next()? {
        if options.cancel.load(Ordering::Relaxed) {
            merge.summary.interrupted = true;
            break;
        }
        merge.bring(Some(&all[from]).filter(|_| from > 0), &entry)?;
    }
    let Merge {
        files, mut summary, ..
    } = merge;
    (summary.linked, summary.copied, summary.bytes) = (files.linked, files.copied, files.bytes);
    let has_page = matches!(journal.dir().look(index::INDEX_FILE), Ok(Some(_)));
    let is_whole = !options.index || has_page;
    if summary.merged == 0 && is_whole && !journal.has_lines() && !summary.interrupted {
        return Ok(summary);
    }
    let write_index = |listed: &Listed<'_>| match options.index || has_page {
        true => index::publish(listed),
        false => Ok(()),
    };
    journal.finish(|_| true, write_index)?;
    Ok(summary)
}

/// In which ways directories were drawn, all of them together; with a plan, each by it.
fn ways(dirs: &[Dir], plan: Option<&PlanFile>) -> Result<Vec<String>, MergeError> {
    let mut all = Vec::new();
    for dir in dirs {
        // A target that has no maps yet says nothing of them.
        if Entries::open(dir)?.is_none() {
            continue;
        }
        let ways = drawn_with(dir)?;
        if let Some(what) = plan.and_then(|plan| Drawn::difference(&ways, plan)) {
            let dir = dir.path().into();
            return Err(MergeError::OfNoPlan { dir, what });
        }
        all.extend(ways);
    }
    Ok(all)
}

/// Wraps an error about a directory.
fn unusable(path: &Path) -> impl Fn(io::Error) -> MergeError + use<> {
    let path = path.to_owned();
    move |source| MergeError::Io {
        path: path.clone(),
        source,
    }
}

/// The sources, each once and without the target itself.
fn sources(options: &MergeOptions<'_>) -> Result<Vec<Dir>, MergeError> {
    let mut known: Vec<PathBuf> = std::fs::canonicalize(options.out).into_iter().collect();
    let mut sources = Vec::new();
    for source in options.sources {
        let unusable = unusable(source);
        let real = std::fs::canonicalize(source).map_err(&unusable)?;
        if known.contains(&real) {
            continue;
        }
        let dir = Dir::open(source).map_err(&unusable)?;
        if matches!(dir.look(crate::manifest::MANIFEST_FILE), Ok(None)) {
            return Err(MergeError::NoManifest(source.clone()));
        }
        if Journal::is_open(&dir) {
            return Err(MergeError::Unfinished(source.clone()));
        }
        known.push(real);
        sources.push(dir);
    }
    Ok(sources)
}

struct Merge<'a> {
    journal: &'a Journal<'a>,
    files: Files<'a>,
    summary: MergeSummary,
}

impl Merge<'_> {
    /// Brings a map, if it is not there. From no other directory comes what the target has itself.
    fn bring(&mut self, from: Option<&Dir>, entry: &Entry) -> Result<(), MergeError> {
        let archive = entry.archive.as_deref();
        let unchanged = || {
            let journal = self.journal;
            journal.unchanged(&entry.key, archive, &entry.fingerprint)
        };
        let is_there = entry.status != Status::Failed && unchanged();
        let Some(from) = from.filter(|_| !is_there) else {
            self.summary.unchanged += 1;
            return Ok(());
        };
        let pending = match entry.file() {
            "" => None,
            _ => self.files.bring(from, entry)?,
        };
        self.journal.publish(pending, entry)?;
        self.summary.merged += 1;
        Ok(())
    }
}

/// A map and format, as people read it.
fn name(key: &Key) -> String {
    format!(
        "{} {} {} {} ({})",
        key.cell_type,
        key.region,
        key.metric,
        key.side.letter(),
        key.format.name()
    )
}
