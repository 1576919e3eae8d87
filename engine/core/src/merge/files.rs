//! Files of sources: looked at with suspicion, linked where that can be, else copied.

use std::{
    collections::BTreeMap,
    io::{self, Read as _},
};

use super::MergeError;
use crate::{
    manifest::Entry,
    sink::{Dir, Kind, Look, Pending, Refused, Scratch},
};

/// Brings files, and counts them.
pub(super) struct Files<'a> {
    scratch: &'a Scratch,
    pub(super) linked: u64,
    pub(super) copied: u64,
    pub(super) bytes: u64,
    /// Archives that were brought, and from where.
    archives: BTreeMap<String, Dir>,
}

impl<'a> Files<'a> {
    pub(super) const fn new(scratch: &'a Scratch) -> Self {
        Self {
            scratch,
            linked: 0,
            copied: 0,
            bytes: 0,
            archives: BTreeMap::new(),
        }
    }

    /// The file of a map, ready to be put in its place; none if its archive is there.
    pub(super) fn bring(
        &mut self,
        from: &Dir,
        entry: &Entry,
    ) -> Result<Option<Pending>, MergeError> {
        let name = entry.file();
        let look = check(from, name)?;
        if let Some(archive) = &entry.archive {
            if let Some(earlier) = self.archives.get(archive) {
                return same_archive(entry, earlier, from).map(|()| None);
            }
            self.archives.insert(archive.clone(), from.clone());
            let out = self.scratch.out();
            if matches!(out.look(archive), Ok(Some(_))) {
                return same_archive(entry, out, from).map(|()| None);
            }
        } else if look.bytes != entry.bytes {
            return Err(MergeError::Damaged {
                path: from.path().join(name),
                reason: format!("it has {} bytes, not {}", look.bytes, entry.bytes),
            });
        }
        self.bytes += look.bytes;
        self.take(from, name).map(Some)
    }

    fn take(&mut self, from: &Dir, name: &str) -> Result<Pending, MergeError> {
        let brought = Pending::link_in(self.scratch, from, name);
        let (pending, linked) = brought.map_err(|source| MergeError::Io {
            path: from.path().join(name),
            source,
        })?;
        self.linked += u64::from(linked);
        self.copied += u64::from(!linked);
        Ok(pending)
    }
}

/// Nothing but plain files within the source is taken, wherever a link may lead.
fn check(from: &Dir, name: &str) -> Result<Look, MergeError> {
    let path = from.path().join(name);
    let damaged = |path, reason: String| Err(MergeError::Damaged { path, reason });
    match from.look(name) {
        Ok(Some(look)) if look.kind == Kind::File => Ok(look),
        Ok(Some(_)) => damaged(path, "it is a link or no file".into()),
        Ok(None) => damaged(path, "it is not there".into()),
        Err(error) if Refused::of(&error).is_some() => damaged(path, error.to_string()),
        Err(source) => Err(MergeError::Io { path, source }),
    }
}

/// Two shards may hold one archive, if it is the same.
fn same_archive(entry: &Entry, earlier: &Dir, from: &Dir) -> Result<(), MergeError> {
    let name = entry.file();
    let equal = are_equal(earlier, from, name).map_err(|source| MergeError::Io {
        path: from.path().join(name),
        source,
    });
    match equal? {
        true => Ok(()),
        false => Err(MergeError::Conflict {
            map: super::name(&entry.key),
            first: earlier.path().join(name),
            second: from.path().join(name),
        }),
    }
}

fn are_equal(a: &Dir, b: &Dir, name: &str) -> io::Result<bool> {
    let missing = || io::Error::from(io::ErrorKind::NotFound);
    let look = |dir: &Dir| dir.look(name)?.ok_or_else(missing);
    let (ours, theirs) = (look(a)?, look(b)?);
    if (ours.device, ours.inode) == (theirs.device, theirs.inode) {
        return Ok(true);
    }
    if ours.bytes != theirs.bytes {
        return Ok(false);
    }
    let (mut a, mut b) = (
        a.open_file(name, ours.bytes)?,
        b.open_file(name, ours.bytes)?,
    );
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
