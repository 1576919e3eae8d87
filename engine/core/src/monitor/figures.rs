//! Histograms by what was done and for what.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// There are at most this many keys; what comes after goes into [`OTHER`].
pub const MAX_KEYS: usize = 256;

/// The name of everything that has no key of its own.
pub const OTHER: &str = "other";

/// The key of [`OTHER`].
pub(super) const OTHER_KEY: u16 = 0;

/// Longer times are counted as this in quantiles: an hour, in nanoseconds. It bounds a histogram to
/// 250 kB.
const LONGEST_NS: u64 = 3_600_000_000_000;

/// A closed span.
#[derive(Debug, Clone, Copy)]
pub(super) struct Closed {
    pub(super) key: u16,
    pub(super) ns: u64,
    pub(super) own_ns: u64,
    pub(super) rows: u64,
    pub(super) bytes: u64,
    pub(super) memory: i64,
}

/// What was measured of one kind of operation. Times are in nanoseconds and over all threads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// What was done: the span's name.
    pub name: String,
    /// For what: a plugin's id, a format; empty where there is no such thing.
    pub of: String,
    /// How often.
    pub count: u64,
    /// Time from begin to end, added up.
    pub total_ns: u64,
    /// The same without the operations inside it that are timed themselves.
    pub own_ns: u64,
    /// Mean time of one.
    pub mean_ns: u64,
    /// Half of them took no longer than this (to three digits).
    pub p50_ns: u64,
    /// 99 of 100 took no longer than this (to three digits).
    pub p99_ns: u64,
    /// The longest, exactly.
    pub max_ns: u64,
    /// Rows (hexagons, rows of a table), added up.
    pub rows: u64,
    /// Bytes, added up.
    pub bytes: u64,
    /// `total_ns` a row; none without rows.
    pub ns_per_row: Option<f64>,
    /// How much more memory the whole process had at the end than at the begin, added up, in bytes.
    /// Sampled each 20 ms, and other threads count too: it means something for long operations only.
    pub memory_delta_bytes: i64,
}

struct Key {
    name: String,
    of: String,
    histogram: Option<Histogram<u64>>,
    count: u64,
    total_ns: u64,
    own_ns: u64,
    max_ns: u64,
    rows: u64,
    bytes: u64,
    memory: i64,
}

/// All keys.
pub(super) struct Tally(Vec<Key>);

impl Default for Tally {
    fn default() -> Self {
        Self(vec![Key::new(OTHER, "")])
    }
}

impl Tally {
    /// The key of a name and of what it is done for.
    pub(super) fn key(&mut self, name: &str, of: &str) -> u16 {
        let found = self
            .0
            .iter()
            .position(|key| key.name == name && key.of == of);
        let at = match found {
            Some(at) => at,
            None if self.0.len() == MAX_KEYS => usize::from(OTHER_KEY),
            None => {
                self.0.push(Key::new(name, of));
                self.0.len() - 1
            }
        };
        // There are at most 256.
        at as u16
    }

    pub(super) fn add(&mut self, closed: &Closed) {
        let key = &mut self.0[usize::from(closed.key)];
        key.count += 1;
        key.total_ns += closed.ns;
        key.own_ns += closed.own_ns;
        key.max_ns = key.max_ns.max(closed.ns);
        // Rows and bytes come from spans, which anyone can make up.
        key.rows = key.rows.saturating_add(closed.rows);
        key.bytes = key.bytes.saturating_add(closed.bytes);
        key.memory = key.memory.saturating_add(closed.memory);
        if let Some(histogram) = &mut key.histogram {
            // It grows up to the bound, so nothing is out of its range.
            let _ = histogram.record(closed.ns.clamp(1, LONGEST_NS));
        }
    }

    /// What was done, most of the time of its own first.
    pub(super) fn operations(&self) -> Vec<Operation> {
        let seen = self.0.iter().filter(|key| key.count > 0);
        let mut operations: Vec<_> = seen.map(Key::operation).collect();
        operations.sort_by(|a, b| {
            let by_time = b.own_ns.cmp(&a.own_ns);
            by_time.then_with(|| (&a.name, &a.of).cmp(&(&b.name, &b.of)))
        });
        operations
    }
}

impl Key {
    fn new(name: &str, of: &str) -> Self {
        Self {
            name: name.to_owned(),
            of: of.to_owned(),
            // Three digits are within what the crate can do.
            histogram: Histogram::new(3).ok(),
            count: 0,
            total_ns: 0,
            own_ns: 0,
            max_ns: 0,
            rows: 0,
            bytes: 0,
            memory: 0,
        }
    }

    fn operation(&self) -> Operation {
        let quantile = |quantile| {
            let found = self.histogram.as_ref();
            // A bucket ends at or behind what it holds.
            found.map_or(0, |found| {
                found.value_at_quantile(quantile).min(self.max_ns)
            })
        };
        Operation {
            name: self.name.clone(),
            of: self.of.clone(),
            count: self.count,
            total_ns: self.total_ns,
            own_ns: self.own_ns,
            mean_ns: self.total_ns / self.count.max(1),
            p50_ns: quantile(0.5),
            p99_ns: quantile(0.99),
            max_ns: self.max_ns,
            rows: self.rows,
            bytes: self.bytes,
            ns_per_row: (self.rows > 0).then(|| self.total_ns as f64 / self.rows as f64),
            memory_delta_bytes: self.memory,
        }
    }
}
