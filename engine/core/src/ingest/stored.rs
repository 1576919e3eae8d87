//! The rows of a whole table, by cell type, in memory or on disk; values of columns are made of them
//! when they are asked for.

use std::{io, path::PathBuf, sync::Arc};

use eyemap_abi::job::Side;

use super::{
    build::{Builder, ColumnValues, OfColumn, Tally},
    error::{Place, TableError},
    merge::Merge,
    packed::Packed,
    rows::{Duplicate, Row},
    spill::{BLOCK, Run, Spill},
    visits::{WideColumns, WideSide},
};
use crate::model::{CellType, MetricValues, Part, PartSummary, TableShape, TypeSummary};

/// The rows of one cell type.
#[derive(Debug)]
pub(super) struct StoredType {
    pub(super) name: Arc<str>,
    pub(super) packed: Vec<Packed>,
    pub(super) runs: Vec<Run>,
}

/// The rows of a table.
#[derive(Debug)]
pub(crate) struct Stored {
    /// Cell types, rising by name.
    pub(super) types: Vec<StoredType>,
    pub(super) columns: Option<WideColumns>,
    pub(super) builder: Builder,
    pub(super) spill: Spill,
    pub(super) values_per_row: usize,
    /// The first file of the table, for messages.
    pub(super) table: PathBuf,
}

/// What a look at all rows of a cell type gives.
pub(super) struct Examined {
    pub(super) summary: TypeSummary,
    /// The type itself, if it is small enough to be kept.
    pub(super) cell_type: Option<(CellType, u64)>,
    pub(super) duplicate: Option<Duplicate>,
    pub(super) repeated_rows: u64,
    /// One entry a metric.
    pub(super) spans: Vec<Spans>,
}

/// Smallest and largest of some values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span([f64; 2]);

impl Default for Span {
    fn default() -> Self {
        Self([f64::INFINITY, f64::NEG_INFINITY])
    }
}

impl Span {
    /// Takes in a value; an unknown one changes nothing.
    fn add(&mut self, value: f64) {
        self.0 = [self.0[0].min(value), self.0[1].max(value)];
    }

    fn join(&mut self, other: Self) {
        self.0 = [self.0[0].min(other.0[0]), self.0[1].max(other.0[1])];
    }

    /// None if there was no value.
    pub(super) fn range(self) -> Option<[f64; 2]> {
        (self.0[0] <= self.0[1]).then_some(self.0)
    }
}

/// How far the values of a metric reach.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spans {
    pub(super) whole: Span,
    /// Zeros left out: a layer without a row is one.
    pub(super) layer: Span,
}

impl Spans {
    pub(super) fn join(&mut self, other: Self) {
        self.whole.join(other.whole);
        self.layer.join(other.layer);
    }

    /// Takes in the values of a column, for each metric.
    fn add(all: &mut Vec<Self>, values: &ColumnValues) {
        all.resize(values.whole.len(), Self::default());
        let n = values.n_layers;
        for (index, spans) in all.iter_mut().enumerate() {
            spans.whole.add(values.whole[index]);
            let layers = values.layers[index * n..(index + 1) * n].iter();
            let layers = layers.filter(|&&value| value != 0.0);
            layers.for_each(|&value| spans.layer.add(value));
        }
    }
}

impl Stored {
    /// What rows and columns take in memory.
    pub(super) fn bytes(&self) -> u64 {
        let packed = self.types.iter().flat_map(|rows| &rows.packed);
        let packed: usize = packed.map(Packed::capacity).sum();
        let columns = self.columns.as_ref().map_or(0, WideColumns::bytes);
        (packed + columns) as u64
    }

    /// What a thread holds while it reads the rows of a cell type.
    pub(crate) fn merge_bytes(&self, index: usize) -> u64 {
        let runs = self.types[index].runs.iter();
        runs.map(|run| run.bytes.min(BLOCK as u64) + 8 * self.values_per_row as u64)
            .sum()
    }

