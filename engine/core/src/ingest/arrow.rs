//! Binary tables: Parquet, Arrow IPC files (Feather version 2) and streams.
//!
//! Columns of any width and encoding are brought to 64-bit numbers or text, a few thousand rows at a time;
//! decimals go to text, so that no digit is lost. Nested columns are refused if they are asked for.

use std::{
    io::{BufReader, Seek as _},
    path::Path,
};

use arrow_array::{
    Array, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array,
    cast::AsArray,
    types::{Float64Type, Int64Type, UInt64Type},
};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{
            ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
        },
    },
    basic::PageType,
    file::metadata::ColumnChunkMetaData,
};

use super::{
    cell::Cell,
    error::{Objection, Place, TableError, clean},
    ipc_sizes::{self, Container},
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
    /// An Arrow IPC file or stream whose columns are not selected yet.
    WaitingIpc(Box<Metered>, SchemaRef),
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
    /// What is left of the batch of the file that is being taken apart.
    rest: Option<RecordBatch>,
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

    fn open_unguarded(mut file: Metered, format: Format) -> Result<Self, Failure> {
        let (header, reader, rows_total) = match format {
            Format::Parquet => {
                let options = ArrowReaderOptions::new().with_encoding_stats_as_mask(false);
                let file = file.into_file();
                let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)?;
                let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).ok();
                let names = names(builder.schema());
                (names, Reader::Waiting(Box::new(builder)), rows)
            }
            Format::IpcFile | Format::IpcStream => {
                ipc_sizes::check_lengths(file.as_file(), container(format))?;
                let schema = ipc_schema(&mut file, format)?;
                let names = names(&schema);
                (names, Reader::WaitingIpc(Box::new(file), schema), None)
            }
        };
        Ok(Self {
            format,
            selected: (0..header.len()).collect(),
            header,
            reader,
            rest: None,
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

    /// The most that reading holds at a time, in bytes. Before the first batch.
    pub(super) fn most_held(&self) -> u64 {
        match &self.reader {
            Reader::Waiting(builder) => {
                let metadata = builder.metadata();
                let schema = builder.parquet_schema();
                let of_group = |group: &parquet::file::metadata::RowGroupMetaData| {
                    let columns = group.columns().iter().enumerate();
                    columns
                        .filter(|&(leaf, _)| {
                            let root = schema.get_column_root_idx(leaf);
                            self.selected.binary_search(&root).is_ok()
                        })
                        .map(|(_, column)| pages_held(column))
                        .fold(0, u64::saturating_add)
                };
                let groups = metadata.row_groups().iter().map(of_group);
                groups
                    .max()
                    .unwrap_or(0)
                    .saturating_add(metadata.memory_size() as u64)
            }
            Reader::WaitingIpc(file, schema) => {
                let container = container(self.format);
                ipc_sizes::most_held(file.as_file(), container, schema, &self.selected)
            }
            Reader::Reading(_) | Reader::Done => 0,
        }
    }

    /// Descriptors that reading needs: each column of Parquet is read through one of its own.
    pub(super) fn open_files(&self) -> u64 {
        match self.format {
            Format::Parquet => 1 + self.selected.len() as u64,
            Format::IpcFile | Format::IpcStream => 1,
        }
    }

    /// At most so many rows in a batch.
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
        let mut columns = Vec::new();
        columns.resize_with(self.header.len(), || None);
        for (position, &column) in self.selected.iter().enumerate() {
            let array = batch.columns().get(position);
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

    /// The next rows, at most as many as a batch may have: a batch of the file can have millions.
    fn next_record_batch(&mut self) -> Result<Option<RecordBatch>, Failure> {
        let whole = match self.rest.take() {
            Some(rest) => Some(rest),
            None => self.next_of_file()?,
        };
        let Some(whole) = whole else { return Ok(None) };
        let rows = whole.num_rows();
        if rows <= self.batch_rows {
            return Ok(Some(whole));
        }
        self.rest = Some(whole.slice(self.batch_rows, rows - self.batch_rows));
        Ok(Some(whole.slice(0, self.batch_rows)))
    }

    /// The next batch of the file that has rows.
    fn next_of_file(&mut self) -> Result<Option<RecordBatch>, Failure> {
        self.reader = match std::mem::replace(&mut self.reader, Reader::Done) {
            Reader::Waiting(builder) => {
                let builder = builder.with_batch_size(self.batch_rows);
                let builder = match self.groups.clone() {
                    Some(groups) => builder.with_row_groups(groups.collect()),
                    None => builder,
                };
                Reader::Reading(Box::new(project(builder, &self.selected)?))
            }
            Reader::WaitingIpc(file, _) => {
                Reader::Reading(ipc_batches(*file, self.format, &self.selected)?)
            }
            other => other,
        };
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

fn container(format: Format) -> Container {
    match format {
        Format::IpcFile => Container::File,
        Format::IpcStream | Format::Parquet => Container::Stream,
    }
}

/// The columns of an Arrow IPC file or stream, which stands at its begin afterwards.
fn ipc_schema(file: &mut Metered, format: Format) -> Result<SchemaRef, Failure> {
    let schema = match format {
        Format::IpcFile => FileReader::try_new_buffered(&mut *file, None)?.schema(),
        _ => StreamReader::try_new_buffered(&mut *file, None)?.schema(),
    };
    file.rewind()?;
    Ok(schema)
}

fn ipc_batches(file: Metered, format: Format, selected: &[usize]) -> Result<Batches, Failure> {
    let (file, selected) = (BufReader::new(file), Some(selected.to_vec()));
    Ok(match format {
        Format::IpcFile => Box::new(FileReader::try_new(file, selected)?),
        _ => Box::new(StreamReader::try_new(file, selected)?),
    })
}

/// What is held of a column of a row group of Parquet: a page as it lies and as it is read, and its
/// dictionary. Pages are about of one size; where their number is not known, all is taken for one.
fn pages_held(column: &ColumnChunkMetaData) -> u64 {
    let bytes = |bytes: i64| u64::try_from(bytes).unwrap_or(0);
    let all = bytes(column.uncompressed_size()).saturating_add(bytes(column.compressed_size()));
    let stats = column.page_encoding_stats();
    let data = stats.into_iter().flatten();
    let pages = data
        .filter(|stats| stats.page_type != PageType::DICTIONARY_PAGE)
        .map(|stats| u64::try_from(stats.count).unwrap_or(0))
        .sum::<u64>();
    let dictionary = match column.dictionary_page_offset() {
        Some(_) => MOST_DICTIONARY,
        None => 0,
    };
    match pages {
        0 => all,
        pages => (all / pages * 2 + dictionary).min(all),
    }
}

/// Writers begin with dictionaries of at most 1 MiB, and leave off where that is not enough.
const MOST_DICTIONARY: u64 = 2 << 20;

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
