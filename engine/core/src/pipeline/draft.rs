//! A map before it is drawn: all that it depends on, and the hash of that.
//!
//! A draft asks no text of a plugin, and no colour but where a range was set by hand, to count what lies
//! beyond it; whoever has the picture already, by its fingerprint, is spared all of that.

use std::sync::Arc;

use eyemap_abi::{
    ColumnBatch, TableColumn,
    abi_stable::std_types::RSlice,
    job::{ColorJob, ColumnStatus, MetadataDescription, MetadataJob},
};

use super::{
    Colored, Fingerprint, Grid, Maps, Request, Scene, Told, Totals, Written, content::Content,
    layers, scope,
};
use crate::{
    clipped::Clipped,
    fingerprint::Hash,
    model::{CellType, MetricValues, Part},
    scene::{Counts, Legend, SceneHead, TooltipOverride},
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
    /// None if the type has no row in the region on the side.
    pub(super) cell_type: Option<Arc<CellType>>,
    pub(super) status: Vec<ColumnStatus>,
    pub(super) value: Vec<f64>,
    /// Whether no column has data.
    pub blank: bool,
    /// What lies beyond ranges that were set by hand. For these alone a draft asks a plugin.
    pub clipped: Clipped,
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
    let summary = &maps.dataset.types[request.cell_type];
    maps.refuse_underivable(summary, request)?;
    let grid = maps.grid(request.region, request.side)?;
    let cell_type = match summary.part(request.region, request.side) {
        Some(_) => Some(maps.cell_type(request.cell_type)?),
        None => None,
    };
    let part = part_of(cell_type.as_deref(), request);
    let metric = part.map(|part| (part, &part.metrics[request.metric]));
    let (status, value) = whole_columns(&grid, metric);
    let blank = !status.contains(&ColumnStatus::HasData);
    let mut totals = Totals::new();
    totals.add(&status, &value, None);
    let n_layers = match part {
        Some(part) if !blank => layers::n_layers(request, part),
        _ => 0,
    };
    let told = Told {
        attributes: &grid.attribute_names,
        totals,
        n_layers,
    };
    let texts = maps.metadata_job(request, told);
    let whole = Job::new(maps.color_job(request, scope::Kind::Whole)?);
    let layers = maps.layer_jobs(request, n_layers)?;
    let mut content = Content::new();
    content.values(&status, &value);
    if let Some((part, metric)) = metric.filter(|_| !layers.is_empty()) {
        content.layers(&part.columns, &metric.layers);
    }
    let content = content.finish(grid.digest(), !layers.is_empty());
    let texts_hash = hash_of(&texts);
    let fingerprint = fingerprint(maps, (content, texts_hash), &whole, &layers);
    let mut draft = Draft {
        maps,
        request,
        grid,
        cell_type,
        status,
        value,
        blank,
        clipped: Clipped::default(),
        texts,
        whole,
        layers,
        content,
        texts_hash,
        fingerprint,
    };
    draft.clipped = draft.beyond_ranges()?;
    Ok(draft)
}

/// A hash of what texts depend on.
pub(super) fn hash_of(texts: &MetadataJob) -> Fingerprint {
    let mut hash = Hash::new();
    hash.text(&to_json(texts));
    hash.finish()
}

/// Hash of everything that a picture depends on, but for its format.
pub(super) fn fingerprint(
    maps: &Maps<'_>,
    (content, texts): (Fingerprint, Fingerprint),
    whole: &Job,
    layers: &[Job],
) -> Fingerprint {
    let mut hash = maps.hash.clone();
    hash.fingerprint(content);
    hash.fingerprint(texts);
    hash.text(&whole.json);
    layers.iter().for_each(|job| hash.text(&job.json));
    hash.finish()
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

    /// What lies beyond ranges that were set by hand.
    fn beyond_ranges(&self) -> Result<Clipped, StageError> {
        let mut clipped = Clipped::default();
        let color = &self.maps.pipeline.color;
        if self.blank {
            return Ok(clipped);
        }
        if self.whole.job.range.is_some() {
            let legend = color.prepare(&self.whole.job)?.legend()?;
            clipped.whole = [&self.counts(legend.as_ref())].into_iter().collect();
        }
        if self.layers.iter().any(|job| job.job.range.is_some()) {
            let legends = layers::LayerScales::new(color, &self.layers)?.legends()?;
            clipped.layers = self.layer_values().counts(&legends).iter().collect();
        }
        Ok(clipped)
    }

    /// How many whole columns are what, in the colours of a scale.
    fn counts(&self, legend: Option<&Legend>) -> Counts {
        let mut counts = Counts::default();
        let columns = self.status.iter().copied().zip(self.value.iter().copied());
        counts.add(columns, legend);
        counts
    }

    fn layer_values(&self) -> layers::Layers {
        match part_of(self.cell_type.as_deref(), self.request) {
            Some(part) if !self.layers.is_empty() => {
                layers::values(self.request, &self.grid, part, &self.status)
            }
            _ => layers::Layers::default(),
        }
    }

    /// Asks the stages, or their memos, and draws.
    ///
    /// # Errors
    /// When a stage fails.
    pub fn scene(self) -> Result<Scene, StageError> {
        let pipeline = self.maps.pipeline;
        let layer_values = self.layer_values();
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
        let parts = Parts {
            blank: self.blank,
            counts: self.counts(whole.legends.first()),
            layer_counts: layer_values.counts(&layered.legends),
            grid: &self.grid,
            n_hexagons: self.grid.hex1.len() as u64,
            n_layers: layer_values.n,
            described: &written.description,
            whole: &whole.legends,
            layers: &layered.legends,
        };
        let head = head(self.maps, self.request, &parts);
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
        let grid = &self.grid;
        let text_columns = grid.lent_attributes.texts();
        let attributes = grid
            .lent_attributes
            .columns(&grid.attribute_names, &text_columns);
        let of = Annotated {
            hex: [&grid.hex1, &grid.hex2],
            value: &self.value,
            status: &self.status,
            layers,
        };
        let overrides = overrides(&texts, &of, &attributes)?;
        let written = Written {
            description: texts.description,
            overrides,
        };
        Ok(written.weighed())
    }
}

