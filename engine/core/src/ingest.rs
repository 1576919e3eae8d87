//! Tables in: a CSV, Parquet or Arrow file becomes a checked, sorted [`Dataset`].
//!
//! The way is `source` (a file as batches of cells), `schema` (which column is which), `read` (every
//! cell checked, rows packed), `build` (cell types) and `atlas` (which columns exist). The result
//! does not depend on the order of the rows. Nothing is repaired silently: a row is accepted, or
//! refused with its file, line, column and a remedy; the first error of the file is the one
//! reported. Nothing is drawn, cached or written here.

#[cfg(feature = "arrow")]
mod arrow;
mod atlas;
mod build;
mod cell;
mod csv;
mod error;
mod infer;
mod read;
mod regions;
mod rows;
mod schema;
mod side_table;
mod source;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, path::Path, sync::atomic::AtomicBool};

use self::{atlas::AtlasIndex, build::Builder, read::Read, regions::Regions, source::Source};
pub use self::{
    error::{Place, TableError},
    side_table::{SideColumn, SideTable, SideValues, read_side_table},
};
use crate::{
    config::{AtlasConfig, MetricConfig, RegionConfig, TableConfig},
    model::{CellType, Dataset, Metric, Region},
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
#[derive(Clone, Copy)]
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
    /// Called after each batch of rows of the table, on the calling thread.
    pub progress: Option<&'a (dyn Fn(Progress) + Sync)>,
    /// Looked at before each batch; once true, reading ends with [`TableError::Interrupted`].
    pub cancel: Option<&'a AtomicBool>,
}

/// Reads a table and its atlas.
///
/// The format is found from the file's content: CSV with commas, semicolons or tabs, also compressed
/// with gzip; Parquet, Arrow IPC file (Feather version 2) and stream with the feature `arrow`. Memory
/// is 32 bytes a row and 8 a value, plus the result.
///
/// # Errors
/// The first row, in the order of the file, that is not acceptable; or why the file is no table.
pub fn read_dataset(table: &Path, options: &IngestOptions<'_>) -> Result<Dataset, TableError> {
    let refused = |objection: error::Objection| objection.at(table, Place::File);
    let regions = Regions::new(options.regions).map_err(refused)?;
    let source = Source::open(table)?;
    let bytes = source.total_bytes;
    let span = tracing::debug_span!("ingest", rows = tracing::field::Empty, bytes).entered();
    let mut atlas = match options.atlas_file {
        Some(file) => AtlasIndex::read(file, options.atlas, regions)?,
        None => AtlasIndex::derived(),
    };
    let read = read::read_rows(source, options, regions, &mut atlas)?;
    span.record("rows", read.rows_read);
    let cell_types = build_types(&read, regions).map_err(refused)?;
    Ok(Dataset {
        shape: read.layout.shape,
        regions: options.regions.iter().map(region).collect(),
        metrics: metrics(&read),
        cell_types,
        notes: notes(&read, &atlas),
        atlas: atlas.finish(options.regions.len()),
        rows: read.rows_read,
        unplaced_rows: read.unplaced_rows,
    })
}

fn build_types(read: &Read, regions: Regions<'_>) -> Result<Vec<CellType>, error::Objection> {
    let builder = Builder::new(read, regions);
    read.rows
        .types()
        .iter()
        .map(|rows| builder.cell_type(rows))
        .collect()
}

fn region(config: &RegionConfig) -> Region {
    Region {
        name: config.name.clone(),
        layer_labels: config.layers.clone(),
    }
}

fn metrics(read: &Read) -> Vec<Metric> {
    let seen = read.layout.metrics.iter().zip(&read.seen);
    seen.filter(|(_, seen)| **seen)
        .map(|(metric, _)| metric.clone())
        .collect()
}

fn notes(read: &Read, atlas: &AtlasIndex) -> Vec<String> {
    let unplaced = (read.unplaced_rows > 0).then(|| {
        format!(
            "{} of {} rows name no column (hex1, hex2 or layer is empty) and were left out",
            read.unplaced_rows, read.rows_read
        )
    });
    let repeated = (read.repeated_rows > 0).then(|| {
        format!(
            "{} of {} rows repeat a body in its column and were counted once",
            read.repeated_rows, read.rows_read
        )
    });
    unplaced
        .into_iter()
        .chain(repeated)
        .chain(atlas.note())
        .collect()
}
