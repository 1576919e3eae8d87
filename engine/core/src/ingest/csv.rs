//! Text tables: comma, semicolon or tab, plain or compressed with gzip.
//!
//! A record knows the line that it starts on, also after blank lines, Windows line ends and fields
//! over several lines. Records of another length than the header are refused, never padded. What is in
//! memory has a bound: a record that never ends is refused, and a batch ends early where rows are long.

use std::{
    cell::Cell,
    io::{self, Cursor, Read},
    path::Path,
    rc::Rc,
};

use csv::{ReaderBuilder, StringRecord, Terminator};
use flate2::read::MultiGzDecoder;

use super::{
    error::{Objection, Place, TableError},
    foreign,
    source::{BATCH_ROWS, Metered, is_foreign, not_a_table},
};

const GZIP: &[u8] = &[0x1f, 0x8b];
const BOM: &[u8] = b"\xef\xbb\xbf";

const NOT_UTF8: &str = "save the table as UTF-8 (in Excel: CSV UTF-8); on the command line: \
                        iconv -f WINDOWS-1252 -t UTF-8 FILE > table.csv";

/// Bytes in which the end of the header is looked for.
const HEADER_BYTES: u64 = 64 * 1024;

/// The longest record. A double quote that is never closed makes one record of the rest of the file.
pub(super) const MOST_RECORD_BYTES: u64 = 1 << 20;

/// A batch ends with the row that makes its text longer than this.
const MOST_BATCH_BYTES: usize = 1 << 20;

/// A record and the line that it starts on.
#[derive(Default)]
struct Line {
    number: u64,
    fields: StringRecord,
}

impl Line {
    /// A field, without the first half of a Windows line end.
    fn field(&self, column: usize) -> &str {
        let field = self.fields.get(column).unwrap_or_default();
        if column + 1 < self.fields.len() {
            return field;
        }
        field.strip_suffix('\r').unwrap_or(field)
    }
}

/// Rows of a text table: the cells of the selected columns, one after the other.
#[derive(Default)]
pub(super) struct Lines {
    numbers: Vec<u64>,
    text: String,
    /// Where each cell ends in the text, row by row.
    ends: Vec<usize>,
    /// The selected columns of the header, rising.
    columns: Vec<usize>,
}

impl Lines {
    fn clear(&mut self) {
        self.numbers.clear();
        self.text.clear();
        self.ends.clear();
    }

    fn add(&mut self, line: &Line) {
        self.numbers.push(line.number);
        for &column in &self.columns {
            self.text.push_str(line.field(column));
            self.ends.push(self.text.len());
        }
    }

    fn is_full(&self) -> bool {
        self.len() >= BATCH_ROWS || self.text.len() >= MOST_BATCH_BYTES
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// The line that a row starts on.
    pub(super) fn number(&self, row: usize) -> u64 {
        self.numbers.get(row).copied().unwrap_or(0)
    }

    /// A cell of a selected column.
    pub(super) fn cell(&self, column: usize, row: usize) -> Option<&str> {
        let place = row * self.columns.len() + self.columns.binary_search(&column).ok()?;
        let end = *self.ends.get(place)?;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..end)
    }
}

/// Text of which only so much more may be read, so that no record takes all memory.
struct Bounded<R> {
    text: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 && !buffer.is_empty() {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let most = usize::try_from(left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let count = self.text.read(&mut buffer[..most])?;
        self.left.set(left - count as u64);
        Ok(count)
    }
}

/// One line end, and whether anybody read beyond it.
#[derive(Default)]
struct End {
    given: bool,
    reached: Rc<Cell<bool>>,
}

impl Read for End {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match buffer.first_mut() {
            Some(byte) if !self.given => {
                *byte = b'\n';
                self.given = true;
                Ok(1)
            }
            Some(_) => {
                self.reached.set(true);
                Ok(0)
            }
            None => Ok(0),
        }
    }
}

