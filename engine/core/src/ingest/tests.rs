//! Tests of ingest as a whole: files in, datasets or messages out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod atlases;
mod bounds;
mod conformance;
mod errors;
mod formats;
mod parts;
mod properties;
mod shapes;
mod side_tables;
mod sources;

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::{
    Side,
    config::{Unlisted, counted, optic_lobe},
    model::{CellType, Column, Part},
};

/// A folder of files and the configuration to read them with.
struct Bench {
    folder: TempDir,
    table: TableConfig,
    atlas: AtlasConfig,
    atlas_file: Option<PathBuf>,
    regions: Vec<RegionConfig>,
    metrics: BTreeMap<String, MetricConfig>,
}

impl Bench {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            table: TableConfig::default(),
            atlas: AtlasConfig::default(),
            atlas_file: None,
            regions: optic_lobe(),
            metrics: counted(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn with_atlas(mut self, text: &str) -> Self {
        self.atlas_file = Some(self.write("atlas.csv", text));
        self
    }

    fn map(mut self, ours: &str, theirs: &str) -> Self {
        self.table.columns.insert(ours.into(), theirs.into());
        self
    }

    /// The configuration of a text, in place of the one there was.
    fn configured(mut self, toml: &str) -> Self {
        let source = crate::config::Source {
            text: toml.into(),
            ..crate::config::Source::default()
        };
        let config = Config::parse(&source).unwrap();
        (self.table, self.atlas) = (config.table, config.atlas);
        (self.regions, self.metrics) = (config.regions, config.metrics);
        self
    }

    fn skipping(mut self) -> Self {
        self.table.skip_unplaced = true;
        self
    }

    fn options(&self) -> IngestOptions<'_> {
        IngestOptions {
            table: &self.table,
            atlas: &self.atlas,
            atlas_file: self.atlas_file.as_deref(),
            regions: &self.regions,
            metrics: &self.metrics,
            jobs: 2,
            buffer_bytes: 64 << 20,
            held_bytes: 64 << 20,
            held_columns: 1 << 16,
            scratch: self.folder.path().into(),
            pressure: None,
            progress: None,
            cancel: None,
        }
    }

    fn read_file(&self, path: &Path) -> Result<Dataset, TableError> {
        self.read_files(&[path.to_owned()])
    }

    fn read_files(&self, paths: &[PathBuf]) -> Result<Dataset, TableError> {
        read_dataset(paths, &self.options())
    }

    fn read(&self, text: &str) -> Dataset {
        let path = self.write("counts.csv", text);
        self.read_file(&path).unwrap()
    }

    /// The message of a table that is refused, then its help, without the folder.
    fn refusal_of(&self, bytes: impl AsRef<[u8]>) -> String {
        let path = self.write("counts.csv", bytes);
        self.refusal(&path)
    }

    fn refusal(&self, path: &Path) -> String {
        let error = self.read_file(path).unwrap_err();
        let help = error
            .help()
            .map_or(String::new(), |help| format!("\nhelp: {help}"));
        let folder = format!("{}/", self.folder.path().display());
        format!("{error}{help}").replace(&folder, "")
    }
}

/// All that a table says, so that two readings of it can be compared. Unknown values are NaN, which
/// equals nothing: compare as text.
fn told(dataset: &Dataset) -> String {
    format!(
        "{:?}",
        (
            dataset.shape,
            &dataset.regions,
            &dataset.metrics,
            &dataset.types,
            cell_types(dataset),
            &dataset.atlas,
            (dataset.rows, dataset.unplaced_rows),
            &dataset.notes,
        )
    )
}

impl PartialEq for Dataset {
    fn eq(&self, other: &Self) -> bool {
        told(self) == told(other)
    }
}

/// The values of all cell types.
fn cell_types(dataset: &Dataset) -> Vec<Arc<CellType>> {
    let types = 0..dataset.types.len();
    types
        .map(|index| dataset.cell_type(index).unwrap())
        .collect()
}

/// The only part of the only cell type.
fn only_part(dataset: &Dataset) -> Part {
    let types = cell_types(dataset);
    assert_eq!(types.len(), 1);
    assert_eq!(types[0].parts.len(), 1);
    types[0].parts[0].clone()
}

/// Values as text, so that unknown ones compare.
fn shown(values: &[f64]) -> String {
    let shown: Vec<_> = values
        .iter()
        .map(|value| {
            if value.is_nan() {
                "?".into()
            } else {
                value.to_string()
            }
        })
        .collect();
    shown.join(" ")
}

/// Whole values of `cells`, then of `synapses`.
fn wholes(part: &Part) -> [String; 2] {
    [shown(&part.metrics[0].whole), shown(&part.metrics[1].whole)]
}

fn column(hex1: i32, hex2: i32) -> Column {
    Column { hex1, hex2 }
}
