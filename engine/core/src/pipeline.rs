//! From a request to a scene: places, colours and words, each asked of its stage.
//!
//! A [`Pipeline`] is built once per configuration and shared between threads. It holds no table: the
//! [`Dataset`] is lent to it.

mod attributes;
mod content;
mod draft;
mod fingerprint;
mod grid;
mod layers;
mod predicted;
mod scope;
mod stream;
mod totals;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use eyemap_abi::job::{ColumnStatus, CoordinateJob, MetadataDescription, MetadataJob, Side};
use quick_cache::sync::Cache;

pub use draft::Draft;
pub use grid::Grid;
pub use stream::{Stream, StreamError};

pub use crate::fingerprint::Fingerprint;
use content::PIECE;
use totals::{Told, Totals};

use crate::fingerprint::Hash;
use crate::{
    cache::{CacheName, Memo, Recorder},
    config::Config,
    dataset::Dataset,
    governor::Pressure,
    ingest::TableError,
    ingest::toml_key,
    model::{CellType, MapId, Metric, MetricKind, TypeSummary},
    plugins::Finder,
    scene::{HexagonBatch, Legend, Rgba, SceneHead, SceneWriter, TooltipOverride},
    stage::{ColorStage, CoordinateStage, Identity, MetadataStage, Origin, StageError, StageName},
    statistics::{COARSE_BITS, MOST_DISTINCT},
    work,
};

/// The three stages and what configures them.
pub struct Pipeline {
    /// Where hexagons lie.
    pub coordinate: CoordinateStage,
    /// How they are coloured.
    pub color: ColorStage,
    /// What is written on the map.
    pub metadata: MetadataStage,
    /// What stages answered before.
    pub memos: Memos,
    config: Config,
    color_hash: Hash,
    metadata_hash: Hash,
}

/// One map to draw, by indices into a [`Dataset`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Request {
    /// Index into [`Dataset::types`].
    pub cell_type: usize,
    /// Index into [`Dataset::regions`].
    pub region: usize,
    /// Side of the brain.
    pub side: Side,
    /// Index into [`Dataset::metrics`].
    pub metric: usize,
}

impl Request {
    /// The map's name.
    pub fn id(&self, dataset: &Dataset) -> MapId {
        MapId {
            cell_type: Arc::clone(dataset.type_name(self.cell_type)),
            region: dataset.regions[self.region].name.as_str().into(),
            side: self.side,
            metric: dataset.metrics[self.metric].name.as_str().into(),
        }
    }
}

/// A dataset with what its maps have in common: grids and statistics of scopes, computed once.
pub struct Maps<'a> {
    pipeline: &'a Pipeline,
    /// A hash of what all maps have in common.
    hash: Hash,
    /// The table.
    pub dataset: &'a Dataset,
    grids: Cache<(usize, Side), Arc<Grid>>,
    scopes: Cache<scope::Key, Arc<scope::Found>>,
    /// Statistics of the whole table, by metric and kind; taken in one pass.
    whole_table: OnceLock<Result<scope::WholeTable, Arc<TableError>>>,
    /// Metrics with quantiles that are not exact.
    coarse: Mutex<BTreeSet<String>>,
    /// Tells how much smaller batches should be.
    pressure: Option<&'a Pressure>,
    /// Cell types whose maps are being drawn.
    types: Cache<usize, Arc<CellType>>,
}

/// Grids of this many regions and sides are kept; the optic lobe has six.
const GRIDS: usize = 64;
/// Statistics of this many scopes are kept. Maps of one cell type follow each other, so a small
/// number is enough; each is below a kilobyte.
const SCOPES: usize = 1024;
/// So many cell types more than threads are kept. Maps of one type follow each other, so that two are
/// enough for a thread to begin the next type while others draw the last maps of this one.
const TYPES: usize = 2;