/// A text table.
pub(super) struct CsvSource {
    header: Vec<String>,
    reader: csv::Reader<Bounded<Box<dyn Read>>>,
    /// What the record that is being read may still take.
    left: Rc<Cell<u64>>,
    line: Line,
    lines: Lines,
    compressed: bool,
    /// Whether a record wanted more than the text has.
    at_end: Rc<Cell<bool>>,
    /// An error that came after rows which the caller has to see first.
    pending: Option<TableError>,
    done: bool,
}

impl CsvSource {
    /// Opens a text table; `first` are its first bytes as stored.
    pub(super) fn open(path: &Path, file: Metered, first: &[u8]) -> Result<Self, TableError> {
        let compressed = first.starts_with(GZIP);
        let mut text: Box<dyn Read> = if compressed {
            Box::new(MultiGzDecoder::new(file))
        } else {
            Box::new(file)
        };
        let mut head = Vec::new();
        text.by_ref()
            .take(HEADER_BYTES)
            .read_to_end(&mut head)
            .map_err(|error| unreadable(path, error, compressed))?;
        check_text(path, &head, compressed)?;
        let start = if head.starts_with(BOM) { BOM.len() } else { 0 };
        let delimiter = delimiter(&head);
        let mut rest = Cursor::new(head);
        rest.set_position(start as u64);
        let end = End::default();
        let at_end = Rc::clone(&end.reached);
        // A line end after the last record makes every record end in one, so lines can be counted.
        let text: Box<dyn Read> = Box::new(rest.chain(text).chain(end));
        let left = Rc::new(Cell::new(0));
        let text = Bounded {
            text,
            left: Rc::clone(&left),
        };
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(1 << 16)
            .from_reader(text);
        let mut source = Self {
            header: Vec::new(),
            reader,
            left,
            line: Line::default(),
            lines: Lines::default(),
            compressed,
            at_end,
            pending: None,
            done: false,
        };
        source.read_header(path)?;
        Ok(source)
    }

    pub(super) fn header(&self) -> &[String] {
        &self.header
    }

    fn read_header(&mut self, path: &Path) -> Result<(), TableError> {
        if !self.read_record(path)? {
            return Err(Objection::new("is empty")
                .help("a table starts with a line of column names")
                .at(path, Place::File));
        }
        let names = self.line.fields.iter();
        self.header = names.map(|name| name.trim().into()).collect();
        let all: Vec<usize> = (0..self.header.len()).collect();
        self.select(&all);
        Ok(())
    }

    /// Keeps only the cells of these columns, which rise. Before the first batch.
    pub(super) fn select(&mut self, columns: &[usize]) {
        self.lines.columns = columns.to_vec();
    }

    /// The most that reading holds at a time, in bytes: two records like the header, a batch and what is
    /// read ahead.
    pub(super) fn most_held(&self) -> u64 {
        let names = self.header.iter().map(|name| name.len() + 64);
        let record: usize = names.sum();
        let batch = MOST_BATCH_BYTES + BATCH_ROWS * 8 * (1 + self.lines.columns.len().min(64));
        (2 * record + batch + 256 * 1024) as u64
    }

    /// The next records, at most [`BATCH_ROWS`]; none at the end.
    pub(super) fn next_batch(&mut self, path: &Path) -> Result<Option<&Lines>, TableError> {
        if let Some(error) = self.pending.take() {
            return Err(error);
        }
        self.lines.clear();
        while !self.lines.is_full() && !self.done {
            match self.read_row(path) {
                Ok(true) => self.lines.add(&self.line),
                Ok(false) => self.done = true,
                Err(error) => {
                    self.done = true;
                    self.pending = Some(error);
                }
            }
        }
        if self.lines.len() == 0 {
            return self.pending.take().map_or(Ok(None), Err);
        }
        Ok(Some(&self.lines))
    }

