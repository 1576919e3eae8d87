//! A table as a header and batches of cells, whatever the file's format.
//!
//! The format is found from the first bytes, never from the name of the file alone. What is no table
//! is refused here; what the columns mean is not known here.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

#[cfg(feature = "arrow")]
use super::arrow::{ArrowColumn, ArrowSource};
use super::{
    cell::Cell,
    csv::{CsvSource, Lines},
    error::{Objection, Place, TableError, clean, quote},
    foreign::{self, Foreign, TABLES},
};

/// Rows in a batch, at most.
pub(super) const BATCH_ROWS: usize = 8192;

/// Memory that the cells of a decoded batch take, roughly: eight columns of 64-bit numbers and texts.
#[cfg(feature = "arrow")]
const BATCH_OF_CELLS: u64 = 2 << 20;

/// Bytes looked at to tell one format from another.
const PEEKED_BYTES: u64 = 4096;

/// A file that counts the bytes read from it.
pub(super) struct Metered {
    file: File,
    read: Arc<AtomicU64>,
}

impl Metered {
    /// The file itself, for readers that go to and fro in it.
    #[cfg(feature = "arrow")]
    pub(super) fn into_file(self) -> File {
        self.file
    }

    /// The file, to look ahead in it.
    #[cfg(feature = "arrow")]
    pub(super) fn as_file(&self) -> &File {
        &self.file
    }
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Metered {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.file.seek(position)
    }
}

/// An open table.
pub(super) struct Source {
    /// The file.
    pub(super) file: PathBuf,
    /// Names of its columns.
    pub(super) header: Vec<String>,
    /// Size of the file.
    pub(super) total_bytes: u64,
    read: Arc<AtomicU64>,
    reader: Reader,
}

enum Reader {
    Csv(Box<CsvSource>),
    #[cfg(feature = "arrow")]
    Arrow(Box<ArrowSource>),
}

impl Source {
    /// Opens a table and reads its header.
    pub(super) fn open(path: &Path) -> Result<Self, TableError> {
        let failed = |error| TableError::read(path, error);
        let mut file = File::open(path).map_err(failed)?;
        let total_bytes = file.metadata().map_err(failed)?.len();
        let mut first = Vec::new();
        file.by_ref()
            .take(PEEKED_BYTES)
            .read_to_end(&mut first)
            .map_err(failed)?;
        file.rewind().map_err(failed)?;
        let read = Arc::new(AtomicU64::new(0));
        let metered = Metered {
            file,
            read: Arc::clone(&read),
        };
        let reader = open_reader(path, metered, &first)?;
        let header = reader.header().to_vec();
        check_header(path, &header)?;
        Ok(Self {
            file: path.into(),
            header,
            total_bytes,
            read,
            reader,
        })
    }

    /// Rows in each row group, of a file that can be read from the middle.
    pub(super) fn row_groups(&self) -> Vec<u64> {
        match &self.reader {
            Reader::Csv(_) => Vec::new(),
            #[cfg(feature = "arrow")]
            Reader::Arrow(reader) => reader.row_groups(),
        }
    }

    /// Only these row groups will be read. Before the first batch.
    pub(super) fn only(&mut self, groups: std::ops::Range<usize>) {
        match &mut self.reader {
            Reader::Csv(_) => {}
            #[cfg(feature = "arrow")]
            Reader::Arrow(reader) => reader.only(groups),
        }
        #[cfg(not(feature = "arrow"))]
        let _ = groups;
    }

    /// At most so many rows in a batch, where the format lets us choose. Before the first batch.
    pub(super) fn batch_rows(&mut self, rows: usize) {
        match &mut self.reader {
            Reader::Csv(_) => {}
            #[cfg(feature = "arrow")]
            Reader::Arrow(reader) => reader.batch_rows(rows),
        }
        #[cfg(not(feature = "arrow"))]
        let _ = rows;
    }

    /// The most that reading the selected columns holds at a time, in bytes: known before any row is
    /// read.
    pub(super) fn most_held(&self) -> u64 {
        match &self.reader {
            Reader::Csv(reader) => reader.most_held(),
            #[cfg(feature = "arrow")]
            Reader::Arrow(reader) => reader.most_held() + BATCH_OF_CELLS,
        }
    }

    /// Descriptors that reading the selected columns needs.
    pub(super) fn open_files(&self) -> u64 {
        match &self.reader {
            Reader::Csv(_) => 1,
            #[cfg(feature = "arrow")]
            Reader::Arrow(reader) => reader.open_files(),
        }
    }

    /// Only these columns of the header will be asked for. Before the first batch.
    pub(super) fn select(&mut self, columns: &[usize]) {
        match &mut self.reader {
            Reader::Csv(reader) => reader.select(columns),
            #[cfg(feature = "arrow")]
            Reader::Arrow(reader) => reader.select(columns),
        }
    }

