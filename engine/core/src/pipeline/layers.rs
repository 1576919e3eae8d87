//! Values and colours of layers, hexagon by hexagon.

use eyemap_abi::job::ColumnStatus;

use super::{Grid, Maps, Request, scope::Kind};
use crate::{
    model::Part,
    scene::{Legend, Rgba},
    stage::{Scale, StageError},
};

/// The layers of a map: `n` values a hexagon.
#[derive(Debug, Clone, Default)]
pub(super) struct Layers {
    pub(super) n: usize,
    pub(super) value: Vec<f64>,
    pub(super) status: Vec<ColumnStatus>,
    pub(super) fill: Vec<Rgba>,
    pub(super) legends: Vec<Legend>,
    /// The jobs that the colours came from, for the fingerprint.
    pub(super) jobs: Vec<String>,
}

impl Maps<'_> {
    /// Values and colours of the layers; none when the table has none.
    pub(super) fn layers(
        &self,
        request: Request,
        grid: &Grid,
        part: &Part,
        columns: &[ColumnStatus],
    ) -> Result<Layers, StageError> {
        let mut layers = values(request, grid, part, columns);
        if layers.n == 0 {
            return Ok(layers);
        }
        if self.pipeline.color.needs.layer.per_layer {
            layers.fill = vec![Rgba::WHITE; layers.value.len()];
            for layer in 0..layers.n {
                // Layers are limited to a thousand by the configuration.
                let scale = self.scale(request, Kind::Layer(layer as u32 + 1))?;
                layers.color_one(layer, &scale)?;
                layers.legend(&scale)?;
            }
        } else {
            let scale = self.scale(request, Kind::AnyLayer)?;
            layers.fill = scale.color(&layers.value, &layers.status)?;
            layers.legend(&scale)?;
        }
        Ok(layers)
    }
}

impl Layers {
    fn legend(&mut self, scale: &Scale<'_>) -> Result<(), StageError> {
        self.legends.extend(scale.legend()?);
        self.jobs.push(scale.job.clone());
        Ok(())
    }

    fn color_one(&mut self, layer: usize, scale: &Scale<'_>) -> Result<(), StageError> {
        let pick = |i: &usize| i % self.n == layer;
        let at: Vec<usize> = (0..self.value.len()).filter(pick).collect();
        let values: Vec<f64> = at.iter().map(|&i| self.value[i]).collect();
        let status: Vec<_> = at.iter().map(|&i| self.status[i]).collect();
        let fills = scale.color(&values, &status)?;
        at.into_iter()
            .zip(fills)
            .for_each(|(i, fill)| self.fill[i] = fill);
        Ok(())
    }
}

fn values(request: Request, grid: &Grid, part: &Part, columns: &[ColumnStatus]) -> Layers {
    let found = &part.metrics[request.metric].layers;
    let n = if found.is_empty() { 0 } else { part.n_layers };
    let mut layers = Layers {
        n,
        value: vec![0.0; columns.len() * n],
        status: columns
            .iter()
            .flat_map(|&status| std::iter::repeat_n(status, n))
            .collect(),
        ..Layers::default()
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
