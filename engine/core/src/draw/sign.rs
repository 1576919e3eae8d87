//! Signs on hexagons: what a column is where its fill alone could not say it.
//!
//! A zero that was observed has a dark outline, a column without data a dot, an unknown one is
//! hatched, one of another region is crossed out. Fills stay as the colour stage gave them. Signs
//! differ in shape, so that they need no colour to be told apart, and are dark on pale fills, white on
//! dark ones.

use eyemap_abi::job::{Cell, ColumnStatus};

use super::{
    number::{hundredths, push_hundredths},
    outline::Outline,
};
use crate::scene::{Counts, HexagonBatch, Rgba};

/// What is said of a hexagon; the number is that of the status, and zero that of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sign {
    /// The value is 0.
    Zero = 0,
    /// No row.
    NoData = 1,
    /// The column is one of another region.
    NotInRegion = 2,
    /// A row without a value.
    Unknown = 3,
}

impl Sign {
    /// All of them, by number.
    pub(crate) const ALL: [Self; 4] = [Self::Zero, Self::NoData, Self::NotInRegion, Self::Unknown];
    /// All of them, as legends list them.
    pub(crate) const LISTED: [Self; 4] =
        [Self::Zero, Self::NoData, Self::Unknown, Self::NotInRegion];

    /// The sign of a whole column.
    pub(crate) fn of(status: ColumnStatus, value: f64) -> Option<Self> {
        match status {
            ColumnStatus::HasData => (value == 0.0).then_some(Self::Zero),
            ColumnStatus::NoData => Some(Self::NoData),
            ColumnStatus::NotInRegion => Some(Self::NotInRegion),
            ColumnStatus::Unknown => Some(Self::Unknown),
        }
    }

    /// What legends call it.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::NoData => "no data",
            Self::NotInRegion => "not in region",
            Self::Unknown => "unknown",
        }
    }

    /// How many columns have it.
    pub(crate) const fn count(self, counts: &Counts) -> u64 {
        match self {
            Self::Zero => counts.zero,
            Self::NoData => counts.no_data,
            Self::NotInRegion => counts.not_in_region,
            Self::Unknown => counts.unknown,
        }
    }
}

/// A fill as it looks on white.
fn on_white(fill: Rgba) -> [f64; 3] {
    let [r, g, b, a] = fill.channels().map(f64::from);
    [r, g, b].map(|channel| 255.0 + (channel - 255.0) * a / 255.0)
}

