//! From a request to a scene: places, colours and words, each asked of its stage.
//!
//! A [`Pipeline`] is built once per configuration and shared between threads. It holds no table: the
//! [`Dataset`] is lent to it.

mod attributes;
mod fingerprint;
mod grid;
mod layers;
mod scope;

use std::sync::Arc;

use eyemap_abi::{
    ColumnBatch, TableColumn,
    abi_stable::std_types::RSlice,
    job::{ColumnStatus, CoordinateJob, Extent, MetadataJob, Side},
};
use quick_cache::sync::Cache;

pub use fingerprint::Fingerprint;
pub use grid::Grid;

use crate::{
    config::Config,
    model::{CellType, Dataset, MapId, MetricValues, Part},
    plugins::Finder,
    scene::{HexagonBatch, Rgba, SceneHead, SceneWriter, TooltipOverride},
    stage::{ColorStage, CoordinateStage, MetadataStage, StageError, Texts},
};

/// The three stages and what configures them.
pub struct Pipeline {
    /// Where hexagons lie.
    pub coordinate: CoordinateStage,
    /// How they are coloured.
    pub color: ColorStage,
    /// What is written on the map.
    pub metadata: MetadataStage,
    config: Config,
}

/// One map to draw, by indices into a [`Dataset`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Request {
    /// Index into [`Dataset::cell_types`].
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
            cell_type: Arc::clone(&dataset.cell_types[self.cell_type].name),
            region: dataset.regions[self.region].name.as_str().into(),
            side: self.side,
            metric: dataset.metrics[self.metric].name.as_str().into(),
        }
    }
}

/// A dataset with what its maps have in common: grids and statistics of scopes, computed once.
pub struct Maps<'a> {
    pipeline: &'a Pipeline,
    /// The table.
    pub dataset: &'a Dataset,
    grids: Cache<(usize, Side), Arc<Grid>>,
    scopes: Cache<scope::Key, Arc<scope::Found>>,
}

/// Grids of this many regions and sides are kept; the optic lobe has six.
const GRIDS: usize = 64;
/// Statistics of this many scopes are kept. Maps of one cell type follow each other, so a small
/// number is enough; each is below a kilobyte.
const SCOPES: usize = 1024;

impl Pipeline {
    /// Loads the three plugins that the configuration names.
    ///
    /// # Errors
    /// When one of them cannot be loaded or refuses its configuration.
    pub fn load(config: &Config, finder: &Finder) -> Result<Self, StageError> {
        let stages = &config.stages;
        let pipeline = Self {
            coordinate: CoordinateStage::load(finder, &stages.coordinate)?,
            color: ColorStage::load(finder, &stages.color)?,
            metadata: MetadataStage::load(finder, &stages.metadata)?,
            config: config.clone(),
        };
        // An orientation that the stage does not know is found before the table is read.
        pipeline
            .coordinate
            .prepare(&pipeline.coordinate_job("", Side::Left))?;
        Ok(pipeline)
    }

