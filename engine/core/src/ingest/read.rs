//! From batches of cells to packed rows: every cell is checked here, in the order of the file.
//!
//! Files, and row groups of large ones, are read side by side; the result does not depend on it, and of
//! several errors the first in the order of files and rows is the one reported. Does not sum, derive or
//! sort.

use std::{
    borrow::Cow,
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use super::{
    IngestOptions, Progress,
    atlas::AtlasIndex,
    cell::Cell,
    collect::{Rows, TypeRows},
    error::{Objection, Place, TableError, quote},
    regions::Regions,
    rows::{Key, Numbers, Row, part_of},
    schema::{Layout, Values, nearest, toml_key},
    source::{BATCH_ROWS, Batch, Source},
    spill::Spill,
    visits::{NoVisit, Seen, Visits},
};
use crate::model::{MetricKind, TableShape};

/// Row groups are read together until they have so many rows: opening a file costs too.
const LEAST_ROWS: u64 = 1 << 16;

/// A file of the table.
pub(super) struct TableFile {
    pub(super) path: PathBuf,
    header: Vec<String>,
    layout: Layout,
    pub(super) place: fn(u64) -> Place,
    bytes: u64,
}

/// What is read in one go: a file, or some row groups of one.
struct Unit {
    file: usize,
    groups: Option<Range<usize>>,
}

/// What came out of a table.
#[derive(Default)]
pub(super) struct Read {
    pub(super) types: Vec<TypeRows>,
    pub(super) seen_columns: Vec<Seen>,
    pub(super) rows_read: u64,
    pub(super) unplaced_rows: u64,
    /// Whether any row names a layer.
    pub(super) layered: bool,
    /// For each metric of the layout, whether any row has it.
    pub(super) seen: Vec<bool>,
    /// Why reading stopped, and the number of the row from which on nothing was read.
    pub(super) stopped: Option<(u64, TableError)>,
}

/// The files of a table, which have one layout.
pub(super) struct Files {
    pub(super) files: Vec<TableFile>,
    units: Vec<Unit>,
}

impl Files {
    /// Looks at the header of each file.
    pub(super) fn open(
        tables: &[PathBuf],
        options: &IngestOptions<'_>,
    ) -> Result<Self, TableError> {
        let mut all = Self {
            files: Vec::new(),
            units: Vec::new(),
        };
        for path in tables {
            let source = Source::open(path)?;
            let layout = Layout::of(&source.header, &options.table.columns, options.metrics)
                .map_err(|objection| objection.at(path, Place::File))?;
            check_layout(&layout, all.files.first())
                .map_err(|objection| objection.at(path, Place::File))?;
            let file = all.files.len();
            all.units.extend(units(file, &source.row_groups()));
            all.files.push(TableFile {
                path: path.clone(),
                header: source.header.clone(),
                layout,
                place: source.numbering(),
                bytes: source.total_bytes,
            });
        }
        Ok(all)
    }

    /// Where a row is, for messages.
    pub(super) fn place(&self, number: u64) -> (&Path, Place) {
        let (file, row) = Numbers::split(number);
        let file = &self.files[file.min(self.files.len() - 1)];
        (&file.path, (file.place)(row))
    }

    /// The layout of the first file; the others have the same metrics.
    pub(super) fn layout(&self) -> &Layout {
        &self.files[0].layout
    }

    /// Values that each row has.
    pub(super) fn values_per_row(&self) -> usize {
        match &self.files[0].layout.values {
            Values::Wide(columns) => columns.len(),
            Values::Tall { .. } | Values::Synapses(_) => 1,
            Values::Presence => 0,
        }
    }
}

/// The units of a file.
fn units(file: usize, row_groups: &[u64]) -> Vec<Unit> {
    let mut units = Vec::new();
    let (mut start, mut rows) = (0, 0);
    for (group, more) in row_groups.iter().enumerate() {
        rows += more;
        if rows >= LEAST_ROWS || group + 1 == row_groups.len() {
            let groups = Some(start..group + 1);
            units.push(Unit { file, groups });
            (start, rows) = (group + 1, 0);
        }
    }
    if units.is_empty() {
        units.push(Unit { file, groups: None });
    }
    units
}

fn check_layout(layout: &Layout, first: Option<&TableFile>) -> Result<(), Objection> {
    if matches!(layout.values, Values::Tall { .. }) && layout.metrics.len() > 256 {
        let message = "more than 256 metrics are configured for a tall table";
        return Err(Objection::new(message));
    }
    let Some(first) = first else { return Ok(()) };
    let kind = |values: &Values| std::mem::discriminant(values);
    let same = layout.shape == first.layout.shape
        && layout.metrics == first.layout.metrics
        && layout.layer.is_some() == first.layout.layer.is_some()
        && kind(&layout.values) == kind(&first.layout.values);
    if same {
        return Ok(());
    }
    let first = super::error::clean(&first.path.to_string_lossy());
    let message =
        format!("has other columns than {first}, so that they are not parts of one table");
    Err(Objection::new(message)
        .help("give the parts of one table; draw other tables in runs of their own"))
}

/// What the threads that read a table share.
struct Shared<'a> {
    files: &'a Files,
    options: &'a IngestOptions<'a>,
    regions: Regions<'a>,
    next: AtomicUsize,
    /// The first unit that failed; those after it need not be read.
    failed: AtomicUsize,
    stopped: Mutex<Option<(u64, TableError)>>,
    rows: AtomicU64,
    bytes: AtomicU64,
}

