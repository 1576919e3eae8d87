//! Tables in: a CSV, Parquet or Arrow file becomes a checked, sorted [`Dataset`].
//!
//! The way is `source` (a file as batches of cells), `schema` (which column is which), `read` (every
//! cell checked), `collect` and `packed` (rows by cell type, in memory up to a limit), `spill` (sorted
//! runs of rows on disk), `merge` (rows in order again), `build` (values of columns), `stored` (cell
//! types on demand), `atlas` and `visits` (which columns exist). The result does not depend on the order
//! of the rows. Nothing is repaired silently: a row is accepted, or
//! refused with its file, line, column and a remedy; the first error of the file is the one
//! reported. Nothing is drawn, cached or written here.

#[cfg(feature = "arrow")]
mod arrow;
mod atlas;
mod build;
mod cell;
mod collect;
mod csv;
mod decimal;
mod error;
mod field;
mod files;
mod foreign;
mod infer;
#[cfg(feature = "arrow")]
mod ipc_sizes;
mod listing;
mod merge;
mod packed;
mod propose;
mod read;
mod regions;
mod row;
mod rows;
mod sample;
mod schema;
mod side_table;
mod source;
mod spill;
mod spool;
mod stored;
#[cfg(test)]
mod tests;
mod visits;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use self::{
    atlas::AtlasIndex,
    build::Builder,
    error::Objection,
    propose::resembles,
    read::{Files, Read, RowTally},
    regions::Regions,
    rows::Duplicate,
    schema::{Layout, Values, toml_text},
    spill::Spill,
    stored::{Examined, Spans, StoredType},
};
pub(crate) use self::{
    build::ColumnValues,
    schema::toml_key,
    stored::{ColumnReader, Stored},
    visits::WideSide,
};
pub use self::{
    error::{Place, TableError},
    files::table_files,
    side_table::{SideColumn, SideTable, SideValues, read_side_table},
    spool::{Spooled, scratch_help},
};
use crate::{
    config::{AtlasConfig, Config, MetricConfig, RegionConfig, TableConfig},
    dataset::Dataset,
    governor::Pressure,
    model::{Metric, MetricSummary, Region, TableShape, TypeSummary},
    room::Room,
    work,
};

/// How far the reading of a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Rows read.
    pub rows: u64,
    /// Bytes of the file read, compressed if it is; for Parquet in proportion to the rows.
    pub bytes: u64,
    /// Size of the file, in bytes.
    pub total_bytes: u64,
}

/// What reading a table depends on besides the table.
#[derive(Clone)]
pub struct IngestOptions<'a> {
    /// `[table]`: names of columns, rows without a place.
    pub table: &'a TableConfig,
    /// `[atlas]`: names of columns, columns that are not listed. Its `file` is not looked at.
    pub atlas: &'a AtlasConfig,
    /// The atlas file, resolved; without one the atlas is derived from the table.
    pub atlas_file: Option<&'a Path>,
    /// The regions that rows can name, at most 64.
    pub regions: &'a [RegionConfig],
    /// The metrics that are looked for.
    pub metrics: &'a BTreeMap<String, MetricConfig>,
    /// Threads that read; 0 takes one a core.
    pub jobs: usize,
    /// Bytes of packed rows, over all threads, that may be in memory; what is more goes to `scratch`.
    /// A row takes 4 to 10.
    pub buffer_bytes: usize,
    /// Bytes of values that may be kept in memory after reading, so that a small table is built once.
    pub held_bytes: u64,
    /// Columns of a side that may be in memory on each thread; more are read from the disk each time.
    pub held_columns: usize,
    /// The directory in which an unnamed file holds rows that do not fit in memory.
    pub scratch: PathBuf,
    /// Tells when buffers and batches should be smaller, and fewer threads should read.
    pub pressure: Option<&'a Pressure>,
    /// Called after each batch of rows of the table, on any thread.
    pub progress: Option<&'a (dyn Fn(Progress) + Sync)>,
    /// Looked at before each batch; once true, reading ends with [`TableError::Interrupted`].
    pub cancel: Option<&'a AtomicBool>,
}