    /// Lends a dataset to the pipeline.
    pub fn maps<'a>(&'a self, dataset: &'a Dataset) -> Maps<'a> {
        Maps {
            pipeline: self,
            dataset,
            grids: Cache::new(GRIDS),
            scopes: Cache::new(SCOPES),
        }
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

/// A whole scene, for maps that fit in memory.
#[derive(Debug, Clone)]
pub struct Scene {
    /// What does not grow with the map.
    pub head: SceneHead,
    grid: Arc<Grid>,
    status: Vec<ColumnStatus>,
    value: Vec<f64>,
    fill: Vec<Rgba>,
    layers: layers::Layers,
    overrides: Vec<TooltipOverride>,
    fingerprint: Fingerprint,
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
            fill: &self.fill,
            layer_value: &self.layers.value,
            layer_status: &self.layers.status,
            layer_fill: &self.layers.fill,
            overrides: &self.overrides,
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

impl Maps<'_> {
    /// Draws one map as a scene.
    ///
    /// # Errors
    /// When a stage fails, or the table does not have what the map needs.
    pub fn scene(&self, request: Request) -> Result<Scene, StageError> {
        let cell_type = &self.dataset.cell_types[request.cell_type];
        self.refuse_underivable(cell_type, request)?;
        let grid = self.grid(request.region, request.side)?;
        let part = cell_type.part(request.region, request.side);
        let (status, value) = whole_columns(
            &grid,
            part.map(|part| (part, &part.metrics[request.metric])),
        );
        let blank = !status.contains(&ColumnStatus::HasData);

        let texts = self.texts(request, &grid, &status)?;
        let whole = self.scale(request, scope::Kind::Whole)?;
        let fill = whole.color(&value, &status)?;
        let legend = if blank { None } else { whole.legend()? };
        let layers = match part {
            Some(part) if !blank => self.layers(request, &grid, part, &status)?,
            _ => layers::Layers::default(),
        };
        let overrides = overrides(&texts, &grid, &status, &value, &layers)?;
        let fingerprint = {
            let mut hash = self.pipeline.hash();
            grid.hash_into(&mut hash);
            hash.text(&texts.job);
            hash.text(&whole.job);
            layers.jobs.iter().for_each(|job| hash.text(job));
            hash.values(&status, &value);
            hash.values(&layers.status, &layers.value);
            hash.finish()
        };
        let head = self.head(request, &grid, texts, (legend, &layers, blank));
        Ok(Scene {
            head,
            grid,
            status,
            value,
            fill,
            layers,
            overrides,
            fingerprint,
        })
    }

    /// Columns, places and bounds of a region and side; the same for all its maps.
    fn grid(&self, region: usize, side: Side) -> Result<Arc<Grid>, StageError> {
        self.grids.get_or_insert_with(&(region, side), || {
            let pipeline = self.pipeline;
            let columns = &self.dataset.atlas.side(side).columns;
            let job = CoordinateJob {
                extent: Extent::of(columns.iter().map(|column| (column.hex1, column.hex2))),
                ..pipeline.coordinate_job(&self.dataset.regions[region].name, side)
            };
            grid::place(
                &pipeline.coordinate,
                &job,
                (&self.dataset.atlas, region),
                &pipeline.config.map,
            )
            .map(Arc::new)
        })
    }

    fn texts(
        &self,
        request: Request,
        grid: &Grid,
        status: &[ColumnStatus],
    ) -> Result<Texts<'_>, StageError> {
        let id = request.id(self.dataset);
        let count = |wanted: &[ColumnStatus]| {
            status
                .iter()
                .filter(|status| wanted.contains(status))
                .count() as u64
        };
        let with_data = count(&[ColumnStatus::HasData]);
        self.pipeline.metadata.prepare(&MetadataJob {
            cell_type: id.cell_type.to_string(),
            region: id.region.to_string(),
            side: id.side,
            metric: id.metric.to_string(),
            layer_labels: self.dataset.regions[request.region].layer_labels.clone(),
            attributes: grid.attribute_names.clone(),
            blank: with_data == 0,
            columns_with_data: with_data,
            columns_in_region: status.len() as u64 - count(&[ColumnStatus::NotInRegion]),
            ..MetadataJob::default()
        })
    }

    fn head(
        &self,
        request: Request,
        grid: &Grid,
        texts: Texts<'_>,
        (legend, layers, blank): (Option<crate::scene::Legend>, &layers::Layers, bool),
    ) -> SceneHead {
        let described = texts.description;
        let mut layer_legends = layers.legends.clone();
        let titled = |mut legend: crate::scene::Legend| {
            if legend.title.is_empty() {
                legend.title.clone_from(&described.legend_title);
            }
            legend
        };
        layer_legends = layer_legends.into_iter().map(titled).collect();
        SceneHead {
            map: request.id(self.dataset),
            width_px: grid.width_px,
            height_px: grid.height_px,
            cell: grid.cell,
            n_hexagons: grid.hex1.len() as u64,
            n_layers: layers.n,
            blank,
            legend: legend.map(titled),
            layer_legends,
            title: described.title,
            layer_title: described.layer_title,
            subject: described.subject,
            description: described.description,
            layer_labels: described.layer_labels,
            whole_templates: described.whole,
            layer_templates: described.layer,
            guides: grid.guides.clone(),
            attributes: grid.attribute_names.clone(),
            occupancy: grid.occupancy.clone(),
        }
    }

    fn refuse_underivable(&self, cell_type: &CellType, request: Request) -> Result<(), StageError> {
        let missing = |part: &Part| part.metrics[request.metric].underivable;
        let Some(column) = cell_type.parts.iter().find_map(missing) else {
            return Ok(());
        };
        let metric = &self.dataset.metrics[request.metric].name;
        Err(StageError::Data {
            message: format!(
                "the {metric} of whole columns of {} cannot be derived from its layers (first at column {},{}): a cell may reach several layers",
                cell_type.name, column.hex1, column.hex2
            ),
            help: format!(
                "add rows of layer 0 with the {metric} of whole columns, give one row a body, or leave the metric out with --metric"
            ),
        })
    }
}

/// Status and value of every column of a grid.
fn whole_columns(
    grid: &Grid,
    part: Option<(&Part, &MetricValues)>,
) -> (Vec<ColumnStatus>, Vec<f64>) {
    let n = grid.hex1.len();
    let mut status = grid.absent.clone();
    let mut value = vec![0.0; n];
    let Some((part, metric)) = part else {
        return (status, value);
    };
    for (i, row) in grid.rows_of(part).filter_map(|(i, row)| Some((i, row?))) {
        let found = metric.whole[row];
        (status[i], value[i]) = match found.is_nan() {
            true => (ColumnStatus::Unknown, 0.0),
            false => (ColumnStatus::HasData, found),
        };
    }
    (status, value)
}

/// Asks for tooltips of whole columns, then of each layer.
fn overrides(
    texts: &Texts<'_>,
    grid: &Grid,
    status: &[ColumnStatus],
    value: &[f64],
    layers: &layers::Layers,
) -> Result<Vec<TooltipOverride>, StageError> {
    let text_columns = grid.lent_attributes.texts();
    let attributes = grid
        .lent_attributes
        .columns(&grid.attribute_names, &text_columns);
    let mut found = annotate(texts, grid, &attributes, (0, value, status))?;
    for layer in 1..=layers.n {
        let pick = |i: usize| i * layers.n + layer - 1;
        let values: Vec<f64> = (0..value.len()).map(|i| layers.value[pick(i)]).collect();
        let statuses: Vec<_> = (0..value.len()).map(|i| layers.status[pick(i)]).collect();
        found.extend(annotate(
            texts,
            grid,
            &attributes,
            (layer, &values, &statuses),
        )?);
    }
    found.sort_by_key(|tooltip| (tooltip.index, tooltip.layer));
    Ok(found)
}

fn annotate(
    texts: &Texts<'_>,
    grid: &Grid,
    attributes: &[TableColumn<'_>],
    (layer, values, status): (usize, &[f64], &[ColumnStatus]),
) -> Result<Vec<TooltipOverride>, StageError> {
    let status: Vec<u8> = status.iter().map(|&status| status as u8).collect();
    let batch = ColumnBatch {
        // Layers are limited to a thousand by the configuration.
        layer: layer as u32,
        hex1: RSlice::from_slice(&grid.hex1),
        hex2: RSlice::from_slice(&grid.hex2),
        values: RSlice::from_slice(values),
        status: RSlice::from_slice(&status),
        attributes: RSlice::from_slice(attributes),
    };
    let found = texts.annotate(&batch)?;
    Ok(found
        .into_iter()
        .map(|(index, text)| TooltipOverride { index, layer, text })
        .collect())
}