/// Reads all rows of all files.
pub(super) fn read_rows(
    files: &Files,
    options: &IngestOptions<'_>,
    regions: Regions<'_>,
    (atlas, spill): (&AtlasIndex, &Spill),
) -> Read {
    let shared = Shared {
        files,
        options,
        regions,
        next: AtomicUsize::new(0),
        failed: AtomicUsize::new(usize::MAX),
        stopped: Mutex::new(None),
        rows: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
    };
    let threads = crate::work::threads(options.jobs).min(files.units.len());
    let share = options.buffer_bytes / threads.max(1);
    let each = |number| Collected::new(files, (atlas, spill)).read(&shared, number, share);
    let collected = crate::work::on_threads(threads, each);
    let mut read = Read {
        seen: vec![false; files.files[0].layout.metrics.len()],
        ..Read::default()
    };
    for found in collected {
        read.types.extend(found.rows.into_types());
        read.seen_columns.push(found.visits.seen);
        read.rows_read += found.rows_read;
        read.unplaced_rows += found.unplaced_rows;
        read.layered |= found.layered;
        for (all, seen) in read.seen.iter_mut().zip(found.seen) {
            *all |= seen;
        }
    }
    read.stopped = shared
        .stopped
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    read
}

impl Shared<'_> {
    /// Notes an error; the first in the order of rows stays.
    fn stop(&self, unit: usize, number: u64, error: TableError) {
        self.failed.fetch_min(unit, Ordering::Relaxed);
        let mut stopped = self.stopped.lock().unwrap_or_else(PoisonError::into_inner);
        let is_first = stopped.as_ref().is_none_or(|(known, _)| number < *known);
        let interrupted = matches!(error, TableError::Interrupted);
        if is_first || interrupted {
            *stopped = Some((if interrupted { 0 } else { number }, error));
        }
    }

    fn goes_on(&self, unit: usize) -> Result<bool, TableError> {
        let cancel = self.options.cancel;
        if cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
            return Err(TableError::Interrupted);
        }
        Ok(unit <= self.failed.load(Ordering::Relaxed))
    }

    fn report(&self, rows: u64, bytes: u64) {
        let rows = self.rows.fetch_add(rows, Ordering::Relaxed) + rows;
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if let Some(progress) = self.options.progress {
            let total_bytes = self.files.files.iter().map(|file| file.bytes).sum();
            progress(Progress {
                rows,
                bytes,
                total_bytes,
            });
        }
    }
}

/// What one thread read.
struct Collected<'a> {
    rows: Rows<'a>,
    visits: Visits<'a>,
    rows_read: u64,
    unplaced_rows: u64,
    layered: bool,
    seen: Vec<bool>,
    values: Vec<f64>,
    /// The number of the row that is being read.
    number: u64,
}

impl<'a> Collected<'a> {
    fn new(files: &Files, (atlas, spill): (&'a AtlasIndex, &'a Spill)) -> Self {
        let layout = &files.files[0].layout;
        let values = files.values_per_row();
        let all_seen = !matches!(layout.values, Values::Tall { .. });
        Self {
            rows: Rows::new(values, spill),
            visits: Visits::new(atlas, spill),
            rows_read: 0,
            unplaced_rows: 0,
            layered: false,
            seen: vec![all_seen; layout.metrics.len()],
            values: Vec::with_capacity(values),
            number: 0,
        }
    }

    /// Reads units until there are no more, holding at most so many bytes of rows.
    fn read(mut self, shared: &Shared<'_>, number: usize, most: usize) -> Self {
        let never = AtomicBool::new(false);
        let cancel = shared.options.cancel.unwrap_or(&never);
        loop {
            if let Some(pressure) = shared.options.pressure {
                let more = || shared.next.load(Ordering::Relaxed) < shared.files.units.len();
                pressure.wait_for_turn(number, cancel, more);
            }
            let index = shared.next.fetch_add(1, Ordering::Relaxed);
            let Some(unit) = shared.files.units.get(index) else {
                if let Err(error) = self.finish() {
                    shared.stop(usize::MAX, u64::MAX, spill_error(shared, error));
                }
                return self;
            };
            self.number = Numbers::of(unit.file, 0);
            if let Err(error) = self.read_unit(shared, (index, unit), most) {
                shared.stop(index, self.number, error);
            }
        }
    }

