//! Legends, as colour stages describe them.

use serde::{Deserialize, Serialize};

/// How a legend is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum LegendKind {
    /// n colours between n + 1 ticks.
    #[default]
    Bins,
    /// A gradient through evenly spaced colours; ticks are evenly spaced along it unless `positions`
    /// says where they lie.
    Ramp,
    /// Separate colours with a label each.
    Swatches,
}

/// A legend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct LegendDescription {
    /// How it is drawn.
    pub kind: LegendKind,
    /// Values along the legend: the exact edges of bins, the values of swatches. Never rounded.
    pub ticks: Vec<f64>,
    /// Texts for the ticks or swatches; empty lets the host write the numbers.
    pub labels: Vec<String>,
    /// Colours `#rrggbb`, from low to high.
    pub colors: Vec<String>,
    /// Its title; empty leaves it to the metadata stage.
    pub title: String,
    /// Where each tick lies along the legend, from 0 (the low end) to 1 (the high end), never
    /// falling; empty spaces them evenly.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub positions: Vec<f64>,
    /// Whether values below the first tick occur, or may, and have the colour of that end.
    pub open_below: bool,
    /// Whether values above the last tick occur, or may, and have the colour of that end.
    pub open_above: bool,
    /// Separate values, rising, each in the colour that it has: a picture shows them in place of the
    /// bar. `ticks` and `colors` stay, for those who compute with the scale.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub swatches: Vec<LegendEntry>,
    /// Further colours that the map may have, each explained, below the bar.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<LegendEntry>,
}

/// One colour of a legend, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct LegendEntry {
    /// What has this colour.
    pub label: String,
    /// The colour, `#rrggbb`.
    pub color: String,
}
