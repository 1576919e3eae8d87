//! Once-per-map data, as JSON: jobs that go to a stage and descriptions that come back.
//!
//! Each document has a `version`; unknown keys are ignored and missing ones have the defaults given
//! here, so that either side may be the newer one. A key that takes words (`kind`, `scope`) takes the
//! words given here and no others for ever: a new meaning is a new key beside it. These types are a convenience of this crate, not
//! part of the frozen layout: the JSON is.

use serde::{Deserialize, Serialize};

/// The version of the JSON forms that this crate writes.
pub const FORM: u32 = 1;

/// The version of a JSON form, which every job and every description says: 1, until a key changes in
/// a way that a reader has to know of.
///
/// A reader takes every version: a newer form has the keys of the older ones and more, and what it
/// does not know it ignores. A document without a version, or with 0, is of form 1: that is what was
/// written before forms said theirs.
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "u32", into = "u32")]
pub struct Form(u32);

impl Form {
    /// The number.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Whether it was written by a side that knows more keys than this crate.
    pub const fn is_newer(self) -> bool {
        self.0 > FORM
    }
}

impl Default for Form {
    /// [`FORM`].
    fn default() -> Self {
        Self(FORM)
    }
}

impl From<u32> for Form {
    fn from(number: u32) -> Self {
        Self(number.max(1))
    }
}

impl From<Form> for u32 {
    fn from(form: Form) -> Self {
        form.0
    }
}

/// Side of the brain.
#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
pub enum Side {
    /// The left optic lobe.
    #[default]
    #[serde(rename = "L", alias = "l", alias = "left", alias = "Left")]
    Left,
    /// The right optic lobe.
    #[serde(rename = "R", alias = "r", alias = "right", alias = "Right")]
    Right,
}

impl Side {
    /// `L` or `R`.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Left => "L",
            Self::Right => "R",
        }
    }

    /// `left` or `right`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
        }
    }
}

/// What is known of a column on one map.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnStatus {
    /// The column exists in the region and the cell type has a value there.
    HasData = 0,
    /// The column exists in the region and the cell type has no row there.
    NoData = 1,
    /// The column exists only in another region of this side.
    NotInRegion = 2,
    /// There is a row, and its value is null.
    Unknown = 3,
}

impl ColumnStatus {
    /// All statuses, in the order of their numbers.
    pub const ALL: [Self; 4] = [
        Self::HasData,
        Self::NoData,
        Self::NotInRegion,
        Self::Unknown,
    ];

    /// The status with this number.
    pub const fn from_u8(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::HasData),
            1 => Some(Self::NoData),
            2 => Some(Self::NotInRegion),
            3 => Some(Self::Unknown),
            _ => None,
        }
    }

    /// The word used in JSON: `has_data`, `no_data`, `not_in_region`, `unknown`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::HasData => "has_data",
            Self::NoData => "no_data",
            Self::NotInRegion => "not_in_region",
            Self::Unknown => "unknown",
        }
    }
}

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

/// Smallest and largest coordinates of all columns of a side, `[smallest, largest]`.
///
/// `across` and `along` are the doubled coordinates of Nern et al. 2025, which are the axes of the
/// hexagonal grid: the four ranges together bound the columns more tightly than `hex1` and `hex2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct Extent {
    /// Of `hex1`.
    pub hex1: [i32; 2],
    /// Of `hex2`.
    pub hex2: [i32; 2],
    /// Of `hex2 - hex1`.
    pub across: [i64; 2],
    /// Of `hex1 + hex2`.
    pub along: [i64; 2],
}

impl Extent {
    /// The extent of columns `(hex1, hex2)`; none without columns.
    pub fn of(columns: impl IntoIterator<Item = (i32, i32)>) -> Option<Self> {
        let one = |(hex1, hex2): (i32, i32)| {
            let (wide1, wide2) = (i64::from(hex1), i64::from(hex2));
            Self {
                hex1: [hex1; 2],
                hex2: [hex2; 2],
                across: [wide2 - wide1; 2],
                along: [wide1 + wide2; 2],
            }
        };
        columns.into_iter().map(one).reduce(Self::joined)
    }