    fn read_row(&mut self, path: &Path) -> Result<bool, TableError> {
        if !self.read_record(path)? {
            return Ok(false);
        }
        let (fields, columns) = (self.line.fields.len(), self.header.len());
        if fields == columns {
            return Ok(true);
        }
        let message = format!("{fields} fields where the header has {columns}");
        Err(Objection::new(message)
            .help(
                "a text that contains the separator needs double quotes around it, and numbers are written \
                 without thousands separators and with a decimal point",
            )
            .at(path, Place::Line(self.line.number)))
    }

    /// The next record that is not blank; false at the end.
    fn read_record(&mut self, path: &Path) -> Result<bool, TableError> {
        let line = &mut self.line;
        loop {
            let first = self.reader.position().line();
            self.left.set(MOST_RECORD_BYTES);
            let read = self.reader.read_record(&mut line.fields);
            let after = self.reader.position().line();
            match read {
                Ok(false) => return Ok(false),
                Ok(true) => {}
                Err(error) if is_too_long(&error) => return Err(too_long(path, first)),
                Err(error) => {
                    let line = after.saturating_sub(1);
                    return Err(csv_error(path, error, line, self.compressed));
                }
            }
            let inside = line.fields.iter().map(line_ends).sum::<u64>();
            // Only a record whose quotes never close ends without a line end.
            let end = u64::from(!self.at_end.get());
            line.number = after.saturating_sub(end + inside).max(1);
            let blank = line.fields.len() == 1 && line.field(0).is_empty();
            if !blank {
                return Ok(true);
            }
        }
    }
}

fn is_too_long(error: &csv::Error) -> bool {
    matches!(error.kind(), csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge)
}

/// The objection to a record that begins on this line and does not end.
fn too_long(path: &Path, line: u64) -> TableError {
    Objection::new(format!(
        "a row of more than {} MiB",
        MOST_RECORD_BYTES >> 20
    ))
    .help("close the double quote that opens a text here, or leave out columns that are not read")
    .at(path, Place::Line(line))
}

fn line_ends(field: &str) -> u64 {
    field.bytes().filter(|&byte| byte == b'\n').count() as u64
}

/// The objection to a stream that breaks off: the disk's, or that of the compression.
fn unreadable(path: &Path, error: io::Error, compressed: bool) -> TableError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData
            if compressed =>
        {
            TableError::Damaged {
                file: path.into(),
                format: "a gzip file",
                source: error.into(),
            }
        }
        _ => TableError::read(path, error),
    }
}

fn csv_error(path: &Path, error: csv::Error, line: u64, compressed: bool) -> TableError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => unreadable(path, error, compressed),
        csv::ErrorKind::Utf8 { .. } => Objection::new("is not UTF-8 text")
            .help(NOT_UTF8)
            .at(path, Place::Line(line)),
        other => Objection::new(format!("{other:?}")).at(path, Place::Line(line)),
    }
}

fn check_text(path: &Path, head: &[u8], compressed: bool) -> Result<(), TableError> {
    let foreign = match compressed {
        true => foreign::in_gzip(path, head),
        false => foreign::by_bytes(path, head),
    };
    if let Some(foreign) = foreign {
        return Err(is_foreign(path, foreign));
    }
    if head.contains(&0) {
        return Err(not_a_table(path, "is a binary file, not a table"));
    }
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text.len(),
        Err(error) => error.valid_up_to(),
    };
    let line = head.iter().position(|&b| b == b'\n').unwrap_or(head.len());
    if valid < line.min(head.len().saturating_sub(4)) {
        return Err(Objection::new("is not UTF-8 text")
            .help(NOT_UTF8)
            .at(path, Place::File));
    }
    Ok(())
}

/// The separator: a comma if the header has one, else a semicolon, else a tab.
fn delimiter(head: &[u8]) -> u8 {
    let line = head.split(|&b| b == b'\n').next().unwrap_or_default();
    [b',', b';', b'\t']
        .into_iter()
        .find(|separator| line.contains(separator))
        .unwrap_or(b',')
}
