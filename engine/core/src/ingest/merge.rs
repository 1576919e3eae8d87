//! The rows of a cell type in order, wherever they are: in memory, or in any number of runs on disk.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, binary_heap::PeekMut},
    io,
};

use super::{
    packed::{Packed, Unpack},
    rows::Row,
    spill::{Run, RunReader, Spill},
};

/// Sorted rows from one place.
#[derive(Debug)]
enum Source<'a> {
    Memory(Unpack<'a>),
    Disk(RunReader<'a>),
}

impl Source<'_> {
    fn next(&mut self, out: &mut Vec<f64>) -> io::Result<Option<Row>> {
        match self {
            Self::Disk(run) => run.next(out),
            Self::Memory(rows) => rows.next(out).map_err(io::Error::from),
        }
    }
}

/// A source and the values of its first row.
#[derive(Debug)]
struct Waiting<'a> {
    source: Source<'a>,
    values: Vec<f64>,
}

/// Rows in order, merged from several sources.
#[derive(Debug)]
pub(super) struct Merge<'a> {
    sources: Vec<Waiting<'a>>,
    /// The first row of each source that has one.
    first: BinaryHeap<Reverse<(Row, usize)>>,
}

impl<'a> Merge<'a> {
    /// Merges rows in memory, each of `packed` sorted, with runs on disk. Neither is held as rows.
    pub(super) fn new(
        packed: &'a [Packed],
        (runs, spill): (&[Run], &'a Spill),
        values_per_row: usize,
    ) -> io::Result<Self> {
        let mut sources = Vec::with_capacity(packed.len() + runs.len());
        let filled = packed.iter().filter(|packed| packed.len() > 0);
        sources.extend(filled.map(|packed| Source::Memory(packed.unpack(values_per_row))));
        let runs = runs.iter();
        sources.extend(runs.map(|&run| Source::Disk(RunReader::new(spill, run, values_per_row))));
        let mut merge = Self {
            sources: Vec::with_capacity(sources.len()),
            first: BinaryHeap::with_capacity(sources.len()),
        };
        for (index, mut source) in sources.into_iter().enumerate() {
            let mut values = Vec::with_capacity(values_per_row);
            if let Some(row) = source.next(&mut values)? {
                merge.first.push(Reverse((row, index)));
            }
            merge.sources.push(Waiting { source, values });
        }
        Ok(merge)
    }

    /// The next row; its values are appended.
    pub(super) fn next(&mut self, values: &mut Vec<f64>) -> io::Result<Option<Row>> {
        let Some(mut first) = self.first.peek_mut() else {
            return Ok(None);
        };
        let Reverse((row, index)) = *first;
        let from = &mut self.sources[index];
        values.append(&mut from.values);
        match from.source.next(&mut from.values)? {
            // The heap moves its root only if another source is before it now.
            Some(next) => *first = Reverse((next, index)),
            None => drop(PeekMut::pop(first)),
        }
        Ok(Some(row))
    }
}
