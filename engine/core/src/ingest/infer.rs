//! Columns whose type nobody declared: whole numbers if all cells are, else numbers, else text.
//!
//! Types follow from the values alone, so a CSV and a Parquet file with the same cells agree.

use std::sync::Arc;

use super::cell::{Cell, is_null};
use crate::model::AttributeValues;

#[derive(Debug)]
enum Owned {
    Null,
    Int(i64),
    Float(f64),
    Text(Arc<str>),
}

/// Collects the cells of a column.
#[derive(Debug, Default)]
pub(super) struct ColumnBuilder {
    cells: Vec<Owned>,
}

impl ColumnBuilder {
    pub(super) fn push(&mut self, cell: Cell<'_>) {
        self.cells.push(match cell {
            Cell::Null | Cell::Text("") => Owned::Null,
            Cell::Text(text) => Owned::Text(self.text(text)),
            Cell::Int(value) => Owned::Int(value),
            Cell::Unsigned(value) => match i64::try_from(value) {
                Ok(value) => Owned::Int(value),
                Err(_) => Owned::Text(value.to_string().into()),
            },
            Cell::Float(value) if value.is_nan() => Owned::Null,
            Cell::Float(value) => Owned::Float(value),
        });
    }

    /// Categories repeat from row to row: the text before is shared if it is the same.
    fn text(&self, text: &str) -> Arc<str> {
        match self.cells.last() {
            Some(Owned::Text(last)) if **last == *text => Arc::clone(last),
            _ => text.into(),
        }
    }

    /// The column with its type.
    pub(super) fn finish(self) -> AttributeValues {
        let known = || self.cells.iter().filter(|cell| !cell.is_null());
        if known().next().is_none() {
            return AttributeValues::Text(vec![None; self.cells.len()]);
        }
        if known().all(|cell| cell.as_i64().is_some()) {
            return AttributeValues::I64(self.cells.iter().map(Owned::as_i64).collect());
        }
        if known().all(|cell| cell.as_f64().is_some()) {
            return AttributeValues::F64(self.cells.iter().map(Owned::as_f64).collect());
        }
        AttributeValues::Text(self.cells.into_iter().map(Owned::into_text).collect())
    }
}

impl Owned {
    fn is_null(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => is_null(text),
            Self::Int(_) | Self::Float(_) => false,
        }
    }

    fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            Self::Text(text) => text.trim_ascii().parse().ok(),
            Self::Null | Self::Float(_) => None,
        }
    }

    fn as_f64(&self) -> Option<f64> {
        let value = match self {
            Self::Null => return None,
            Self::Int(value) => *value as f64,
            Self::Float(value) => *value,
            Self::Text(text) => text.trim_ascii().parse().ok()?,
        };
        value.is_finite().then_some(value)
    }

    fn into_text(self) -> Option<Arc<str>> {
        match self {
            Self::Null => None,
            Self::Int(value) => Some(value.to_string().into()),
            Self::Float(value) => Some(value.to_string().into()),
            Self::Text(text) => Some(text),
        }
    }
}
