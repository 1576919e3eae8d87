//! Binary tables: Parquet, Arrow IPC files (Feather version 2) and streams.
//!
//! Columns of any width and encoding are brought to 64-bit numbers or text, batch by batch; decimals
//! go to text, so that no digit is lost. Nested columns are refused if they are asked for.

use std::{io::BufReader, path::Path};

use arrow_array::{
    Array, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array,
    cast::AsArray,
    types::{Float64Type, Int64Type, UInt64Type},
};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, DataType, Schema};
use parquet::arrow::{
    ProjectionMask,
    arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder},
};

use super::{
    cell::Cell,
    error::{Objection, Place, TableError, clean},
    source::{BATCH_ROWS, Metered},
};

/// Which binary format a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Parquet,
    IpcFile,
    IpcStream,
}

impl Format {
    /// Finds the format by a file's first bytes.
    pub(super) fn of(first: &[u8]) -> Option<Self> {
        if first.starts_with(b"PAR1") {
            Some(Self::Parquet)
        } else if first.starts_with(b"ARROW1") {
            Some(Self::IpcFile)
        } else if first.starts_with(&[0xff; 4]) {
            Some(Self::IpcStream)
        } else {
            None
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Parquet => "a Parquet file",
            Self::IpcFile => "an Arrow IPC file",
            Self::IpcStream => "an Arrow IPC stream",
        }
    }
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>>>;

enum Reader {
    /// A Parquet file whose columns are not selected yet.
    Waiting(Box<ParquetRecordBatchReaderBuilder<std::fs::File>>),
    Reading(Batches),
    Done,
}

/// A binary table.
pub(super) struct ArrowSource {
    format: Format,
    header: Vec<String>,
    /// Columns of the header that are decoded, rising.
    selected: Vec<usize>,
    reader: Reader,
    rows_read: u64,
    /// Rows in the file, where the format says so up front.
    rows_total: Option<u64>,
    /// Rows before the first that is read.
    rows_before: u64,
    /// Row groups that are read; all by default.
    groups: Option<std::ops::Range<usize>>,
    batch_rows: usize,
}

/// A batch: one entry for each column of the header, the number of its first row, its length.
type Decoded = (Vec<Option<ArrowColumn>>, u64, usize);

impl ArrowSource {
    pub(super) fn open(path: &Path, file: Metered, format: Format) -> Result<Self, TableError> {
        contained(path, format, || Self::open_unguarded(file, format))
    }

    fn open_unguarded(file: Metered, format: Format) -> Result<Self, Failure> {
        let (header, reader, rows_total) = match format {
            Format::Parquet => {
                let builder = ParquetRecordBatchReaderBuilder::try_new(file.into_file())?;
                let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).ok();
                let names = names(builder.schema());
                (names, Reader::Waiting(Box::new(builder)), rows)
            }
            Format::IpcFile => {
                let reader = FileReader::try_new(BufReader::new(file), None)?;
                let names = names(&reader.schema());
                (names, Reader::Reading(Box::new(reader)), None)
            }
            Format::IpcStream => {
                let reader = StreamReader::try_new(BufReader::new(file), None)?;
                let names = names(&reader.schema());
                (names, Reader::Reading(Box::new(reader)), None)
            }
        };
        Ok(Self {
            format,
            selected: (0..header.len()).collect(),
            header,
            reader,
            rows_read: 0,
            rows_total,
            rows_before: 0,
            groups: None,
            batch_rows: BATCH_ROWS,
        })
    }

    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    /// Rows in each row group of a Parquet file.
    pub(super) fn row_groups(&self) -> Vec<u64> {
        let Reader::Waiting(builder) = &self.reader else {
            return Vec::new();
        };
        let groups = builder.metadata().row_groups().iter();
        // Damaged counts are found when the rows are read.
        groups
            .map(|group| u64::try_from(group.num_rows()).unwrap_or(0))
            .collect()
    }

    /// Reads only these row groups.
    pub(super) fn only(&mut self, groups: std::ops::Range<usize>) {
        let rows = self.row_groups();
        self.rows_before = rows.iter().take(groups.start).sum();
        self.groups = Some(groups);
    }

    /// At most so many rows in a batch of a Parquet file.
    pub(super) fn batch_rows(&mut self, rows: usize) {
        self.batch_rows = rows.clamp(1, BATCH_ROWS);
    }

    /// Decodes only these columns.
    pub(super) fn select(&mut self, columns: &[usize]) {
        let mut columns: Vec<_> = columns.to_vec();
        columns.sort_unstable();
        columns.dedup();
        self.selected = columns;
    }

    pub(super) fn bytes_read(&self, total_bytes: u64) -> Option<u64> {
        let rows = u128::from(self.rows_total?.max(1));
        let bytes = u128::from(total_bytes) * u128::from(self.rows_read) / rows;
        Some(u64::try_from(bytes).unwrap_or(total_bytes).min(total_bytes))
    }

