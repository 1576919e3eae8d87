//! What goes to a metadata stage, and what it says.

use serde::{Deserialize, Serialize};

use super::{ColumnStatus, Form, Side, Statistics};

/// What a metadata stage prepares for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct MetadataJob {
    /// [`FORM`](super::FORM).
    pub version: Form,
    /// Name of the cell type.
    pub cell_type: String,
    /// Name of the region.
    pub region: String,
    /// Side of the brain.
    pub side: Side,
    /// Name of the metric.
    pub metric: String,
    /// Labels of the region's layers, `5A`; empty for a map without layers.
    pub layer_labels: Vec<String>,
    /// Names of the column attributes that templates may use.
    pub attributes: Vec<String>,
    /// Whether the map has no value at all.
    pub blank: bool,
    /// Number of columns with a value.
    pub columns_with_data: u64,
    /// Number of columns that exist in the region.
    pub columns_in_region: u64,
    /// Number of columns whose value is 0; they count as columns with a value.
    pub zeros: u64,
    /// Number of columns whose value is null.
    pub unknown: u64,
    /// Statistics of the map's whole columns, of this cell type, region and side alone: all but
    /// quantiles.
    pub statistics: Statistics,
}

/// A short mark beside a line of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Badge {
    /// The mark, `R`.
    pub text: String,
    /// Fill `#rrggbb`; none draws the mark as text in parentheses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<String>,
}

/// One line that says what the map shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectLine {
    /// The line.
    pub text: String,
    /// A mark at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub badge: Option<Badge>,
}

/// Tooltip templates, one for each status. Lines are separated by `\n`.
///
/// Placeholders: `{hex1} {hex2} {value} {layer} {region} {side} {cell_type} {metric}` and the names
/// of attributes. `{side}` is `left` or `right`; `{layer}` is the label from `layer_labels`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Templates {
    /// For columns with a value.
    pub has_data: String,
    /// For columns without a row.
    pub no_data: String,
    /// For columns of other regions.
    pub not_in_region: String,
    /// For columns whose value is null.
    pub unknown: String,
}

impl Templates {
    /// The template for a status.
    pub fn of(&self, status: ColumnStatus) -> &str {
        match status {
            ColumnStatus::HasData => &self.has_data,
            ColumnStatus::NoData => &self.no_data,
            ColumnStatus::NotInRegion => &self.not_in_region,
            ColumnStatus::Unknown => &self.unknown,
        }
    }
}

/// What a metadata stage says of a prepared map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct MetadataDescription {
    /// [`FORM`](super::FORM).
    pub version: Form,
    /// Title of the map.
    pub title: String,
    /// Title while a layer is shown; `{layer}` stands for its label. Empty keeps `title`.
    pub layer_title: String,
    /// Where it is, beside the title, with marks such as the side.
    pub subject: Vec<SubjectLine>,
    /// A line below the title: what is shown, in numbers. Empty leaves it out.
    pub subtitle: String,
    /// The line below the title while a layer is shown; `{layer}` stands for its label,
    /// `{columns_in_layer}` for the number of columns with a value in it. Empty keeps `subtitle`.
    pub layer_subtitle: String,
    /// Title of the legend.
    pub legend_title: String,
    /// Name of each layer as people read it, `LO5A`; as many as the job has.
    pub layer_labels: Vec<String>,
    /// What the picture shows, in a sentence, for those who cannot see it.
    pub description: String,
    /// Tooltips of whole columns.
    pub whole: Templates,
    /// Tooltips of single layers.
    pub layer: Templates,
}
