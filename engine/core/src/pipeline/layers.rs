//! Values and colours of layers, hexagon by hexagon.

use std::sync::Arc;

use eyemap_abi::job::ColumnStatus;

use super::{Colored, Draft, Grid, Maps, Request, draft::Job, scope::Kind};
use crate::{model::Part, scene::Rgba, stage::StageError};

/// The layers of a map: `n` values a hexagon.
#[derive(Debug, Clone, Default)]
pub(super) struct Layers {
    pub(super) n: usize,
    pub(super) value: Vec<f64>,
    pub(super) status: Vec<ColumnStatus>,
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
        let color = &self.maps.pipeline.color;
        let mut colored = Colored::default();
        if let [job] = self.layers.as_slice()
            && !color.needs.layer.per_layer
        {
            let scale = color.prepare(&job.job)?;
            colored.fill = scale.color(&layers.value, &layers.status)?;
            colored.legends.extend(scale.legend()?);
            return Ok(colored.weighed());
        }
        colored.fill = vec![Rgba::WHITE; layers.value.len()];
        for (layer, job) in self.layers.iter().enumerate() {
            let scale = color.prepare(&job.job)?;
            let (values, status) = layers.of(layer);
            let fills = scale.color(&values, &status)?;
            let places = colored.fill.iter_mut().skip(layer).step_by(layers.n);
            places.zip(fills).for_each(|(place, fill)| *place = fill);
            colored.legends.extend(scale.legend()?);
        }
        Ok(colored.weighed())
    }
}

impl Layers {
    /// Values and status of one layer, from 0.
    fn of(&self, layer: usize) -> (Vec<f64>, Vec<ColumnStatus>) {
        let values = self.value.iter().skip(layer).step_by(self.n);
        let status = self.status.iter().skip(layer).step_by(self.n);
        (values.copied().collect(), status.copied().collect())
    }
}

pub(super) fn n_layers(request: Request, part: &Part) -> usize {
    let found = &part.metrics[request.metric].layers;
    if found.is_empty() { 0 } else { part.n_layers }
}

pub(super) fn values(
    request: Request,
    grid: &Grid,
    part: &Part,
    columns: &[ColumnStatus],
) -> Layers {
    let found = &part.metrics[request.metric].layers;
    let n = n_layers(request, part);
    let mut layers = Layers {
        n,
        value: vec![0.0; columns.len() * n],
        status: columns
            .iter()
            .flat_map(|&status| std::iter::repeat_n(status, n))
            .collect(),
    };
    for (i, row) in grid.rows_of(part).filter_map(|(i, row)| Some((i, row?))) {
        if columns[i] != ColumnStatus::HasData {
            continue;
        }
        let values = &found[row * n..(row + 1) * n];
        for (layer, &value) in values.iter().enumerate() {
            match value.is_nan() {
                true => layers.status[i * n + layer] = ColumnStatus::Unknown,
                false => layers.value[i * n + layer] = value,
            }
        }
    }
    layers
}
