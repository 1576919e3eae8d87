//! Where a value of a row comes from: a column of the file, one text for all rows, a translation, or a
//! group of the pattern that takes one column apart.

use std::{collections::BTreeMap, sync::Arc};

use regex::CaptureLocations;

use super::{
    cell::Cell,
    error::{Objection, quote},
    source::Batch,
};
use crate::config::{RowPattern, Unmatched};

/// Where one of our columns comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    /// A column of the file, as it stands.
    Column(usize),
    /// One text for all rows.
    Constant(String),
    /// A column of the file; what is not in the map stays as it is.
    Mapped {
        column: usize,
        map: BTreeMap<String, String>,
    },
    /// A group of the pattern that is matched with a column.
    Group { column: usize, group: usize },
}

impl Field {
    /// The column of the file that is read, if one is.
    pub(super) const fn column(&self) -> Option<usize> {
        match self {
            Self::Column(column) | Self::Mapped { column, .. } | Self::Group { column, .. } => {
                Some(*column)
            }
            Self::Constant(_) => None,
        }
    }

    /// The cell of a row, whose groups were found before.
    pub(super) fn cell<'b>(
        &'b self,
        batch: &'b Batch<'_>,
        row: usize,
        groups: Option<&CaptureLocations>,
    ) -> Cell<'b> {
        match self {
            Self::Column(column) => batch.cell(*column, row),
            Self::Constant(value) => Cell::Text(value),
            Self::Mapped { column, map } => {
                let cell = batch.cell(*column, row);
                let ours = match cell {
                    Cell::Text(text) => map.get(text.trim_ascii()),
                    other => map.get(&other.shown()),
                };
                ours.map_or(cell, |ours| Cell::Text(ours))
            }
            Self::Group { column, group } => {
                let range = groups.and_then(|groups| groups.get(*group));
                match (batch.cell(*column, row), range) {
                    (Cell::Text(text), Some((start, end))) => {
                        text.get(start..end).map_or(Cell::Null, Cell::Text)
                    }
                    _ => Cell::Null,
                }
            }
        }
    }
}

/// The pattern of a table.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// The column that has the text.
    pub(super) column: usize,
    pub(super) rows: Arc<RowPattern>,
    pub(super) unmatched: Unmatched,
    /// The table of the configuration that has it.
    pub(super) section: &'static str,
}

impl Pattern {
    /// Room for the groups of a row.
    pub(super) fn groups(&self) -> CaptureLocations {
        self.rows.regex.capture_locations()
    }

    /// Finds the groups of a row. False if the row is to be left out.
    pub(super) fn find(
        &self,
        cell: Cell<'_>,
        groups: &mut CaptureLocations,
    ) -> Result<bool, Objection> {
        let text = cell.text();
        let found = match (&text, cell) {
            (Ok(_), Cell::Text(text)) => self.rows.regex.captures_read(groups, text).is_some(),
            _ => false,
        };
        match (found, self.unmatched) {
            (true, _) => Ok(true),
            (false, Unmatched::Skip) => Ok(false),
            (false, Unmatched::Error) => {
                let text = text?;
                let message = format!("{} does not match the pattern of `column`", quote(&text));
                Err(Objection::new(message).help(format!(
                    "to leave out rows that it does not match, add unmatched = \"skip\" to `column` of [{}]",
                    self.section
                )))
            }
        }
    }
}
