//! One row: every cell is checked here, and a row is taken or refused with what to do.

use std::borrow::Cow;

use regex::CaptureLocations;

use super::{
    IngestOptions,
    cell::Cell,
    error::{Objection, Place, TableError, quote},
    field::Field,
    propose::{metric_lines, translation},
    read::{Collected, Shared, TableFile, spill_error},
    regions::Regions,
    rows::{Key, Row, part_of},
    schema::{Values, nearest, toml_key, toml_text},
    source::Batch,
    visits::NoVisit,
};
use crate::model::{MetricKind, TableShape};

/// Why a row is not taken.
pub(super) enum Fault {
    Refused(Objection),
    Disk(std::io::Error),
}

impl From<Objection> for Fault {
    fn from(objection: Objection) -> Self {
        Self::Refused(objection)
    }
}

impl Fault {
    pub(super) fn at(self, file: &TableFile, place: Place, shared: &Shared<'_>) -> TableError {
        match self {
            Self::Refused(objection) => objection.at(&file.path, place),
            Self::Disk(source) => spill_error(shared, source),
        }
    }
}

/// Reads the rows of a batch.
pub(super) struct RowReader<'r, 'a> {
    pub(super) file: &'r TableFile,
    pub(super) skip_unplaced: bool,
    pub(super) regions: Regions<'r>,
    pub(super) options: &'r IngestOptions<'r>,
    /// The groups of the row that is being read, if the table has a pattern.
    pub(super) groups: Option<CaptureLocations>,
    pub(super) out: &'r mut Collected<'a>,
}

impl RowReader<'_, '_> {
    pub(super) fn row(&mut self, batch: &Batch<'_>, row: usize) -> Result<(), Fault> {
        if !self.matches(batch, row)? {
            return Ok(());
        }
        if self.skip_unplaced && self.is_unplaced(batch, row) {
            self.out.unplaced_rows += 1;
            return Ok(());
        }
        let file = self.file;
        let layout = &file.layout;
        let body = match &layout.body {
            Some(field) => self.cell(batch, row, field, Cell::id)?,
            None => 0,
        };
        let field = &layout.cell_type;
        let name: Cow<'_, str> = self.cell(batch, row, field, Cell::text)?;
        let cell_type = self
            .out
            .rows
            .cell_type(&name)
            .map_err(|o| self.in_column(o, field))?;
        let mut key = self.key(batch, row)?;
        self.read_values(batch, row, &mut key)?;
        let visited = self.out.visits.visit(key.part, key.column());
        visited.map_err(|fault| match fault {
            NoVisit::Refused(objection) => Fault::Refused(objection),
            NoVisit::Disk(error) => Fault::Disk(error),
        })?;
        self.out.layered |= key.layer > 0;
        let row = Row {
            key,
            body,
            number: self.out.number,
        };
        let Collected { rows, values, .. } = &mut *self.out;
        rows.push(cell_type, &row, values).map_err(Fault::Disk)
    }

    /// Matches the row with the pattern, if there is one; a row to be left out is counted.
    fn matches(&mut self, batch: &Batch<'_>, row: usize) -> Result<bool, Objection> {
        let file = self.file;
        let (Some(pattern), Some(groups)) = (&file.layout.pattern, &mut self.groups) else {
            return Ok(true);
        };
        let cell = batch.cell(pattern.column, row);
        if cell.is_null() && self.skip_unplaced {
            self.out.unplaced_rows += 1;
            return Ok(false);
        }
        let found = pattern.find(cell, groups);
        let found = found.map_err(|o| o.column(&file.header[pattern.column]))?;
        self.out.unmatched_rows += u64::from(!found);
        Ok(found)
    }

    fn is_unplaced(&self, batch: &Batch<'_>, row: usize) -> bool {
        let layout = &self.file.layout;
        [
            Some(&layout.hex1),
            Some(&layout.hex2),
            layout.layer.as_ref(),
        ]
        .into_iter()
        .flatten()
        .any(|field| field.cell(batch, row, self.groups.as_ref()).is_null())
    }