    fn joined(self, other: Self) -> Self {
        fn join<T: Ord + Copy>(a: [T; 2], b: [T; 2]) -> [T; 2] {
            [a[0].min(b[0]), a[1].max(b[1])]
        }
        Self {
            hex1: join(self.hex1, other.hex1),
            hex2: join(self.hex2, other.hex2),
            across: join(self.across, other.across),
            along: join(self.along, other.along),
        }
    }
}

/// What a coordinate stage prepares for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CoordinateJob {
    /// [`FORM`].
    pub version: Form,
    /// Name of the region.
    pub region: String,
    /// Side of the brain.
    pub side: Side,
    /// How the map is turned: `peer`, `anatomical`, `none` or a name of the stage's own.
    pub orientation: String,
    /// Circumradius of a hexagon, in px.
    pub hex_size_px: f64,
    /// Distance between neighbours relative to touching hexagons (1 = touching).
    pub spacing: f64,
    /// How far the columns reach, so that guides can lie beside them; none while no table is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extent: Option<Extent>,
}

impl Default for CoordinateJob {
    fn default() -> Self {
        Self {
            version: Form::default(),
            region: String::new(),
            side: Side::Left,
            orientation: "peer".into(),
            hex_size_px: 6.0,
            spacing: 1.1,
            extent: None,
        }
    }
}

/// Outline of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum CellShape {
    /// Hexagon with a vertex at angle 0.
    #[default]
    FlatTop,
    /// Hexagon with a vertex at angle 90 degrees.
    PointyTop,
}

/// How one column is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Its outline.
    #[serde(default)]
    pub shape: CellShape,
    /// Distance from its centre to a vertex, in px.
    pub circumradius_px: f64,
}

/// Something drawn besides the hexagons, in the plane of the coordinate stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Guide {
    /// A line through points.
    Polyline {
        /// The points `[x, y]`, in px.
        points: Vec<[f64; 2]>,
        /// Colour as `#rrggbb`.
        #[serde(default = "guide_color")]
        color: String,
        /// Width in px.
        #[serde(default = "guide_width")]
        width_px: f64,
        /// Whether the last point carries an arrow head.
        #[serde(default)]
        arrow: bool,
    },
    /// A word, centred on a point.
    Label {
        /// Centre, in px.
        x: f64,
        /// Centre, in px.
        y: f64,
        /// The word.
        text: String,
        /// Colour as `#rrggbb`.
        #[serde(default = "guide_color")]
        color: String,
        /// Height of the letters, in px.
        #[serde(default = "guide_size")]
        size_px: f64,
    },
}

fn guide_color() -> String {
    "#666666".into()
}

fn guide_width() -> f64 {
    0.75
}

fn guide_size() -> f64 {
    9.0
}

/// What a coordinate stage says of a prepared job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoordinateDescription {
    /// [`FORM`].
    #[serde(default)]
    pub version: Form,
    /// How a column is drawn.
    pub cell: Cell,
    /// Graticules, arrows, labels.
    #[serde(default)]
    pub guides: Vec<Guide>,
    /// Where the body's axes point, so that the picture can say so in a corner of its own; none where
    /// they point elsewhere from place to place, or where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compass: Option<Compass>,
}

/// Where the body's axes point on a map: directions `[x, y]` with y down, of any length but 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Compass {
    /// Towards the back.
    pub dorsal: [f64; 2],
    /// Towards the front.
    pub anterior: [f64; 2],
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
    /// [`FORM`].
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
    /// [`FORM`].
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

/// What a colour stage says of a prepared job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct ColorDescription {
    /// [`FORM`].
    pub version: Form,
    /// The legend, if there is one.
    pub legend: Option<LegendDescription>,
}

/// What a metadata stage prepares for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct MetadataJob {
    /// [`FORM`].
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
    /// [`FORM`].
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

/// What a plugin says of one of its extensions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExtensionDescription {
    /// The extension's id.
    pub id: String,
    /// JSON schema of its configuration.
    pub config_schema: serde_json::Value,
    /// Its configuration with every default filled in.
    pub config_defaults: serde_json::Value,
}

/// What a plugin says of itself at run time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(default)]
pub struct PluginDescription {
    /// [`FORM`].
    pub version: Form,
    /// One entry an extension.
    pub extensions: Vec<ExtensionDescription>,
}