    fn finish(&mut self) -> std::io::Result<()> {
        self.rows.finish()?;
        self.visits.finish()
    }

    fn read_unit(
        &mut self,
        shared: &Shared<'_>,
        (index, unit): (usize, &Unit),
        most: usize,
    ) -> Result<(), TableError> {
        let file = &shared.files.files[unit.file];
        let span = tracing::debug_span!(
            "ingest",
            file = %file.path.display(),
            rows = tracing::field::Empty,
            bytes = tracing::field::Empty
        )
        .entered();
        let mut source = Source::open(&file.path)?;
        if source.header != file.header {
            let objection = Objection::new("changed while it was being read");
            return Err(objection.help("try again").at(&file.path, Place::File));
        }
        if let Some(groups) = unit.groups.clone() {
            source.only(groups);
        }
        source.select(&file.layout.columns());
        let shrunk = |usual| shared.options.pressure.map_or(usual, |p| p.shrunk(usual));
        source.batch_rows(shrunk(BATCH_ROWS));
        let (mut bytes, before) = (0, self.rows_read);
        while shared.goes_on(index)? {
            let Some(batch) = source.next_batch()? else {
                break;
            };
            let rows = batch.len();
            let mut reader = RowReader {
                file,
                skip_unplaced: shared.options.table.skip_unplaced,
                regions: shared.regions,
                out: self,
            };
            for row in 0..rows {
                let number = batch.number(row);
                reader.out.number = Numbers::of(unit.file, number);
                reader
                    .row(&batch, row)
                    .map_err(|fault| fault.at(file, (file.place)(number), shared))?;
            }
            self.number += 1;
            self.rows_read += rows as u64;
            let disk = |source| spill_error(shared, source);
            self.rows.keep_within(shrunk(most)).map_err(disk)?;
            let earlier = std::mem::replace(&mut bytes, source.bytes_read());
            shared.report(rows as u64, bytes - earlier);
        }
        span.record("rows", self.rows_read - before);
        span.record("bytes", bytes);
        Ok(())
    }
}

fn spill_error(shared: &Shared<'_>, source: std::io::Error) -> TableError {
    TableError::Spill {
        dir: shared.options.scratch.clone(),
        source,
    }
}

/// Why a row is not taken.
enum Fault {
    Refused(Objection),
    Disk(std::io::Error),
}

impl From<Objection> for Fault {
    fn from(objection: Objection) -> Self {
        Self::Refused(objection)
    }
}

impl Fault {
    fn at(self, file: &TableFile, place: Place, shared: &Shared<'_>) -> TableError {
        match self {
            Self::Refused(objection) => objection.at(&file.path, place),
            Self::Disk(source) => spill_error(shared, source),
        }
    }
}

struct RowReader<'r, 'a> {
    file: &'r TableFile,
    skip_unplaced: bool,
    regions: Regions<'r>,
    out: &'r mut Collected<'a>,
}

impl RowReader<'_, '_> {
    fn row(&mut self, batch: &Batch<'_>, row: usize) -> Result<(), Fault> {
        if self.skip_unplaced && self.is_unplaced(batch, row) {
            self.out.unplaced_rows += 1;
            return Ok(());
        }
        let layout = &self.file.layout;
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

    fn is_unplaced(&self, batch: &Batch<'_>, row: usize) -> bool {
        let layout = &self.file.layout;
        [Some(layout.hex1), Some(layout.hex2), layout.layer]
            .into_iter()
            .flatten()
            .any(|column| batch.cell(column, row).is_null())
    }

    fn key(&self, batch: &Batch<'_>, row: usize) -> Result<Key, Objection> {
        let layout = &self.file.layout;
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
        let layout = &self.file.layout;
        match &layout.values {
            Values::Presence => {}
            Values::Synapses(column) => {
                let synapses = layout
                    .metrics
                    .iter()
                    .find(|metric| metric.name == "synapses");
                let kind = synapses.map_or(MetricKind::Count, |metric| metric.kind);
                let value = self.cell(batch, row, *column, |cell| cell.value(kind))?;
                self.out.values.push(value);
            }
            Values::Wide(columns) => {
                for (&column, metric) in columns.iter().zip(&layout.metrics) {
                    let value = batch.cell(column, row).value(metric.kind);
                    let value = value.map_err(|o| self.in_column(o, column))?;
                    self.out.values.push(value);
                }
            }
            &Values::Tall { metric, value } => {
                let index = self.cell(batch, row, metric, |cell| self.metric(&cell.text()?))?;
                key.metric = index;
                let kind = layout.metrics[usize::from(index)].kind;
                let value = self.cell(batch, row, value, |cell| cell.value(kind))?;
                self.out.seen[usize::from(index)] = true;
                self.out.values.push(value);
            }
        }
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
        match self.file.header.get(column) {
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