    fn key(&self, batch: &Batch<'_>, row: usize) -> Result<Key, Objection> {
        let layout = &self.file.layout;
        let region = self.cell(batch, row, &layout.region, |cell| {
            let name = cell.text()?;
            let found = self.regions.find(&name);
            found.map_err(|o| self.or_translated(o, "region", &name))
        })?;
        let side = self.cell(batch, row, &layout.side, |cell| {
            cell.side()
                .map_err(|o| self.or_translated(o, "side", &cell.shown()))
        })?;
        let placed = |cell: Cell<'_>| cell.small().map_err(|o| unplaced(o, cell));
        let hex1 = self.cell(batch, row, &layout.hex1, placed)?;
        let hex2 = self.cell(batch, row, &layout.hex2, placed)?;
        let layer = match &layout.layer {
            Some(field) => self.cell(batch, row, field, |cell| {
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

    /// Adds the lines that read one word as another, where the word seems to be one of ours.
    fn or_translated(&self, objection: Objection, ours: &str, word: &str) -> Objection {
        let layout = &self.file.layout;
        let field = if ours == "side" {
            &layout.side
        } else {
            &layout.region
        };
        let (Some(column), Some(value)) = (
            field
                .column()
                .filter(|_| !matches!(field, Field::Group { .. })),
            translation(ours, word, self.options),
        ) else {
            return objection;
        };
        objection.more_help(&format!(
            "to read {} as {}, write\n[table.columns]\n{ours} = {{ column = {}, map = {{ {} = {} }} }}",
            quote(word),
            quote(&value),
            toml_text(&self.file.header[column]),
            toml_key(word),
            toml_text(&value),
        ))
    }

    /// In a table of bodies a row of layer 0 could be a part of the column or all of it.
    fn check_body_layer(&self, region: u8, layer: u16) -> Result<u16, Objection> {
        let is_body = self.file.layout.shape == TableShape::BodySynapses;
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
        self.out.values.clear();
        let file = self.file;
        let layout = &file.layout;
        let mut first = 0;
        match &layout.values {
            Values::Presence => {}
            Values::Synapses(field) => {
                let synapses = layout.metrics.iter().position(|m| m.name == "synapses");
                let kind = synapses.map_or(MetricKind::Count, |index| layout.metrics[index].kind);
                let value = self.cell(batch, row, field, |cell| cell.value(kind))?;
                self.out.values.push(value);
                first = synapses.unwrap_or(usize::MAX);
            }
            Values::Wide(fields) => {
                for (field, metric) in fields.iter().zip(&layout.metrics) {
                    let value = field.cell(batch, row, self.groups.as_ref());
                    let value = value.value(metric.kind);
                    let value = value.map_err(|o| self.in_column(o, field))?;
                    self.out.values.push(value);
                }
            }
            Values::Tall { metric, value } => {
                let index = self.cell(batch, row, metric, |cell| self.metric(&cell.text()?))?;
                key.metric = index;
                let kind = layout.metrics[usize::from(index)].kind;
                let value = self.cell(batch, row, value, |cell| cell.value(kind))?;
                self.out.seen[usize::from(index)] = true;
                self.out.values.push(value);
                first = usize::from(index);
            }
        }
        self.out.tally(first, layout);
        Ok(())
    }

    fn metric(&self, name: &str) -> Result<u8, Objection> {
        let metrics = &self.file.layout.metrics;
        let found = metrics.iter().position(|metric| metric.name == name);
        if let Some(Ok(index)) = found.map(u8::try_from) {
            return Ok(index);
        }
        let names = metrics.iter().map(|metric| metric.name.as_str());
        let meant =
            nearest(name, names).map_or(String::new(), |n| format!("is {} meant? ", quote(n)));
        let message = format!("{} is not a configured metric", quote(name));
        let lines = metric_lines(name, MetricKind::Count, metrics);
        Err(Objection::new(message).help(format!("{meant}to add it, write\n{lines}")))
    }

    fn cell<'b, T>(
        &self,
        batch: &'b Batch<'_>,
        row: usize,
        field: &'b Field,
        read: impl FnOnce(Cell<'b>) -> Result<T, Objection>,
    ) -> Result<T, Objection> {
        let cell = field.cell(batch, row, self.groups.as_ref());
        read(cell).map_err(|objection| self.in_column(objection, field))
    }

    fn in_column(&self, objection: Objection, field: &Field) -> Objection {
        let name = field
            .column()
            .and_then(|column| self.file.header.get(column));
        match name {
            Some(name) => objection.column(name),
            None => objection,
        }
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
