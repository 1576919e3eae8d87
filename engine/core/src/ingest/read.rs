//! From batches of cells to packed rows, in the order of the file; each row is checked by `row`.
//!
//! Files, and row groups of large ones, are read side by side; the result does not depend on it, and of
//! several errors the first in the order of files and rows is the one reported. Does not sum, derive or
//! sort.

mod collected;

pub(super) use collected::Collected;

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use super::{
    IngestOptions, Progress,
    atlas::AtlasIndex,
    cell::Cell,
    collect::TypeRows,
    error::{Objection, Place, TableError},
    field::Field,
    regions::Regions,
    rows::Numbers,
    sample::Sample,
    schema::{Layout, Values},
    source::Source,
    spill::Spill,
    visits::Seen,
};
use crate::{
    room::{Pieces, READING, THREAD_BYTES, TooLittle},
    work,
};

/// Row groups are read together until they have so many rows: opening a file costs too.
const LEAST_ROWS: u64 = 1 << 16;

/// What a thread holds to collect rows, at least: some of them, those that are sorted, and those on their way
/// to the disk.
const COLLECT_BYTES: u64 = 4 << 20;

/// A file of the table.
pub(super) struct TableFile {
    pub(super) path: PathBuf,
    pub(super) header: Vec<String>,
    pub(super) layout: Layout,
    pub(super) place: fn(u64) -> Place,
    bytes: u64,
    /// What a thread that reads it holds, but for the rows that it collects.
    held_bytes: u64,
    /// Descriptors that a thread needs to read it.
    open_files: u64,
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
    /// Rows left out because a pattern does not match them.
    pub(super) unmatched_rows: u64,
    /// Whether any row names a layer.
    pub(super) layered: bool,
    /// For each metric of the layout, whether any row has it.
    pub(super) seen: Vec<bool>,
    /// For each metric of the layout, what rows say of it.
    pub(super) tallies: Vec<RowTally>,
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
        regions: Regions<'_>,
    ) -> Result<Self, TableError> {
        let mut all = Self {
            files: Vec::new(),
            units: Vec::new(),
        };
        for path in tables {
            let mut source = Source::open(path)?;
            let layout = Layout::of(&source.header, options, &|| Sample::take(path))
                .map_err(|objection| objection.at(path, Place::File))?;
            check_constants(&layout, regions)
                .map_err(|objection| objection.at(path, Place::File))?;
            check_layout(&layout, all.files.first())
                .map_err(|objection| objection.at(path, Place::File))?;
            source.select(&layout.columns());
            let file = all.files.len();
            all.units.extend(units(file, &source.row_groups()));
            all.files.push(TableFile {
                path: path.clone(),
                header: source.header.clone(),
                layout,
                place: source.numbering(),
                bytes: source.total_bytes,
                held_bytes: source.most_held() + COLLECT_BYTES,
                open_files: source.open_files(),
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

    /// How many threads read, and what each may hold of rows.
    ///
    /// # Errors
    /// When not even one fits in the memory that there is.
    pub(super) fn hands(&self, options: &IngestOptions<'_>) -> Result<Hands, TooLittle> {
        let files = self.files.iter().map(|file| file.open_files).max();
        let wanted = work::threads(options.jobs).min(self.units.len());
        let wanted = work::with_files(wanted, files.unwrap_or(1));
        let Some(pressure) = options.pressure else {
            return Ok(Hands::sharing(options.buffer_bytes, wanted));
        };
        let room = &pressure.room;
        let pieces = Pieces::of(self.files.iter().map(|file| file.held_bytes));
        // Rows are held in what the largest piece leaves.
        let free = room.free();
        let spare = free
            .saturating_sub(pieces.most + THREAD_BYTES)
            .min(free / 4);
        let buffers = usize::try_from(spare).map_or(options.buffer_bytes, |spare| {
            options.buffer_bytes.min(spare)
        });
        room.hold(super::ROWS, buffers as u64);
        let threads = room.begin(READING, wanted, pieces)?;
        Ok(Hands::sharing(buffers, threads))
    }

    /// The layout of the first file; the others have the same metrics.
    pub(super) fn layout(&self) -> &Layout {
        &self.files[0].layout
    }

    /// Names of columns that are not read, each once, in the order of the files.
    pub(super) fn unused_columns(&self) -> Vec<String> {
        let mut unused: Vec<String> = Vec::new();
        for file in &self.files {
            let read = file.layout.columns();
            for (index, name) in file.header.iter().enumerate() {
                if !read.contains(&index) && !name.is_empty() && !unused.contains(name) {
                    unused.push(name.clone());
                }
            }
        }
        unused
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

/// The threads that read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hands {
    threads: usize,
    /// Bytes of rows that each may hold.
    share: usize,
}

impl Hands {
    fn sharing(buffers: usize, threads: usize) -> Self {
        let share = buffers / threads.max(1);
        Self { threads, share }
    }
}

/// Checks what is the same for all rows, so that no row is blamed for it.
fn check_constants(layout: &Layout, regions: Regions<'_>) -> Result<(), Objection> {
    let check = |name: &str, field: &Field, read: &dyn Fn(Cell<'_>) -> Result<(), Objection>| {
        let Field::Constant(value) = field else {
            return Ok(());
        };
        let named = |objection: Objection| objection.column(&format!("{name} of [table.columns]"));
        read(Cell::Text(value)).map_err(named)
    };
    let region = |cell: Cell<'_>| regions.find(&cell.text()?).map(drop);
    let small = |cell: Cell<'_>| cell.small().map(drop);
    check("region", &layout.region, &region)?;
    check("side", &layout.side, &|cell| cell.side().map(drop))?;
    check("hex1", &layout.hex1, &small)?;
    check("hex2", &layout.hex2, &small)?;
    match &layout.layer {
        Some(layer) => check("layer", layer, &small),
        None => Ok(()),
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
    let first = super::error::shown(&first.path);
    let message =
        format!("has other columns than {first}, so that they are not parts of one table");
    Err(Objection::new(message)
        .help("give the parts of one table; draw other tables in runs of their own"))
}

/// What the rows of a table say of a metric.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RowTally {
    pub(super) rows: u64,
    pub(super) zeros: u64,
    pub(super) unknown: u64,
}

impl RowTally {
    fn add(&mut self, value: f64) {
        self.rows += 1;
        self.zeros += u64::from(value == 0.0);
        self.unknown += u64::from(value.is_nan());
    }

    fn join(&mut self, other: Self) {
        self.rows += other.rows;
        self.zeros += other.zeros;
        self.unknown += other.unknown;
    }
}

/// What the threads that read a table share.
pub(super) struct Shared<'a> {
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

/// What rows are placed by, and where those go that memory has no room for.
pub(super) struct Ground<'a> {
    pub(super) regions: Regions<'a>,
    pub(super) atlas: &'a AtlasIndex,
    pub(super) spill: &'a Spill,
}

/// Reads all rows of all files.
pub(super) fn read_rows(
    files: &Files,
    options: &IngestOptions<'_>,
    hands: Hands,
    ground: &Ground<'_>,
) -> Read {
    let &Ground {
        regions,
        atlas,
        spill,
    } = ground;
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
    let each = |number| Collected::new(files, atlas, spill).read(&shared, number, hands.share);
    let collected = work::on_threads(hands.threads, each);
    let metrics = files.files[0].layout.metrics.len();
    let mut read = Read {
        seen: vec![false; metrics],
        tallies: vec![RowTally::default(); metrics],
        ..Read::default()
    };
    for found in collected {
        read.types.extend(found.rows.into_types());
        read.seen_columns.push(found.visits.seen);
        read.rows_read += found.rows_read;
        read.unplaced_rows += found.unplaced_rows;
        read.unmatched_rows += found.unmatched_rows;
        read.layered |= found.layered;
        for (all, tally) in read.tallies.iter_mut().zip(found.tallies) {
            all.join(tally);
        }
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

    fn has_more(&self) -> bool {
        self.next.load(Ordering::Relaxed) < self.files.units.len()
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

pub(super) fn spill_error(shared: &Shared<'_>, source: std::io::Error) -> TableError {
    TableError::Spill {
        dir: shared.options.scratch.clone(),
        source,
    }
}
