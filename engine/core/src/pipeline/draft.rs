//! A map before it is drawn: all that it depends on, and the hash of that.
//!
//! A draft asks no colour and no text of a plugin, so whoever has the picture already, by its
//! fingerprint, is spared all of that.

use std::sync::Arc;

use eyemap_abi::{
    ColumnBatch, TableColumn,
    abi_stable::std_types::RSlice,
    job::{ColorJob, ColumnStatus, MetadataDescription, MetadataJob},
};

use super::{Colored, Fingerprint, Grid, Hash, Maps, Request, Scene, Written, layers, scope};
use crate::{
    model::{MetricValues, Part},
    scene::TooltipOverride,
    stage::{StageError, Texts, to_json},
};

/// A job of the colour stage, and its JSON.
pub(super) struct Job {
    pub(super) job: ColorJob,
    json: String,
}

impl Job {
    pub(super) fn new(job: ColorJob) -> Self {
        let json = to_json(&job);
        Self { job, json }
    }
}

/// A map that can be drawn.
pub struct Draft<'a> {
    pub(super) maps: &'a Maps<'a>,
    pub(super) request: Request,
    pub(super) grid: Arc<Grid>,
    pub(super) part: Option<&'a Part>,
    pub(super) status: Vec<ColumnStatus>,
    pub(super) value: Vec<f64>,
    /// Whether no column has data.
    pub blank: bool,
    texts: MetadataJob,
    whole: Job,
    /// One for all layers, or one a layer.
    pub(super) layers: Vec<Job>,
    /// What the columns are and hold.
    content: Fingerprint,
    /// What the texts depend on.
    texts_hash: Fingerprint,
    fingerprint: Fingerprint,
}

/// Takes together what a map depends on.
pub(super) fn of<'a>(maps: &'a Maps<'a>, request: Request) -> Result<Draft<'a>, StageError> {
    let cell_type = &maps.dataset.cell_types[request.cell_type];
    maps.refuse_underivable(cell_type, request)?;
    let grid = maps.grid(request.region, request.side)?;
    let part = cell_type.part(request.region, request.side);
    let metric = part.map(|part| (part, &part.metrics[request.metric]));
    let (status, value) = whole_columns(&grid, metric);
    let blank = !status.contains(&ColumnStatus::HasData);
    let texts = maps.metadata_job(request, &grid, &status);
    let whole = Job::new(maps.color_job(request, scope::Kind::Whole)?);
    let layers = match part {
        Some(part) if !blank => maps.layer_jobs(request, part)?,
        _ => Vec::new(),
    };
    let content = {
        let mut hash = Hash::new();
        grid.hash_into(&mut hash);
        hash.values(&status, &value);
        if let Some((part, metric)) = metric.filter(|_| !layers.is_empty()) {
            // Rows belong to columns by their order.
            let columns = part
                .columns
                .iter()
                .flat_map(|column| [column.hex1, column.hex2]);
            hash.numbers(columns.map(i32::to_le_bytes));
            hash.floats(&metric.layers);
        }
        hash.finish()
    };
    let texts_hash = {
        let mut hash = Hash::new();
        hash.text(&to_json(&texts));
        hash.finish()
    };
    let mut hash = maps.hash.clone();
    hash.fingerprint(content);
    hash.fingerprint(texts_hash);
    hash.text(&whole.json);
    layers.iter().for_each(|job| hash.text(&job.json));
    let fingerprint = hash.finish();
    Ok(Draft {
        maps,
        request,
        grid,
        part,
        status,
        value,
        blank,
        texts,
        whole,
        layers,
        content,
        texts_hash,
        fingerprint,
    })
}

