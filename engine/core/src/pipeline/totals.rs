//! What a map is, in numbers, for the words beside it.

use eyemap_abi::job::{ColumnStatus, Statistics, SubjectNeeds};

use super::PIECE;
use crate::{
    scene::{Counts, Legend},
    statistics::Tally,
};

/// What the metadata stage is told of a map besides its names.
pub(super) struct Told<'a> {
    /// Names of the columns' attributes.
    pub(super) attributes: &'a [String],
    pub(super) totals: Totals,
    /// Layers that the map shows: none of a blank map, and none where the metric has no layers.
    pub(super) n_layers: usize,
}

/// What the whole columns of a map are, in numbers.
pub(super) struct Totals {
    pub(super) counts: Counts,
    tally: Tally,
}

impl Totals {
    pub(super) fn new() -> Self {
        Self {
            counts: Counts::default(),
            tally: Tally::new(&SubjectNeeds::default()),
        }
    }

    /// Takes columns. Batches begin with a piece, so that a sum does not depend on the batches.
    pub(super) fn add(&mut self, status: &[ColumnStatus], value: &[f64], legend: Option<&Legend>) {
        let pairs = || status.iter().copied().zip(value.iter().copied());
        self.counts.add(pairs(), legend);
        for (status, value) in status.chunks(PIECE).zip(value.chunks(PIECE)) {
            let columns = status.iter().zip(value);
            let known = columns.filter(|&(&status, _)| status == ColumnStatus::HasData);
            self.tally.add(known.map(|(_, value)| value));
        }
    }

    pub(super) fn statistics(self) -> Statistics {
        // No categories are asked for, so there cannot be too many.
        let found = self.tally.finish(&SubjectNeeds::default());
        found.map_or_else(|_| Statistics::default(), |found| found.statistics)
    }
}