impl<'a> IngestOptions<'a> {
    /// What a configuration says. Rows that do not fit go to the system's directory for temporary
    /// files unless it names another.
    pub fn of(config: &'a Config) -> Self {
        Self {
            table: &config.table,
            atlas: &config.atlas,
            atlas_file: config.atlas.file.as_deref(),
            regions: &config.regions,
            metrics: &config.metrics,
            jobs: config.run.jobs,
            buffer_bytes: config.memory.buffer_bytes(),
            held_bytes: config.memory.held_bytes(),
            held_columns: config.memory.held_columns(),
            scratch: match &config.memory.scratch {
                Some(dir) => dir.clone(),
                None => std::env::temp_dir(),
            },
            pressure: None,
            progress: None,
            cancel: None,
        }
    }
}

/// A cell type that takes more bytes than this is not kept.
const MOST_HELD_TYPE: u64 = 4 << 20;

/// Reads a table, of one file or several, and its atlas.
///
/// The format of each file is found from its content: CSV with commas, semicolons or tabs, also
/// compressed with gzip; Parquet, Arrow IPC file (Feather version 2) and stream with the feature
/// `arrow`. Memory does not grow with the number of rows; it grows by about 200 bytes a cell type, and by
/// 40 a column of a side up to [`IngestOptions::held_columns`] a thread.
///
/// # Errors
/// The first row, in the order of files and rows, that is not acceptable; or why a file is no table.
pub fn read_dataset(
    tables: &[PathBuf],
    options: &IngestOptions<'_>,
) -> Result<Dataset, TableError> {
    let Some(table) = tables.first() else {
        let objection = Objection::new("no table is given");
        return Err(objection.at(Path::new(""), Place::File));
    };
    let refused = |objection: Objection| objection.at(table, Place::File);
    let regions = Regions::new(options.regions).map_err(refused)?;
    let files = Files::open(tables, options, regions)?;
    let mut atlas = match options.atlas_file {
        Some(file) => AtlasIndex::read(file, options, regions)?,
        None => AtlasIndex::derived(),
    };
    atlas.held_columns = options.held_columns;
    let spill = Spill::new(&options.scratch);
    let hands = files.hands(options)?;
    let ground = read::Ground {
        regions,
        atlas: &atlas,
        spill: &spill,
    };
    let read = read::read_rows(&files, options, hands, &ground);
    finish(files, read, options, (atlas, spill))
}

/// Checks what was read as a whole.
fn finish(
    files: Files,
    mut read: Read,
    options: &IngestOptions<'_>,
    (atlas, spill): (AtlasIndex, Spill),
) -> Result<Dataset, TableError> {
    let stopped = read.stopped.take();
    if let Some((_, TableError::Interrupted)) = stopped {
        return Err(TableError::Interrupted);
    }
    let regions = Regions::new(options.regions).unwrap_or_else(|_| Regions::none());
    let n_regions = options.regions.len();
    let table = files.files[0].path.clone();
    let disk = |source| TableError::Spill {
        dir: options.scratch.clone(),
        source,
    };
    let seen_columns = std::mem::take(&mut read.seen_columns);
    let (atlas, columns, note) = atlas
        .finish(seen_columns, &spill, n_regions)
        .map_err(disk)?;
    let layout = files.layout().clone();
    let values_per_row = files.values_per_row();
    let stored = Stored {
        types: by_name(std::mem::take(&mut read.types)),
        columns,
        builder: Builder::new(layout, regions, read.layered, read.seen.clone()),
        spill,
        values_per_row,
        table,
    };
    let examined = examine(&stored, options);
    // A duplicate among the rows so far stands before whatever stopped the reading.
    let end = stopped.as_ref().map_or(u64::MAX, |(number, _)| *number);
    let duplicates = examined
        .iter()
        .flatten()
        .filter_map(|found| found.duplicate);
    let first = duplicates
        .filter(|found| found.second < end)
        .min_by_key(|found| found.second);
    if let Some(duplicate) = first {
        return Err(duplicate_error(&files, duplicate));
    }
    if let Some((_, error)) = stopped {
        return Err(error);
    }
    check_any(&read).map_err(|objection| objection.at(&stored.table, Place::File))?;
    let examined: Vec<Examined> = examined.into_iter().collect::<Result<_, _>>()?;
    let repeated: u64 = examined.iter().map(|found| found.repeated_rows).sum();
    let metric_summaries = summaries(&stored.builder.layout, &read, &examined);
    let unused_columns = files.unused_columns();
    let (types, held): (Vec<TypeSummary>, Vec<_>) = examined
        .into_iter()
        .map(|found| {
            (
                found.summary,
                found.cell_type.map(|(kept, _)| Arc::new(kept)),
            )
        })
        .unzip();
    Ok(Dataset {
        shape: stored.builder.layout.shape,
        regions: options.regions.iter().map(region).collect(),
        metrics: metrics(&stored.builder.layout, &read.seen),
        types,
        atlas,
        rows: read.rows_read,
        unplaced_rows: read.unplaced_rows,
        notes: notes(&read, repeated, note)
            .into_iter()
            .chain(unread(&unused_columns, &stored.builder.layout, options))
            .collect(),
        metric_summaries,
        unused_columns,
        spilled_bytes: stored.spill.bytes(),
        stored: stored.without(&held),
        held,
    })
}

