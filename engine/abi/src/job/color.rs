//! What goes to a colour stage, and what it says.

use serde::{Deserialize, Serialize};

use super::{Form, LegendDescription, Side};

/// A colour, `0xRRGGBBAA`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Rgba(pub u32);

impl Rgba {
    /// Opaque white.
    pub const WHITE: Self = Self(0xffff_ffff);

    /// An opaque colour.
    pub const fn opaque(red: u8, green: u8, blue: u8) -> Self {
        Self(u32::from_be_bytes([red, green, blue, 0xff]))
    }

    /// Red, green, blue, alpha.
    pub const fn channels(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }

    /// The colour without its alpha, `0xRRGGBB`.
    pub const fn rgb(self) -> u32 {
        self.0 >> 8
    }

    /// Reads `#rrggbb` or `#rrggbbaa`.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.strip_prefix('#')?;
        if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(hex, 16).ok()?;
        match hex.len() {
            6 => Some(Self(number << 8 | 0xff)),
            8 => Some(Self(number)),
            _ => None,
        }
    }
}

impl std::fmt::Display for Rgba {
    /// `#rrggbb`, or `#rrggbbaa` where it is not opaque.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 & 0xff {
            0xff => write!(f, "#{:06x}", self.rgb()),
            _ => write!(f, "#{:08x}", self.0),
        }
    }
}

/// Over what the statistics of a colour scale are taken. Filters and shards never narrow it.
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default,
)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// This cell type, region and side.
    Map,
    /// This cell type and region, both sides.
    Region,
    /// This cell type, all regions and both sides.
    #[default]
    CellType,
    /// All cell types of the table.
    Dataset,
}

/// A statistic of the values in a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Number of values.
    Count,
    /// Smallest value.
    Min,
    /// Largest value.
    Max,
    /// Smallest value above zero.
    MinNonzero,
    /// Arithmetic mean.
    Mean,
    /// Population standard deviation.
    Deviation,
}

/// What one kind of subject needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct SubjectNeeds {
    /// Over what.
    pub scope: Scope,
    /// Which statistics; others may be missing from the job.
    pub statistics: Vec<Statistic>,
    /// Quantiles in [0, 1], linear between the closest ranks (type 7 of Hyndman and Fan 1996).
    pub quantiles: Vec<f64>,
    /// Whether the job should list the distinct values (at most [`MAX_CATEGORIES`]).
    pub categories: bool,
    /// Layers only: one job for each layer in place of one for all of them.
    pub per_layer: bool,
    /// The job should list the distinct values if there are at most this many; more are no error, as
    /// they are with `categories`. Never more than [`MAX_CATEGORIES`]; 0 asks for nothing.
    pub few_values: u32,
}

/// More distinct values than this are an error, not categories.
pub const MAX_CATEGORIES: usize = 256;

/// What a colour stage needs before it can prepare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct ColorNeeds {
    /// [`FORM`](super::FORM).
    pub version: Form,
    /// For values of whole columns.
    pub whole: SubjectNeeds,
    /// For values of layers.
    pub layer: SubjectNeeds,
}

/// What is being coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Whole columns.
    #[default]
    Whole,
    /// Any layer: one job serves all of them.
    AnyLayer,
    /// One layer, by its 1-based number.
    Layer(u32),
}

impl Subject {
    /// True for whole columns.
    pub const fn is_whole(self) -> bool {
        matches!(self, Self::Whole)
    }
}

/// Statistics of a scope. What was not asked for may be missing; all are missing without values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Statistics {
    /// Number of values.
    pub count: u64,
    /// Smallest value.
    pub min: Option<f64>,
    /// Largest value.
    pub max: Option<f64>,
    /// Smallest value above zero.
    pub min_nonzero: Option<f64>,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Population standard deviation.
    pub deviation: Option<f64>,
    /// Sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sum: Option<f64>,
    /// Whether every value is a whole number; false without values.
    pub whole_numbers: bool,
    /// Quantiles, in the order in which they were asked for.
    pub quantiles: Vec<f64>,
}

/// What a colour stage prepares for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct ColorJob {
    /// [`FORM`](super::FORM).
    pub version: Form,
    /// Name of the metric, `synapses`.
    pub metric: String,
    /// What is coloured.
    pub subject: Subject,
    /// Over what the statistics were taken.
    pub scope: Scope,
    /// Statistics of the scope.
    pub statistics: Statistics,
    /// Distinct values of the scope, rising, if they were asked for: as `categories`, or as
    /// `few_values` where there are no more than that.
    pub categories: Vec<f64>,
    /// A range `[low, high]` that the user set by hand; it replaces the statistics' range.
    pub range: Option<[f64; 2]>,
    /// Name of the cell type; empty where the scope has several ([`Scope::Dataset`]), as one job then
    /// serves all of them.
    pub cell_type: String,
    /// Name of the region; empty where the scope has several ([`Scope::Dataset`],
    /// [`Scope::CellType`]).
    pub region: String,
    /// Side of the brain; only where the scope has one ([`Scope::Map`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
}

/// What a colour stage says of a prepared job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct ColorDescription {
    /// [`FORM`](super::FORM).
    pub version: Form,
    /// The legend, if there is one.
    pub legend: Option<LegendDescription>,
}