/// Luminance of an sRGB colour relative to white, with a power of 2.25 for the transfer function: roots
/// are exact on every machine and in the script, which has to decide alike.
fn luminance(rgb: [f64; 3]) -> f64 {
    let [r, g, b] = rgb.map(|channel| {
        let c = channel / 255.0;
        c * c * c.sqrt().sqrt()
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// Dark signs stand on fills of this luminance and more: near it, dark and white contrast equally, 4
/// to 1.
const DARK_FROM: f64 = 0.215;

/// Colour of signs on pale fills.
pub(crate) const DARK: Rgba = Rgba(0x2024_2cff);

/// Colour of a sign on a fill.
pub(crate) fn ink(fill: Rgba) -> Rgba {
    if luminance(on_white(fill)) >= DARK_FROM {
        DARK
    } else {
        Rgba::WHITE
    }
}

/// Size of the white outline of a zero relative to the hexagon.
pub(crate) const INNER_ZOOM: f64 = 0.82;

/// A line within a hexagon, in hundredths of a px from its centre.
pub(crate) type Stroke = Vec<[i64; 2]>;

/// The shapes of signs for hexagons of one size: by number, and last that of a zero in white.
pub(crate) struct Signs([Shape; 5]);

/// Lines of one sign.
pub(crate) struct Shape {
    pub(crate) strokes: Vec<Stroke>,
    /// Width of the lines, in px.
    pub(crate) width: f64,
    /// Relative path data from the first point on.
    path: String,
    /// Where that path ends.
    end: [i64; 2],
    /// Path data behind `M` and the hexagon's first corner, for the script, which knows that corner.
    pub(crate) from_corner: String,
}

impl Shape {
    fn new(strokes: Vec<Stroke>, width: f64, corner: [i64; 2]) -> Self {
        let pen = path(&strokes);
        let [x, y] = [0, 1].map(|k| strokes[0][0][k] - corner[k]);
        let mut from_corner = b"m".to_vec();
        push_pair(&mut from_corner, [x, y]);
        from_corner.extend_from_slice(&pen.data);
        Self {
            strokes,
            width: (width * 100.0).round() / 100.0,
            path: String::from_utf8_lossy(&pen.data).into_owned(),
            end: pen.at,
            from_corner: String::from_utf8_lossy(&from_corner).into_owned(),
        }
    }
}

impl Signs {
    /// Shapes for a cell.
    pub(crate) fn new(cell: Cell) -> Self {
        let r = cell.circumradius_px;
        let corner = Outline::new(cell).corners()[0];
        let shape = |strokes, width| Shape::new(strokes, width, corner);
        let ring = 0.15 * r;
        let within = Cell {
            circumradius_px: r * INNER_ZOOM,
            ..cell
        };
        Self([
            shape(vec![closed(cell, ring)], ring),
            shape(vec![vec![[0, 0], [0, 0]]], 0.3 * r),
            shape(cross(cell), 0.13 * r),
            shape(hatch(cell), 0.14 * r),
            shape(vec![closed(within, ring)], ring),
        ])
    }

    /// The shape of a sign in an ink. A white outline at the edge would be lost on the white ground, so
    /// it lies within.
    pub(crate) fn shape(&self, sign: Sign, ink: Rgba) -> &Shape {
        match sign {
            Sign::Zero if ink == Rgba::WHITE => &self.0[4],
            _ => &self.0[sign as usize],
        }
    }

    /// The shapes by number, and last that of a zero in white.
    pub(crate) const fn all(&self) -> &[Shape; 5] {
        &self.0
    }
}

/// Path data in the making, and where the pen is, in hundredths of a px.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    pub(crate) data: Vec<u8>,
    at: [i64; 2],
}

impl Trail {
    /// Appends a shape on a hexagon with its centre at hundredths `x, y`: relative to the one before,
    /// as distances on a lattice repeat and pack well.
    pub(crate) fn push(&mut self, shape: &Shape, [x, y]: [i64; 2]) {
        let [dx, dy] = shape.strokes[0][0];
        let to = [x + dx, y + dy];
        if self.data.is_empty() {
            self.data.push(b'M');
            push_pair(&mut self.data, to);
        } else {
            self.data.push(b'm');
            push_pair(&mut self.data, [to[0] - self.at[0], to[1] - self.at[1]]);
        }
        self.data.extend_from_slice(shape.path.as_bytes());
        self.at = [x + shape.end[0], y + shape.end[1]];
    }
}

/// Two numbers of path data.
fn push_pair(out: &mut Vec<u8>, [x, y]: [i64; 2]) {
    push_hundredths(out, x);
    if y >= 0 {
        out.push(b' ');
    }
    push_hundredths(out, y);
}

/// An outline whose outer edge is the hexagon's.
fn closed(cell: Cell, width: f64) -> Stroke {
    let inner = Cell {
        circumradius_px: cell.circumradius_px - width / 3f64.sqrt(),
        ..cell
    };
    let mut corners = Outline::new(inner).corners().to_vec();
    corners.push(corners[0]);
    corners
}

/// A length for path data, in hundredths: in tenths of a px where hexagons are large enough, which
/// halves the digits.
fn short(px: f64, cell: Cell) -> i64 {
    if cell.circumradius_px < 3.0 {
        return hundredths(px);
    }
    hundredths((px * 10.0).round() / 10.0)
}

fn cross(cell: Cell) -> Vec<Stroke> {
    let h = short(0.36 * cell.circumradius_px, cell);
    vec![vec![[-h, -h], [h, h]], vec![[h, -h], [-h, h]]]
}

/// Rising lines, four across a hexagon and none through its centre.
fn hatch(cell: Cell) -> Vec<Stroke> {
    let r = cell.circumradius_px;
    let inset = Cell {
        circumradius_px: r * 0.86,
        ..cell
    };
    let corners = Outline::new(inset).corners_px();
    let lines = [-0.72, -0.24, 0.24, 0.72].map(|across| rising(&corners, across * r));
    let ends = |line: [[f64; 2]; 2]| line.map(|end| end.map(|px| short(px, cell))).to_vec();
    lines.into_iter().flatten().map(ends).collect()
}

/// The part of the line `x + y = sqrt(2) across` that lies within a convex outline.
fn rising(corners: &[[f64; 2]; 6], across: f64) -> Option<[[f64; 2]; 2]> {
    let side = |[x, y]: [f64; 2]| x + y - across * std::f64::consts::SQRT_2;
    let ends = (0..6).filter_map(|i| {
        let [a, b] = [corners[i], corners[(i + 1) % 6]];
        let [from, to] = [side(a), side(b)];
        ((from < 0.0) != (to < 0.0)).then(|| {
            let t = from / (from - to);
            [0, 1].map(|k| a[k] + (b[k] - a[k]) * t)
        })
    });
    let ends: Vec<[f64; 2]> = ends.collect();
    ends.try_into().ok()
}

/// Relative path data through all strokes from the first point on.
fn path(strokes: &[Stroke]) -> Trail {
    let mut out = Trail::default();
    for (k, stroke) in strokes.iter().enumerate() {
        let closed = stroke.len() > 2 && stroke.first() == stroke.last();
        let drawn = if closed {
            stroke.len() - 1
        } else {
            stroke.len()
        };
        for (i, &[x, y]) in stroke[..drawn].iter().enumerate() {
            let by = [x - out.at[0], y - out.at[1]];
            out.at = [x, y];
            match i {
                0 if k == 0 => continue,
                0 => out.data.push(b'm'),
                1 => out.data.push(b'l'),
                _ if by[0] >= 0 => out.data.push(b' '),
                _ => {}
            }
            push_pair(&mut out.data, by);
        }
        if closed {
            out.data.push(b'z');
            out.at = stroke[0];
        }
    }
    out
}

/// Which fill the first hexagon of each sign has, by number, for the legend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Fills([Option<Rgba>; 4]);

impl Fills {
    /// Takes hexagons.
    pub(crate) fn see(&mut self, batch: &HexagonBatch<'_>) {
        for i in 0..batch.len() {
            if let Some(sign) = Sign::of(batch.status[i], batch.value[i]) {
                self.0[sign as usize].get_or_insert(batch.fill[i]);
            }
        }
    }

    /// The fill; white where there was no such hexagon.
    pub(crate) fn of(&self, sign: Sign) -> Rgba {
        self.0[sign as usize].unwrap_or(Rgba::WHITE)
    }
}

#[cfg(test)]
mod vision;

#[cfg(test)]
mod tests {
    use eyemap_abi::job::CellShape;

    use super::*;

    /// Contrast of two colours (WCAG 2.2).
    fn contrast(a: Rgba, b: Rgba) -> f64 {
        let luminance = |color: Rgba| {
            let [r, g, b] = on_white(color).map(|channel| {
                let c = channel / 255.0;
                if c <= 0.04045 {
                    c / 12.92
                } else {
                    ((c + 0.055) / 1.055).powf(2.4)
                }
            });
            0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
        };
        let [a, b] = [a, b].map(luminance);
        if a > b { a / b } else { b / a }
    }

    #[test]
    fn a_sign_stands_out_from_any_fill() {
        for r in (0..=255).step_by(15) {
            for g in (0..=255).step_by(15) {
                for b in (0..=255).step_by(15) {
                    let fill = Rgba::opaque(r, g, b);
                    let by = contrast(ink(fill), fill);
                    assert!(by >= 3.0, "{by} on {fill}");
                }
            }
        }
        assert_eq!(ink(Rgba(0)), DARK, "what is transparent is white");
    }

    #[test]
    fn signs_stay_within_their_hexagon() {
        for shape in [CellShape::FlatTop, CellShape::PointyTop] {
            for circumradius_px in [0.5, 3.0, 6.0, 41.0] {
                let cell = Cell {
                    shape,
                    circumradius_px,
                };
                let signs = Signs::new(cell);
                let inradius = circumradius_px * 3f64.sqrt() / 2.0 + 0.02;
                for shape in signs.all() {
                    assert!(!shape.strokes.is_empty());
                    let points = shape.strokes.iter().flatten();
                    for point in points {
                        let [x, y] = point.map(|v| v as f64 / 100.0);
                        let far = (0..6).map(|k| {
                            let angle = f64::from(k) * std::f64::consts::FRAC_PI_3
                                + if cell.shape == CellShape::FlatTop {
                                    std::f64::consts::FRAC_PI_6
                                } else {
                                    0.0
                                };
                            x * angle.cos() + y * angle.sin()
                        });
                        let far = far.fold(0.0, f64::max) + shape.width / 2.0;
                        assert!(
                            far <= inradius + 0.02 * circumradius_px,
                            "{} {far}",
                            shape.from_corner
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn each_shape_is_told_relative_to_the_one_before() {
        let cell = Cell {
            shape: CellShape::FlatTop,
            circumradius_px: 6.0,
        };
        let signs = Signs::new(cell);
        let path = |sign| {
            let mut trail = Trail::default();
            for at in [[10_000, 5_000], [10_990, 5_572]] {
                trail.push(signs.shape(sign, DARK), at);
            }
            String::from_utf8(trail.data).unwrap()
        };
        assert_eq!(path(Sign::NoData), "M100 50l0 0m9.9 5.72l0 0");
        assert_eq!(
            path(Sign::NotInRegion),
            "M97.8 47.8l4.4 4.4m0-4.4l-4.4 4.4m9.9 1.32l4.4 4.4m0-4.4l-4.4 4.4"
        );
        let dot = signs.shape(Sign::NoData, DARK);
        assert_eq!(dot.from_corner, "m6 0l0 0");
    }
}
