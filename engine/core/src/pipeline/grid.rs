//! The columns of a region and side, placed on the canvas. All maps of the two share it.

use std::sync::Arc;

use eyemap_abi::job::{Cell, ColumnStatus, Compass, CoordinateDescription, CoordinateJob, Guide};

use super::{Fingerprint, attributes::Attributes, content::Places};
use crate::{
    config::MapConfig,
    fingerprint::Hash,
    model::{Atlas, AttributeValues, Column, Part},
    scene::Rect,
    stage::{CoordinateStage, Placed, Placement, StageError},
};

/// Columns on the canvas, rising by `hex1`, `hex2`. Columns without a place are left out.
#[derive(Debug, Clone)]
pub struct Grid {
    /// First hexagonal coordinate.
    pub hex1: Vec<i32>,
    /// Second hexagonal coordinate.
    pub hex2: Vec<i32>,
    /// Centres on the canvas, in px.
    pub x: Vec<f64>,
    /// Centres on the canvas, in px.
    pub y: Vec<f64>,
    /// What a column is without a row: `NoData` in the region, else `NotInRegion`.
    pub absent: Vec<ColumnStatus>,
    /// Least width of the picture, in px.
    pub width_px: f64,
    /// Least height of the picture, in px.
    pub height_px: f64,
    /// What hexagons and guides fill, in px.
    pub bounds: Rect,
    /// How a column is drawn.
    pub cell: Cell,
    /// Guides on the canvas.
    pub guides: Vec<Guide>,
    /// Where the body's axes point, as directions of length 1, unless the picture is not to say so.
    pub compass: Option<Compass>,
    /// Names of attributes.
    pub attribute_names: Vec<String>,
    /// Values of attributes, one entry a name.
    pub attributes: Vec<AttributeValues>,
    /// Columns that the stage could not place.
    pub unplaced: usize,
    pub(super) lent_attributes: Arc<Attributes>,
    digest: blake3::Hash,
}

/// A hash of all that [`place`] depends on.
pub(super) fn key(
    stage: &CoordinateStage,
    job: &CoordinateJob,
    (atlas, region): (&Atlas, usize),
    map: &MapConfig,
) -> Fingerprint {
    let mut hash = Hash::of(&stage.origin);
    hash.text(&serde_json::to_string(job).unwrap_or_default());
    hash.text(&format!("{map:?}"));
    let side = atlas.side(job.side);
    let columns = side.columns.iter().flat_map(|c| [c.hex1, c.hex2]);
    hash.numbers(columns.map(i32::to_le_bytes));
    let inside = side.regions.iter().map(|bits| [(bits >> region & 1) as u8]);
    hash.numbers(inside);
    let attributes = side.attributes.get(region);
    hash.text(&format!("{:?} {attributes:?}", atlas.attribute_names));
    hash.finish()
}

/// Places the columns of a region and side.
pub(super) fn place(
    stage: &CoordinateStage,
    job: &CoordinateJob,
    (atlas, region): (&Atlas, usize),
    map: &MapConfig,
) -> Result<Grid, StageError> {
    let placement = stage.prepare(job)?;
    let side = atlas.side(job.side);
    let (hex1, hex2): (Vec<_>, Vec<_>) = side.columns.iter().map(|c| (c.hex1, c.hex2)).unzip();
    let placed = placement.place(&hex1, &hex2)?;
    let kept: Vec<usize> = (0..hex1.len()).filter(|&i| placed.placed[i]).collect();
    if kept.is_empty() {
        return Err(nowhere(stage, hex1.len() as u64, job));
    }
    let absent = |i: &usize| absent(side.regions[*i], region);
    let attributes: Vec<_> = side
        .attributes
        .get(region)
        .into_iter()
        .flatten()
        .map(|values| select(values, &kept))
        .collect();
    let attribute_names = if attributes.is_empty() {
        Vec::new()
    } else {
        atlas.attribute_names.clone()
    };
    let mut bounds = Bounds::new(&placement.description);
    bounds.add(&placed, &kept);
    let canvas = bounds.canvas(map);
    let compass = compass(&placement.description, map);
    let mut grid = Grid {
        hex1: kept.iter().map(|&i| hex1[i]).collect(),
        hex2: kept.iter().map(|&i| hex2[i]).collect(),
        x: kept.iter().map(|&i| canvas.x(placed.x[i])).collect(),
        y: kept.iter().map(|&i| canvas.y(placed.y[i])).collect(),
        absent: kept.iter().map(absent).collect(),
        width_px: canvas.width,
        height_px: canvas.height,
        bounds: canvas.bounds,
        cell: placement.description.cell,
        guides: placement
            .description
            .guides
            .into_iter()
            .map(|guide| canvas.guide(guide))
            .collect(),
        compass,
        attribute_names,
        lent_attributes: Arc::new(Attributes::new(&attributes)),
        attributes,
        unplaced: hex1.len() - kept.len(),
        digest: blake3::Hash::from_bytes([0; 32]),
    };
    grid.digest = grid.hash(job);
    Ok(grid)
}

