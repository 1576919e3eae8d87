//! Maps that go into archives: one thread draws all maps of an archive, in order.
//!
//! A map is drawn as ever; what would become its file is added to the archive that its thread has open.
//! An archive in which any map changed is drawn anew as a whole. One that was not finished is not there.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard, PoisonError},
    thread::ThreadId,
};

use super::{MapState, RenderError, RenderOptions, Run, key};
use crate::{
    clipped::Clipped,
    draw::Format,
    manifest::{Entry, Key},
    pipeline::{Fingerprint, Maps, Request},
    sink::{ArchiveKind, ArchiveWriter, Kind, Pending, Refused},
};

/// Whether maps go into archives, and into which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Archiving {
    /// Of which kind they are.
    pub kind: ArchiveKind,
    /// Maps of an archive, from 1 up.
    pub maps: usize,
    /// Number of the archive that the first request goes into.
    pub first: u64,
}

impl Archiving {
    /// How many maps are drawn by one thread in a row.
    pub(super) fn unit(&self) -> usize {
        match self.kind {
            ArchiveKind::None => 1,
            _ => self.maps.max(1),
        }
    }

    /// The archive of the unit of this number.
    fn path(&self, unit: usize) -> Option<String> {
        (self.kind != ArchiveKind::None).then(|| self.kind.path(self.first + unit as u64))
    }
}

/// The archives that are being written, by thread.
#[derive(Default)]
pub(super) struct Opened(Mutex<HashMap<ThreadId, OpenArchive>>);

struct OpenArchive {
    writer: ArchiveWriter,
    path: String,
    entries: Vec<Entry>,
}

impl Opened {
    fn lock(&self) -> MutexGuard<'_, HashMap<ThreadId, OpenArchive>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// That of this thread. It is taken out, so that no thread waits for another's disk.
    fn take(&self) -> Option<OpenArchive> {
        self.lock().remove(&std::thread::current().id())
    }

    fn put(&self, archive: OpenArchive) {
        self.lock().insert(std::thread::current().id(), archive);
    }
}

/// What is known of a map that is not drawn.
struct Examined {
    fingerprint: Fingerprint,
    unplaced: usize,
    clipped: Clipped,
}

