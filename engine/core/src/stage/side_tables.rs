//! Reads side tables and lends them to plugins.

use std::{collections::BTreeMap, path::PathBuf};

use eyemap_abi::{
    ColumnData, Table, TableColumn,
    abi_stable::std_types::{RSlice, RStr},
};

use super::{StageError, StageName};
use crate::ingest::{SideTable, SideValues, read_side_table};

/// The side tables of one stage.
pub(super) struct SideTables(Vec<(String, SideTable)>);

/// Reads the tables that a stage's configuration names.
pub(super) fn read(
    stage: StageName,
    files: &BTreeMap<String, PathBuf>,
) -> Result<SideTables, StageError> {
    let read = |(name, path): (&String, &PathBuf)| match read_side_table(path) {
        Ok(table) => Ok((name.clone(), table)),
        Err(source) => Err(StageError::SideTable {
            stage,
            name: name.clone(),
            source: Box::new(source),
        }),
    };
    files
        .iter()
        .map(read)
        .collect::<Result<_, _>>()
        .map(SideTables)
}

impl SideTables {
    pub(super) fn hashes(&self) -> Vec<(String, [u8; 32])> {
        self.0
            .iter()
            .map(|(name, table)| (name.clone(), *table.hash.as_bytes()))
            .collect()
    }

    /// Calls with the tables in the form of the boundary.
    pub(super) fn lend<T>(&self, call: impl FnOnce(&[Table<'_>]) -> T) -> T {
        let texts: Vec<Vec<Vec<RStr<'_>>>> = self
            .0
            .iter()
            .map(|(_, table)| table.columns.iter().map(|c| texts(&c.values)).collect())
            .collect();
        let columns: Vec<Vec<TableColumn<'_>>> = self
            .0
            .iter()
            .zip(&texts)
            .map(|((_, table), texts)| {
                let columns = table.columns.iter().zip(texts);
                columns
                    .map(|(column, texts)| TableColumn {
                        name: RStr::from_str(&column.name),
                        data: data(&column.values, texts),
                        valid: RSlice::from_slice(&column.valid),
                    })
                    .collect()
            })
            .collect();
        let tables: Vec<Table<'_>> = self
            .0
            .iter()
            .zip(&columns)
            .map(|((name, _), columns)| Table {
                name: RStr::from_str(name),
                columns: RSlice::from_slice(columns),
            })
            .collect();
        call(&tables)
    }
}

fn texts(values: &SideValues) -> Vec<RStr<'_>> {
    match values {
        SideValues::Text(texts) => texts.iter().map(|text| RStr::from_str(text)).collect(),
        _ => Vec::new(),
    }
}

fn data<'a>(values: &'a SideValues, texts: &'a [RStr<'a>]) -> ColumnData<'a> {
    match values {
        SideValues::I64(values) => ColumnData::I64(RSlice::from_slice(values)),
        SideValues::F64(values) => ColumnData::F64(RSlice::from_slice(values)),
        SideValues::Text(_) => ColumnData::Text(RSlice::from_slice(texts)),
    }
}