/// The compass of a description, if the configuration wants one.
fn compass(description: &CoordinateDescription, map: &MapConfig) -> Option<Compass> {
    let unit = |[x, y]: [f64; 2]| {
        let length = (x * x + y * y).sqrt();
        [x / length, y / length]
    };
    let found = description.compass.filter(|_| map.compass);
    found.map(|compass| Compass {
        dorsal: unit(compass.dorsal),
        anterior: unit(compass.anterior),
    })
}

/// What a column is without a row.
pub(super) const fn absent(regions: u64, region: usize) -> ColumnStatus {
    match regions >> region & 1 {
        1 => ColumnStatus::NoData,
        _ => ColumnStatus::NotInRegion,
    }
}

/// The objection to a stage that places no column.
pub(super) fn nowhere(stage: &CoordinateStage, columns: u64, job: &CoordinateJob) -> StageError {
    StageError::Data {
        message: format!(
            "the coordinate plugin {} places none of the {columns} columns of the {} side",
            stage.origin.id(),
            job.side.word()
        ),
        help: "check its side tables and that their columns are those of the table".into(),
    }
}

fn select(values: &AttributeValues, kept: &[usize]) -> AttributeValues {
    fn pick<T: Clone>(values: &[Option<T>], kept: &[usize]) -> Vec<Option<T>> {
        kept.iter().map(|&i| values[i].clone()).collect()
    }
    match values {
        AttributeValues::I64(values) => AttributeValues::I64(pick(values, kept)),
        AttributeValues::F64(values) => AttributeValues::F64(pick(values, kept)),
        AttributeValues::Text(values) => AttributeValues::Text(pick(values, kept)),
    }
}

/// Bounds of hexagons and guides in the stage's plane.
pub(super) struct Bounds {
    xs: [f64; 2],
    ys: [f64; 2],
    radius: f64,
}

impl Bounds {
    /// Of the guides alone.
    pub(super) fn new(description: &eyemap_abi::job::CoordinateDescription) -> Self {
        let mut bounds = Self {
            xs: [f64::INFINITY, f64::NEG_INFINITY],
            ys: [f64::INFINITY, f64::NEG_INFINITY],
            radius: description.cell.circumradius_px,
        };
        for guide in &description.guides {
            match guide {
                Guide::Polyline {
                    points, width_px, ..
                } => {
                    points
                        .iter()
                        .for_each(|&[x, y]| bounds.widen(x, y, *width_px));
                }
                Guide::Label { x, y, size_px, .. } => bounds.widen(*x, *y, *size_px),
            }
        }
        bounds
    }

    fn widen(&mut self, x: f64, y: f64, by: f64) {
        self.xs = [self.xs[0].min(x - by), self.xs[1].max(x + by)];
        self.ys = [self.ys[0].min(y - by), self.ys[1].max(y + by)];
    }

    /// Takes in columns that have a place.
    pub(super) fn add(&mut self, placed: &Placed, kept: &[usize]) {
        let radius = self.radius;
        kept.iter()
            .for_each(|&i| self.widen(placed.x[i], placed.y[i], radius));
    }

    /// Takes in places.
    pub(super) fn add_all(&mut self, x: &[f64], y: &[f64]) {
        let radius = self.radius;
        for (&x, &y) in x.iter().zip(y) {
            self.widen(x, y, radius);
        }
    }