impl Pipeline {
    /// Loads the three plugins that the configuration names. Its memos are off.
    ///
    /// # Errors
    /// When one of them cannot be loaded or refuses its configuration.
    pub fn load(config: &Config, finder: &Finder) -> Result<Self, StageError> {
        let _span = tracing::debug_span!("load").entered();
        let stages = &config.stages;
        let color = ColorStage::load(finder, &stages.color)?;
        let metadata = MetadataStage::load(finder, &stages.metadata)?;
        let pipeline = Self {
            coordinate: CoordinateStage::load(finder, &stages.coordinate)?,
            color_hash: Hash::of(&color.origin),
            metadata_hash: Hash::of(&metadata.origin),
            color,
            metadata,
            memos: Memos::default(),
            config: config.clone(),
        };
        // An orientation that the stage does not know is found before the table is read.
        pipeline
            .coordinate
            .prepare(&pipeline.coordinate_job("", Side::Left))?;
        Ok(pipeline)
    }

    /// What the three stages of a configuration are made of, from their files: none of their code runs.
    ///
    /// # Errors
    /// When one of them is not there.
    pub fn look(config: &Config, finder: &Finder) -> Result<[Identity; 3], StageError> {
        let stages = &config.stages;
        Ok([
            Identity::look(StageName::Coordinate, finder, &stages.coordinate)?,
            Identity::look(StageName::Color, finder, &stages.color)?,
            Identity::look(StageName::Metadata, finder, &stages.metadata)?,
        ])
    }

    /// What the three stages are made of.
    pub fn identities(&self) -> [Identity; 3] {
        let origins = [
            &self.coordinate.origin,
            &self.color.origin,
            &self.metadata.origin,
        ];
        origins.map(Origin::identity)
    }

    /// Lends a dataset to the pipeline.
    pub fn maps<'a>(&'a self, dataset: &'a Dataset) -> Maps<'a> {
        Maps {
            pipeline: self,
            hash: self.hash(),
            dataset,
            grids: Cache::new(GRIDS),
            scopes: Cache::new(SCOPES),
            whole_table: OnceLock::new(),
            coarse: Mutex::default(),
            pressure: None,
            types: Cache::new(work::threads(self.config.run.jobs) + TYPES),
        }
    }

    /// Whether maps can be drawn batch by batch: each stage says that batches do not matter to it.
    pub fn draws_in_batches(&self) -> bool {
        let stages = [
            &self.coordinate.origin,
            &self.color.origin,
            &self.metadata.origin,
        ];
        let mut plugins = stages.iter().map(|origin| origin.plugin);
        plugins.all(|plugin| plugin.manifest.chunk_invariant)
    }

    fn coordinate_job(&self, region: &str, side: Side) -> CoordinateJob {
        let map = &self.config.map;
        CoordinateJob {
            region: region.to_owned(),
            side,
            orientation: map.orientation.clone(),
            hex_size_px: map.hex_size_px,
            spacing: map.spacing,
            ..CoordinateJob::default()
        }
    }
}

/// A batch of hexagons that the colour stage coloured, with its legends.
#[derive(Debug, Clone, Default)]
pub struct Colored {
    fill: Vec<Rgba>,
    legends: Vec<Legend>,
}

/// What the metadata stage wrote on a map.
#[derive(Debug, Clone, Default)]
pub struct Written {
    description: MetadataDescription,
    overrides: Vec<TooltipOverride>,
}

/// Heap that a value stands for beside what is counted, in bytes: texts and lists of a legend or a
/// description.
const ROUGHLY: usize = 2048;

impl Colored {
    fn weighed(self) -> (Arc<Self>, u64) {
        let bytes = size_of_val(self.fill.as_slice()) + self.legends.len() * ROUGHLY;
        (Arc::new(self), bytes as u64)
    }
}

impl Written {
    fn weighed(self) -> (Arc<Self>, u64) {
        let text = |tooltip: &TooltipOverride| size_of_val(tooltip) + tooltip.text.len();
        let bytes = ROUGHLY + self.overrides.iter().map(text).sum::<usize>();
        (Arc::new(self), bytes as u64)
    }
}