    /// The next rows; none at the end.
    pub(super) fn next_batch(&mut self, path: &Path) -> Result<Option<Decoded>, TableError> {
        let format = self.format;
        let Some(batch) = contained(path, format, || self.next_record_batch())? else {
            return Ok(None);
        };
        let whole = batch.num_columns() == self.header.len();
        let mut columns = Vec::new();
        columns.resize_with(self.header.len(), || None);
        for (position, &column) in self.selected.iter().enumerate() {
            let array = batch.columns().get(if whole { column } else { position });
            if let (Some(array), Some(slot)) = (array, columns.get_mut(column)) {
                *slot = Some(self.decode(path, column, array)?);
            }
        }
        let first_row = self.rows_before + self.rows_read + 1;
        self.rows_read += batch.num_rows() as u64;
        Ok(Some((columns, first_row, batch.num_rows())))
    }

    fn decode(
        &self,
        path: &Path,
        column: usize,
        array: &dyn Array,
    ) -> Result<ArrowColumn, TableError> {
        let Some(to) = target(array.data_type()) else {
            let message = format!("has the type {}, not numbers or text", array.data_type());
            return Err(Objection::new(message)
                .column(&self.header[column])
                .at(path, Place::File));
        };
        contained(path, self.format, || Ok(ArrowColumn::of(array, &to)?))
    }

    fn next_record_batch(&mut self) -> Result<Option<RecordBatch>, Failure> {
        if matches!(self.reader, Reader::Waiting(_))
            && let Reader::Waiting(builder) = std::mem::replace(&mut self.reader, Reader::Done)
        {
            let builder = builder.with_batch_size(self.batch_rows);
            let builder = match self.groups.clone() {
                Some(groups) => builder.with_row_groups(groups.collect()),
                None => builder,
            };
            self.reader = Reader::Reading(Box::new(project(builder, &self.selected)?));
        }
        let Reader::Reading(batches) = &mut self.reader else {
            return Ok(None);
        };
        for batch in batches.by_ref() {
            let batch = batch?;
            if batch.num_rows() > 0 {
                return Ok(Some(batch));
            }
        }
        Ok(None)
    }
}

fn names(schema: &Schema) -> Vec<String> {
    let name = |field: &arrow_schema::FieldRef| field.name().trim().to_owned();
    schema.fields().iter().map(name).collect()
}

fn project(
    builder: ParquetRecordBatchReaderBuilder<std::fs::File>,
    selected: &[usize],
) -> Result<ParquetRecordBatchReader, Failure> {
    let mask = ProjectionMask::roots(builder.parquet_schema(), selected.iter().copied());
    Ok(builder.with_projection(mask).build()?)
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Runs a decoder so that damaged input is an error in every case: the decoders check most of what
/// they read, and panic on the rest.
fn contained<T>(
    path: &Path,
    format: Format,
    decode: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, TableError> {
    let source = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(decode)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            format!(
                "the decoder gave up: {}",
                clean(text.unwrap_or("no reason"))
            )
            .into()
        }
    };
    Err(TableError::Damaged {
        file: path.into(),
        format: format.name(),
        source,
    })
}

/// The type that a column is brought to.
fn target(from: &DataType) -> Option<DataType> {
    use DataType as T;
    match from {
        T::Int8 | T::Int16 | T::Int32 | T::Int64 => Some(T::Int64),
        T::UInt8 | T::UInt16 | T::UInt32 | T::UInt64 => Some(T::UInt64),
        T::Float16 | T::Float32 | T::Float64 => Some(T::Float64),
        T::Utf8 | T::LargeUtf8 | T::Utf8View | T::Binary | T::LargeBinary | T::BinaryView => {
            Some(T::Utf8)
        }
        T::Decimal32(..) | T::Decimal64(..) | T::Decimal128(..) | T::Decimal256(..) => {
            Some(T::Utf8)
        }
        T::Boolean | T::Date32 | T::Date64 | T::Timestamp(..) => Some(T::Utf8),
        T::Null => Some(T::Null),
        T::Dictionary(_, values) => target(values),
        _ => None,
    }
}

/// A decoded column.
pub(super) enum ArrowColumn {
    Int(Int64Array),
    Unsigned(UInt64Array),
    Float(Float64Array),
    Text(StringArray),
    Null,
}

impl ArrowColumn {
    fn of(array: &dyn Array, to: &DataType) -> Result<Self, ArrowError> {
        let options = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        let array = cast_with_options(array, to, &options)?;
        let array = array.as_ref();
        Ok(match to {
            DataType::Int64 => Self::Int(array.as_primitive::<Int64Type>().clone()),
            DataType::UInt64 => Self::Unsigned(array.as_primitive::<UInt64Type>().clone()),
            DataType::Float64 => Self::Float(array.as_primitive::<Float64Type>().clone()),
            DataType::Utf8 => Self::Text(array.as_string::<i32>().clone()),
            _ => Self::Null,
        })
    }

    /// The cell of a row of the batch.
    pub(super) fn cell(&self, row: usize) -> Cell<'_> {
        let there = |array: &dyn Array| row < array.len() && array.is_valid(row);
        match self {
            Self::Int(array) if there(array) => Cell::Int(array.value(row)),
            Self::Unsigned(array) if there(array) => Cell::Unsigned(array.value(row)),
            Self::Float(array) if there(array) => Cell::Float(array.value(row)),
            Self::Text(array) if there(array) => Cell::Text(array.value(row)),
            _ => Cell::Null,
        }
    }
}
