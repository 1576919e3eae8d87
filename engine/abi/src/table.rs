//! Side tables and attributes: named, typed columns that the host read and checked.

use abi_stable::{
    StableAbi,
    std_types::{RSlice, RStr},
};

/// The values of one column. All columns of a table have the table's number of rows.
#[repr(u8)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub enum ColumnData<'a> {
    /// Whole numbers.
    I64(RSlice<'a, i64>),
    /// Numbers; never NaN where `valid` says the value is there.
    F64(RSlice<'a, f64>),
    /// UTF-8 text.
    Text(RSlice<'a, RStr<'a>>),
}

impl ColumnData<'_> {
    /// Number of rows.
    pub const fn len(&self) -> usize {
        match self {
            Self::I64(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// True without rows.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A named column.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct TableColumn<'a> {
    /// The column's name, as in the file's header.
    pub name: RStr<'a>,
    /// The values.
    pub data: ColumnData<'a>,
    /// 1 where a value is present, 0 where it is null; empty when all are present.
    pub valid: RSlice<'a, u8>,
}

/// A side table, named in `[stages.<stage>.tables]`.
#[repr(C)]
#[derive(StableAbi, Debug, Clone, Copy)]
pub struct Table<'a> {
    /// The name under which the configuration lists it.
    pub name: RStr<'a>,
    /// Its columns, in the order of the file.
    pub columns: RSlice<'a, TableColumn<'a>>,
}
