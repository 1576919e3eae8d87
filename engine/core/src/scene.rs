//! What is drawn, in no format: a head, batches of hexagons, an end.
//!
//! A writer gets the [`SceneHead`] first, then hexagons in rising order of `hex1`, `hex2`, cut into
//! any number of batches, then the end. The bytes a writer gives never depend on the cuts. Nothing
//! here knows a plugin, a table or a file.

use eyemap_abi::job::{
    Cell, ColumnStatus, Compass, Guide, LegendKind, Side, SubjectLine, Templates,
};

pub use eyemap_abi::job::Rgba;

use crate::model::{AttributeValues, MapId};

/// A legend, checked: colours parsed, lengths consistent, ticks finite.
#[derive(Debug, Clone, PartialEq, Default)]
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
    /// Where each tick lies, from 0 (the low end) to 1; empty for ticks at even distances.
    pub positions: Vec<f64>,
    /// Values below the first tick may occur, in the first colour.
    pub open_below: bool,
    /// Values above the last tick may occur, in the last colour.
    pub open_above: bool,
    /// Zero has a colour of its own, so that it never counts as a value below the scale.
    pub zero_apart: bool,
    /// Separate values that a picture shows in place of the bar, rising.
    pub swatches: Vec<LegendEntry>,
    /// Further colours, explained below the bar.
    pub entries: Vec<LegendEntry>,
}

/// One colour of a legend, explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegendEntry {
    /// What has this colour.
    pub label: String,
    /// The colour.
    pub color: Rgba,
}

/// An end of a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The low one.
    Below,
    /// The high one.
    Above,
}

impl Legend {
    /// The legends of layers, one for all or one each; none without any. Each stays at its layer: a layer
    /// without a legend has an empty one.
    pub fn of_layers(legends: Vec<Option<Self>>) -> Vec<Self> {
        match legends.iter().any(Option::is_some) {
            true => legends.into_iter().map(Option::unwrap_or_default).collect(),
            false => Vec::new(),
        }
    }

    /// Whether it explains nothing.
    pub fn is_empty(&self) -> bool {
        self.ticks.is_empty()
            && self.colors.is_empty()
            && self.swatches.is_empty()
            && self.entries.is_empty()
    }

    /// The legend of a layer, from 1, where there is one for all layers or one each.
    pub fn of_layer(legends: &[Self], layer: usize) -> Option<&Self> {
        match legends {
            [all] => Some(all),
            each => each.get(layer.checked_sub(1)?),
        }
    }

    /// Beyond which open end of the scale a value lies: it has the colour of that end, as values on
    /// the scale have.
    pub fn beyond(&self, value: f64) -> Option<End> {
        let [low, high] = [self.ticks.first()?, self.ticks.last()?];
        if self.open_above && value > *high {
            return Some(End::Above);
        }
        let below = self.open_below && value < *low && !(self.zero_apart && value == 0.0);
        below.then_some(End::Below)
    }
}

/// How many columns of a map, or of one of its layers, are what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// With a value, zeros among them.
    pub has_data: u64,
    /// With the value 0.
    pub zero: u64,
    /// Without a row.
    pub no_data: u64,
    /// Of other regions.
    pub not_in_region: u64,
    /// With a row whose value is null.
    pub unknown: u64,
    /// With a value below the scale, in the colour of its low end.
    pub below: u64,
    /// With a value above the scale, in the colour of its high end.
    pub above: u64,
}

impl Counts {
    /// Takes columns, coloured by a scale with this legend.
    pub fn add(
        &mut self,
        columns: impl IntoIterator<Item = (ColumnStatus, f64)>,
        legend: Option<&Legend>,
    ) {
        for (status, value) in columns {
            match status {
                ColumnStatus::HasData => self.add_value(value, legend),
                ColumnStatus::NoData => self.no_data += 1,
                ColumnStatus::NotInRegion => self.not_in_region += 1,
                ColumnStatus::Unknown => self.unknown += 1,
            }
        }
    }

    fn add_value(&mut self, value: f64, legend: Option<&Legend>) {
        self.has_data += 1;
        self.zero += u64::from(value == 0.0);
        match legend.and_then(|legend| legend.beyond(value)) {
            Some(End::Below) => self.below += 1,
            Some(End::Above) => self.above += 1,
            None => {}
        }
    }
}

/// A rectangle on the canvas, in px.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
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

impl Rect {
    /// The smallest rectangle around both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        let [x, y] = [self.x.min(other.x), self.y.min(other.y)];
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Self {
            x,
            y,
            width: right - x,
            height: bottom - y,
        }
    }
}

/// Everything about a map that does not grow with its hexagons.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneHead {
    /// Which map it is.
    pub map: MapId,
    /// Least width of the picture, in px.
    pub width_px: f64,
    /// Least height of the picture, in px.
    pub height_px: f64,
    /// What hexagons and guides fill, in px. Writers put everything else beside it.
    pub bounds: Rect,
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
    /// Where it is, beside the title.
    pub subject: Vec<SubjectLine>,
    /// A line below the title; may be empty.
    pub subtitle: String,
    /// That line while a layer is shown, with `{layer}` for its label and `{columns_in_layer}` for the
    /// number of columns with a value in it; empty keeps `subtitle`.
    pub layer_subtitle: String,
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
    /// How many whole columns are what.
    pub counts: Counts,
    /// How many columns of each layer are what; one entry a layer.
    pub layer_counts: Vec<Counts>,
    /// Lines and labels besides the hexagons, in canvas px.
    pub guides: Vec<Guide>,
    /// Names of the column attributes in each batch.
    pub attributes: Vec<String>,
    /// Where the body's axes point, if the picture is to say so.
    pub compass: Option<Compass>,
}

impl SceneHead {
    /// Side of the brain.
    pub const fn side(&self) -> Side {
        self.map.side
    }

    /// The legend of the whole columns (0) or of a layer, from 1.
    pub fn legend_of(&self, layer: usize) -> Option<&Legend> {
        match layer {
            0 => self.legend.as_ref(),
            layer => Legend::of_layer(&self.layer_legends, layer),
        }
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
    /// Whether the table has no row of the layer where the column has data. Its value is then 0, as if
    /// the row had said so, and only the mark on the hexagon tells the two apart.
    pub layer_absent: &'a [bool],
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
