//! Side tables: what a plugin may read besides its inputs.
//!
//! A plugin never opens a file. The configuration names tables in `[stages.<stage>.tables]`; the
//! host reads and checks them, hashes them into the fingerprint and hands them over here.

use eyemap_abi::{ColumnData, Table, TableColumn, abi_stable::std_types::RStr};

use crate::{Error, Result};

/// The side tables of a stage, or the attributes of a batch of columns.
#[derive(Debug, Clone, Copy)]
pub struct Tables<'a>(&'a [Table<'a>]);

/// The values of a column.
#[derive(Debug, Clone, Copy)]
pub enum Values<'a> {
    /// Whole numbers.
    I64(&'a [i64]),
    /// Numbers.
    F64(&'a [f64]),
    /// Text.
    Text(&'a [RStr<'a>]),
}

impl<'a> Tables<'a> {
    /// No tables.
    pub const NONE: Tables<'static> = Tables(&[]);

    pub(crate) const fn new(tables: &'a [Table<'a>]) -> Self {
        Self(tables)
    }

    /// The names under which tables were given.
    pub fn names(&self) -> impl Iterator<Item = &'a str> + 'a {
        self.0.iter().map(|table| table.name.as_str())
    }

    /// The columns of a table.
    ///
    /// # Errors
    /// When the configuration gives no table of this name; the message says how to give one.
    pub fn get(&self, name: &str) -> Result<TableRef<'a>> {
        self.0
            .iter()
            .find(|table| table.name.as_str() == name)
            .map(|table| TableRef { name: table.name.as_str(), columns: table.columns.as_slice() })
            .ok_or_else(|| {
                Error::config("tables", format!(
                    "the side table {name:?} is missing: add `{name} = \"FILE\"` to the stage's `tables`"
                ))
            })
    }
}

/// One side table.
#[derive(Debug, Clone, Copy)]
pub struct TableRef<'a> {
    name: &'a str,
    columns: &'a [TableColumn<'a>],
}

impl<'a> TableRef<'a> {
    fn column(&self, column: &str) -> Result<Values<'a>> {
        let found = self
            .columns
            .iter()
            .find(|c| c.name.as_str() == column)
            .ok_or_else(|| {
                let names: Vec<_> = self.columns.iter().map(|c| c.name.as_str()).collect();
                Error::input(format!(
                    "the side table {:?} has no column {column:?}, only {}",
                    self.name,
                    names.join(", ")
                ))
            })?;
        if found.valid.contains(&0) {
            return Err(Error::input(format!(
                "column {column:?} of the side table {:?} has empty cells",
                self.name
            )));
        }
        Ok(values(&found.data))
    }

    /// A column of whole numbers.
    ///
    /// # Errors
    /// When it is missing, of another type, or has empty cells.
    pub fn i64(&self, column: &str) -> Result<&'a [i64]> {
        match self.column(column)? {
            Values::I64(values) => Ok(values),
            _ => Err(self.wrong_type(column, "whole numbers")),
        }
    }

    /// A column of numbers; whole numbers are converted.
    ///
    /// # Errors
    /// When it is missing, text, or has empty cells.
    pub fn f64(&self, column: &str) -> Result<Vec<f64>> {
        match self.column(column)? {
            Values::F64(values) => Ok(values.to_vec()),
            Values::I64(values) => Ok(values.iter().map(|&value| value as f64).collect()),
            Values::Text(_) => Err(self.wrong_type(column, "numbers")),
        }
    }

    /// A column of text.
    ///
    /// # Errors
    /// When it is missing, of another type, or has empty cells.
    pub fn text(&self, column: &str) -> Result<&'a [RStr<'a>]> {
        match self.column(column)? {
            Values::Text(values) => Ok(values),
            _ => Err(self.wrong_type(column, "text")),
        }
    }

    fn wrong_type(&self, column: &str, wanted: &str) -> Error {
        Error::input(format!(
            "column {column:?} of the side table {:?} does not hold {wanted}",
            self.name
        ))
    }
}

pub(crate) fn values<'a>(data: &ColumnData<'a>) -> Values<'a> {
    match data {
        ColumnData::I64(values) => Values::I64(values.as_slice()),
        ColumnData::F64(values) => Values::F64(values.as_slice()),
        ColumnData::Text(values) => Values::Text(values.as_slice()),
    }
}
