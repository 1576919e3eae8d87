//! Hexagons re-cut into chunks of one size, so that bytes never depend on how they came.
//!
//! At most [`CHUNK`] hexagons are held. A batch that is already a whole chunk passes uncopied.

use std::io;

use eyemap_abi::job::ColumnStatus;

use crate::{
    model::AttributeValues,
    scene::{HexagonBatch, Rgba, SceneHead, TooltipOverride},
};

/// Hexagons in a chunk; the last one may have fewer.
pub(crate) const CHUNK: usize = 4096;

/// Collects hexagons until a chunk is full.
#[derive(Default)]
pub(crate) struct Chunker {
    hex1: Vec<i32>,
    hex2: Vec<i32>,
    x: Vec<f64>,
    y: Vec<f64>,
    status: Vec<ColumnStatus>,
    value: Vec<f64>,
    fill: Vec<Rgba>,
    layer_value: Vec<f64>,
    layer_status: Vec<ColumnStatus>,
    layer_fill: Vec<Rgba>,
    layer_absent: Vec<bool>,
    overrides: Vec<TooltipOverride>,
    attributes: Vec<AttributeValues>,
    seen: u64,
}

impl Chunker {
    /// Takes a batch and gives each chunk that it fills to `take`.
    ///
    /// # Errors
    /// When there are more hexagons than the head promised, when slices have wrong lengths, or when
    /// `take` fails.
    pub(crate) fn push(
        &mut self,
        head: &SceneHead,
        batch: &HexagonBatch<'_>,
        mut take: impl FnMut(&HexagonBatch<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        check(head, batch)?;
        let left = head.n_hexagons - self.seen;
        if batch.len() as u64 > left {
            return Err(invalid("more hexagons than the scene's head promises"));
        }
        let held = self.hex1.len();
        let whole = left.min(CHUNK as u64) as usize;
        self.seen += batch.len() as u64;
        if held == 0 && batch.len() == whole && !batch.is_empty() {
            return take(batch);
        }
        let mut from = 0;
        while from < batch.len() {
            let to = batch.len().min(from + CHUNK - self.hex1.len());
            self.copy(head, batch, from, to);
            from = to;
            let done = self.seen == head.n_hexagons && from == batch.len();
            if self.hex1.len() == CHUNK || done {
                take(&self.view())?;
                self.clear();
            }
        }
        Ok(())
    }

    /// # Errors
    /// When fewer hexagons came than the head promised.
    pub(crate) fn finish(&self, head: &SceneHead) -> io::Result<()> {
        if self.seen == head.n_hexagons {
            return Ok(());
        }
        Err(invalid("fewer hexagons than the scene's head promises"))
    }

    fn copy(&mut self, head: &SceneHead, batch: &HexagonBatch<'_>, from: usize, to: usize) {
        let base = self.hex1.len();
        let n = head.n_layers;
        self.hex1.extend_from_slice(&batch.hex1[from..to]);
        self.hex2.extend_from_slice(&batch.hex2[from..to]);
        self.x.extend_from_slice(&batch.x[from..to]);
        self.y.extend_from_slice(&batch.y[from..to]);
        self.status.extend_from_slice(&batch.status[from..to]);
        self.value.extend_from_slice(&batch.value[from..to]);
        self.fill.extend_from_slice(&batch.fill[from..to]);
        let layers = from * n..to * n;
        self.layer_value
            .extend_from_slice(&batch.layer_value[layers.clone()]);
        self.layer_status
            .extend_from_slice(&batch.layer_status[layers.clone()]);
        self.layer_fill
            .extend_from_slice(&batch.layer_fill[layers.clone()]);
        self.layer_absent
            .extend_from_slice(&batch.layer_absent[layers]);
        let inside = batch
            .overrides
            .iter()
            .filter(|o| (from..to).contains(&o.index));
        self.overrides.extend(inside.map(|o| TooltipOverride {
            index: o.index - from + base,
            ..o.clone()
        }));
        self.copy_attributes(batch.attributes, from, to);
    }

    fn copy_attributes(&mut self, columns: &[AttributeValues], from: usize, to: usize) {
        if self.attributes.is_empty() {
            self.attributes
                .extend(columns.iter().map(|column| match column {
                    AttributeValues::I64(_) => AttributeValues::I64(Vec::new()),
                    AttributeValues::F64(_) => AttributeValues::F64(Vec::new()),
                    AttributeValues::Text(_) => AttributeValues::Text(Vec::new()),
                }));
        }
        for (held, column) in self.attributes.iter_mut().zip(columns) {
            match (held, column) {
                (AttributeValues::I64(a), AttributeValues::I64(b)) => {
                    a.extend_from_slice(&b[from..to])
                }
                (AttributeValues::F64(a), AttributeValues::F64(b)) => {
                    a.extend_from_slice(&b[from..to])
                }
                (AttributeValues::Text(a), AttributeValues::Text(b)) => {
                    a.extend_from_slice(&b[from..to])
                }
                _ => {}
            }
        }
    }

    fn clear(&mut self) {
        let seen = self.seen;
        *self = Self::default();
        self.seen = seen;
    }

    fn view(&self) -> HexagonBatch<'_> {
        HexagonBatch {
            hex1: &self.hex1,
            hex2: &self.hex2,
            x: &self.x,
            y: &self.y,
            status: &self.status,
            value: &self.value,
            fill: &self.fill,
            layer_value: &self.layer_value,
            layer_status: &self.layer_status,
            layer_fill: &self.layer_fill,
            layer_absent: &self.layer_absent,
            overrides: &self.overrides,
            attributes: &self.attributes,
        }
    }
}

fn check(head: &SceneHead, batch: &HexagonBatch<'_>) -> io::Result<()> {
    let n = batch.len();
    let single = [
        batch.hex2.len(),
        batch.x.len(),
        batch.y.len(),
        batch.status.len(),
        batch.value.len(),
        batch.fill.len(),
    ];
    let layers = [
        batch.layer_value.len(),
        batch.layer_status.len(),
        batch.layer_fill.len(),
        batch.layer_absent.len(),
    ];
    if single.iter().any(|&len| len != n) || layers.iter().any(|&len| len != n * head.n_layers) {
        return Err(invalid("slices of a hexagon batch differ in length"));
    }
    let attribute = |column: &AttributeValues| match column {
        AttributeValues::I64(v) => v.len(),
        AttributeValues::F64(v) => v.len(),
        AttributeValues::Text(v) => v.len(),
    };
    if batch.attributes.iter().any(|column| attribute(column) != n) {
        return Err(invalid("slices of a hexagon batch differ in length"));
    }
    Ok(())
}

pub(crate) fn invalid(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why.into())
}
