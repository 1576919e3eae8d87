//! From packed rows to the values of cell types.
//!
//! Rows come sorted and checked. A value that is neither given nor derivable is never made up: it is
//! NaN, and the metric says so.

use super::{
    cell::EXACT,
    error::{Objection, clean},
    read::Read,
    regions::Regions,
    rows::{Row, TypeRows, region_and_side},
    schema::{Layout, Values},
};
use crate::model::{CellType, Column, MetricKind, MetricValues, Part, TableShape};

/// Makes cell types of rows.
pub(super) struct Builder<'a> {
    layout: &'a Layout,
    regions: Regions<'a>,
    /// Whether any row of the table names a layer; else no part has layers.
    layered: bool,
    values_per_row: usize,
    /// Metrics that the table has.
    seen: &'a [bool],
}

/// The rows of one column, added up. One entry a metric.
#[derive(Default)]
struct Tally {
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
        self.layers.resize(metrics * n_layers, 0.0);
        self.bodies.clear();
    }

    fn layer(&mut self, metric: usize, n_layers: usize, layer: u16) -> Option<&mut f64> {
        let layer = usize::from(layer)
            .checked_sub(1)
            .filter(|&layer| layer < n_layers)?;
        self.layers.get_mut(metric * n_layers + layer)
    }
}

impl<'a> Builder<'a> {
    pub(super) fn new(read: &'a Read, regions: Regions<'a>) -> Self {
        Self {
            layout: &read.layout,
            regions,
            layered: read.layered,
            values_per_row: read.rows.values_per_row,
            seen: &read.seen,
        }
    }

    /// The cell type of some rows.
    pub(super) fn cell_type(&self, rows: &TypeRows) -> Result<CellType, Objection> {
        let parts = rows.rows.chunk_by(|a, b| a.key.part == b.key.part);
        let parts: Result<_, _> = parts.map(|part| self.part(rows, part)).collect();
        Ok(CellType {
            name: rows.name.clone(),
            parts: parts?,
        })
    }

    fn part(&self, rows: &TypeRows, of_part: &[Row]) -> Result<Part, Objection> {
        let part = of_part.first().map_or(0, |row| row.key.part);
        let (region, side) = region_and_side(part);
        let n_layers = if self.layered {
            self.regions.layers(region)
        } else {
            0
        };
        let mut metrics = vec![MetricValues::default(); self.layout.metrics.len()];
        let mut columns = Vec::new();
        let mut tally = Tally::default();
        for of_column in of_part.chunk_by(|a, b| a.key.column() == b.key.column()) {
            let Some(column) = of_column.first().map(|row| row.key.column()) else {
                continue;
            };
            tally.reset(metrics.len(), n_layers);
            if self.layout.shape == TableShape::Canonical {
                self.add_rows(&mut tally, rows, of_column, n_layers);
            } else {
                self.add_bodies(&mut tally, rows, of_column, n_layers);
            }
            self.take(&mut tally, column, &mut metrics)
                .map_err(|metric| self.too_large(rows, metric, column))?;
            columns.push(column);
        }
        let seen = metrics
            .into_iter()
            .zip(self.seen)
            .filter(|(_, seen)| **seen);
        Ok(Part {
            region,
            side,
            columns,
            n_layers,
            metrics: seen.map(|(values, _)| values).collect(),
        })
    }

    fn add_rows(&self, tally: &mut Tally, rows: &TypeRows, of_column: &[Row], n_layers: usize) {
        let tall = matches!(self.layout.values, Values::Tall { .. });
        for row in of_column {
            let first = if tall { usize::from(row.key.metric) } else { 0 };
            for (offset, &value) in rows.values(row, self.values_per_row).iter().enumerate() {
                let metric = first + offset;
                if row.key.layer == 0 {
                    tally.given[metric] = Some(value);
                } else if let Some(layer) = tally.layer(metric, n_layers, row.key.layer) {
                    *layer = value;
                    tally.has_layers[metric] = true;
                }
            }
        }
    }

    fn add_bodies(&self, tally: &mut Tally, rows: &TypeRows, of_column: &[Row], n_layers: usize) {
        for (metric, config) in self.layout.metrics.iter().enumerate() {
            let is_cells = config.name == "cells";
            let mut whole = 0.0;
            for row in of_column {
                let synapses = rows.values(row, self.values_per_row).first();
                let value = if is_cells {
                    1.0
                } else {
                    synapses.copied().unwrap_or(0.0)
                };
                whole += value;
                if let Some(layer) = tally.layer(metric, n_layers, row.key.layer) {
                    *layer += value;
                }
            }
            if is_cells {
                whole = distinct(&mut tally.bodies, of_column);
            }
            tally.given[metric] = Some(whole);
        }
    }

    /// Moves the tally of a column to the metrics; gives the metric whose sum is too large.
    fn take(
        &self,
        tally: &mut Tally,
        column: Column,
        metrics: &mut [MetricValues],
    ) -> Result<(), usize> {
        let n_layers = tally.layers.len() / metrics.len().max(1);
        for (index, (values, config)) in metrics.iter_mut().zip(&self.layout.metrics).enumerate() {
            let layers = &mut tally.layers[index * n_layers..(index + 1) * n_layers];
            let whole = match tally.given[index] {
                Some(given) => given,
                None if !tally.has_layers[index] => {
                    // A tall table that has other metrics here says nothing of this one.
                    layers.fill(f64::NAN);
                    f64::NAN
                }
                None if config.sums_layers => layers.iter().sum(),
                None => {
                    values.underivable.get_or_insert(column);
                    f64::NAN
                }
            };
            let largest = layers.iter().copied().fold(whole, f64::max);
            if config.kind == MetricKind::Count && largest > EXACT as f64 || largest.is_infinite() {
                return Err(index);
            }
            values.whole.push(whole);
            values.layers.extend_from_slice(layers);
        }
        Ok(())
    }

    fn too_large(&self, rows: &TypeRows, metric: usize, column: Column) -> Objection {
        let name = self
            .layout
            .metrics
            .get(metric)
            .map_or("", |metric| &metric.name);
        Objection::new(format!(
            "the {} of {} in column {}, {} add up to more than 2^53",
            clean(name),
            super::error::quote(&rows.name),
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
