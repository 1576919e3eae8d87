//! What is seen in a picture, read back from its file: the same words for every format.
//!
//! Both sides of a comparison are read from their bytes by the same reader, so that a fault of a writer
//! is seen like any other change. Nothing here knows what drew a picture.

mod island;
mod json;
mod lattice;
mod outline;
mod svg;

use std::collections::BTreeMap;

use eyemap_abi::job::ColumnStatus;

use crate::draw::Format;

/// A fill with its opacity, `#rrggbb` or `#rrggbbaa`: as it is written in JSON.
pub(super) type Fill = String;

/// A picture that can be compared.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Picture {
    /// The canvas in px: left, top, width and height. Places are where they are on the map, whatever
    /// the canvas begins with.
    pub(super) canvas: [f64; 4],
    /// Hexagons of known columns.
    pub(super) columns: BTreeMap<[i32; 2], Hexagon>,
    /// Hexagons of which the file does not tell the column.
    pub(super) nameless: Vec<Hexagon>,
    /// Everything else that is seen or said, in the order of the file.
    pub(super) items: Vec<Item>,
    /// The text of the script; empty without one.
    pub(super) script: String,
    /// Labels of layers, from layer 1.
    pub(super) layers: Vec<String>,
    /// Fills of bins from low to high: of whole columns, then of layers (one legend for all or one
    /// each). Empty where the picture shows no bins: a ramp, or a swatch for each value.
    pub(super) bins: Vec<Vec<Fill>>,
}

/// What the hash of marks on hexagons is called among their attributes.
pub(super) const SIGN_PATH: &str = "path of marks";

/// One hexagon.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Hexagon {
    /// The corner that its outline starts from, or its centre, in px; the same within a format.
    pub(super) at: [f64; 2],
    /// From there to the centre, in px.
    pub(super) to_center: [f64; 2],
    /// What the outline is, beside where it is.
    pub(super) outline: String,
    /// What is known of the column; none if the file says it in words alone.
    pub(super) status: Option<ColumnStatus>,
    /// Its value; none without one.
    pub(super) value: Option<f64>,
    /// Words for it, where the file has no value.
    pub(super) words: String,
    /// Fill in the first view.
    pub(super) fill: Fill,
    /// A tooltip of its own, or where there are no templates the whole tooltip.
    pub(super) tooltip: String,
    /// Values of attributes, as text.
    pub(super) attributes: Vec<String>,
    /// What layers hold.
    pub(super) layers: Vec<LayerCell>,
}

/// One layer of a hexagon.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct LayerCell {
    /// Its value; none if it is unknown.
    pub(super) value: Option<f64>,
    /// Whether there is no row of it, and its value is 0 for that.
    pub(super) absent: bool,
    /// Its fill.
    pub(super) fill: Fill,
    /// A tooltip of its own, or where there are no templates the whole tooltip.
    pub(super) tooltip: String,
}

/// A text, line or mark beside the hexagons.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    /// Which part of the picture it belongs to.
    pub(super) group: Group,
    /// What it is made of: `text`, `path`, `rect`. Empty where there is but one kind.
    pub(super) kind: String,
    /// Which one of its group: `tick 3`, `title`, `line 2`.
    pub(super) name: String,
    /// What it says; a colour for coloured marks.
    pub(super) text: String,
    /// How and where it is drawn: attributes and their values.
    pub(super) form: Vec<(String, String)>,
}

/// Parts of a picture beside the hexagons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// A legend.
    Legend,
    /// The visible title, in each view.
    Title,
    /// Texts that tooltips are made from.
    Template,
    /// Marks on hexagons, and how many there are: they say again what hexagons are.
    Sign,
    /// Everything else.
    Label,
}

/// Why a file cannot be read as a picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct NotRead(pub(super) String);

