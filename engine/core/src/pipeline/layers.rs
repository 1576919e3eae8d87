//! Values and colours of layers, hexagon by hexagon.

use std::sync::Arc;

use eyemap_abi::job::ColumnStatus;

use super::{Colored, Draft, Grid, Maps, Request, draft::Job, scope::Kind};
use crate::{
    model::{Part, is_absent},
    scene::{Counts, Legend, Rgba},
    stage::{ColorStage, Scale, StageError},
};

/// The layers of a map: `n` values a hexagon.
#[derive(Debug, Clone, Default)]
pub(super) struct Layers {
    pub(super) n: usize,
    pub(super) value: Vec<f64>,
    /// `HasData` where there is no row, as stages see it.
    pub(super) status: Vec<ColumnStatus>,
    /// Whether a column with data has no row of the layer.
    pub(super) absent: Vec<bool>,
}

impl Maps<'_> {
    /// The jobs that colour the layers: one for all, one a layer, or none without layers.
    pub(super) fn layer_jobs(&self, request: Request, n: usize) -> Result<Vec<Job>, StageError> {
        let kinds = match n {
            0 => Vec::new(),
            // Layers are limited to a thousand by the configuration.
            n if self.pipeline.color.needs.layer.per_layer => {
                (1..=n as u32).map(Kind::Layer).collect()
            }
            _ => vec![Kind::AnyLayer],
        };
        let job = |kind| self.color_job(request, kind).map(Job::new);
        kinds.into_iter().map(job).collect()
    }
}

impl Draft<'_> {
    pub(super) fn color_layers(&self, layers: &Layers) -> Result<(Arc<Colored>, u64), StageError> {
        let scales = LayerScales::new(&self.maps.pipeline.color, &self.layers)?;
        let colored = Colored {
            fill: scales.color(layers)?,
            legends: scales.legends()?,
        };
        Ok(colored.weighed())
    }
}

/// How layers are coloured: with one scale for all, or one each.
pub(super) struct LayerScales<'a> {
    scales: Vec<Scale<'a>>,
    each: bool,
}

impl<'a> LayerScales<'a> {
    pub(super) fn new(color: &'a ColorStage, jobs: &[Job]) -> Result<Self, StageError> {
        let scales = jobs.iter().map(|job| color.prepare(&job.job));
        Ok(Self {
            scales: scales.collect::<Result<_, _>>()?,
            each: color.needs.layer.per_layer,
        })
    }

    pub(super) fn color(&self, layers: &Layers) -> Result<Vec<Rgba>, StageError> {
        if let ([scale], false) = (self.scales.as_slice(), self.each) {
            return scale.color(&layers.value, &layers.status);
        }
        let mut fill = vec![Rgba::WHITE; layers.value.len()];
        for (layer, scale) in self.scales.iter().enumerate() {
            let (values, status) = layers.of(layer);
            let fills = scale.color(&values, &status)?;
            let places = fill.iter_mut().skip(layer).step_by(layers.n);
            places.zip(fills).for_each(|(place, fill)| *place = fill);
        }
        Ok(fill)
    }

    pub(super) fn legends(&self) -> Result<Vec<Legend>, StageError> {
        let legends = self.scales.iter().map(Scale::legend);
        Ok(Legend::of_layers(legends.collect::<Result<_, _>>()?))
    }
}

impl Layers {
    /// Values and status of one layer, from 0.
    pub(super) fn of(&self, layer: usize) -> (Vec<f64>, Vec<ColumnStatus>) {
        let values = self.value.iter().skip(layer).step_by(self.n);
        let status = self.status.iter().skip(layer).step_by(self.n);
        (values.copied().collect(), status.copied().collect())
    }
}

impl Layers {
    /// What the columns of each layer are, in numbers.
    pub(super) fn counts(&self, legends: &[Legend]) -> Vec<Counts> {
        let mut counts = vec![Counts::default(); self.n];
        self.count(&mut counts, legends);
        counts
    }

    /// Adds to numbers, one a layer.
    pub(super) fn count(&self, counts: &mut [Counts], legends: &[Legend]) {
        for (layer, counts) in counts.iter_mut().enumerate() {
            let values = self.value.iter().skip(layer).step_by(self.n);
            let status = self.status.iter().zip(&self.absent).map(|pair| match pair {
                (_, true) => ColumnStatus::NoData,
                (&status, false) => status,
            });
            let columns = status.skip(layer).step_by(self.n).zip(values.copied());
            counts.add(columns, Legend::of_layer(legends, layer + 1));
        }
    }
}

pub(super) fn n_layers(request: Request, part: &Part) -> usize {
    let found = &part.metrics[request.metric].layers;
    if found.is_empty() { 0 } else { part.n_layers }
}

impl Layers {
    /// Layers of columns with these statuses, all of them without a value yet.
    pub(super) fn empty(n: usize, columns: &[ColumnStatus]) -> Self {
        Self {
            n,
            value: vec![0.0; columns.len() * n],
            status: columns
                .iter()
                .flat_map(|&status| std::iter::repeat_n(status, n))
                .collect(),
            absent: vec![false; columns.len() * n],
        }
    }

    /// Sets the layers of a hexagon that has data; NaN is a null, minus zero no row.
    pub(super) fn set(&mut self, hexagon: usize, values: &[f64]) {
        for (layer, &value) in values.iter().enumerate() {
            let at = hexagon * self.n + layer;
            match value.is_nan() {
                true => self.status[at] = ColumnStatus::Unknown,
                // Stages and writers know no minus zero.
                false => self.value[at] = value + 0.0,
            }
            self.absent[at] = is_absent(value);
        }
    }
}

pub(super) fn values(
    request: Request,
    grid: &Grid,
    part: &Part,
    columns: &[ColumnStatus],
) -> Layers {
    let found = &part.metrics[request.metric].layers;
    let n = n_layers(request, part);
    let mut layers = Layers::empty(n, columns);
    for (i, row) in grid.rows_of(part).filter_map(|(i, row)| Some((i, row?))) {
        if columns[i] == ColumnStatus::HasData {
            layers.set(i, &found[row * n..(row + 1) * n]);
        }
    }
    layers
}
