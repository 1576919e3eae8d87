//! Draws maps that are too large to be held, straight into their files.

use std::{
    io::{self, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use tracing::{debug_span, field::Empty};

use super::{MapState, RenderError, Run, key, timed, with_causes};
use crate::{
    draw::{self, Format},
    manifest::ManifestError,
    model::MapId,
    pipeline::{Fingerprint, Request, Stream, StreamError},
    sink::{Pending, PendingWriter},
};

/// Why a format of a map is not there.
pub(super) enum NotDrawn {
    /// The map cannot be drawn; others can.
    Map(String),
    /// Nothing can be written any more.
    Run(RenderError),
    /// The run ends.
    Interrupted,
}

impl From<RenderError> for NotDrawn {
    /// What lies where a map belongs keeps no other map from being drawn.
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Manifest(ManifestError::InTheWay(error)) => Self::Map(error.to_string()),
            error => Self::Run(error),
        }
    }
}

impl Run<'_> {
    /// Draws one map batch by batch in all formats that are not there yet. Such a map is not kept in the
    /// store: a copy of it would cost as much as drawing it.
    pub(super) fn draw_streamed(&self, id: &MapId, request: Request) -> Result<(), RenderError> {
        let stream = match self.maps.stream(request, self.options.cancel) {
            Ok(stream) => stream,
            Err(StreamError::Interrupted) => return Ok(()),
            Err(error) => return self.fail_all(id, &with_causes(&error)),
        };
        let map = MapState {
            id,
            blank: stream.blank,
            unplaced: stream.unplaced,
            clipped: stream.clipped,
        };
        let (mut bytes, mut drawn, mut failure) = (0, false, None);
        for &format in &self.formats {
            let fingerprint = self.artifact(stream.fingerprint(), format);
            let name = key(id, format);
            let known = || {
                self.journal
                    .unchanged(&name, None, &fingerprint.to_string())
            };
            if !self.options.force && known() {
                continue;
            }
            drawn = true;
            match self.draw_one(&map, &stream, (format, fingerprint)) {
                Ok(written) => bytes += written,
                Err(NotDrawn::Interrupted) => return Ok(()),
                Err(NotDrawn::Run(error)) => return Err(error),
                Err(NotDrawn::Map(reason)) => {
                    self.note_failure(id, format, &reason)?;
                    failure.get_or_insert(reason);
                }
            }
        }
        self.count(&map, bytes, drawn, failure);
        Ok(())
    }

    /// Writes one format; gives its bytes.
    fn draw_one(
        &self,
        map: &MapState<'_>,
        stream: &Stream<'_>,
        (format, fingerprint): (Format, Fingerprint),
    ) -> Result<u64, NotDrawn> {
        let name = key(map.id, format);
        let target = self.options.out.join(name.path());
        let disk = |source| {
            NotDrawn::Run(RenderError::Write {
                path: target.clone(),
                source,
            })
        };
        let file = Pending::begin(self.journal.scratch(), name.path()).map_err(disk)?;
        let rows = stream.head.n_hexagons;
        let span = debug_span!("draw", format = format.name(), rows, bytes = Empty).entered();
        let mut out = Counted {
            file,
            bytes: 0,
            cancel: self.options.cancel,
        };
        timed(&self.times.draw, || {
            let mut writer = draw::writer(format, &stream.head, &mut out, &self.options.draw)?;
            stream.write(&mut *writer, self.options.cancel)
        })
        .map_err(|error| match error {
            _ if self.options.cancel.load(Ordering::Relaxed) => NotDrawn::Interrupted,
            StreamError::Interrupted => NotDrawn::Interrupted,
            // A scene that cannot be drawn is a fault of this map, not of the disk.
            StreamError::Write(error) if error.kind() != io::ErrorKind::InvalidInput => disk(error),
            error => NotDrawn::Map(with_causes(&error)),
        })?;
        span.record("bytes", out.bytes);
        drop(span);
        let entry = self.entry(map, (format, fingerprint), out.bytes);
        let _span = debug_span!("write", bytes = entry.bytes).entered();
        timed(&self.times.write, || {
            let pending = out.file.finish().map_err(disk)?;
            Ok::<(), NotDrawn>(self.publish(Some(pending), &entry)?)
        })?;
        Ok(entry.bytes)
    }
}

/// A file, and how many bytes went into it. Takes no more once the run is to end: the bands of a PNG
/// are drawn long after its last hexagon came.
struct Counted<'a> {
    file: PendingWriter,
    bytes: u64,
    cancel: &'a AtomicBool,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(io::Error::other("the run was interrupted"));
        }
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