/// What stages answered before, by all that the answer depends on.
#[derive(Debug)]
pub struct Memos {
    /// Placed columns of a region and side.
    pub coordinates: Memo<Fingerprint, Arc<Grid>>,
    /// Coloured batches.
    pub colors: Memo<Fingerprint, Arc<Colored>>,
    /// Texts of maps.
    pub metadata: Memo<Fingerprint, Arc<Written>>,
}

/// A whole scene, for maps that fit in memory.
#[derive(Debug, Clone)]
pub struct Scene {
    /// What does not grow with the map.
    pub head: SceneHead,
    grid: Arc<Grid>,
    status: Vec<ColumnStatus>,
    value: Vec<f64>,
    whole: Arc<Colored>,
    layers: layers::Layers,
    layered: Arc<Colored>,
    written: Arc<Written>,
    fingerprint: Fingerprint,
}

impl Default for Memos {
    /// Memos that remember nothing.
    fn default() -> Self {
        Self {
            coordinates: Memo::off(CacheName::Coordinates),
            colors: Memo::off(CacheName::Colors),
            metadata: Memo::off(CacheName::Metadata),
        }
    }
}

impl Memos {
    /// Notes every request of every stage from now on.
    pub fn record(&self, recorder: &Arc<Recorder>) {
        self.coordinates.record(Arc::clone(recorder));
        self.colors.record(Arc::clone(recorder));
        self.metadata.record(Arc::clone(recorder));
    }
}

impl Scene {
    /// All hexagons.
    pub fn batch(&self) -> HexagonBatch<'_> {
        HexagonBatch {
            hex1: &self.grid.hex1,
            hex2: &self.grid.hex2,
            x: &self.grid.x,
            y: &self.grid.y,
            status: &self.status,
            value: &self.value,
            fill: &self.whole.fill,
            layer_value: &self.layers.value,
            layer_status: &self.layers.status,
            layer_fill: &self.layered.fill,
            layer_absent: &self.layers.absent,
            overrides: &self.written.overrides,
            attributes: &self.grid.attributes,
        }
    }

    /// Gives all hexagons to a writer.
    ///
    /// # Errors
    /// When the writer's sink fails.
    pub fn write(&self, writer: &mut dyn SceneWriter) -> std::io::Result<()> {
        writer.hexagons(&self.batch())?;
        writer.finish()
    }

    /// Hash of everything that the picture depends on, but for its format.
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Columns that the coordinate stage could not place.
    pub fn unplaced(&self) -> usize {
        self.grid.unplaced
    }
}

impl<'a> Maps<'a> {
    /// Makes batches smaller under pressure.
    #[must_use]
    pub fn under(self, pressure: &'a Pressure) -> Self {
        Self {
            pressure: Some(pressure),
            ..self
        }
    }
}

