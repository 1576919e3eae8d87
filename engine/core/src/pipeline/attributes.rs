//! Attributes of columns in the form of the boundary.

use std::sync::Arc;

use eyemap_abi::{
    ColumnData, TableColumn,
    abi_stable::std_types::{RSlice, RStr},
};

use crate::model::AttributeValues;

/// Attribute values that can be lent to a plugin. A missing one is zero or empty text, with 0 in
/// `valid`.
#[derive(Debug, Default)]
pub(super) struct Attributes(Vec<(Data, Vec<u8>)>);

#[derive(Debug)]
enum Data {
    I64(Vec<i64>),
    F64(Vec<f64>),
    Text(Vec<Arc<str>>),
}

impl Attributes {
    pub(super) fn new(values: &[AttributeValues]) -> Self {
        Self(values.iter().map(data).collect())
    }

    /// Text columns as borrowed text, to be kept while [`Self::columns`] are in use.
    pub(super) fn texts(&self) -> Vec<Vec<RStr<'_>>> {
        self.0.iter().map(|(data, _)| borrowed(data)).collect()
    }

    pub(super) fn columns<'a>(
        &'a self,
        names: &'a [String],
        texts: &'a [Vec<RStr<'a>>],
    ) -> Vec<TableColumn<'a>> {
        let columns = names.iter().zip(&self.0).zip(texts);
        columns
            .map(|((name, (data, valid)), texts)| TableColumn {
                name: RStr::from_str(name),
                data: match data {
                    Data::I64(values) => ColumnData::I64(RSlice::from_slice(values)),
                    Data::F64(values) => ColumnData::F64(RSlice::from_slice(values)),
                    Data::Text(_) => ColumnData::Text(RSlice::from_slice(texts)),
                },
                valid: RSlice::from_slice(valid),
            })
            .collect()
    }
}

fn data(values: &AttributeValues) -> (Data, Vec<u8>) {
    match values {
        AttributeValues::I64(v) => (Data::I64(filled(v)), present(v)),
        AttributeValues::F64(v) => (Data::F64(filled(v)), present(v)),
        AttributeValues::Text(v) => (Data::Text(filled(v)), present(v)),
    }
}

fn filled<T: Clone + Default>(values: &[Option<T>]) -> Vec<T> {
    values
        .iter()
        .map(|value| value.clone().unwrap_or_default())
        .collect()
}

fn present<T>(values: &[Option<T>]) -> Vec<u8> {
    values
        .iter()
        .map(|value| u8::from(value.is_some()))
        .collect()
}

fn borrowed(data: &Data) -> Vec<RStr<'_>> {
    match data {
        Data::Text(values) => values.iter().map(|text| RStr::from_str(text)).collect(),
        Data::I64(_) | Data::F64(_) => Vec::new(),
    }
}
