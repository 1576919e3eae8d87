//! From batches of cells to packed rows: every cell is checked here, in the order of the file.
//!
//! Stops at the first error. Does not sum, derive or sort.

use std::{borrow::Cow, path::PathBuf, sync::atomic::Ordering};

use super::{
    IngestOptions, Progress,
    atlas::AtlasIndex,
    cell::Cell,
    error::{Objection, Place, TableError, quote},
    regions::Regions,
    rows::{Duplicate, Key, Rows, part_of},
    schema::{Layout, Values, nearest, toml_key},
    source::{Batch, Source},
};
use crate::model::{MetricKind, TableShape};

/// What came out of a table.
pub(super) struct Read {
    pub(super) layout: Layout,
    pub(super) rows: Rows,
    pub(super) rows_read: u64,
    pub(super) unplaced_rows: u64,
    /// Rows of single cells that repeat a body in the same column, counted once.
    pub(super) repeated_rows: u64,
    /// Whether any row names a layer.
    pub(super) layered: bool,
    /// For each metric of the layout, whether any row has it.
    pub(super) seen: Vec<bool>,
}

/// Reads all rows; on success they are sorted and free of duplicates.
pub(super) fn read_rows(
    mut source: Source,
    options: &IngestOptions<'_>,
    regions: Regions<'_>,
    atlas: &mut AtlasIndex,
) -> Result<Read, TableError> {
    let layout = Layout::of(&source.header, &options.table.columns, options.metrics)
        .map_err(|objection| objection.at(&source.file, Place::File))?;
    source.select(&layout.columns());
    let mut reader = RowReader::new(&source, layout, options.table.skip_unplaced, regions)?;
    let outcome = reader.read_all(&mut source, options, atlas);
    if matches!(outcome, Err(TableError::Interrupted)) {
        return Err(TableError::Interrupted);
    }
    match reader.out.rows.sort() {
        // A cell is there or it is not: published tables list a cell once for each of its marks.
        Some(_) if reader.out.layout.shape == TableShape::Cells => {
            reader.out.repeated_rows = reader.out.rows.merge_repeats();
        }
        // A duplicate among the rows so far stands before whatever stopped the reading.
        Some(duplicate) => return Err(reader.duplicate(duplicate)),
        None => {}
    }
    outcome?;
    reader.check_any()?;
    Ok(reader.out)
}

struct RowReader<'a> {
    file: PathBuf,
    header: Vec<String>,
    place: fn(u64) -> Place,
    skip_unplaced: bool,
    regions: Regions<'a>,
    out: Read,
    values: Vec<f64>,
}

impl<'a> RowReader<'a> {
    fn new(
        source: &Source,
        layout: Layout,
        skip_unplaced: bool,
        regions: Regions<'a>,
    ) -> Result<Self, TableError> {
        if matches!(layout.values, Values::Tall { .. }) && layout.metrics.len() > 256 {
            let objection = Objection::new("more than 256 metrics are configured for a tall table");
            return Err(objection.at(&source.file, Place::File));
        }
        let values_per_row = match &layout.values {
            Values::Wide(columns) => columns.len(),
            Values::Tall { .. } | Values::Synapses(_) => 1,
            Values::Presence => 0,
        };
        let all_seen = !matches!(layout.values, Values::Tall { .. });
        Ok(Self {
            file: source.file.clone(),
            header: source.header.clone(),
            place: source.numbering(),
            skip_unplaced,
            regions,
            out: Read {
                seen: vec![all_seen; layout.metrics.len()],
                layout,
                rows: Rows::new(values_per_row),
                rows_read: 0,
                unplaced_rows: 0,
                repeated_rows: 0,
                layered: false,
            },
            values: Vec::with_capacity(values_per_row),
        })
    }

    fn read_all(
        &mut self,
        source: &mut Source,
        options: &IngestOptions<'_>,
        atlas: &mut AtlasIndex,
    ) -> Result<(), TableError> {
        loop {
            if options
                .cancel
                .is_some_and(|cancel| cancel.load(Ordering::Relaxed))
            {
                return Err(TableError::Interrupted);
            }
            let Some(batch) = source.next_batch()? else {
                return Ok(());
            };
            for row in 0..batch.len() {
                self.row(&batch, row, atlas).map_err(|objection| {
                    objection.at(&self.file, (self.place)(batch.number(row)))
                })?;
            }
            self.out.rows_read += batch.len() as u64;
            if let Some(progress) = options.progress {
                progress(Progress {
                    rows: self.out.rows_read,
                    bytes: source.bytes_read(),
                    total_bytes: source.total_bytes,
                });
            }
        }
    }

    fn row(
        &mut self,
        batch: &Batch<'_>,
        row: usize,
        atlas: &mut AtlasIndex,
    ) -> Result<(), Objection> {
        if self.skip_unplaced && self.is_unplaced(batch, row) {
            self.out.unplaced_rows += 1;
            return Ok(());
        }
        let layout = &self.out.layout;
        let body = match layout.body {
            Some(column) => self.cell(batch, row, column, Cell::id)?,
            None => 0,
        };
        let column = layout.cell_type;
        let name: Cow<'_, str> = self.cell(batch, row, column, Cell::text)?;
        let cell_type = self
            .out
            .rows
            .cell_type(&name)
            .map_err(|o| self.in_column(o, column))?;
        let mut key = self.key(batch, row)?;
        self.read_values(batch, row, &mut key)?;
        atlas.visit(key.part, key.column())?;
        self.out.layered |= key.layer > 0;
        let number = batch.number(row);
        self.out
            .rows
            .push(cell_type, (key, body), number, &self.values)
    }

