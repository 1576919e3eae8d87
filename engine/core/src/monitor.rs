//! Where the time goes: a layer of `tracing` that times the engine's spans.
//!
//! Each closed span goes into a histogram of its name and of what it was done for (a plugin's id, a
//! format), with rows, bytes and the change of memory; the slowest maps and the slow operations are
//! kept by name. [`report`] makes a document of it, [`page`] a page, [`trace`] a file for a timeline.
//! What a span is called and which fields it has is said in `docs/monitoring.md`.
//!
//! A thread notes what it closes in a buffer of its own and hands it in now and then, so threads meet
//! once in 256 spans. A span must be opened and closed on one thread, one inside the other, as the
//! guards of `tracing` do it; what is not is left out.

mod figures;
mod notable;
pub mod page;
mod picture;
pub mod report;
mod share;
#[cfg(test)]
mod tests;
mod thread;
pub mod trace;

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use tracing::{
    Metadata, Subscriber,
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, filter::filter_fn, layer::Context, registry::LookupSpan};

pub use figures::{MAX_KEYS, OTHER, Operation};
pub use notable::{LISTED_SLOW, SLOWEST_MAPS, SlowMap, SlowOperation, TOLD};
pub use share::{IDLE, Share, bottleneck, doing, percent, shares, whole};

use crate::{config::MonitorConfig, memory::MemoryWatch};
use figures::{Closed, Tally};
use notable::Notable;
use thread::Buffer;
use trace::TraceFile;

/// Times the spans of the engine. Clones share what they measured.
#[derive(Clone)]
pub struct Monitor(Arc<Shared>);

struct Shared {
    /// Tells the stacks of several monitors apart on a thread.
    number: u64,
    start: Instant,
    memory: Arc<MemoryWatch>,
    trace: Option<TraceFile>,
    tally: Mutex<Tally>,
    notable: Notable,
    buffers: Mutex<Vec<Arc<Mutex<Buffer>>>>,
    next_thread: AtomicU64,
}

/// What was measured so far.
#[derive(Debug, Clone)]
pub struct Figures {
    /// Time since the monitor was made.
    pub wall: Duration,
    /// What was done, most of the time of its own first.
    pub operations: Vec<Operation>,
    /// The maps that took longest, the slowest first; at most [`SLOWEST_MAPS`].
    pub slowest_maps: Vec<SlowMap>,
    /// The slow operations, the slowest first; at most [`LISTED_SLOW`].
    pub slow: Vec<SlowOperation>,
    /// How many operations were slow, listed or not.
    pub slow_count: u64,
}

/// Spans of other crates are not for us.
const OURS: &str = "eyemap_engine";

impl Monitor {
    /// A monitor that has seen nothing. It reads memory from a watch, and writes a timeline if it is
    /// given a file.
    pub fn new(config: &MonitorConfig, memory: Arc<MemoryWatch>, trace: Option<TraceFile>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(Arc::new(Shared {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            start: Instant::now(),
            memory,
            trace,
            tally: Mutex::default(),
            notable: Notable::new(config.slow.duration(), config.very_slow.duration()),
            buffers: Mutex::default(),
            next_thread: AtomicU64::new(1),
        }))
    }

    /// The layer for a subscriber. It brings its own filter, so it sees the engine's spans down to
    /// debug level whatever other layers want, and nothing else.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let ours = |metadata: &Metadata<'_>| metadata.is_span() && is_ours(metadata.target());
        let filter = filter_fn(ours).with_max_level_hint(LevelFilter::DEBUG);
        Watcher(self.clone()).with_filter(filter)
    }

    /// Slow operations that nobody was told of, at most [`TOLD`] in all. Costs a load when there is
    /// none.
    pub fn untold(&self) -> Vec<SlowOperation> {
        self.0.notable.untold()
    }

    /// What was measured so far. Spans that are open are not in it.
    pub fn figures(&self) -> Figures {
        let shared = &self.0;
        shared.collect();
        Figures {
            wall: shared.start.elapsed(),
            operations: lock(&shared.tally).operations(),
            slowest_maps: shared.notable.slowest_maps(),
            slow: shared.notable.slow(),
            slow_count: shared.notable.slow_count(),
        }
    }

    /// Writes what is left of the timeline, and says how it went: none without a timeline.
    pub fn finish_trace(&self) -> Option<trace::Traced> {
        self.0.collect();
        self.0.trace.as_ref().map(TraceFile::finish)
    }

    /// What it reads memory from.
    pub fn memory(&self) -> &Arc<MemoryWatch> {
        &self.0.memory
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor")
            .field("number", &self.0.number)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// Takes in what threads have not handed in.
    fn collect(&self) {
        let mut buffers = lock(&self.buffers);
        for buffer in &*buffers {
            self.take_in(&mut lock(buffer));
        }
        // Only this list still knows the buffers of threads that ended.
        buffers.retain(|buffer| Arc::strong_count(buffer) > 1);
    }

    fn take_in(&self, buffer: &mut Buffer) {
        let mut tally = lock(&self.tally);
        for closed in buffer.closed.drain(..) {
            tally.add(&closed);
        }
        drop(tally);
        if let Some(trace) = &self.trace {
            trace.write(&mut buffer.events);
        }
    }

    fn note(&self, buffer: &Mutex<Buffer>, closed: Closed) {
        let mut buffer = lock(buffer);
        buffer.closed.push(closed);
        if buffer.is_full() {
            self.take_in(&mut buffer);
        }
    }
}

fn is_ours(target: &str) -> bool {
    target
        .strip_prefix(OURS)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// What is counted stays true when a thread panicked while it counted.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The layer itself, which must be filtered.
struct Watcher(Monitor);

impl<S: Subscriber> Layer<S> for Watcher {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        thread::open(&self.0.0, attributes, id);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        thread::record(&self.0.0, values, id);
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        thread::close(&self.0.0, &id);
    }
}
