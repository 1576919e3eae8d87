//! From rows in order to the values of columns.
//!
//! A value that is neither given nor derivable is never made up: it is NaN, and the metric says so.

use eyemap_abi::job::Side;

use super::{
    cell::EXACT,
    error::{Objection, clean, quote},
    regions::Regions,
    rows::{Row, region_and_side},
    schema::{Layout, Values},
};
use crate::model::{Column, MetricKind, NO_ROW, TableShape};

/// Makes values of rows.
#[derive(Debug)]
pub(super) struct Builder {
    pub(super) layout: Layout,
    /// Layers of each region; none if no row of the table names a layer.
    n_layers: Vec<usize>,
    /// Whether the table has the metric, for each metric of the layout.
    seen: Vec<bool>,
}

/// The values of one column, for each metric that the table has.
#[derive(Debug, Default)]
pub(crate) struct ColumnValues {
    /// See [`super::rows::Key::part`].
    pub(super) part: u8,
    pub(crate) column: Column,
    pub(crate) n_layers: usize,
    /// NaN is a null.
    pub(crate) whole: Vec<f64>,
    /// `layers[metric * n_layers + layer - 1]`; NaN is a null, and a layer without a row is [`NO_ROW`].
    pub(crate) layers: Vec<f64>,
    /// Whether the whole value is not given and cannot be derived.
    pub(super) underivable: Vec<bool>,
}

impl ColumnValues {
    /// The region and side that the column is of.
    pub(crate) const fn place(&self) -> (usize, Side) {
        region_and_side(self.part)
    }
}

/// The rows of one column, added up. One entry a metric of the layout.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// The value of layer 0, if there is such a row.
    given: Vec<Option<f64>>,
    /// Whether there is a row of a layer.
    has_layers: Vec<bool>,
    /// `layers[metric * n_layers + layer - 1]`
    layers: Vec<f64>,
    bodies: Vec<u64>,
}

impl Tally {
    fn reset(&mut self, metrics: usize, n_layers: usize) {
        self.given.clear();
        self.given.resize(metrics, None);
        self.has_layers.clear();
        self.has_layers.resize(metrics, false);
        self.layers.clear();
        self.layers.resize(metrics * n_layers, NO_ROW);
        self.bodies.clear();
    }

    fn layer(&mut self, metric: usize, n_layers: usize, layer: u16) -> Option<&mut f64> {
        let layer = usize::from(layer)
            .checked_sub(1)
            .filter(|&layer| layer < n_layers)?;
        self.layers.get_mut(metric * n_layers + layer)
    }
}

/// The rows of one column, in order, and their values, row by row.
pub(super) struct OfColumn<'a> {
    pub(super) rows: &'a [Row],
    pub(super) values: &'a [f64],
}

impl OfColumn<'_> {
    fn with_values(&self) -> impl Iterator<Item = (&Row, &[f64])> {
        let each = self.values.len() / self.rows.len().max(1);
        let values = (0..self.rows.len()).map(move |i| &self.values[i * each..(i + 1) * each]);
        self.rows.iter().zip(values)
    }
}

impl Builder {
    pub(super) fn new(
        layout: Layout,
        regions: Regions<'_>,
        layered: bool,
        seen: Vec<bool>,
    ) -> Self {
        let layers = |region| if layered { regions.layers(region) } else { 0 };
        Self {
            layout,
            n_layers: (0..regions.len()).map(layers).collect(),
            seen,
        }
    }

    /// Number of metrics that the table has.
    pub(super) fn n_metrics(&self) -> usize {
        self.seen.iter().filter(|&&seen| seen).count()
    }

    /// The most values that a column has, over all metrics.
    pub(super) fn values_per_column(&self) -> usize {
        let deepest = self.n_layers.iter().copied().max().unwrap_or(0);
        self.n_metrics() * (1 + deepest)
    }

    /// Number of layers of a part.
    pub(super) fn n_layers(&self, part: u8) -> usize {
        let (region, _) = region_and_side(part);
        self.n_layers.get(region).copied().unwrap_or(0)
    }

