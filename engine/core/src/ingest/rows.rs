//! Rows of a table, packed: 24 to 32 bytes each and 8 for each value, grouped by cell type.
//!
//! Duplicates are found by sorting, not by a set, so that memory stays flat. What the rows mean is
//! not known here.

use std::{collections::HashMap, sync::Arc};

use eyemap_abi::job::Side;

use super::error::{Objection, quote};
use crate::model::Column;

/// Where a row belongs within its cell type. The order is the order in which parts are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// Twice the region's index, plus one on the right.
    pub(super) part: u8,
    pub(super) hex1: i32,
    pub(super) hex2: i32,
    pub(super) layer: u16,
    /// Index of the metric in a tall table; 0 otherwise.
    pub(super) metric: u8,
}

impl Key {
    pub(super) const fn column(&self) -> Column {
        Column {
            hex1: self.hex1,
            hex2: self.hex2,
        }
    }
}

/// The part of a [`Key`], of a region's index below 64 and a side.
pub(super) const fn part_of(region: u8, side: Side) -> u8 {
    region << 1 | matches!(side, Side::Right) as u8
}

/// The region's index and the side of a part.
pub(super) const fn region_and_side(part: u8) -> (usize, Side) {
    let side = if part & 1 == 1 {
        Side::Right
    } else {
        Side::Left
    };
    ((part >> 1) as usize, side)
}

/// A row, without its values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) key: Key,
    /// Where its values stand, in units of [`Rows::values_per_row`].
    values: u32,
    /// Id of the body; 0 in tables without bodies.
    pub(super) body: u64,
    /// Line or row number in the file.
    number: u64,
}

/// The rows of one cell type.
#[derive(Debug)]
pub(super) struct TypeRows {
    pub(super) name: Arc<str>,
    pub(super) rows: Vec<Row>,
    values: Vec<f64>,
}

impl TypeRows {
    /// The values of one of its rows.
    pub(super) fn values(&self, row: &Row, per_row: usize) -> &[f64] {
        let start = row.values as usize * per_row;
        self.values.get(start..start + per_row).unwrap_or_default()
    }
}

/// All rows read so far.
#[derive(Debug, Default)]
pub(super) struct Rows {
    types: Vec<TypeRows>,
    index: HashMap<Arc<str>, usize>,
    latest: usize,
    pub(super) values_per_row: usize,
}

/// Two rows that say the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Duplicate {
    pub(super) first: u64,
    pub(super) second: u64,
}

impl Rows {
    pub(super) fn new(values_per_row: usize) -> Self {
        Self {
            values_per_row,
            ..Self::default()
        }
    }

    /// The index of a cell type; neighbouring rows mostly share theirs.
    pub(super) fn cell_type(&mut self, name: &str) -> Result<usize, Objection> {
        if self
            .types
            .get(self.latest)
            .is_some_and(|latest| &*latest.name == name)
        {
            return Ok(self.latest);
        }
        self.latest = match self.index.get(name) {
            Some(&index) => index,
            None => self.add_type(name)?,
        };
        Ok(self.latest)
    }

    fn add_type(&mut self, name: &str) -> Result<usize, Objection> {
        if name.chars().any(char::is_control) {
            let message = format!("the cell type {} has a control character", quote(name));
            return Err(Objection::new(message).help("remove it from the name"));
        }
        let name: Arc<str> = name.into();
        self.index.insert(Arc::clone(&name), self.types.len());
        self.types.push(TypeRows {
            name,
            rows: Vec::new(),
            values: Vec::new(),
        });
        Ok(self.types.len() - 1)
    }

    /// Adds a row; `values` are [`Self::values_per_row`] long.
    pub(super) fn push(
        &mut self,
        cell_type: usize,
        (key, body): (Key, u64),
        number: u64,
        values: &[f64],
    ) -> Result<(), Objection> {
        let Some(rows) = self.types.get_mut(cell_type) else {
            return Ok(());
        };
        let Ok(index) = u32::try_from(rows.rows.len()) else {
            return Err(Objection::new("a cell type has more than 2^32 rows"));
        };
        rows.rows.push(Row {
            key,
            values: index,
            body,
            number,
        });
        rows.values.extend_from_slice(values);
        Ok(())
    }

    /// Sorts the rows of every type and finds the duplicate that comes first in the file.
    pub(super) fn sort(&mut self) -> Option<Duplicate> {
        self.types.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        // Names are interned by position no longer.
        self.index = HashMap::new();
        let of_type = |rows: &mut TypeRows| {
            rows.rows
                .sort_unstable_by_key(|row| (row.key, row.body, row.number));
            let pairs = rows.rows.windows(2).filter_map(|pair| match pair {
                [a, b] if (a.key, a.body) == (b.key, b.body) => Some(Duplicate {
                    first: a.number,
                    second: b.number,
                }),
                _ => None,
            });
            pairs.min_by_key(|pair| pair.second)
        };
        self.types
            .iter_mut()
            .filter_map(of_type)
            .min_by_key(|pair| pair.second)
    }

    /// After [`Self::sort`], keeps the first of all rows of one body in one place; gives the number
    /// of the others.
    pub(super) fn merge_repeats(&mut self) -> u64 {
        let mut merged = 0;
        for rows in &mut self.types {
            let before = rows.rows.len();
            rows.rows
                .dedup_by(|a, b| (a.key, a.body) == (b.key, b.body));
            merged += (before - rows.rows.len()) as u64;
        }
        merged
    }

    /// The cell types, in the order of their names after [`Self::sort`].
    pub(super) fn types(&self) -> &[TypeRows] {
        &self.types
    }
}
