//! What is drawn, in no format: a head, batches of hexagons, an end.
//!
//! A writer gets the [`SceneHead`] first, then hexagons in rising order of `hex1`, `hex2`, cut into
//! any number of batches, then the end. The bytes a writer gives never depend on the cuts. Nothing
//! here knows a plugin, a table or a file.

use eyemap_abi::job::{Cell, ColumnStatus, Guide, LegendKind, Side, SubjectLine, Templates};

pub use eyemap_abi::job::Rgba;

use crate::model::{AttributeValues, MapId};

/// A legend, checked: colours parsed, lengths consistent, ticks finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Legend {
    /// How it is drawn.
    pub kind: LegendKind,
    /// Exact values along the legend.
    pub ticks: Vec<f64>,
    /// Text for each tick or swatch; empty lets the writer round the ticks half to even.
    pub labels: Vec<String>,
    /// Colours from low to high: one fewer than ticks for bins.
    pub colors: Vec<Rgba>,
    /// Its title.
    pub title: String,
}

/// A rectangle on the canvas, in px.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// How much of the canvas hexagons cover, on a fixed grid of 64 x 64 cells.
///
/// Writers use it to put texts where no hexagon lies; its size does not grow with the map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupancy(pub [u64; 64]);

impl Occupancy {
    /// An empty canvas.
    pub const EMPTY: Self = Self([0; 64]);

    /// Marks a hexagon with centre `x, y` and circumradius `r` on a canvas of `width` x `height` px.
    pub fn mark(&mut self, x: f64, y: f64, r: f64, width: f64, height: f64) {
        let cell = |v: f64, size: f64| ((v / size * 64.0) as i64).clamp(0, 63) as usize;
        let bits = (cell(x - r, width)..=cell(x + r, width)).fold(0, |bits, i| bits | 1 << i);
        for row in &mut self.0[cell(y - r, height)..=cell(y + r, height)] {
            *row |= bits;
        }
    }

    /// Number of occupied cells that a rectangle touches.
    pub fn covered(&self, rect: Rect, width: f64, height: f64) -> u32 {
        let cell = |v: f64, size: f64| ((v / size * 64.0) as i64).clamp(0, 63) as usize;
        let bits = (cell(rect.x, width)..=cell(rect.x + rect.width, width))
            .fold(0, |bits, i| bits | 1u64 << i);
        self.0[cell(rect.y, height)..=cell(rect.y + rect.height, height)]
            .iter()
            .map(|row| (row & bits).count_ones())
            .sum()
    }
}

/// Everything about a map that does not grow with its hexagons.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneHead {
    /// Which map it is.
    pub map: MapId,
    /// Canvas width in px.
    pub width_px: f64,
    /// Canvas height in px.
    pub height_px: f64,
    /// How a column is drawn.
    pub cell: Cell,
    /// Number of hexagons in all batches.
    pub n_hexagons: u64,
    /// Number of layers in each batch; 0 if the map has none.
    pub n_layers: usize,
    /// Whether no hexagon has data.
    pub blank: bool,
    /// Title of the map.
    pub title: String,
    /// Title while a layer is shown, with `{layer}` for its label; empty keeps `title`.
    pub layer_title: String,
    /// Lines below the title.
    pub subject: Vec<SubjectLine>,
    /// What the picture shows, in a sentence.
    pub description: String,
    /// Name of each layer of the region, `LO5A`. May be longer than `n_layers`, which is then 0.
    pub layer_labels: Vec<String>,
    /// Tooltips of whole columns.
    pub whole_templates: Templates,
    /// Tooltips of single layers.
    pub layer_templates: Templates,
    /// Legend of whole columns; none for a blank map.
    pub legend: Option<Legend>,
    /// Legends in layer view: none, one for all layers, or one each.
    pub layer_legends: Vec<Legend>,
    /// Lines and labels besides the hexagons, in canvas px.
    pub guides: Vec<Guide>,
    /// Names of the column attributes in each batch.
    pub attributes: Vec<String>,
    /// Where hexagons lie, roughly.
    pub occupancy: Occupancy,
}

impl SceneHead {
    /// Side of the brain.
    pub const fn side(&self) -> Side {
        self.map.side
    }
}

/// A tooltip that replaces the template's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooltipOverride {
    /// Index in the batch.
    pub index: usize,
    /// 0 for the whole column, else the 1-based layer.
    pub layer: usize,
    /// The text; lines are separated by `\n`.
    pub text: String,
}

/// Hexagons, column by column. All slices have one length, `len`, but for layers with
/// `len * n_layers` elements, hexagon by hexagon.
#[derive(Debug, Clone, Copy)]
pub struct HexagonBatch<'a> {
    /// First hexagonal coordinate.
    pub hex1: &'a [i32],
    /// Second hexagonal coordinate.
    pub hex2: &'a [i32],
    /// Centre in px on the canvas, from the left.
    pub x: &'a [f64],
    /// Centre in px on the canvas, from the top.
    pub y: &'a [f64],
    /// What is known of the column.
    pub status: &'a [ColumnStatus],
    /// Value of the whole column; 0 where the status is not `HasData`.
    pub value: &'a [f64],
    /// Colour of the whole column.
    pub fill: &'a [Rgba],
    /// Values of layers; 0 where `layer_status` is not `HasData`.
    pub layer_value: &'a [f64],
    /// `HasData`, or `Unknown` for a null. For hexagons without data it repeats their status.
    pub layer_status: &'a [ColumnStatus],
    /// Colours of layers.
    pub layer_fill: &'a [Rgba],
    /// Tooltips that replace the template's, rising by index, then layer.
    pub overrides: &'a [TooltipOverride],
    /// Attribute values of the batch's columns, one entry an attribute.
    pub attributes: &'a [AttributeValues],
}

impl HexagonBatch<'_> {
    /// Number of hexagons.
    pub const fn len(&self) -> usize {
        self.hex1.len()
    }

    /// True without hexagons.
    pub const fn is_empty(&self) -> bool {
        self.hex1.is_empty()
    }
}

/// Takes a scene, in order: hexagons in batches, then the end. Built from the head.
pub trait SceneWriter {
    /// Takes the next hexagons.
    ///
    /// # Errors
    /// When the sink fails.
    fn hexagons(&mut self, batch: &HexagonBatch<'_>) -> std::io::Result<()>;

    /// Completes the artifact.
    ///
    /// # Errors
    /// When the sink fails, or when fewer hexagons came than the head promised.
    fn finish(&mut self) -> std::io::Result<()>;
}