/// What is held of a table, by [`Room::hold`].
const ROWS: &str = "rows";
const VALUES: &str = "values";

/// Looks at every cell type, on all threads; keeps values while there is room.
fn examine(stored: &Stored, options: &IngestOptions<'_>) -> Vec<Result<Examined, TableError>> {
    let none = Room::default();
    let memory = options.pressure.map_or(&none, |pressure| &pressure.room);
    memory.hold(ROWS, stored.bytes());
    let keep = options.held_bytes.min(memory.free() / 4);
    memory.hold(VALUES, keep);
    let room = AtomicU64::new(keep);
    let cancelled = || {
        options
            .cancel
            .is_some_and(|cancel| cancel.load(Ordering::Relaxed))
    };
    let threads = memory.threads(work::threads(options.jobs), 0);
    let examined = work::map_in_order(threads, stored.types.len(), |index| {
        let left = room.load(Ordering::Relaxed).min(MOST_HELD_TYPE);
        let holds = stored.merge_bytes(index) + left.min(stored.most_value_bytes(index));
        let _given = memory.admit(holds, || !cancelled());
        if cancelled() {
            return Err(TableError::Interrupted);
        }
        let mut found = stored.examine(index, left)?;
        let bytes = found.cell_type.as_ref().map_or(0, |(_, bytes)| *bytes);
        let taken = room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(bytes)
        });
        if taken.is_err() {
            found.cell_type = None;
        }
        Ok(found)
    });
    memory.hold(VALUES, keep - room.into_inner());
    examined
}

/// The rows of each cell type, over all threads that read some.
fn by_name(collected: Vec<collect::TypeRows>) -> Vec<StoredType> {
    let mut types: BTreeMap<Arc<str>, StoredType> = BTreeMap::new();
    for rows in collected {
        let all = types.entry(Arc::clone(&rows.name)).or_insert(StoredType {
            name: rows.name,
            packed: Vec::new(),
            runs: Vec::new(),
        });
        if rows.packed.len() > 0 {
            all.packed.push(rows.packed);
        }
        all.runs.extend(rows.runs);
    }
    types.into_values().collect()
}

fn duplicate_error(files: &Files, Duplicate { first, second }: Duplicate) -> TableError {
    let layout = files.layout();
    let what = match (layout.shape, &layout.values) {
        (TableShape::Canonical, Values::Tall { .. }) => {
            "cell type, region, side, column, layer and metric"
        }
        (TableShape::Canonical, _) => "cell type, region, side, column and layer",
        (TableShape::BodySynapses | TableShape::Cells, _) => "body, column and layer",
    };
    let (first_file, first_place) = files.place(first);
    let (file, place) = files.place(second);
    let other = if first_file == file {
        first_place.to_string()
    } else {
        format!(
            "{first_place} of {}",
            error::clean(&first_file.to_string_lossy())
        )
    };
    Objection::new(format!("the same {what} as {other}"))
        .help("keep one of the two rows, or sum them before")
        .at(file, place)
}