    /// Adds the rows of a column up.
    pub(super) fn column(
        &self,
        name: &str,
        of_column: &OfColumn<'_>,
        tally: &mut Tally,
        out: &mut ColumnValues,
    ) -> Result<(), Objection> {
        let key = of_column
            .rows
            .first()
            .map(|row| row.key)
            .unwrap_or_default();
        (out.part, out.column) = (key.part, key.column());
        out.n_layers = self.n_layers(key.part);
        out.whole.clear();
        out.layers.clear();
        out.underivable.clear();
        tally.reset(self.layout.metrics.len(), out.n_layers);
        if self.layout.shape == TableShape::Canonical {
            self.add_rows(tally, of_column, out.n_layers);
        } else {
            self.add_bodies(tally, of_column, out.n_layers);
        }
        self.take(tally, out)
            .map_err(|metric| self.too_large(name, metric, out.column))
    }

    fn add_rows(&self, tally: &mut Tally, of_column: &OfColumn<'_>, n_layers: usize) {
        let tall = matches!(self.layout.values, Values::Tall { .. });
        for (row, values) in of_column.with_values() {
            let first = if tall { usize::from(row.key.metric) } else { 0 };
            for (offset, &value) in values.iter().enumerate() {
                let metric = first + offset;
                if row.key.layer == 0 {
                    tally.given[metric] = Some(value + 0.0);
                } else if let Some(layer) = tally.layer(metric, n_layers, row.key.layer) {
                    // Minus zero stands for a layer without a row.
                    *layer = value + 0.0;
                    tally.has_layers[metric] = true;
                }
            }
        }
    }

    fn add_bodies(&self, tally: &mut Tally, of_column: &OfColumn<'_>, n_layers: usize) {
        for (metric, config) in self.layout.metrics.iter().enumerate() {
            let is_cells = config.name == "cells";
            let mut whole = 0.0;
            for (row, synapses) in of_column.with_values() {
                let value = if is_cells {
                    1.0
                } else {
                    synapses.first().copied().unwrap_or(0.0)
                };
                whole += value;
                if let Some(layer) = tally.layer(metric, n_layers, row.key.layer) {
                    *layer += value;
                }
            }
            if is_cells {
                whole = distinct(&mut tally.bodies, of_column.rows);
            }
            tally.given[metric] = Some(whole);
        }
    }

    /// Moves the tally of a column to its values; gives the metric whose sum is too large.
    fn take(&self, tally: &mut Tally, out: &mut ColumnValues) -> Result<(), usize> {
        let n_layers = out.n_layers;
        for (index, config) in self.layout.metrics.iter().enumerate() {
            let layers = &mut tally.layers[index * n_layers..(index + 1) * n_layers];
            let mut underivable = false;
            let given = tally.given[index];
            let whole = match given {
                Some(given) => given,
                None if !tally.has_layers[index] => {
                    // A tall table that has other metrics here says nothing of this one.
                    layers.fill(f64::NAN);
                    f64::NAN
                }
                None if config.sums_layers => layers.iter().sum(),
                None => {
                    underivable = true;
                    f64::NAN
                }
            };
            let is_sum = self.layout.shape != TableShape::Canonical || given.is_none();
            // Adding one to 2^53 gives 2^53: a sum of it may be rounded.
            let most = if is_sum { EXACT - 1 } else { EXACT };
            let largest = layers.iter().copied().fold(whole, f64::max);
            if config.kind == MetricKind::Count && largest > most as f64 {
                return Err(index);
            }
            if self.seen[index] {
                out.whole.push(whole);
                out.layers.extend_from_slice(layers);
                out.underivable.push(underivable);
            }
        }
        Ok(())
    }

    fn too_large(&self, name: &str, metric: usize, column: Column) -> Objection {
        let metric = self.layout.metrics.get(metric);
        Objection::new(format!(
            "the {} of {} in column {}, {} add up to 2^53 or more",
            clean(metric.map_or("", |metric| &metric.name)),
            quote(name),
            column.hex1,
            column.hex2
        ))
    }
}

fn distinct(bodies: &mut Vec<u64>, of_column: &[Row]) -> f64 {
    bodies.clear();
    bodies.extend(of_column.iter().map(|row| row.body));
    bodies.sort_unstable();
    bodies.dedup();
    bodies.len() as f64
}