/// What the head of a scene is made of besides its request.
pub(super) struct Parts<'a> {
    pub(super) blank: bool,
    pub(super) counts: Counts,
    /// One entry a layer.
    pub(super) layer_counts: Vec<Counts>,
    /// The canvas, with or without its columns.
    pub(super) grid: &'a Grid,
    pub(super) n_hexagons: u64,
    pub(super) n_layers: usize,
    pub(super) described: &'a MetadataDescription,
    pub(super) whole: &'a [Legend],
    pub(super) layers: &'a [Legend],
}

/// The head of a scene.
pub(super) fn head(maps: &Maps<'_>, request: Request, parts: &Parts<'_>) -> SceneHead {
    let titled = |legend: &Legend| {
        let mut legend = legend.clone();
        if legend.title.is_empty() && !legend.is_empty() {
            legend.title.clone_from(&parts.described.legend_title);
        }
        legend
    };
    let (described, grid) = (parts.described.clone(), parts.grid);
    SceneHead {
        map: request.id(maps.dataset),
        width_px: grid.width_px,
        height_px: grid.height_px,
        bounds: grid.bounds,
        cell: grid.cell,
        n_hexagons: parts.n_hexagons,
        n_layers: parts.n_layers,
        blank: parts.blank,
        legend: parts.whole.first().map(titled),
        layer_legends: parts.layers.iter().map(titled).collect(),
        title: described.title.clone(),
        layer_title: described.layer_title,
        subject: described.subject,
        subtitle: described.subtitle,
        layer_subtitle: described.layer_subtitle,
        counts: parts.counts,
        layer_counts: parts.layer_counts.clone(),
        description: described.description,
        layer_labels: described.layer_labels,
        whole_templates: described.whole,
        layer_templates: described.layer,
        guides: grid.guides.clone(),
        attributes: grid.attribute_names.clone(),
        compass: grid.compass,
    }
}

/// The part of a request.
fn part_of(cell_type: Option<&CellType>, request: Request) -> Option<&Part> {
    cell_type.and_then(|cell_type| cell_type.part(request.region, request.side))
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

/// Columns of a batch, as the metadata stage gets them.
pub(super) struct Annotated<'a> {
    pub(super) hex: [&'a [i32]; 2],
    pub(super) value: &'a [f64],
    pub(super) status: &'a [ColumnStatus],
    pub(super) layers: &'a layers::Layers,
}

/// Asks for tooltips of whole columns, then of each layer.
pub(super) fn overrides(
    texts: &Texts<'_>,
    of: &Annotated<'_>,
    attributes: &[TableColumn<'_>],
) -> Result<Vec<TooltipOverride>, StageError> {
    let mut found = annotate(texts, of.hex, attributes, (0, of.value, of.status))?;
    for layer in 1..=of.layers.n {
        let (values, statuses) = of.layers.of(layer - 1);
        found.extend(annotate(
            texts,
            of.hex,
            attributes,
            (layer, &values, &statuses),
        )?);
    }
    found.sort_by_key(|tooltip| (tooltip.index, tooltip.layer));
    Ok(found)
}

fn annotate(
    texts: &Texts<'_>,
    [hex1, hex2]: [&[i32]; 2],
    attributes: &[TableColumn<'_>],
    (layer, values, status): (usize, &[f64], &[ColumnStatus]),
) -> Result<Vec<TooltipOverride>, StageError> {
    let status: Vec<u8> = status.iter().map(|&status| status as u8).collect();
    let batch = ColumnBatch {
        // Layers are limited to a thousand by the configuration.
        layer: layer as u32,
        hex1: RSlice::from_slice(hex1),
        hex2: RSlice::from_slice(hex2),
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
