//! Any table as named, typed columns: what a stage reads besides the map's own values.
//!
//! No meaning is put into the columns; the stage that asks for a table knows its own.

use std::{fs::File, path::Path, sync::Arc};

use super::{error::TableError, infer::ColumnBuilder, source::Source};
use crate::model::AttributeValues;

/// A table that the configuration names for a stage.
#[derive(Debug, Clone, PartialEq)]
pub struct SideTable {
    /// Its columns, in the order of the file.
    pub columns: Vec<SideColumn>,
    /// Number of rows; every column has as many.
    pub rows: usize,
    /// Hash of the file's bytes, for fingerprints.
    pub hash: blake3::Hash,
}

/// A column of a [`SideTable`].
#[derive(Debug, Clone, PartialEq)]
pub struct SideColumn {
    /// Its name, as in the header.
    pub name: String,
    /// Its values; 0 or an empty text where there is none.
    pub values: SideValues,
    /// 1 where a value is present, 0 where it is null; empty when all are present.
    pub valid: Vec<u8>,
}

/// Values of a [`SideColumn`].
#[derive(Debug, Clone, PartialEq)]
pub enum SideValues {
    /// Whole numbers.
    I64(Vec<i64>),
    /// Finite numbers.
    F64(Vec<f64>),
    /// Text.
    Text(Vec<Arc<str>>),
}

impl SideTable {
    /// A column by its name.
    pub fn column(&self, name: &str) -> Option<&SideColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Reads any table. A column is of whole numbers if all its cells are, else of numbers if all are
/// finite, else of text; empty cells are nulls, and so are `NA`, `NaN`, `null` and `None` in a column
/// of numbers. A table without rows is accepted.
///
/// # Errors
/// If the file cannot be read or is no table.
pub fn read_side_table(path: &Path) -> Result<SideTable, TableError> {
    let failed = |error| TableError::read(path, error);
    let mut hasher = blake3::Hasher::new();
    hasher
        .update_reader(File::open(path).map_err(failed)?)
        .map_err(failed)?;
    let mut source = Source::open(path)?;
    let names = source.header.clone();
    let mut builders = Vec::new();
    builders.resize_with(names.len(), ColumnBuilder::default);
    let mut rows = 0;
    while let Some(batch) = source.next_batch()? {
        rows += batch.len();
        for (column, builder) in builders.iter_mut().enumerate() {
            (0..batch.len()).for_each(|row| builder.push(batch.cell(column, row)));
        }
    }
    let columns = names.into_iter().zip(builders);
    Ok(SideTable {
        columns: columns
            .map(|(name, builder)| column(name, builder.finish()))
            .collect(),
        rows,
        hash: hasher.finalize(),
    })
}

fn column(name: String, values: AttributeValues) -> SideColumn {
    let (values, valid) = match values {
        AttributeValues::I64(values) => {
            let valid = validity(&values);
            let values = values.into_iter().map(Option::unwrap_or_default);
            (SideValues::I64(values.collect()), valid)
        }
        AttributeValues::F64(values) => {
            let valid = validity(&values);
            let values = values.into_iter().map(Option::unwrap_or_default);
            (SideValues::F64(values.collect()), valid)
        }
        AttributeValues::Text(values) => {
            let valid = validity(&values);
            let values = values.into_iter().map(Option::unwrap_or_default);
            (SideValues::Text(values.collect()), valid)
        }
    };
    SideColumn {
        name,
        values,
        valid,
    }
}

fn validity<T>(values: &[Option<T>]) -> Vec<u8> {
    if values.iter().all(Option::is_some) {
        return Vec::new();
    }
    values
        .iter()
        .map(|value| u8::from(value.is_some()))
        .collect()
}
