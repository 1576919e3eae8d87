//! Files of sources: looked at with suspicion, linked where that can be, else copied.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use super::MergeError;
use crate::{
    manifest::Entry,
    sink::{Pending, Scratch},
};

/// Brings files, and counts them.
pub(super) struct Files<'a> {
    pub(super) out: &'a Path,
    scratch: &'a Scratch,
    pub(super) linked: u64,
    pub(super) copied: u64,
    pub(super) bytes: u64,
    /// The directory of the file before, which was found to be within its source.
    within: Option<PathBuf>,
    /// Archives that were brought, and from where.
    archives: BTreeMap<String, PathBuf>,
}

impl<'a> Files<'a> {
    pub(super) const fn new(out: &'a Path, scratch: &'a Scratch) -> Self {
        Self {
            out,
            scratch,
            linked: 0,
            copied: 0,
            bytes: 0,
            within: None,
            archives: BTreeMap::new(),
        }
    }

    /// The file of a map, ready to be put in its place; none if its archive is there.
    pub(super) fn bring(
        &mut self,
        from: &Path,
        entry: &Entry,
    ) -> Result<Option<Pending>, MergeError> {
        let path = from.join(entry.file());
        let bytes = self.check(from, &path)?;
        if let Some(archive) = &entry.archive {
            if let Some(earlier) = self.archives.get(archive) {
                return same_archive(entry, earlier, &path).map(|()| None);
            }
            self.archives.insert(archive.clone(), path.clone());
            let target = self.out.join(archive);
            if target.exists() {
                return same_archive(entry, &target, &path).map(|()| None);
            }
        } else if bytes != entry.bytes {
            let reason = format!("it has {bytes} bytes, not {}", entry.bytes);
            return Err(MergeError::Damaged { path, reason });
        }
        self.bytes += bytes;
        let pending = self.take(&path, &self.out.join(entry.file()));
        pending
            .map(Some)
            .map_err(|source| MergeError::Io { path, source })
    }

    /// Nothing but plain files within the source is taken, wherever a link may lead.
    fn check(&mut self, from: &Path, path: &Path) -> Result<u64, MergeError> {
        let damaged = |reason: &str| MergeError::Damaged {
            path: path.into(),
            reason: reason.into(),
        };
        let unreadable = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => damaged("it is not there"),
            _ => MergeError::Io {
                path: path.into(),
                source,
            },
        };
        let metadata = std::fs::symlink_metadata(path).map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(damaged("it is a link or no file"));
        }
        let dir = path.parent().unwrap_or(from);
        if self.within.as_deref() != Some(dir) {
            let real = std::fs::canonicalize(dir).map_err(unreadable)?;
            let source = std::fs::canonicalize(from).map_err(unreadable)?;
            if !real.starts_with(source) {
                return Err(damaged(
                    "its directory is a link that leads out of the source",
                ));
            }
            self.within = Some(dir.into());
        }
        Ok(metadata.len())
    }

    fn take(&mut self, path: &Path, target: &Path) -> io::Result<Pending> {
        let (pending, linked) = Pending::link_in(self.scratch, path, target)?;
        self.linked += u64::from(linked);
        self.copied += u64::from(!linked);
        Ok(pending)
    }
}

/// Two shards may hold one archive, if it is the same.
fn same_archive(entry: &Entry, earlier: &Path, path: &Path) -> Result<(), MergeError> {
    let failed = |source| MergeError::Io {
        path: path.into(),
        source,
    };
    if earlier == path || are_equal(earlier, path).map_err(failed)? {
        return Ok(());
    }
    Err(MergeError::Conflict {
        map: super::name(&entry.key),
        first: earlier.into(),
        second: path.into(),
    })
}

fn are_equal(a: &Path, b: &Path) -> io::Result<bool> {
    let (mut a, mut b) = (File::open(a)?, File::open(b)?);
    if a.metadata()?.len() != b.metadata()?.len() {
        return Ok(false);
    }
    let (mut ours, mut theirs) = (vec![0; 64 << 10], vec![0; 64 << 10]);
    loop {
        let read = a.read(&mut ours)?;
        if read == 0 {
            return Ok(true);
        }
        match b.read_exact(&mut theirs[..read]) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            done => done?,
        }
        if ours[..read] != theirs[..read] {
            return Ok(false);
        }
    }
}
