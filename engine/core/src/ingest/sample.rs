//! The first rows of a file, looked at only when its header does not say what is needed, so that the
//! error can propose what fits the values.

use std::path::Path;

use super::{cell::Cell, source::Source};

/// Rows that are looked at.
const ROWS: usize = 100;

/// The texts of the first rows, column by column; empty cells are left out.
#[derive(Debug, Default)]
pub(super) struct Sample {
    columns: Vec<Vec<String>>,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looks {
    /// Whole numbers from zero up.
    Counts,
    /// Numbers.
    Numbers,
    /// Something else, or nothing.
    Other,
}

impl Sample {
    /// Looks at a file; of one that cannot be read, at nothing.
    pub(super) fn take(path: &Path) -> Self {
        let Ok(mut source) = Source::open(path) else {
            return Self::default();
        };
        let mut columns = vec![Vec::new(); source.header.len()];
        if let Ok(Some(batch)) = source.next_batch() {
            for row in 0..batch.len().min(ROWS) {
                for (column, texts) in columns.iter_mut().enumerate() {
                    let cell = batch.cell(column, row);
                    if !cell.is_null() {
                        texts.push(cell.shown());
                    }
                }
            }
        }
        Self { columns }
    }

    /// The texts of a column.
    pub(super) fn texts(&self, column: usize) -> &[String] {
        self.columns.get(column).map_or(&[], Vec::as_slice)
    }

    /// What the values of a column look like.
    pub(super) fn looks(&self, column: usize) -> Looks {
        let texts = self.texts(column);
        let all = |fits: fn(&str) -> bool| !texts.is_empty() && texts.iter().all(|text| fits(text));
        match () {
            () if all(|text| {
                Cell::Text(text)
                    .value(crate::model::MetricKind::Count)
                    .is_ok()
            }) =>
            {
                Looks::Counts
            }
            () if all(|text| {
                Cell::Text(text)
                    .value(crate::model::MetricKind::Number)
                    .is_ok()
            }) =>
            {
                Looks::Numbers
            }
            () => Looks::Other,
        }
    }
}