impl Run<'_> {
    /// Draws maps that stay together: one, or those of an archive.
    pub(super) fn draw_unit(
        &self,
        unit: usize,
        requests: &[Request],
        progress: &(dyn Fn() + Sync),
    ) {
        let Some(path) = self.options.archive.path(unit) else {
            for &request in requests {
                self.draw(request);
                progress();
            }
            return;
        };
        if let Err(error) = self.draw_archive(path, requests, progress) {
            let mut fatal = self.fatal.lock().unwrap_or_else(PoisonError::into_inner);
            fatal.get_or_insert(error);
        }
    }

    fn draw_archive(
        &self,
        path: String,
        requests: &[Request],
        progress: &(dyn Fn() + Sync),
    ) -> Result<(), RenderError> {
        let left = |&request: &Request| match self.goes_on() && !self.options.force {
            true => self.left_in(&path, request),
            false => None,
        };
        if let Some(left) = requests.iter().map(left).collect::<Option<Vec<_>>>() {
            for (&request, map) in requests.iter().zip(left) {
                self.leave(request, &map);
                progress();
            }
            return Ok(());
        }
        // Nothing is drawn for a place that cannot be had.
        if let Some(reason) = self.in_the_way(&path) {
            for &request in requests {
                self.fail_all(&request.id(self.maps.dataset), &reason)?;
                progress();
            }
            return Ok(());
        }
        let target = self.options.out.join(&path);
        let failed = |source| RenderError::Write {
            path: target.clone(),
            source,
        };
        let scratch = self.journal.scratch();
        let writer = ArchiveWriter::begin(scratch, self.options.archive.kind, &path);
        self.opened.put(OpenArchive {
            writer: writer.map_err(failed)?,
            path,
            entries: Vec::new(),
        });
        for &request in requests.iter().take_while(|_| self.goes_on()) {
            self.draw(request);
            progress();
        }
        let Some(archive) = self.opened.take().filter(|_| self.goes_on()) else {
            return Ok(());
        };
        let pending = archive.writer.finish().map_err(failed)?;
        Ok(self.journal.publish_all(Some(pending), &archive.entries)?)
    }

    /// What lies where an archive belongs, or on the way there.
    fn in_the_way(&self, path: &str) -> Option<String> {
        let dir = self.journal.dir();
        match dir.look(path) {
            Ok(Some(look)) if look.kind == Kind::Dir => {
                let path = dir.path().join(path);
                let found = look.kind;
                Some(Refused::NoFile { path, found }.to_string())
            }
            Err(error) if Refused::of(&error).is_some() => Some(error.to_string()),
            _ => None,
        }
    }

    /// What is known of a map before it is drawn, if it can be said.
    fn examine(&self, request: Request) -> Option<Examined> {
        let map = || {
            if self.maps.is_streamed(request) {
                let stream = self.maps.stream(request, self.options.cancel).ok()?;
                return Some(Examined {
                    fingerprint: stream.fingerprint(),
                    unplaced: stream.unplaced,
                    clipped: stream.clipped,
                });
            }
            let draft = self.maps.draft(request).ok()?;
            Some(Examined {
                fingerprint: draft.fingerprint(),
                unplaced: draft.unplaced(),
                clipped: draft.clipped,
            })
        };
        catch_unwind(AssertUnwindSafe(map)).ok().flatten()
    }

    /// A map that is in an archive as it would be drawn now. What cannot be said is not.
    fn left_in(&self, path: &str, request: Request) -> Option<Examined> {
        let map = self.examine(request)?;
        let id = request.id(self.maps.dataset);
        let is_there = self.formats.iter().all(|&format| {
            let fingerprint = self.artifact(map.fingerprint, format).to_string();
            self.journal
                .unchanged(&key(&id, format), Some(path), &fingerprint)
        });
        is_there.then_some(map)
    }

    /// Counts a map that stays in its archive.
    fn leave(&self, request: Request, map: &Examined) {
        let id = request.id(self.maps.dataset);
        let state = MapState {
            id: &id,
            blank: false,
            unplaced: map.unplaced,
            clipped: map.clipped,
        };
        let mut summary = self.summary.lock().unwrap_or_else(PoisonError::into_inner);
        summary.take(&state, 0);
        summary.unchanged += 1;
        drop(summary);
        if !self.maps.is_streamed(request) {
            self.record_archived(&id, map.fingerprint);
        }
    }

    /// Whether a map's own file is as it would be drawn now. One in an archive is drawn with it.
    pub(super) fn is_unchanged(&self, key: &Key, fingerprint: &str) -> bool {
        self.options.archive.kind == ArchiveKind::None
            && self.journal.unchanged(key, None, fingerprint)
    }

    /// Puts a map into its place or its archive, and notes it.
    pub(super) fn publish(
        &self,
        pending: Option<Pending>,
        entry: &Entry,
    ) -> Result<(), RenderError> {
        let Some(mut archive) = self.opened.take() else {
            return Ok(self.journal.publish(pending, entry)?);
        };
        let mut entry = entry.clone();
        if let Some(pending) = pending {
            let added = pending
                .open()
                .and_then(|mut file| archive.writer.add(&entry.path, entry.bytes, &mut file));
            added.map_err(|source| RenderError::Write {
                path: self.options.out.join(&archive.path),
                source,
            })?;
            entry.archive = Some(archive.path.clone());
        }
        archive.entries.push(entry);
        self.opened.put(archive);
        Ok(())
    }
}

/// The files of a run, relative to the output directory; one in an archive has that after a tab.
pub fn paths<'a>(
    maps: &'a Maps<'_>,
    requests: &'a [Request],
    options: &'a RenderOptions<'_>,
) -> impl Iterator<Item = String> + 'a {
    let formats = all_formats(options.formats, options.index);
    let archive = options.archive;
    requests.iter().enumerate().flat_map(move |(i, request)| {
        let id = request.id(maps.dataset);
        let archive = archive.path(i / archive.unit());
        let path = |&format: &Format| match &archive {
            None => key(&id, format).path(),
            Some(archive) => format!("{}\t{archive}", key(&id, format).path()),
        };
        formats.iter().map(path).collect::<Vec<_>>()
    })
}

/// The formats that a run draws, each once. An index shows static pictures, so it needs them.
pub fn all_formats(formats: &[Format], index: bool) -> Vec<Format> {
    let mut formats = formats.to_vec();
    if index {
        formats.push(Format::SvgStatic);
    }
    formats.sort_unstable();
    formats.dedup();
    formats
}