    /// The canvas: the bounds, widened by a margin.
    ///
    /// Hexagons keep two margins from the left edge and one from the top, as neuView draws them.
    pub(super) fn canvas(&self, map: &MapConfig) -> Canvas {
        let margin = map.margin_px;
        let ([left, right], [top, bottom]) = (self.xs, self.ys);
        Canvas {
            width: (right - left + 2.0 * margin).max(map.min_width_px),
            height: (bottom - top + 2.0 * margin).max(map.min_height_px),
            bounds: Rect {
                x: 2.0 * margin,
                y: margin,
                width: right - left,
                height: bottom - top,
            },
            shift_x: 2.0 * margin - left,
            shift_y: margin - top,
        }
    }
}

/// The canvas and its shift from the stage's plane.
pub(super) struct Canvas {
    pub(super) width: f64,
    pub(super) height: f64,
    bounds: Rect,
    shift_x: f64,
    shift_y: f64,
}

impl Canvas {
    pub(super) fn x(&self, x: f64) -> f64 {
        x + self.shift_x
    }

    pub(super) fn y(&self, y: f64) -> f64 {
        y + self.shift_y
    }

    pub(super) fn guide(&self, mut guide: Guide) -> Guide {
        match &mut guide {
            Guide::Polyline { points, .. } => {
                points
                    .iter_mut()
                    .for_each(|point| *point = [self.x(point[0]), self.y(point[1])]);
            }
            Guide::Label { x, y, .. } => (*x, *y) = (self.x(*x), self.y(*y)),
        }
        guide
    }
}

impl Grid {
    /// Heap of the columns, in bytes; attributes count as two words each.
    pub(super) fn bytes(&self) -> u64 {
        let a_column = 2 * size_of::<i32>() + 2 * size_of::<f64>() + 1 + 16 * self.attributes.len();
        (size_of::<Self>() + self.hex1.len() * a_column) as u64
    }

    /// Index of each hexagon with the row of the part that belongs to it.
    pub(super) fn rows_of<'a>(
        &'a self,
        part: &'a Part,
    ) -> impl Iterator<Item = (usize, Option<usize>)> + 'a {
        let mut next = 0;
        self.hex1
            .iter()
            .zip(&self.hex2)
            .enumerate()
            .map(move |(i, (&hex1, &hex2))| {
                let column = Column { hex1, hex2 };
                while part.columns.get(next).is_some_and(|&other| other < column) {
                    next += 1;
                }
                (i, (part.columns.get(next) == Some(&column)).then_some(next))
            })
    }

    /// A canvas whose columns are not held.
    pub(super) fn frame(canvas: &Canvas, placement: &Placement<'_>, map: &MapConfig) -> Self {
        let description = &placement.description;
        let guides = description.guides.iter().cloned();
        Self {
            hex1: Vec::new(),
            hex2: Vec::new(),
            x: Vec::new(),
            y: Vec::new(),
            absent: Vec::new(),
            width_px: canvas.width,
            height_px: canvas.height,
            bounds: canvas.bounds,
            cell: description.cell,
            guides: guides.map(|guide| canvas.guide(guide)).collect(),
            compass: compass(description, map),
            attribute_names: Vec::new(),
            attributes: Vec::new(),
            unplaced: 0,
            lent_attributes: Arc::default(),
            digest: blake3::Hash::from_bytes([0; 32]),
        }
    }

    /// The hash of places, begun with all that they have in common.
    pub(super) fn places(&self, job: &CoordinateJob) -> Places {
        let attributes = match self.attributes.as_slice() {
            [] => String::new(),
            attributes => format!("{:?} {attributes:?}", self.attribute_names),
        };
        let common = format!(
            "{} {:?} {:?} {:?} {} {}",
            serde_json::to_string(job).unwrap_or_default(),
            self.cell,
            self.guides,
            self.compass,
            self.width_px,
            self.height_px
        );
        Places::new(&[&common, &attributes])
    }

    fn hash(&self, job: &CoordinateJob) -> blake3::Hash {
        let mut hash = self.places(job);
        let hex = [self.hex1.as_slice(), self.hex2.as_slice()];
        hash.add(hex, [&self.x, &self.y], &self.absent);
        hash.finish()
    }

    /// A hash of where the columns lie.
    pub(super) const fn digest(&self) -> blake3::Hash {
        self.digest
    }
}