    fn is_unplaced(&self, batch: &Batch<'_>, row: usize) -> bool {
        let layout = &self.out.layout;
        [Some(layout.hex1), Some(layout.hex2), layout.layer]
            .into_iter()
            .flatten()
            .any(|column| batch.cell(column, row).is_null())
    }

    fn key(&self, batch: &Batch<'_>, row: usize) -> Result<Key, Objection> {
        let layout = &self.out.layout;
        let region = self.cell(batch, row, layout.region, |cell| {
            self.regions.find(&cell.text()?)
        })?;
        let side = self.cell(batch, row, layout.side, Cell::side)?;
        let placed = |cell: Cell<'_>| cell.small().map_err(|o| unplaced(o, cell));
        let hex1 = self.cell(batch, row, layout.hex1, placed)?;
        let hex2 = self.cell(batch, row, layout.hex2, placed)?;
        let layer = match layout.layer {
            Some(column) => self.cell(batch, row, column, |cell| {
                let layer = self.regions.layer(region, placed(cell)?)?;
                self.check_body_layer(region, layer)
            })?,
            None => 0,
        };
        Ok(Key {
            part: part_of(region, side),
            hex1,
            hex2,
            layer,
            metric: 0,
        })
    }

    /// In a table of bodies a row of layer 0 could be a part of the column or all of it.
    fn check_body_layer(&self, region: u8, layer: u16) -> Result<u16, Objection> {
        let is_body = self.out.layout.shape == TableShape::BodySynapses;
        if is_body && layer == 0 && self.regions.layers(usize::from(region)) > 0 {
            return Err(Objection::new("layer 0 in a table of bodies").help(
                "give the layer of each row, from 1; whole columns are summed from the layers",
            ));
        }
        Ok(layer)
    }

    fn read_values(
        &mut self,
        batch: &Batch<'_>,
        row: usize,
        key: &mut Key,
    ) -> Result<(), Objection> {
        self.values.clear();
        let layout = &self.out.layout;
        match &layout.values {
            Values::Presence => {}
            Values::Synapses(column) => {
                let synapses = layout
                    .metrics
                    .iter()
                    .find(|metric| metric.name == "synapses");
                let kind = synapses.map_or(MetricKind::Count, |metric| metric.kind);
                let value = self.cell(batch, row, *column, |cell| cell.value(kind))?;
                self.values.push(value);
            }
            Values::Wide(columns) => {
                for (&column, metric) in columns.iter().zip(&layout.metrics) {
                    let value = batch.cell(column, row).value(metric.kind);
                    self.values
                        .push(value.map_err(|o| self.in_column(o, column))?);
                }
            }
            &Values::Tall { metric, value } => {
                let index = self.cell(batch, row, metric, |cell| self.metric(&cell.text()?))?;
                key.metric = index;
                let kind = layout.metrics[usize::from(index)].kind;
                let value = self.cell(batch, row, value, |cell| cell.value(kind))?;
                self.out.seen[usize::from(index)] = true;
                self.values.push(value);
            }
        }
        Ok(())
    }

    fn metric(&self, name: &str) -> Result<u8, Objection> {
        let metrics = &self.out.layout.metrics;
        let found = metrics.iter().position(|metric| metric.name == name);
        if let Some(Ok(index)) = found.map(u8::try_from) {
            return Ok(index);
        }
        let names = metrics.iter().map(|metric| metric.name.as_str());
        let meant =
            nearest(name, names).map_or(String::new(), |n| format!("is {} meant? ", quote(n)));
        let message = format!("{} is not a configured metric", quote(name));
        let key = toml_key(name);
        Err(Objection::new(message).help(format!(
            "{meant}to add it, write\n[metrics.{key}]\nkind = \"count\""
        )))
    }

    fn cell<'b, T>(
        &self,
        batch: &'b Batch<'_>,
        row: usize,
        column: usize,
        read: impl FnOnce(Cell<'b>) -> Result<T, Objection>,
    ) -> Result<T, Objection> {
        read(batch.cell(column, row)).map_err(|objection| self.in_column(objection, column))
    }

    fn in_column(&self, objection: Objection, column: usize) -> Objection {
        match self.header.get(column) {
            Some(name) => objection.column(name),
            None => objection,
        }
    }

    fn duplicate(&self, Duplicate { first, second }: Duplicate) -> TableError {
        let what = match (&self.out.layout.shape, &self.out.layout.values) {
            (TableShape::Canonical, Values::Tall { .. }) => {
                "cell type, region, side, column, layer and metric"
            }
            (TableShape::Canonical, _) => "cell type, region, side, column and layer",
            (TableShape::BodySynapses | TableShape::Cells, _) => "body, column and layer",
        };
        let message = format!("the same {what} as {}", (self.place)(first));
        Objection::new(message)
            .help("keep one of the two rows, or sum them before")
            .at(&self.file, (self.place)(second))
    }

    fn check_any(&self) -> Result<(), TableError> {
        let message = match (self.out.rows_read, self.out.unplaced_rows) {
            (0, _) => "has a header and no rows",
            (rows, unplaced) if rows == unplaced => "no row names a column",
            _ => return Ok(()),
        };
        Err(Objection::new(message).at(&self.file, Place::File))
    }
}

fn unplaced(objection: Objection, cell: Cell<'_>) -> Objection {
    if cell.is_null() {
        objection
            .help("to leave out rows that name no column, write\n[table]\nskip_unplaced = true")
    } else {
        objection
    }
}