    /// The most that the values of a cell type can take: those of a column are no more than all its layers,
    /// and a column has at least one row, which takes a byte.
    pub(super) fn most_value_bytes(&self, index: usize) -> u64 {
        let rows = &self.types[index];
        let packed = rows.packed.iter().map(|packed| packed.bytes().len() as u64);
        let bytes: u64 = packed.chain(rows.runs.iter().map(|run| run.bytes)).sum();
        bytes.saturating_mul(8 * self.builder.values_per_column() as u64)
    }

    /// The values of a cell type, column by column.
    pub(crate) fn open(&self, cell_type: usize) -> Result<ColumnReader<'_>, TableError> {
        let rows = &self.types[cell_type];
        let merge = Merge::new(&rows.packed, (&rows.runs, &self.spill), self.values_per_row);
        Ok(ColumnReader {
            stored: self,
            name: &rows.name,
            merge: merge.map_err(|error| self.disk(error))?,
            next: None,
            ahead: Vec::new(),
            rows: Vec::new(),
            values: Vec::new(),
            tally: Tally::default(),
            out: ColumnValues::default(),
            duplicate: None,
            repeated_rows: 0,
        })
    }

    /// All values of a cell type.
    pub(crate) fn cell_type(&self, index: usize) -> Result<CellType, TableError> {
        let mut reader = self.open(index)?;
        let mut growing = Growing::default();
        while let Some(values) = reader.next()? {
            growing.add(values);
        }
        Ok(CellType {
            name: Arc::clone(&self.types[index].name),
            parts: growing.parts,
        })
    }

    /// Looks at all rows of a cell type; keeps its values if they take at most `most` bytes.
    pub(super) fn examine(&self, index: usize, most: u64) -> Result<Examined, TableError> {
        let mut reader = self.open(index)?;
        let mut summary = Summary::default();
        let mut growing = Some(Growing::default());
        let mut spans = Vec::new();
        while let Some(values) = reader.next()? {
            summary.add(values);
            Spans::add(&mut spans, values);
            if let Some(parts) = &mut growing {
                parts.add(values);
                if parts.bytes > most {
                    growing = None;
                }
            }
        }
        let name = &self.types[index].name;
        let kept = growing.map(|growing| {
            let cell_type = CellType {
                name: Arc::clone(name),
                parts: growing.parts,
            };
            (cell_type, growing.bytes)
        });
        let (duplicate, repeated_rows) = (reader.duplicate, reader.repeated_rows);
        Ok(Examined {
            summary: summary.finish(Arc::clone(name), self.builder.n_metrics()),
            cell_type: kept,
            duplicate,
            repeated_rows,
            spans,
        })
    }

    /// Forgets the rows of cell types whose values are kept.
    pub(super) fn without(mut self, held: &[Option<Arc<CellType>>]) -> Self {
        for (rows, held) in self.types.iter_mut().zip(held) {
            if held.is_some() {
                (rows.packed, rows.runs) = (Vec::new(), Vec::new());
            }
        }
        self
    }

    /// The columns of a side, if they are on disk.
    pub(crate) fn columns(&self, side: Side) -> Result<Option<WideSide<'_>>, TableError> {
        let columns = self.columns.as_ref();
        columns
            .map(|columns| columns.side(side, &self.spill))
            .transpose()
            .map_err(|error| self.disk(error))
    }

    /// The objection of the disk that rows are kept on.
    pub(crate) fn disk(&self, source: io::Error) -> TableError {
        TableError::Spill {
            dir: self.spill.dir().into(),
            source,
        }
    }
}

/// Values of a cell type, column by column.
#[derive(Debug)]
pub(crate) struct ColumnReader<'a> {
    stored: &'a Stored,
    name: &'a str,
    merge: Merge<'a>,
    /// The first row of the column that comes next, and its values.
    next: Option<Row>,
    ahead: Vec<f64>,
    rows: Vec<Row>,
    values: Vec<f64>,
    tally: Tally,
    out: ColumnValues,
    duplicate: Option<Duplicate>,
    repeated_rows: u64,
}

