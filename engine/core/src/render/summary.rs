//! What a run did, in numbers.

use std::{collections::BTreeMap, time::Duration};

use super::MapState;
use crate::{clipped::Clipped, model::MapId};

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Maps with data that were drawn, in all formats.
    pub rendered: u64,
    /// Maps without data that were drawn.
    pub blank: u64,
    /// Maps that were not drawn, because what they depend on did not change.
    pub unchanged: u64,
    /// Those of them that came out of the store; the others were in the output directory.
    pub from_store: u64,
    /// Maps that could not be drawn.
    pub failed: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Why maps failed: the first few, as map and reason.
    pub failures: Vec<(String, String)>,
    /// Columns that the coordinate stage could not place, most of any map.
    pub unplaced: usize,
    /// Values beyond ranges that were set by hand, by metric, of all maps that were looked at.
    pub clipped: BTreeMap<String, Clipped>,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// Time spent encoding, over all threads.
    pub draw: Duration,
    /// Time spent writing, over all threads.
    pub write: Duration,
    /// Time spent reading from the store and writing to it, over all threads.
    pub store: Duration,
    /// Time from start to end.
    pub elapsed: Duration,
}

impl Summary {
    /// Takes what was seen of a map.
    pub(super) fn take(&mut self, map: &MapState<'_>, bytes: u64) {
        self.bytes += bytes;
        self.unplaced = self.unplaced.max(map.unplaced);
        if !map.clipped.is_none() {
            let metric = map.id.metric.to_string();
            self.clipped.entry(metric).or_default().add(map.clipped);
        }
    }

    pub(super) fn fail(&mut self, id: &MapId, reason: String) {
        self.failed += 1;
        if self.failures.len() < LISTED_FAILURES {
            self.failures.push((id.to_string(), reason));
        }
    }
}

/// More failures than this are counted, not listed.
const LISTED_FAILURES: usize = 10;
