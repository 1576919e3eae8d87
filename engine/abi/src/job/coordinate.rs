//! What goes to a coordinate stage, and what it says.

use serde::{Deserialize, Serialize};

use super::{Form, Side};

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
    /// [`FORM`](super::FORM).
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
    /// [`FORM`](super::FORM).
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
