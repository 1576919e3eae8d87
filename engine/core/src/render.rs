//! A run: draws planned maps on all cores and writes them, complete or not at all.

mod admitted;
mod archived;
mod error;
mod keeping;
mod recording;
mod streamed;
mod summary;

pub use archived::{Archiving, all_formats, paths};
pub use error::RenderError;
pub use keeping::Keeping;
use streamed::NotDrawn;
pub use summary::Summary;

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tracing::{debug_span, field::Empty};

use crate::{
    cache::{Answered, Recorder},
    clipped::Clipped,
    draw::{self, DrawOptions, Format},
    governor::Pressure,
    index,
    manifest::{Entry, Journal, Key, Listed, Places, Status, Waiting},
    model::MapId,
    pipeline::{Draft, Fingerprint, Maps, Request, Scene},
    sink::Pending,
    work,
};

/// What to write, and where.
#[derive(Debug, Clone, Copy)]
pub struct RenderOptions<'a> {
    /// The output directory; created if missing.
    pub out: &'a Path,
    /// Formats of every map.
    pub formats: &'a [Format],
    /// How artifacts are drawn.
    pub draw: DrawOptions,
    /// Threads; 0 takes one a core.
    pub jobs: usize,
    /// Whether maps go into archives in place of files of their own.
    pub archive: Archiving,
    /// Delete maps of earlier runs that are not in this one.
    pub prune: bool,
    /// Write an `index.html`.
    pub index: bool,
    /// Draw every map, also those that the output directory or the store has.
    pub force: bool,
    /// Where artifacts outlive the run.
    pub store: Option<&'a Keeping<'a>>,
    /// Notes what is asked of the caches.
    pub recorder: Option<&'a Recorder>,
    /// Tells when fewer threads should draw.
    pub pressure: Option<&'a Pressure>,
    /// Set to stop after the maps that are being drawn.
    pub cancel: &'a AtomicBool,
    /// How it waits for another run that holds the output directory.
    pub waiting: Waiting<'a>,
    /// What is drawn with, in a line; shards are compared by it.
    pub drawn_with: &'a str,
}

/// Draws maps. `progress` is called after each map, from any thread.
///
/// # Errors
/// When the output cannot be written. Maps that were complete by then are kept and listed in the
/// journal, which the next run takes in. A map that fails alone does not end the run.
pub fn render(
    maps: &Maps<'_>,
    requests: &[Request],
    options: &RenderOptions<'_>,
    progress: &(dyn Fn() + Sync),
) -> Result<Summary, RenderError> {
    let start = Instant::now();
    let formats = all_formats(options.formats, options.index);
    // Before anything is written: what does not fit now does not fit later.
    let threads = admitted::threads(maps, requests, options, &formats)?;
    let run = Run {
        maps,
        options,
        formats,
        opened: archived::Opened::default(),
        // A damaged manifest is found here, before hours of work, not after.
        journal: Journal::start(options.out, options.waiting)?,
        times: Times::default(),
        summary: Mutex::default(),
        fatal: Mutex::new(None),
    };
    run.journal.draws_with(options.drawn_with)?;
    run.draw_all(requests, threads, progress);
    run.finish(requests, start)
}

/// Time spent over all threads, in nanoseconds.
#[derive(Debug, Default)]
struct Times {
    draw: AtomicU64,
    write: AtomicU64,
    store: AtomicU64,
}

/// What is known of a map whatever its format.
struct MapState<'a> {
    id: &'a MapId,
    blank: bool,
    unplaced: usize,
    clipped: Clipped,
}

fn timed<T>(counter: &AtomicU64, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    // 2^64 ns are 584 years.
    counter.fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
    done
}

struct Run<'a> {
    maps: &'a Maps<'a>,
    options: &'a RenderOptions<'a>,
    formats: Vec<Format>,
    opened: archived::Opened,
    journal: Journal<'a>,
    times: Times,
    summary: Mutex<Summary>,
    fatal: Mutex<Option<RenderError>>,
}