impl Maps<'_> {
    /// Draws one map as a scene.
    ///
    /// # Errors
    /// When a stage fails, or the table does not have what the map needs.
    pub fn scene(&self, request: Request) -> Result<Scene, StageError> {
        self.draft(request)?.scene()
    }

    /// What a map depends on, and its fingerprint, before its colours and texts are asked for.
    ///
    /// # Errors
    /// When the coordinate stage fails, or the table does not have what the map needs.
    pub fn draft(&self, request: Request) -> Result<Draft<'_>, StageError> {
        draft::of(self, request)
    }

    /// Columns, places and bounds of a region and side; the same for all its maps.
    fn grid(&self, region: usize, side: Side) -> Result<Arc<Grid>, StageError> {
        self.grids.get_or_insert_with(&(region, side), || {
            let pipeline = self.pipeline;
            let job = self.place_job(region, side);
            let atlas = (&self.dataset.atlas, region);
            let key = grid::key(&pipeline.coordinate, &job, atlas, &pipeline.config.map);
            pipeline.memos.coordinates.get_or_try(key, || {
                let grid = grid::place(&pipeline.coordinate, &job, atlas, &pipeline.config.map)?;
                let bytes = grid.bytes();
                Ok((Arc::new(grid), bytes))
            })
        })
    }

    /// Metrics of which quantiles were taken of rounded values, since they have too many distinct ones;
    /// with the largest error that this makes.
    pub fn coarse(&self) -> Vec<String> {
        let coarse = self.coarse.lock().unwrap_or_else(PoisonError::into_inner);
        let say = |metric: &String| {
            let error = 50.0 / f64::from(1u32 << COARSE_BITS);
            format!(
                "{metric} has more than {MOST_DISTINCT} distinct values in a scope: quantiles are within {error:.1} % of the value"
            )
        };
        coarse.iter().map(say).collect()
    }

    /// Keeps the values of no more cell types than so many threads need.
    pub(crate) fn shared_by(&self, threads: usize) {
        self.types.set_capacity((threads + TYPES) as u64);
    }

    /// What cell types take that are kept beyond those that threads draw, at most, in bytes. Those of maps
    /// that are never held are not kept.
    pub(crate) fn spare_bytes(&self, requests: &[Request]) -> u64 {
        let held = requests
            .iter()
            .filter(|&&request| !self.is_streamed(request));
        let largest = held.map(|request| self.dataset.value_bytes(request.cell_type));
        largest.max().unwrap_or(0).saturating_mul(TYPES as u64)
    }

    /// The values of a cell type: those that another thread asked for a moment ago, or new ones.
    fn cell_type(&self, index: usize) -> Result<Arc<CellType>, StageError> {
        let found = self
            .types
            .get_or_insert_with(&index, || self.dataset.cell_type(index));
        found.map_err(StageError::table)
    }

    fn place_job(&self, region: usize, side: Side) -> CoordinateJob {
        CoordinateJob {
            extent: self.dataset.atlas.side(side).extent,
            ..self
                .pipeline
                .coordinate_job(&self.dataset.regions[region].name, side)
        }
    }

    fn metadata_job(&self, request: Request, told: Told<'_>) -> MetadataJob {
        let counts = told.totals.counts;
        let layer_labels = match told.n_layers {
            0 => Vec::new(),
            _ => self.dataset.regions[request.region].layer_labels.clone(),
        };
        let id = request.id(self.dataset);
        MetadataJob {
            cell_type: id.cell_type.to_string(),
            region: id.region.to_string(),
            side: id.side,
            metric: id.metric.to_string(),
            layer_labels,
            attributes: told.attributes.to_vec(),
            blank: counts.has_data == 0,
            columns_with_data: counts.has_data,
            columns_in_region: counts.has_data + counts.no_data + counts.unknown,
            zeros: counts.zero,
            unknown: counts.unknown,
            statistics: told.totals.statistics(),
            ..MetadataJob::default()
        }
    }

    fn refuse_underivable(
        &self,
        cell_type: &TypeSummary,
        request: Request,
    ) -> Result<(), StageError> {
        let Some(column) = cell_type.underivable[request.metric] else {
            return Ok(());
        };
        let metric = &self.dataset.metrics[request.metric];
        let why = not_summed(metric);
        Err(StageError::Data {
            message: format!(
                "the {} of whole columns of {} cannot be derived from its layers (first at column {},{}): {}",
                metric.name, cell_type.name, column.hex1, column.hex2, why.reason
            ),
            help: format!(
                "add rows of layer 0 with the {} of whole columns, {}or leave the metric out with --metric",
                metric.name, why.remedy
            ),
        })
    }
}

/// Why the layers of a metric are not added up.
pub(crate) struct NotSummed {
    pub(crate) reason: String,
    /// What can be done beside giving rows of layer 0; ends in a comma and a space.
    pub(crate) remedy: String,
}

/// Cells do not add up by their nature, any other metric by its configuration.
pub(crate) fn not_summed(metric: &Metric) -> NotSummed {
    if metric.name == "cells" && metric.kind == MetricKind::Count {
        return NotSummed {
            reason: "a cell may reach several layers".into(),
            remedy: "give one row a body, ".into(),
        };
    }
    let key = toml_key(&metric.name);
    NotSummed {
        reason: format!("[metrics.{key}] says sum_layers = false, and no row of layer 0 gives it"),
        remedy: format!("write sum_layers = true into [metrics.{key}] if its layers add up, "),
    }
}
