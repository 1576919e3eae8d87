//! A table, checked and sorted, together with its atlas.
//!
//! What is small is held: names, counts, columns. The values of a cell type are made when they are
//! asked for, unless the table is small. The whole table is never held.

use std::{cmp::Ordering, ops::Range, sync::Arc};

use eyemap_abi::job::Side;

use crate::{
    ingest::{ColumnReader, ColumnValues, Stored, TableError, WideSide},
    model::{
        Atlas, CellType, Column, Metric, MetricSummary, Part, Region, SideAtlas, TableShape,
        TypeSummary,
    },
};

/// A table with its atlas.
#[derive(Debug)]
pub struct Dataset {
    /// Which form the table had.
    pub shape: TableShape,
    /// Regions, in the order of the configuration. At most 64.
    pub regions: Vec<Region>,
    /// Metrics that the table has, in the order of the configuration.
    pub metrics: Vec<Metric>,
    /// Cell types, rising by name (byte order).
    pub types: Vec<TypeSummary>,
    /// Which columns exist.
    pub atlas: Atlas,
    /// Number of data rows in the table.
    pub rows: u64,
    /// Rows left out because they name no column (only with `table.skip_unplaced`).
    pub unplaced_rows: u64,
    /// What the user should know: an atlas that was derived, rows left out.
    pub notes: Vec<String>,
    /// What the table says of each of `metrics`.
    pub metric_summaries: Vec<MetricSummary>,
    /// Names of columns of the table that are not read.
    pub unused_columns: Vec<String>,
    /// Bytes of rows that were written to disk because they did not fit.
    pub spilled_bytes: u64,
    pub(crate) stored: Stored,
    /// The values of types that fit, by index.
    pub(crate) held: Vec<Option<Arc<CellType>>>,
}

impl Dataset {
    /// The name of a cell type, by its place in the order of names.
    pub fn type_name(&self, cell_type: usize) -> &Arc<str> {
        &self.types[cell_type].name
    }

    /// Number of columns in which a cell type has a row, in one region on one side.
    pub fn columns_of(&self, cell_type: usize, region: usize, side: Side) -> usize {
        let part = self.types[cell_type].part(region, side);
        part.map_or(0, |part| part.columns as usize)
    }

    /// What the values of a cell type take that are made when they are asked for; 0 if they are held.
    pub(crate) fn value_bytes(&self, cell_type: usize) -> u64 {
        if matches!(self.held.get(cell_type), Some(Some(_))) {
            return 0;
        }
        let parts = self.types[cell_type].parts.iter();
        let values = parts.map(|part| part.columns * (1 + part.n_layers as u64));
        // Lists grow by doubling.
        values.sum::<u64>() * self.metrics.len() as u64 * 16
    }

    /// What would be held besides if there were more memory: rows on disk, and values.
    pub(crate) fn growth_bytes(&self) -> u64 {
        let values = (0..self.types.len()).map(|index| self.value_bytes(index));
        values.fold(self.spilled_bytes, u64::saturating_add)
    }

    /// The values of a cell type.
    ///
    /// # Errors
    /// When rows that were written to disk cannot be read back.
    pub fn cell_type(&self, index: usize) -> Result<Arc<CellType>, TableError> {
        match self.held.get(index) {
            Some(Some(held)) => Ok(Arc::clone(held)),
            _ => Ok(Arc::new(self.stored.cell_type(index)?)),
        }
    }

    /// The columns of a side, rising, each with the regions that it exists in, as bits.
    ///
    /// # Errors
    /// When columns that were written to disk cannot be read back.
    pub fn columns(&self, side: Side) -> Result<SideColumns<'_>, TableError> {
        let of = self.atlas.side(side);
        Ok(SideColumns {
            dataset: self,
            from: match self.stored.columns(side)? {
                Some(wide) if of.wide => From::Disk(wide),
                _ => From::Memory(of, 0),
            },
        })
    }
}

/// Reads the columns of a side.
#[derive(Debug)]
pub struct SideColumns<'a> {
    dataset: &'a Dataset,
    from: From<'a>,
}