    /// The next rows; none at the end. A batch is never empty.
    pub(super) fn next_batch(&mut self) -> Result<Option<Batch<'_>>, TableError> {
        match &mut self.reader {
            Reader::Csv(reader) => Ok(reader.next_batch(&self.file)?.map(Batch::Csv)),
            #[cfg(feature = "arrow")]
            Reader::Arrow(reader) => {
                let batch = reader.next_batch(&self.file)?;
                Ok(batch.map(|(columns, first_row, rows)| Batch::Arrow {
                    columns,
                    first_row,
                    rows,
                }))
            }
        }
    }

    /// Bytes of the file read so far; for Parquet in proportion to the rows.
    pub(super) fn bytes_read(&self) -> u64 {
        let read = self.read.load(Ordering::Relaxed).min(self.total_bytes);
        match &self.reader {
            Reader::Csv(_) => read,
            #[cfg(feature = "arrow")]
            Reader::Arrow(reader) => reader.bytes_read(self.total_bytes).unwrap_or(read),
        }
    }

    /// How the number of a row, from a [`Batch`], is named to the user.
    pub(super) fn numbering(&self) -> fn(u64) -> Place {
        match &self.reader {
            Reader::Csv(_) => Place::Line,
            #[cfg(feature = "arrow")]
            Reader::Arrow(_) => Place::Row,
        }
    }
}

impl Reader {
    fn header(&self) -> &[String] {
        match self {
            Self::Csv(reader) => reader.header(),
            #[cfg(feature = "arrow")]
            Self::Arrow(reader) => reader.header(),
        }
    }
}

/// Some rows of a table.
pub(super) enum Batch<'a> {
    Csv(&'a Lines),
    #[cfg(feature = "arrow")]
    Arrow {
        /// One entry for each column of the header; `None` if it was not selected.
        columns: Vec<Option<ArrowColumn>>,
        /// Number of the first row, from 1.
        first_row: u64,
        /// Number of rows.
        rows: usize,
    },
}

impl Batch<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Csv(lines) => lines.len(),
            #[cfg(feature = "arrow")]
            Self::Arrow { rows, .. } => *rows,
        }
    }

    /// A cell, by its column in the header and its row in the batch.
    pub(super) fn cell(&self, column: usize, row: usize) -> Cell<'_> {
        match self {
            Self::Csv(lines) => lines.cell(column, row).map_or(Cell::Null, Cell::Text),
            #[cfg(feature = "arrow")]
            Self::Arrow { columns, .. } => match columns.get(column) {
                Some(Some(column)) => column.cell(row),
                _ => Cell::Null,
            },
        }
    }

    /// The number of a row: its line in a text file, its row otherwise.
    pub(super) fn number(&self, row: usize) -> u64 {
        match self {
            Self::Csv(lines) => lines.number(row),
            #[cfg(feature = "arrow")]
            Self::Arrow { first_row, .. } => first_row + row as u64,
        }
    }
}

fn open_reader(path: &Path, file: Metered, first: &[u8]) -> Result<Reader, TableError> {
    if let Some(foreign) = foreign::by_bytes(path, first) {
        return Err(is_foreign(path, foreign));
    }
    #[cfg(feature = "arrow")]
    if let Some(format) = super::arrow::Format::of(first) {
        let reader = ArrowSource::open(path, file, format)?;
        return Ok(Reader::Arrow(Box::new(reader)));
    }
    #[cfg(not(feature = "arrow"))]
    if first.starts_with(b"PAR1") || first.starts_with(b"ARROW1") || first.starts_with(&[0xff; 4]) {
        return Err(
            Objection::new("is a Parquet or Arrow file, which this build cannot read")
                .help("build with the feature \"arrow\", or write the table as CSV")
                .at(path, Place::File),
        );
    }
    Ok(Reader::Csv(Box::new(CsvSource::open(path, file, first)?)))
}

/// The objection to a file of a known format that is none of ours.
pub(super) fn is_foreign(path: &Path, Foreign { name, help }: Foreign) -> TableError {
    Objection::new(format!("is {name}, not a table"))
        .help(help)
        .at(path, Place::File)
}

/// The objection to bytes that no reader takes.
pub(super) fn not_a_table(path: &Path, why: &str) -> TableError {
    let help = match foreign::by_ending(path) {
        Some(Foreign { name, help }) => format!("if it is {name}: {help}"),
        None => TABLES.into(),
    };
    Objection::new(why).help(help).at(path, Place::File)
}

fn check_header(path: &Path, header: &[String]) -> Result<(), TableError> {
    let mut seen = std::collections::HashSet::new();
    for name in header {
        if !seen.insert(name.as_str()) {
            let message = format!("the column {} is there twice", quote(name));
            return Err(Objection::new(message)
                .help(format!(
                    "rename or remove one of the columns {}",
                    clean(name)
                ))
                .at(path, Place::File));
        }
    }
    Ok(())
}
