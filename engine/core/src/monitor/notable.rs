//! What is worth a name: slow operations and the slowest maps, so many and no more.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use super::lock;

/// Slow operations beyond this many are counted, not told.
pub const TOLD: usize = 20;
/// The slowest so many of the slow operations are listed.
pub const LISTED_SLOW: usize = 100;
/// So many of the slowest maps are listed.
pub const SLOWEST_MAPS: usize = 10;

/// Their time does not belong to a map, so they are not called slow.
const PHASES: [&str; 3] = ["load", "ingest", "finish"];

/// An operation that took longer than `[monitor] slow`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowOperation {
    /// What was done.
    pub name: String,
    /// For what: a plugin's id, a format; may be empty.
    pub of: String,
    /// For which map; may be empty.
    pub map: String,
    /// When it began, from the start of the monitor.
    pub start: Duration,
    /// How long it took.
    pub time: Duration,
    /// Whether it took longer than `[monitor] very_slow`.
    pub very_slow: bool,
}

/// A map and the time that it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowMap {
    /// The map.
    pub map: String,
    /// From begin to end, on its thread.
    pub time: Duration,
}

#[derive(Default)]
struct Lists {
    slow: Vec<SlowOperation>,
    slow_count: u64,
    untold: Vec<SlowOperation>,
    told: usize,
    maps: Vec<SlowMap>,
}

pub(super) struct Notable {
    slow_ns: u64,
    very_slow_ns: u64,
    /// A map must take longer than this to be among the slowest.
    floor_ns: AtomicU64,
    has_untold: AtomicBool,
    lists: Mutex<Lists>,
}

impl Notable {
    pub(super) fn new(slow: Duration, very_slow: Duration) -> Self {
        let ns = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        Self {
            slow_ns: ns(slow),
            very_slow_ns: ns(very_slow),
            floor_ns: AtomicU64::new(0),
            has_untold: AtomicBool::new(false),
            lists: Mutex::default(),
        }
    }

    pub(super) fn is_slow(&self, name: &str, ns: u64) -> bool {
        ns >= self.slow_ns && !PHASES.contains(&name)
    }

    pub(super) fn is_very_slow(&self, ns: u64) -> bool {
        ns >= self.very_slow_ns
    }

    pub(super) fn add(&self, operation: SlowOperation) {
        let mut lists = lock(&self.lists);
        lists.slow_count += 1;
        if lists.told < TOLD {
            lists.told += 1;
            lists.untold.push(operation.clone());
            self.has_untold.store(true, Ordering::Relaxed);
        }
        lists.slow.push(operation);
        // Sorted now and then: each costs what is added, not what is kept.
        if lists.slow.len() >= 2 * LISTED_SLOW {
            cut(&mut lists.slow);
        }
    }

    pub(super) fn map(&self, map: &str, ns: u64) {
        if ns <= self.floor_ns.load(Ordering::Relaxed) {
            return;
        }
        let mut lists = lock(&self.lists);
        let time = Duration::from_nanos(ns);
        let at = lists.maps.partition_point(|slow| slow.time >= time);
        lists.maps.insert(
            at,
            SlowMap {
                map: map.to_owned(),
                time,
            },
        );
        if lists.maps.len() > SLOWEST_MAPS {
            lists.maps.pop();
            let floor = lists
                .maps
                .last()
                .map_or(0, |slow| slow.time.as_nanos() as u64);
            self.floor_ns.store(floor, Ordering::Relaxed);
        }
    }

    pub(super) fn untold(&self) -> Vec<SlowOperation> {
        if !self.has_untold.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let mut lists = lock(&self.lists);
        self.has_untold.store(false, Ordering::Relaxed);
        std::mem::take(&mut lists.untold)
    }

    pub(super) fn slow(&self) -> Vec<SlowOperation> {
        let mut lists = lock(&self.lists);
        cut(&mut lists.slow);
        lists.slow.clone()
    }

    pub(super) fn slow_count(&self) -> u64 {
        lock(&self.lists).slow_count
    }

    pub(super) fn slowest_maps(&self) -> Vec<SlowMap> {
        lock(&self.lists).maps.clone()
    }
}

/// Keeps the slowest, the slowest first.
fn cut(slow: &mut Vec<SlowOperation>) {
    slow.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.start.cmp(&b.start)));
    slow.truncate(LISTED_SLOW);
}
