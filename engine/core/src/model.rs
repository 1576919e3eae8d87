//! The words of the domain: columns, regions, metrics, and the values of a cell type.
//!
//! Nothing here reads a file or knows a pixel. Values are `f64` and finite; **NaN stands for a null
//! (unknown)** inside [`MetricValues`] and nowhere else.

use std::sync::Arc;

use eyemap_abi::job::{Extent, Side};

/// A column of the eye, by its hexagonal coordinates. Ordered by `hex1`, then `hex2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Column {
    /// First hexagonal coordinate.
    pub hex1: i32,
    /// Second hexagonal coordinate.
    pub hex2: i32,
}

/// A region of the optic lobe, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Its name, `ME`.
    pub name: String,
    /// Labels of its layers; layer n (1-based) has label `layer_labels[n - 1]`.
    pub layer_labels: Vec<String>,
}

/// How the values of a metric behave.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// Whole numbers from zero up, at most 2^53.
    Count,
    /// Any number from `-`[`LARGEST`] to [`LARGEST`]. Fractions are the nearest float, whole numbers exact.
    Number,
}

/// The largest measurement. Means and deviations of a data set add up squares, and those of any table stay
/// finite below it.
pub const LARGEST: f64 = 1e100;

/// Something that is counted or measured in columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// Its name, `synapses`.
    pub name: String,
    /// What values it can have.
    pub kind: MetricKind,
    /// Whether the value of a whole column is the sum of its layers when the table does not give it.
    pub sums_layers: bool,
}

/// The value of a layer without a row: minus zero, which counts as 0 and is nothing to a sum.
pub const NO_ROW: f64 = -0.0;

/// Whether a layer has no row; see [`NO_ROW`]. No table can give minus zero: it is read as 0.
pub fn is_absent(value: f64) -> bool {
    value == 0.0 && value.is_sign_negative()
}

/// What a table says of a metric.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSummary {
    /// Its name.
    pub name: String,
    /// Rows that have a value of it, unknown ones among them.
    pub rows: u64,
    /// Rows whose value is 0.
    pub zeros: u64,
    /// Rows whose value is unknown.
    pub unknown: u64,
    /// Smallest and largest value of whole columns, as maps show them; none if all are unknown.
    pub whole: Option<[f64; 2]>,
    /// Smallest and largest value of layers, zeros left out; none if there is none.
    pub layer: Option<[f64; 2]>,
}

/// Values of one metric for the columns of a [`Part`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MetricValues {
    /// One value a column of the part; NaN is a null. Empty if the table has no such metric.
    pub whole: Vec<f64>,
    /// `layers[column * n_layers + layer - 1]`; a layer without a row is minus zero (see
    /// [`is_absent`]), NaN is a null. Empty if the part has no layers.
    pub layers: Vec<f64>,
    /// The first column whose whole value is not given and cannot be derived from its layers. The
    /// metric's maps of this cell type are then refused.
    pub underivable: Option<Column>,
}

/// What a cell type does in one region on one side.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Index into [`crate::dataset::Dataset::regions`].
    pub region: usize,
    /// Side of the brain.
    pub side: Side,
    /// The columns that have a row, rising.
    pub columns: Vec<Column>,
    /// Layers in [`MetricValues::layers`]; 0 if the table has none.
    pub n_layers: usize,
    /// One entry a metric, in the order of [`crate::dataset::Dataset::metrics`].
    pub metrics: Vec<MetricValues>,
}

/// All rows of one cell type.
#[derive(Debug, Clone, PartialEq)]
pub struct CellType {
    /// Its name, as in the table.
    pub name: Arc<str>,
    /// Its parts, rising by region index, then side. A part without columns is left out.
    pub parts: Vec<Part>,
}

impl CellType {
    /// The part of a region and side, if the type has rows there.
    pub fn part(&self, region: usize, side: Side) -> Option<&Part> {
        self.parts
            .iter()
            .find(|part| part.region == region && part.side == side)
    }
}

/// Which of three forms a table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableShape {
    /// One row a cell type, column and layer, with the metrics as columns.
    Canonical,
    /// One row a body, column and layer, with its synapses.
    BodySynapses,
    /// One row a cell.
    Cells,
}

/// Values of an attribute for the columns of a [`SideAtlas`], where present.
#[derive(Debug, Clone, PartialEq)]
pub enum AttributeValues {
    /// Whole numbers.
    I64(Vec<Option<i64>>),
    /// Numbers.
    F64(Vec<Option<f64>>),
    /// Text.
    Text(Vec<Option<Arc<str>>>),
}

/// The columns of one side and the regions that they exist in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SideAtlas {
    /// Every column that exists in any region of the side, rising.
    pub columns: Vec<Column>,
    /// For each column a bit set of region indices: bit r is set if it exists in region r.
    pub regions: Vec<u64>,
    /// `attributes[region][attribute]`, each with one value a column; empty without attributes.
    pub attributes: Vec<Vec<AttributeValues>>,
    /// Number of columns that exist in each region.
    pub counts: Vec<u64>,
    /// Smallest and largest coordinates of the columns.
    pub extent: Option<Extent>,
    /// Whether there are too many columns to be held: the lists above are then empty, and
    /// [`crate::dataset::Dataset::columns`] has the columns.
    pub wide: bool,
}

impl SideAtlas {
    /// Whether any column exists in the region.
    pub fn has_region(&self, region: usize) -> bool {
        self.counts.get(region).is_some_and(|&count| count > 0)
    }
}

/// Which columns exist.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Atlas {
    /// The left side.
    pub left: SideAtlas,
    /// The right side.
    pub right: SideAtlas,
    /// Names of the attributes, in the order of the atlas file.
    pub attribute_names: Vec<String>,
    /// True if it was derived from the table for want of an atlas file.
    pub derived: bool,
}

impl Atlas {
    /// The atlas of a side.
    pub const fn side(&self, side: Side) -> &SideAtlas {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }
}

/// What a cell type has in one region on one side, without the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartSummary {
    /// Index into [`crate::dataset::Dataset::regions`].
    pub region: usize,
    /// Side of the brain.
    pub side: Side,
    /// Number of columns that have a row.
    pub columns: u64,
    /// Layers; 0 if the table has none.
    pub n_layers: usize,
}

/// What a cell type has, without the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeSummary {
    /// Its name, as in the table.
    pub name: Arc<str>,
    /// Its parts, rising by region index, then side.
    pub parts: Vec<PartSummary>,
    /// For each metric the first column whose whole value is not given and cannot be derived. The
    /// metric's maps of this cell type are then refused.
    pub underivable: Vec<Option<Column>>,
    /// For each metric whether every part has such a column.
    pub never_derivable: Vec<bool>,
}

impl TypeSummary {
    /// The part of a region and side, if the type has rows there.
    pub fn part(&self, region: usize, side: Side) -> Option<&PartSummary> {
        self.parts
            .iter()
            .find(|part| part.region == region && part.side == side)
    }
}

/// Names one map.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MapId {
    /// Cell type.
    pub cell_type: Arc<str>,
    /// Region.
    pub region: Arc<str>,
    /// Side of the brain.
    pub side: Side,
    /// Metric.
    pub metric: Arc<str>,
}

impl std::fmt::Display for MapId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let side = self.side.letter();
        write!(
            f,
            "{} {} {side} {}",
            self.cell_type, self.region, self.metric
        )
    }
}
