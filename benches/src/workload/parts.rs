//! Rows into Parquet files, in order or scattered, with bounded memory.

use std::{fs::File, path::Path, sync::Arc};

use arrow_array::{
    ArrayRef, DictionaryArray, Int32Array, RecordBatch, StringArray, types::Int32Type,
};
use parquet::{
    arrow::arrow_writer::{ArrowWriter, ArrowWriterOptions},
    basic::{Compression, ZstdLevel},
    file::properties::WriterProperties,
};

use crate::Result;

use super::{
    random::{Random, Use},
    rows::{Row, SLOTS},
};

/// Rows that are turned into one batch of Arrow, in all open parts together.
const BATCH: usize = 1 << 18;

/// Rows in a row group, at most; with many parts open at once there are fewer.
const GROUP: usize = 1 << 20;

/// Rows in the row groups of all open parts together.
const OPEN_ROWS: usize = 8 * GROUP;

/// Bytes of pages that all columns of all open parts hold before they are compressed.
const PAGES: usize = 64 << 20;

/// Columns of a table.
const COLUMNS: usize = 8;

/// Rows that wait for their turn, in all parts together, when rows are scattered.
const WAITING: usize = 1 << 21;

/// The texts of columns, shared by all batches.
pub(super) struct Words {
    names: ArrayRef,
    regions: ArrayRef,
    sides: ArrayRef,
}

impl Words {
    pub(super) fn new(names: &[String]) -> Self {
        Self {
            names: Arc::new(StringArray::from_iter_values(names)),
            regions: Arc::new(StringArray::from_iter_values(SLOTS.map(|slot| slot.region))),
            sides: Arc::new(StringArray::from_iter_values(SLOTS.map(|slot| slot.side))),
        }
    }

    /// Rows as the columns of the canonical table.
    fn batch(&self, rows: &[Row]) -> Result<RecordBatch> {
        let numbers = |value: fn(&Row) -> Option<i32>| -> ArrayRef {
            Arc::new(rows.iter().map(value).collect::<Int32Array>())
        };
        let text = |words: &ArrayRef, key: fn(&Row) -> i32| -> Result<ArrayRef> {
            let keys = Int32Array::from_iter_values(rows.iter().map(key));
            let words = Arc::clone(words);
            Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(
                keys, words,
            )?))
        };
        Ok(RecordBatch::try_from_iter_with_nullable([
            (
                "cell_type",
                text(&self.names, |row| row.cell_type as i32)?,
                false,
            ),
            ("region", text(&self.regions, |row| row.slot.into())?, false),
            ("side", text(&self.sides, |row| row.slot.into())?, false),
            ("hex1", numbers(|row| Some(row.hex1)), false),
            ("hex2", numbers(|row| Some(row.hex2)), false),
            ("layer", numbers(|row| Some(row.layer.into())), false),
            (
                "synapses",
                numbers(|row| row.synapses.map(|n| n as i32)),
                true,
            ),
            ("cells", numbers(|row| row.cells.map(i32::from)), true),
        ])?)
    }
}

/// One file.
struct Part {
    writer: ArrowWriter<File>,
    rows: Vec<Row>,
}

impl Part {
    fn create(path: &Path, words: &Words, open: usize) -> Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            .set_max_row_group_row_count(Some((OPEN_ROWS / open).min(GROUP)))
            .set_data_page_size_limit((PAGES / COLUMNS / open).min(1 << 20))
            .set_dictionary_page_size_limit((PAGES / COLUMNS / open).min(1 << 20))
            .build();
        // Without the schema of Arrow, readers see plain texts, as in a file of any other program.
        let options = ArrowWriterOptions::new()
            .with_properties(properties)
            .with_skip_arrow_metadata(true);
        let schema = words.batch(&[])?.schema();
        let file = File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self {
            writer: ArrowWriter::try_new_with_options(file, schema, options)?,
            rows: Vec::with_capacity(BATCH / open.max(4)),
        })
    }

    fn push(&mut self, row: Row, words: &Words) -> Result<()> {
        self.rows.push(row);
        if self.rows.len() == self.rows.capacity() {
            self.flush(words)?;
        }
        Ok(())
    }

    fn flush(&mut self, words: &Words) -> Result<()> {
        self.writer.write(&words.batch(&self.rows)?)?;
        self.rows.clear();
        Ok(())
    }

    fn close(mut self, words: &Words) -> Result<()> {
        self.flush(words)?;
        self.writer.close()?;
        Ok(())
    }
}

/// The name of a part.
pub(super) fn name(part: usize) -> String {
    format!("part-{part:04}.parquet")
}

/// Parts one after the other: the first chunks in the first.
pub(super) struct InOrder<'a> {
    dir: &'a Path,
    words: &'a Words,
    open: Option<Part>,
    next: usize,
}

impl<'a> InOrder<'a> {
    pub(super) const fn new(dir: &'a Path, words: &'a Words) -> Self {
        Self {
            dir,
            words,
            open: None,
            next: 0,
        }
    }

    /// Appends to a part; parts rise.
    pub(super) fn push(&mut self, part: usize, rows: &[Row]) -> Result<()> {
        while self.next <= part {
            self.close()?;
            let path = self.dir.join(name(self.next));
            self.open = Some(Part::create(&path, self.words, 1)?);
            self.next += 1;
        }
        if let Some(open) = &mut self.open {
            for &row in rows {
                open.push(row, self.words)?;
            }
        }
        Ok(())
    }

    /// Completes the last part.
    pub(super) fn close(&mut self) -> Result<()> {
        self.open
            .take()
            .map_or(Ok(()), |part| part.close(self.words))
    }
}

/// All parts at once: each row goes to any of them, and waits there for a random time.
pub(super) struct Scattered<'a> {
    words: &'a Words,
    parts: Vec<(Part, Vec<Row>)>,
    random: Random,
}

impl<'a> Scattered<'a> {
    pub(super) fn create(dir: &Path, words: &'a Words, parts: usize, seed: u64) -> Result<Self> {
        let create = |part| {
            let part = Part::create(&dir.join(name(part)), words, parts)?;
            Ok((part, Vec::new()))
        };
        Ok(Self {
            words,
            parts: (0..parts).map(create).collect::<Result<_>>()?,
            random: Random::new(seed, Use::Order, 1),
        })
    }

    pub(super) fn push(&mut self, rows: &[Row]) -> Result<()> {
        let room = WAITING / self.parts.len();
        for &row in rows {
            let to = self.random.below(self.parts.len());
            let (part, waiting) = &mut self.parts[to];
            if waiting.len() < room {
                waiting.push(row);
                continue;
            }
            let place = &mut waiting[self.random.below(room)];
            part.push(std::mem::replace(place, row), self.words)?;
        }
        Ok(())
    }

    pub(super) fn close(mut self) -> Result<()> {
        for (mut part, mut waiting) in self.parts {
            self.random.shuffle(&mut waiting);
            for row in waiting {
                part.push(row, self.words)?;
            }
            part.close(self.words)?;
        }
        Ok(())
    }
}