impl Draft<'_> {
    /// Hash of everything that the picture depends on, but for its format.
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Columns that the coordinate stage could not place.
    pub fn unplaced(&self) -> usize {
        self.grid.unplaced
    }

    /// Asks the stages, or their memos, and draws.
    ///
    /// # Errors
    /// When a stage fails.
    pub fn scene(self) -> Result<Scene, StageError> {
        let pipeline = self.maps.pipeline;
        let layer_values = match self.part {
            Some(part) if !self.layers.is_empty() => {
                layers::values(self.request, &self.grid, part, &self.status)
            }
            _ => layers::Layers::default(),
        };
        let memos = &pipeline.memos;
        let written = memos
            .metadata
            .get_or_try(self.texts_key(), || self.write(&layer_values))?;
        let whole = memos
            .colors
            .get_or_try(self.color_key(std::slice::from_ref(&self.whole)), || {
                self.color_whole()
            })?;
        let layered = match layer_values.n {
            0 => Arc::default(),
            _ => memos.colors.get_or_try(self.color_key(&self.layers), || {
                self.color_layers(&layer_values)
            })?,
        };
        let head = self.head(&written.description, &whole, &layered, layer_values.n);
        Ok(Scene {
            head,
            grid: self.grid,
            status: self.status,
            value: self.value,
            whole,
            layers: layer_values,
            layered,
            written,
            fingerprint: self.fingerprint,
        })
    }

    fn color_key(&self, jobs: &[Job]) -> Fingerprint {
        let mut hash = self.maps.pipeline.color_hash.clone();
        hash.fingerprint(self.content);
        jobs.iter().for_each(|job| hash.text(&job.json));
        hash.finish()
    }

    fn texts_key(&self) -> Fingerprint {
        let mut hash = self.maps.pipeline.metadata_hash.clone();
        hash.fingerprint(self.content);
        hash.fingerprint(self.texts_hash);
        hash.finish()
    }

    fn color_whole(&self) -> Result<(Arc<Colored>, u64), StageError> {
        let scale = self.maps.pipeline.color.prepare(&self.whole.job)?;
        let fill = scale.color(&self.value, &self.status)?;
        let legend = if self.blank { None } else { scale.legend()? };
        Ok(Colored {
            fill,
            legends: legend.into_iter().collect(),
        }
        .weighed())
    }

    fn write(&self, layers: &layers::Layers) -> Result<(Arc<Written>, u64), StageError> {
        let stage = &self.maps.pipeline.metadata;
        // One for all batches of a map: a layer without tooltips costs less than to time it.
        let rows = self.value.len() * (1 + layers.n);
        let _span = tracing::debug_span!("metadata", plugin = stage.origin.id(), rows).entered();
        let texts = stage.prepare(&self.texts)?;
        let overrides = self.overrides(&texts, layers)?;
        let written = Written {
            description: texts.description,
            overrides,
        };
        Ok(written.weighed())
    }

    /// Asks for tooltips of whole columns, then of each layer.
    fn overrides(
        &self,
        texts: &Texts<'_>,
        layers: &layers::Layers,
    ) -> Result<Vec<TooltipOverride>, StageError> {
        let grid = &self.grid;
        let text_columns = grid.lent_attributes.texts();
        let attributes = grid
            .lent_attributes
            .columns(&grid.attribute_names, &text_columns);
        let mut found = annotate(texts, grid, &attributes, (0, &self.value, &self.status))?;
        for layer in 1..=layers.n {
            let pick = |i: usize| i * layers.n + layer - 1;
            let n = self.value.len();
            let values: Vec<f64> = (0..n).map(|i| layers.value[pick(i)]).collect();
            let statuses: Vec<_> = (0..n).map(|i| layers.status[pick(i)]).collect();
            let layer = (layer, values.as_slice(), statuses.as_slice());
            found.extend(annotate(texts, grid, &attributes, layer)?);
        }
        found.sort_by_key(|tooltip| (tooltip.index, tooltip.layer));
        Ok(found)
    }

    fn head(
        &self,
        described: &MetadataDescription,
        whole: &Colored,
        layered: &Colored,
        n_layers: usize,
    ) -> crate::scene::SceneHead {
        let titled = |legend: &crate::scene::Legend| {
            let mut legend = legend.clone();
            if legend.title.is_empty() {
                legend.title.clone_from(&described.legend_title);
            }
            legend
        };
        let (described, grid) = (described.clone(), &self.grid);
        crate::scene::SceneHead {
            map: self.request.id(self.maps.dataset),
            width_px: grid.width_px,
            height_px: grid.height_px,
            cell: grid.cell,
            n_hexagons: grid.hex1.len() as u64,
            n_layers,
            blank: self.blank,
            legend: whole.legends.first().map(titled),
            layer_legends: layered.legends.iter().map(titled).collect(),
            title: described.title.clone(),
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
}

/// Status and value of every column of a grid.
fn whole_columns(
    grid: &Grid,
    part: Option<(&Part, &MetricValues)>,
) -> (Vec<ColumnStatus>, Vec<f64>) {
    let mut status = grid.absent.clone();
    let mut value = vec![0.0; grid.hex1.len()];
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