impl ColumnReader<'_> {
    /// The next column; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<&ColumnValues>, TableError> {
        if !self.gather().map_err(|error| self.stored.disk(error))? {
            return Ok(None);
        }
        let of_column = OfColumn {
            rows: &self.rows,
            values: &self.values,
        };
        let builder = &self.stored.builder;
        builder
            .column(self.name, &of_column, &mut self.tally, &mut self.out)
            .map_err(|objection| objection.at(&self.stored.table, Place::File))?;
        Ok(Some(&self.out))
    }

    /// Takes the rows of the next column together.
    fn gather(&mut self) -> io::Result<bool> {
        self.rows.clear();
        self.values.clear();
        let first = match self.next.take() {
            Some(row) => {
                self.values.append(&mut self.ahead);
                Some(row)
            }
            None => self.merge.next(&mut self.values)?,
        };
        let Some(first) = first else { return Ok(false) };
        self.rows.push(first);
        let place = (first.key.part, first.key.column());
        while let Some(row) = self.merge.next(&mut self.ahead)? {
            if (row.key.part, row.key.column()) != place {
                self.next = Some(row);
                break;
            }
            if self.rows.last().is_some_and(|last| row.repeats(last)) {
                self.repeat(row.number);
                self.ahead.clear();
                continue;
            }
            self.rows.push(row);
            self.values.append(&mut self.ahead);
        }
        Ok(true)
    }

    /// A cell is there or it is not: published tables list a cell once for each of its marks.
    fn repeat(&mut self, second: u64) {
        if self.stored.builder.layout.shape == TableShape::Cells {
            self.repeated_rows += 1;
            return;
        }
        let first = self.rows.last().map_or(0, |row| row.number);
        if self.duplicate.is_none_or(|known| second < known.second) {
            self.duplicate = Some(Duplicate { first, second });
        }
    }
}

/// Parts that grow column by column.
#[derive(Debug, Default)]
struct Growing {
    parts: Vec<Part>,
    bytes: u64,
}

impl Growing {
    fn add(&mut self, values: &ColumnValues) {
        let (region, side) = values.place();
        let last = self.parts.last();
        if last.is_none_or(|part| (part.region, part.side) != (region, side)) {
            self.parts.push(Part {
                region,
                side,
                columns: Vec::new(),
                n_layers: values.n_layers,
                metrics: vec![MetricValues::default(); values.whole.len()],
            });
        }
        let Some(part) = self.parts.last_mut() else {
            return;
        };
        part.columns.push(values.column);
        let n = values.n_layers;
        for (index, metric) in part.metrics.iter_mut().enumerate() {
            metric.whole.push(values.whole[index]);
            metric
                .layers
                .extend_from_slice(&values.layers[index * n..(index + 1) * n]);
            if values.underivable[index] {
                metric.underivable.get_or_insert(values.column);
            }
        }
        self.bytes += 8 + 8 * (values.whole.len() + values.layers.len()) as u64;
    }
}

/// What is told of a cell type without its values.
#[derive(Debug, Default)]
struct Summary {
    parts: Vec<PartSummary>,
    /// For each part and metric the first column that cannot be derived.
    underivable: Vec<Vec<Option<crate::model::Column>>>,
}

impl Summary {
    fn add(&mut self, values: &ColumnValues) {
        let (region, side) = values.place();
        let last = self.parts.last();
        if last.is_none_or(|part| (part.region, part.side) != (region, side)) {
            self.parts.push(PartSummary {
                region,
                side,
                columns: 0,
                n_layers: values.n_layers,
            });
            self.underivable.push(vec![None; values.whole.len()]);
        }
        if let (Some(part), Some(underivable)) =
            (self.parts.last_mut(), self.underivable.last_mut())
        {
            part.columns += 1;
            for (first, &is) in underivable.iter_mut().zip(&values.underivable) {
                if is {
                    first.get_or_insert(values.column);
                }
            }
        }
    }

    fn finish(self, name: Arc<str>, n_metrics: usize) -> TypeSummary {
        let parts = &self.underivable;
        let first = |metric: usize| parts.iter().find_map(|part| part[metric]);
        let never = |metric: usize| parts.iter().all(|part| part[metric].is_some());
        TypeSummary {
            name,
            underivable: (0..n_metrics).map(first).collect(),
            never_derivable: (0..n_metrics).map(never).collect(),
            parts: self.parts,
        }
    }
}