impl NotRead {
    fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl Picture {
    /// Hexagons without columns, from left to right and top to bottom.
    pub(super) fn nameless_by_place(&self) -> Vec<&Hexagon> {
        let mut hexagons: Vec<&Hexagon> = self.nameless.iter().collect();
        // Places are written in hundredths: less is what reading back adds.
        hexagons.sort_by_key(|hexagon| hexagon.at.map(|px| (px * 100.0).round() as i64));
        hexagons
    }

    /// Reads a file of a format that has a structure: any but PNG.
    ///
    /// # Errors
    /// When it is not as this program writes it. Any bytes are allowed.
    pub(super) fn read(format: Format, bytes: &[u8]) -> Result<Self, NotRead> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| NotRead::new(format!("it is no UTF-8 text: {error}")))?;
        match format {
            Format::Svg | Format::SvgStatic => svg::read(text),
            Format::Json => json::read(text),
            Format::Png => Err(NotRead::new("a PNG has no structure")),
        }
    }

    /// Whether files of a format can be read.
    pub(super) const fn has_structure(format: Format) -> bool {
        !matches!(format, Format::Png)
    }

    /// Gives nameless hexagons the columns that lie where they do: `columns` are columns with their
    /// centres in px.
    pub(super) fn name_columns(&mut self, columns: &Places) {
        for hexagon in std::mem::take(&mut self.nameless) {
            match columns.at(hexagon.center()) {
                // On blank maps single hexagons are drawn over the lines of all.
                Some(column) => drop(self.columns.insert(column, hexagon)),
                None => self.nameless.push(hexagon),
            }
        }
    }

    /// The centre of a hexagon from the upper left corner of the canvas, without the digits that
    /// reading it back adds.
    pub(super) fn on_canvas(&self, hexagon: &Hexagon) -> [f64; 2] {
        let center = hexagon.center();
        [0, 1].map(|k| ((center[k] - self.canvas[k]) * 100.0).round() / 100.0)
    }

    /// Which bin a fill is, from 1; of a view: 0 for whole columns, else the layer.
    pub(super) fn bin(&self, view: usize, fill: &str) -> Option<usize> {
        let legend = match view {
            0 => 0,
            _ if self.bins.len() == 2 => 1,
            layer => layer,
        };
        let bins = self.bins.get(legend)?;
        bins.iter().position(|bin| bin == fill).map(|at| at + 1)
    }
}

impl Hexagon {
    /// Its centre, in px.
    pub(super) fn center(&self) -> [f64; 2] {
        [0, 1].map(|k| self.at[k] + self.to_center[k])
    }
}

/// A column and its centre in px.
type Placed = ([i32; 2], [f64; 2]);

/// Where columns lie, to find one by a place.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Columns by the cell of a grid that their centre is in.
    cells: BTreeMap<[i64; 2], Vec<Placed>>,
    pitch_px: f64,
}

impl Places {
    /// Columns with their centres, on hexagons of a circumradius in px.
    pub(crate) fn new(columns: impl Iterator<Item = Placed>, radius_px: f64) -> Self {
        let mut places = Self {
            cells: BTreeMap::new(),
            pitch_px: radius_px.max(0.01),
        };
        for (column, center) in columns {
            let cell = places.cell(center);
            places.cells.entry(cell).or_default().push((column, center));
        }
        places
    }

    fn cell(&self, at: [f64; 2]) -> [i64; 2] {
        at.map(|v| (v / self.pitch_px).floor() as i64)
    }

    /// The column whose centre is nearest, if the point is inside of its hexagon or just beside.
    pub(crate) fn at(&self, point: [f64; 2]) -> Option<[i32; 2]> {
        self.nearest(point).map(|(column, _)| column)
    }

    /// Circumradius of the hexagons, in px.
    pub(crate) const fn radius_px(&self) -> f64 {
        self.pitch_px
    }

    /// All columns with their centres.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Placed> + '_ {
        self.cells.values().flatten().copied()
    }

    /// The column, and its centre.
    pub(crate) fn nearest(&self, point: [f64; 2]) -> Option<Placed> {
        let [x, y] = self.cell(point);
        let around = (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| [dx, dy]));
        let near =
            around.filter_map(|[dx, dy]| self.cells.get(&[x.checked_add(dx)?, y.checked_add(dy)?]));
        let distance = |center: [f64; 2]| (center[0] - point[0]).hypot(center[1] - point[1]);
        let best = near
            .flatten()
            .min_by(|a, b| distance(a.1).total_cmp(&distance(b.1)))?;
        (distance(best.1) <= self.pitch_px * 1.05).then_some(*best)
    }
}
