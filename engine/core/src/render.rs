//! A run: draws planned maps on all cores and writes them, complete or not at all.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use rayon::prelude::*;

use crate::{
    draw::{self, DrawOptions, Format},
    index,
    manifest::{Entry, Journal, Key, Manifest, ManifestError, Status},
    model::MapId,
    pipeline::{Maps, Request, Scene},
    sink::{Pending, write_atomically},
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
    /// Delete maps of earlier runs that are not in this one.
    pub prune: bool,
    /// Write an `index.html`.
    pub index: bool,
    /// Set to stop after the maps that are being drawn.
    pub cancel: &'a AtomicBool,
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Maps with data that were drawn, in all formats.
    pub rendered: u64,
    /// Maps without data that were drawn.
    pub blank: u64,
    /// Maps that could not be drawn.
    pub failed: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Why maps failed: the first few, as map and reason.
    pub failures: Vec<(String, String)>,
    /// Columns that the coordinate stage could not place, most of any map.
    pub unplaced: usize,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// Time spent encoding, over all threads.
    pub draw: Duration,
    /// Time spent writing, over all threads.
    pub write: Duration,
    /// Time from start to end.
    pub elapsed: Duration,
}

impl Summary {
    fn fail(&mut self, id: &MapId, reason: String) {
        self.failed += 1;
        if self.failures.len() < LISTED_FAILURES {
            self.failures.push((id.to_string(), reason));
        }
    }
}

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The output directory cannot be used.
    #[error("cannot write {}", .path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Threads cannot be started.
    #[error("cannot start {jobs} threads: {reason}")]
    Threads {
        /// How many were asked for.
        jobs: usize,
        /// Why not.
        reason: String,
    },
}

impl RenderError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Write { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "the disk is full: free space and run the same command again; complete maps are kept".into()
            }
            Self::Write { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "choose another directory with -o, or make this one writable".into()
            }
            Self::Write { .. } => "choose another directory with -o".into(),
            Self::Manifest(error) => error.help(),
            Self::Threads { .. } => "ask for fewer threads with --jobs".into(),
        }
    }
}

/// More failures than this are counted, not listed.
const LISTED_FAILURES: usize = 10;

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
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.jobs)
        .build()
        .map_err(|error| RenderError::Threads {
            jobs: options.jobs,
            reason: error.to_string(),
        })?;
    std::fs::create_dir_all(options.out).map_err(|source| RenderError::Write {
        path: options.out.into(),
        source,
    })?;
    let run = Run {
        maps,
        options,
        formats: formats(options),
        // A damaged manifest is found here, before hours of work, not after.
        journal: Journal::start(options.out)?,
        times: Times::default(),
        summary: Mutex::default(),
        fatal: Mutex::new(None),
    };
    pool.install(|| {
        requests.par_iter().for_each(|&request| {
            if run.goes_on() {
                run.draw(request);
                progress();
            }
        });
    });
    run.finish(requests, start)
}

/// An index shows static pictures, so it needs them.
fn formats(options: &RenderOptions<'_>) -> Vec<Format> {
    let mut formats = options.formats.to_vec();
    if options.index {
        formats.push(Format::SvgStatic);
    }
    formats.sort_unstable();
    formats.dedup();
    formats
}

/// Time spent over all threads, in nanoseconds.
#[derive(Debug, Default)]
struct Times {
    draw: AtomicU64,
    write: AtomicU64,
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
    journal: Journal,
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

    /// Draws and writes one map in all formats. A fault of the program costs this map alone.
    fn draw(&self, request: Request) {
        let id = request.id(self.maps.dataset);
        let _span = tracing::info_span!("map", map = %id).entered();
        let drawn = catch_unwind(AssertUnwindSafe(|| match self.maps.scene(request) {
            Ok(scene) => self.write_all(&id, &scene),
            Err(error) => self.fail_all(&id, &with_causes(&error)),
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

    fn write_all(&self, id: &MapId, scene: &Scene) -> Result<(), RenderError> {
        let (mut bytes, mut failure) = (0, None);
        for &format in &self.formats {
            let drawn = timed(&self.times.draw, || {
                draw::draw(format, &scene.head, &scene.batch(), &self.options.draw)
            });
            match drawn {
                Ok(artifact) => bytes += self.write(id, scene, format, &artifact)?,
                // A scene that cannot be drawn is a fault of this map, not of the disk.
                Err(error) => {
                    let reason = error.to_string();
                    self.note_failure(id, format, &reason)?;
                    failure.get_or_insert(reason);
                }
            }
        }
        let mut summary = self.summary.lock().unwrap_or_else(PoisonError::into_inner);
        summary.bytes += bytes;
        summary.unplaced = summary.unplaced.max(scene.unplaced());
        match failure {
            Some(reason) => summary.fail(id, reason),
            None if scene.head.blank => summary.blank += 1,
            None => summary.rendered += 1,
        }
        Ok(())
    }

    fn write(
        &self,
        id: &MapId,
        scene: &Scene,
        format: Format,
        artifact: &[u8],
    ) -> Result<u64, RenderError> {
        let key = key(id, format);
        let target = self.options.out.join(key.path());
        let scale = if format == Format::Png {
            self.options.draw.scale
        } else {
            1.0
        };
        let drawing = format!("writer {} scale {scale}", draw::WRITER_VERSION);
        let entry = Entry {
            path: key.path(),
            key,
            bytes: artifact.len() as u64,
            fingerprint: scene
                .fingerprint()
                .of_artifact(format.name(), &drawing)
                .to_string(),
            status: if scene.head.blank {
                Status::Blank
            } else {
                Status::Rendered
            },
            error: None,
        };
        timed(&self.times.write, || {
            let pending = Pending::write(&target, artifact).or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => {
                    std::fs::create_dir_all(target.parent().unwrap_or(self.options.out))?;
                    Pending::write(&target, artifact)
                }
                _ => Err(error),
            });
            let pending = pending.map_err(|source| RenderError::Write {
                path: target.clone(),
                source,
            })?;
            Ok(self.journal.publish(Some(pending), &entry)?)
        })
        .map(|()| entry.bytes)
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
        };
        Ok(self.journal.publish(None, &entry)?)
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
        let mut wanted = std::collections::BTreeSet::new();
        if self.options.prune && complete {
            let ids = requests.iter().map(|request| request.id(dataset));
            wanted.extend(
                ids.flat_map(|id| self.formats.iter().map(move |&format| key(&id, format))),
            );
        }
        let keep = |key: &Key| !(self.options.prune && complete) || wanted.contains(key);
        let write_index = |manifest: &Manifest| {
            let path = self.options.out.join(index::INDEX_FILE);
            // A page that is there must not link to what is gone.
            if !(self.options.index || path.exists()) {
                return Ok(());
            }
            write_atomically(&path, index::page(manifest).as_bytes())
                .map_err(|source| ManifestError::Io { path, source })
        };
        match (self.journal.finish(keep, write_index), fatal) {
            // What ended the run explains more than a manifest that could not be written after it.
            (_, Some(error)) => return Err(error),
            (finished, None) => finished?,
        };
        summary.failures.sort();
        summary.draw = Duration::from_nanos(self.times.draw.into_inner());
        summary.write = Duration::from_nanos(self.times.write.into_inner());
        summary.elapsed = start.elapsed();
        Ok(summary)
    }
}

fn key(id: &MapId, format: Format) -> Key {
    Key {
        cell_type: id.cell_type.to_string(),
        region: id.region.to_string(),
        side: id.side,
        metric: id.metric.to_string(),
        format,
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