#[derive(Debug)]
enum From<'a> {
    Memory(&'a SideAtlas, usize),
    Disk(WideSide<'a>),
}

impl SideColumns<'_> {
    /// The next column; none at the end.
    ///
    /// # Errors
    /// When columns that were written to disk cannot be read back.
    #[expect(clippy::should_implement_trait, reason = "it can fail")]
    pub fn next(&mut self) -> Result<Option<(Column, u64)>, TableError> {
        match &mut self.from {
            From::Disk(wide) => wide.next().map_err(|error| self.dataset.stored.disk(error)),
            From::Memory(side, at) => {
                let next = side.columns.get(*at).zip(side.regions.get(*at));
                *at += 1;
                Ok(next.map(|(&column, &bits)| (column, bits)))
            }
        }
    }
}

/// Values of columns of one part, at most so many as were asked for.
#[derive(Debug, Default)]
pub(crate) struct PartBatch {
    pub(crate) n_layers: usize,
    pub(crate) columns: Vec<Column>,
    /// One entry a metric, with one value a column; NaN is a null.
    pub(crate) whole: Vec<Vec<f64>>,
    /// One entry a metric, with `n_layers` values a column.
    pub(crate) layers: Vec<Vec<f64>>,
}

impl PartBatch {
    fn add(&mut self, values: &ColumnValues) {
        let n = values.n_layers;
        self.n_layers = n;
        self.whole.resize(values.whole.len(), Vec::new());
        self.layers.resize(values.whole.len(), Vec::new());
        self.columns.push(values.column);
        for (metric, &whole) in values.whole.iter().enumerate() {
            self.whole[metric].push(whole);
            self.layers[metric].extend_from_slice(&values.layers[metric * n..(metric + 1) * n]);
        }
    }

    fn of(part: &Part, range: Range<usize>) -> Self {
        let n = part.n_layers;
        let layers = range.start * n..range.end * n;
        let metrics = part.metrics.iter();
        Self {
            n_layers: n,
            columns: part.columns[range.clone()].to_vec(),
            whole: metrics
                .clone()
                .map(|metric| metric.whole[range.clone()].to_vec())
                .collect(),
            layers: metrics
                .map(|metric| metric.layers[layers.clone()].to_vec())
                .collect(),
        }
    }
}

/// Reads the columns of one part, in order.
#[derive(Debug)]
pub(crate) struct PartReader<'a> {
    from: PartFrom<'a>,
    region: usize,
    side: Side,
}

#[derive(Debug)]
enum PartFrom<'a> {
    Held(Arc<CellType>, usize),
    Rows(Box<ColumnReader<'a>>),
}

impl Dataset {
    /// The columns of a cell type in one region on one side, whatever their number.
    pub(crate) fn part(
        &self,
        cell_type: usize,
        (region, side): (usize, Side),
    ) -> Result<PartReader<'_>, TableError> {
        let from = match self.held.get(cell_type) {
            Some(Some(held)) => PartFrom::Held(Arc::clone(held), 0),
            _ => PartFrom::Rows(Box::new(self.stored.open(cell_type)?)),
        };
        Ok(PartReader { from, region, side })
    }
}

impl PartReader<'_> {
    /// The next columns, so many unless they are the last; none at the end.
    pub(crate) fn next_batch(&mut self, most: usize) -> Result<Option<PartBatch>, TableError> {
        let wanted = (self.region, self.side);
        let batch = match &mut self.from {
            PartFrom::Held(cell_type, at) => {
                let Some(part) = cell_type.part(self.region, self.side) else {
                    return Ok(None);
                };
                let start = *at;
                *at = part.columns.len().min(start + most);
                PartBatch::of(part, start..*at)
            }
            PartFrom::Rows(rows) => {
                let mut batch = PartBatch::default();
                while batch.columns.len() < most {
                    let Some(values) = rows.next()? else { break };
                    match values.place().cmp(&wanted) {
                        Ordering::Less => {}
                        Ordering::Equal => batch.add(values),
                        Ordering::Greater => break,
                    }
                }
                batch
            }
        };
        Ok(Some(batch).filter(|batch| !batch.columns.is_empty()))
    }
}