impl Run<'_> {
    fn goes_on(&self) -> bool {
        !self.options.cancel.load(Ordering::Relaxed)
            && self
                .fatal
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .is_none()
    }

    /// Draws maps on all threads. They are begun in order, so that those of one cell type, which are
    /// made of the same rows, are drawn at about the same time.
    fn draw_all(&self, requests: &[Request], threads: usize, progress: &(dyn Fn() + Sync)) {
        let next = AtomicUsize::new(0);
        let units: Vec<&[Request]> = requests.chunks(self.options.archive.unit()).collect();
        work::on_threads(threads, |number| {
            loop {
                if let Some(pressure) = self.options.pressure {
                    let more = || next.load(Ordering::Relaxed) < units.len() && self.goes_on();
                    pressure.wait_for_turn(number, self.options.cancel, more);
                }
                let unit = next.fetch_add(1, Ordering::Relaxed);
                let Some(requests) = units.get(unit).filter(|_| self.goes_on()) else {
                    break;
                };
                self.draw_unit(unit, requests, progress);
            }
        });
    }

    /// Draws and writes one map in all formats. A fault of the program costs this map alone.
    fn draw(&self, request: Request) {
        let id = request.id(self.maps.dataset);
        let Ok(_given) = self.admitted(request) else {
            return;
        };
        let _span = tracing::info_span!("map", map = %id).entered();
        let drawn = catch_unwind(AssertUnwindSafe(|| {
            if self.maps.is_streamed(request) {
                return self.draw_streamed(&id, request);
            }
            match self.maps.draft(request) {
                Ok(draft) => self.bring_up_to_date(&id, draft),
                Err(error) => self.fail_all(&id, &with_causes(&error)),
            }
        }));
        let outcome = drawn.unwrap_or_else(|_| {
            self.fail_all(
                &id,
                "a fault of the program; please report it with the table",
            )
        });
        if let Err(error) = outcome {
            self.fatal
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert(error);
        }
    }

    /// Leaves what is as it should be, takes what the store has, and draws the rest.
    fn bring_up_to_date(&self, id: &MapId, draft: Draft<'_>) -> Result<(), RenderError> {
        let map = MapState {
            id,
            blank: draft.blank,
            unplaced: draft.unplaced(),
            clipped: draft.clipped,
        };
        let (mut missing, mut stored, mut bytes) = (Vec::new(), 0, 0);
        for &format in &self.formats {
            let fingerprint = self.artifact(draft.fingerprint(), format);
            if !self.options.force {
                if self.is_unchanged(&key(id, format), &fingerprint.to_string()) {
                    self.record_left(&key(id, format), fingerprint);
                    continue;
                }
                if let Some((artifact, cost)) = self.stored(fingerprint) {
                    self.record(fingerprint, artifact.len(), cost, Answered::Store);
                    match self.write(&map, (format, fingerprint), &artifact, None) {
                        Ok(written) => {
                            bytes += written;
                            stored += 1;
                            continue;
                        }
                        // Told when it was drawn: then nothing can be in the way any more, or is again.
                        Err(NotDrawn::Map(_) | NotDrawn::Interrupted) => {}
                        Err(NotDrawn::Run(error)) => return Err(error),
                    }
                }
            }
            missing.push((format, fingerprint));
        }
        if missing.is_empty() {
            let mut summary = self.summary.lock().unwrap_or_else(PoisonError::into_inner);
            summary.take(&map, bytes);
            summary.unchanged += 1;
            summary.from_store += u64::from(stored > 0);
            return Ok(());
        }
        let start = Instant::now();
        match draft.scene() {
            Ok(scene) => self.draw_missing(&map, &scene, (&missing, start.elapsed())),
            Err(error) => self.fail_all(id, &with_causes(&error)),
        }
    }

    fn draw_missing(
        &self,
        map: &MapState<'_>,
        scene: &Scene,
        (missing, scene_cost): (&[(Format, Fingerprint)], Duration),
    ) -> Result<(), RenderError> {
        let (mut bytes, mut failure) = (0, None);
        for &(format, fingerprint) in missing {
            let start = Instant::now();
            let drawn = timed(&self.times.draw, || draw(format, scene, &self.options.draw));
            // Whoever has not got it pays for the scene too.
            let cost = scene_cost + start.elapsed();
            let written = match drawn {
                Ok(artifact) => {
                    self.record(fingerprint, artifact.len(), cost, Answered::Computed);
                    self.write(map, (format, fingerprint), &artifact, Some(cost))
                }
                // A scene that cannot be drawn is a fault of this map, not of the disk.
                Err(error) => Err(NotDrawn::Map(error.to_string())),
            };
            match written {
                Ok(written) => bytes += written,
                Err(NotDrawn::Map(reason)) => {
                    self.note_failure(map.id, format, &reason)?;
                    failure.get_or_insert(reason);
                }
                Err(NotDrawn::Run(error)) => return Err(error),
                Err(NotDrawn::Interrupted) => return Ok(()),
            }
        }
        self.count(map, bytes, true, failure);
        Ok(())
    }

    /// Counts a map that was drawn, that was there, or of which a format failed.
    fn count(&self, map: &MapState<'_>, bytes: u64, drawn: bool, failure: Option<String>) {
        let mut summary = self.summary.lock().unwrap_or_else(PoisonError::into_inner);
        summary.take(map, bytes);
        match failure {
            Some(reason) => summary.fail(map.id, reason),
            None if !drawn => summary.unchanged += 1,
            None if map.blank => summary.blank += 1,
            None => summary.rendered += 1,
        }
    }

    /// What is noted of a file.
    fn entry(
        &self,
        map: &MapState<'_>,
        (format, fingerprint): (Format, Fingerprint),
        bytes: u64,
    ) -> Entry {
        let key = key(map.id, format);
        Entry {
            path: key.path(),
            key,
            bytes,
            fingerprint: fingerprint.to_string(),
            status: if map.blank {
                Status::Blank
            } else {
                Status::Rendered
            },
            error: None,
            archive: None,
        }
    }

    /// The fingerprint of a map in a format.
    fn artifact(&self, map: Fingerprint, format: Format) -> Fingerprint {
        let scale = match format {
            Format::Png => self.options.draw.scale,
            _ => 1.0,
        };
        let drawing = format!("writer {} scale {scale}", draw::WRITER_VERSION);
        map.of_artifact(format.name(), &drawing)
    }

    fn stored(&self, fingerprint: Fingerprint) -> Option<(Vec<u8>, Duration)> {
        let keeping = self.options.store?;
        timed(&self.times.store, || {
            let span = debug_span!("artifacts", what = "get", bytes = Empty).entered();
            let found = keeping.get(fingerprint);
            span.record(
                "bytes",
                found.as_ref().map_or(0, |(artifact, _)| artifact.len()),
            );
            found
        })
    }

    /// Writes a file and notes it. One that was drawn, at a cost, is kept in the store.
    fn write(
        &self,
        map: &MapState<'_>,
        (format, fingerprint): (Format, Fingerprint),
        artifact: &[u8],
        cost: Option<Duration>,
    ) -> Result<u64, NotDrawn> {
        let entry = self.entry(map, (format, fingerprint), artifact.len() as u64);
        let _span = debug_span!("write", bytes = entry.bytes).entered();
        let pending = timed(&self.times.write, || {
            Pending::write_in(self.journal.scratch(), &entry.path, artifact)
        });
        let pending = pending.map_err(|source| RenderError::Write {
            path: self.options.out.join(&entry.path),
            source,
        })?;
        if let (Some(keeping), Some(cost)) = (self.options.store, cost) {
            timed(&self.times.store, || {
                keeping.keep(fingerprint, artifact, cost, pending.path().as_deref());
            });
        }
        timed(&self.times.write, || self.publish(Some(pending), &entry))?;
        Ok(entry.bytes)
    }

    fn fail_all(&self, id: &MapId, reason: &str) -> Result<(), RenderError> {
        for &format in &self.formats {
            self.note_failure(id, format, reason)?;
        }
        let mut summary = self.summary.lock().unwrap_or_else(PoisonError::into_inner);
        summary.fail(id, reason.to_owned());
        Ok(())
    }

    fn note_failure(&self, id: &MapId, format: Format, reason: &str) -> Result<(), RenderError> {
        tracing::warn!(map = %id, format = format.name(), reason, "map failed");
        let entry = Entry {
            key: key(id, format),
            path: String::new(),
            bytes: 0,
            fingerprint: String::new(),
            status: Status::Failed,
            error: Some(reason.to_owned()),
            archive: None,
        };
        self.publish(None, &entry)
    }

    fn finish(self, requests: &[Request], start: Instant) -> Result<Summary, RenderError> {
        let fatal = self
            .fatal
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let mut summary = self
            .summary
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        summary.interrupted = self.options.cancel.load(Ordering::Relaxed);
        let complete = fatal.is_none() && !summary.interrupted;
        let dataset = self.maps.dataset;
        let prune = self.options.prune && complete;
        let of_map = |request: &Request| {
            let id = request.id(dataset);
            self.formats.iter().map(move |&format| key(&id, format))
        };
        let wanted = Places::of(requests.iter().filter(|_| prune).flat_map(of_map));
        let keep = |key: &Key| !prune || wanted.has(key);
        let and_then = |listed: &Listed<'_>| {
            // A page that is there must not link to what is gone.
            let is_there = matches!(listed.dir.look(index::INDEX_FILE), Ok(Some(_)));
            if self.options.index || is_there {
                index::publish(listed)?;
            }
            if complete {
                let drawn = requests.iter().flat_map(of_map);
                listed.is_drawn_with(self.options.drawn_with, drawn)?;
            }
            Ok(())
        };
        let finished = debug_span!("finish").in_scope(|| self.journal.finish(keep, and_then));
        match (finished, fatal) {
            // What ended the run explains more than a manifest that could not be written after it.
            (_, Some(error)) => return Err(error),
            (finished, None) => finished?,
        };
        summary.failures.sort();
        summary.draw = Duration::from_nanos(self.times.draw.into_inner());
        summary.write = Duration::from_nanos(self.times.write.into_inner());
        summary.store = Duration::from_nanos(self.times.store.into_inner());
        summary.elapsed = start.elapsed();
        Ok(summary)
    }
}

/// Draws a map that is held.
pub(crate) fn draw(format: Format, scene: &Scene, options: &DrawOptions) -> io::Result<Vec<u8>> {
    let (batch, name) = (scene.batch(), format.name());
    let rows = batch.x.len();
    let span = debug_span!("draw", format = name, rows, bytes = Empty).entered();
    let drawn = draw::draw(format, &scene.head, &batch, options);
    span.record("bytes", drawn.as_ref().map_or(0, Vec::len));
    drawn
}

/// Names a map in a format.
pub(crate) fn key(id: &MapId, format: Format) -> Key {
    Key {
        cell_type: id.cell_type.to_string(),
        region: id.region.to_string(),
        side: id.side,
        metric: id.metric.to_string(),
        format,
    }
}

/// An error and what caused it, in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