/// The objection to a pattern that leaves nothing of a file.
fn no_match() -> Objection {
    Objection::new("no row matches the pattern of `column`").help(
        "the pattern has to match a part of each text: write it without ^ and $, or take \
         `unmatched = \"skip\"` away to see the first text that it does not match",
    )
}

fn check_any(read: &Read) -> Result<(), Objection> {
    let left_out = read.unplaced_rows + read.unmatched_rows;
    Err(Objection::new(match (read.rows_read, left_out) {
        (0, _) => "has a header and no rows",
        (rows, _) if rows == read.unmatched_rows => return Err(no_match()),
        (rows, left_out) if rows == left_out => "no row names a column",
        _ => return Ok(()),
    }))
}

/// What rows and columns say of each metric that the table has.
fn summaries(layout: &Layout, read: &Read, examined: &[Examined]) -> Vec<MetricSummary> {
    let seen = read.seen.iter().zip(&read.tallies).zip(&layout.metrics);
    let seen = seen.filter(|((seen, _), _)| **seen).enumerate();
    let one = |(index, ((_, tally), metric)): (usize, ((&bool, &RowTally), &Metric))| {
        let spans = examined.iter().filter_map(|found| found.spans.get(index));
        let mut all = Spans::default();
        spans.for_each(|spans| all.join(*spans));
        MetricSummary {
            name: metric.name.clone(),
            rows: tally.rows,
            zeros: tally.zeros,
            unknown: tally.unknown,
            whole: all.whole.range(),
            layer: all.layer.range(),
        }
    };
    seen.map(one).collect()
}

/// Columns that are not read although their names resemble metrics that the table lacks.
fn unread<'a>(
    unused: &'a [String],
    layout: &'a Layout,
    options: &'a IngestOptions<'_>,
) -> impl Iterator<Item = String> + 'a {
    let is_tall = matches!(layout.values, Values::Tall { .. });
    let note = move |column: &String| {
        let has = |metric: &String| layout.metrics.iter().any(|known| known.name == *metric);
        let mut lacking = options
            .metrics
            .keys()
            .filter(|metric| !is_tall && !has(metric));
        let metric = lacking.find(|metric| resembles(column, metric))?;
        Some(format!(
            "the column {} is not read; if it is the metric {}, write\n[table.columns]\n{} = {}",
            error::quote(column),
            error::clean(metric),
            toml_key(metric),
            toml_text(column),
        ))
    };
    unused.iter().filter_map(note)
}

fn region(config: &RegionConfig) -> Region {
    Region {
        name: config.name.clone(),
        layer_labels: config.layers.clone(),
    }
}

fn metrics(layout: &Layout, seen: &[bool]) -> Vec<Metric> {
    let seen = layout.metrics.iter().zip(seen);
    seen.filter(|(_, seen)| **seen)
        .map(|(metric, _)| metric.clone())
        .collect()
}

fn notes(read: &Read, repeated: u64, of_atlas: Option<String>) -> Vec<String> {
    let unplaced = (read.unplaced_rows > 0).then(|| {
        format!(
            "{} of {} rows name no column (hex1, hex2 or layer is empty) and were left out",
            read.unplaced_rows, read.rows_read
        )
    });
    let repeated = (repeated > 0).then(|| {
        format!(
            "{repeated} of {} rows repeat a body in its column and were counted once",
            read.rows_read
        )
    });
    let unmatched = (read.unmatched_rows > 0).then(|| {
        format!(
            "{} of {} rows do not match the pattern of `column` and were left out",
            read.unmatched_rows, read.rows_read
        )
    });
    unplaced
        .into_iter()
        .chain(unmatched)
        .chain(repeated)
        .chain(of_atlas)
        .collect()
}
