//! A store beside a run: what is worth keeping in it.

use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use tracing::debug_span;

use crate::{cache::Store, pipeline::Fingerprint};

/// A store, and what is worth keeping in it.
#[derive(Debug)]
pub struct Keeping<'a> {
    /// The store.
    pub store: &'a Store,
    /// Keep what is cheaper to draw than to keep, too.
    pub all: bool,
    /// Moving averages of a put and of a get that finds something, in nanoseconds.
    put_ns: AtomicU64,
    get_ns: AtomicU64,
}

impl<'a> Keeping<'a> {
    /// Keeps everything, or what it pays to keep.
    pub const fn new(store: &'a Store, all: bool) -> Self {
        Self {
            store,
            all,
            put_ns: AtomicU64::new(FIRST_GUESS_NS),
            get_ns: AtomicU64::new(FIRST_GUESS_NS),
        }
    }

    pub(super) fn get(&self, fingerprint: Fingerprint) -> Option<(Vec<u8>, Duration)> {
        let start = Instant::now();
        let found = self.store.get(fingerprint)?;
        average(&self.get_ns, start.elapsed());
        Some(found)
    }

    /// Keeps an artifact if drawing it takes more than twice as long as putting it in now and getting
    /// it out in the next run.
    pub(super) fn keep(
        &self,
        fingerprint: Fingerprint,
        artifact: &[u8],
        cost: Duration,
        same: Option<&Path>,
    ) {
        let load = |average: &AtomicU64| Duration::from_nanos(average.load(Ordering::Relaxed));
        if self.all || cost > 2 * (load(&self.put_ns) + load(&self.get_ns)) {
            let bytes = artifact.len();
            let _span = debug_span!("artifacts", what = "put", bytes).entered();
            let start = Instant::now();
            self.store.put(fingerprint, artifact, cost, same);
            average(&self.put_ns, start.elapsed());
        }
    }
}

/// Before anything was measured.
const FIRST_GUESS_NS: u64 = 50_000;

/// Moves an average by a sixteenth. Two threads at a time may lose a measurement, which costs nothing.
fn average(average: &AtomicU64, new: Duration) {
    let (old, new) = (average.load(Ordering::Relaxed), new.as_nanos() as u64);
    average.store(old - old / 16 + new / 16, Ordering::Relaxed);
}
