//! Side tables: what a plugin may read besides its inputs.
//!
//! A plugin never opens a file. The configuration names tables in `[stages.<stage>.tables]`; the
//! host reads and checks them, hashes them into the fingerprint and hands them over here.

use std::sync::atomic::{AtomicBool, Ordering};

use eyemap_abi::{ColumnData, Table, TableColumn, abi_stable::std_types::RStr};

use crate::{Error, Result};

/// The side tables of a stage.
///
/// A table that the configuration names and `create` never asks for is an error: whoever wrote it there
/// believes that it does something.
#[derive(Debug, Clone, Copy)]
pub struct Tables<'a> {
    given: &'a [Table<'a>],
    /// Whether each was asked for; empty where nobody looks.
    asked: &'a [AtomicBool],
}

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
    pub const NONE: Tables<'static> = Tables {
        given: &[],
        asked: &[],
    };

    /// Lets a stage be made of tables, and refuses one that it did not ask for.
    pub(crate) fn lend<T>(
        given: &[Table<'_>],
        create: impl FnOnce(&Tables<'_>) -> Result<T>,
    ) -> Result<T> {
        let asked: Vec<AtomicBool> = given.iter().map(|_| AtomicBool::new(false)).collect();
        let made = create(&Tables {
            given,
            asked: &asked,
        })?;
        let unasked = asked
            .iter()
            .position(|asked| !asked.load(Ordering::Relaxed));
        match unasked.map(|index| given[index].name.as_str()) {
            None => Ok(made),
            Some(name) => Err(Error::config(
                format!("tables.{name}"),
                format!("the plugin reads no side table {name:?}"),
            )),
        }
    }

    /// The names under which tables were given. Who looks at them asks for all.
    pub fn names(&self) -> impl Iterator<Item = &'a str> + 'a {
        self.asked
            .iter()
            .for_each(|asked| asked.store(true, Ordering::Relaxed));
        self.given.iter().map(|table| table.name.as_str())
    }

    /// The columns of a table.
    ///
    /// # Errors
    /// When the configuration gives no table of this name; the message says how to give one.
    pub fn get(&self, name: &str) -> Result<TableRef<'a>> {
        let index = self
            .given
            .iter()
            .position(|table| table.name.as_str() == name);
        let Some(index) = index else {
            return Err(Error::config(
                "tables",
                format!(
                    "the side table {name:?} is missing: add `{name} = \"FILE\"` to the stage's `tables`"
                ),
            ));
        };
        if let Some(asked) = self.asked.get(index) {
            asked.store(true, Ordering::Relaxed);
        }
        let table = &self.given[index];
        Ok(TableRef {
            name: table.name.as_str(),
            columns: table.columns.as_slice(),
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

#[cfg(test)]
mod tests {
    use eyemap_abi::abi_stable::std_types::RSlice;

    use super::*;

    fn given() -> [Table<'static>; 2] {
        ["classes", "directions"].map(|name| Table {
            name: RStr::from_str(name),
            columns: RSlice::EMPTY,
        })
    }

    #[test]
    fn a_table_that_is_never_asked_for_is_refused_by_its_name() {
        let made = Tables::lend(&given(), |tables| tables.get("classes").map(drop));
        let error = made.expect_err("directions is not read");
        assert_eq!(
            error.to_string(),
            "the plugin reads no side table \"directions\" (at tables.directions)"
        );
        let all = Tables::lend(&given(), |tables| {
            tables.get("classes")?;
            tables.get("directions").map(drop)
        });
        assert_eq!(all, Ok(()));
        assert_eq!(
            Tables::lend(&given(), |tables| Ok(tables.names().count())),
            Ok(2)
        );
        assert_eq!(Tables::lend(&[], |_| Ok(())), Ok(()));
    }

    #[test]
    fn what_fails_for_another_reason_is_told_first() {
        let made: Result<()> = Tables::lend(&given(), |_| Err(Error::input("no")));
        assert_eq!(made, Err(Error::input("no")));
    }
}
