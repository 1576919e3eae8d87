//! A blank map in a few hundred bytes: rows of hexagons as dashed lines.
//!
//! A regular hexagon is the union of three rectangles, each between two opposite edges. On a lattice
//! the rectangles of neighbours lie in line, so that three families of dashed lines, one across each
//! pair of edges, draw every hexagon exactly; overlaps are opaque, so no seam shows. Lines are in
//! lattice units, turned into px by the path's `transform`; in the first family n columns from
//! `hex1, hex2` up are a line from `2 hex2 - hex1 - 1, hex1` of length 2n, from which all columns can
//! be read back; those of another status are drawn over them.
//!
//! There is no script and hence no tooltip of a single column: each status has its `<title>`. Maps
//! whose columns lie on no regular lattice, such as eye projections, are refused here and drawn as
//! merged paths.

use std::collections::BTreeMap;

use eyemap_abi::job::{Cell, CellShape, ColumnStatus};

use super::{
    OUTLINE, needs_outline,
    number::{hundredths, push_signed, value_text},
    outline::Outline,
    sign::{Sign, Signs, ink},
    svg_parts::{push_fill, push_short},
    svg_signs,
    text::push_xml,
    tooltip::shared_words,
};
use crate::scene::{HexagonBatch, Rgba, SceneHead};

type Vector = [f64; 2];

/// Half the width of an outline, in px.
const RIM: f64 = 0.25;

/// A regular hexagonal lattice: `origin + hex1 * e1 + hex2 * e2`.
pub(crate) struct Lattice {
    origin: Vector,
    e1: Vector,
    e2: Vector,
    pitch: f64,
    cell: Cell,
}

/// The lattice that all hexagons of a chunk lie on, within 0.02 px, if there is one whose
/// neighbours face each other's edges.
pub(crate) fn lattice(chunk: &HexagonBatch<'_>, cell: Cell) -> Option<Lattice> {
    let opaque = chunk.fill.iter().all(|fill| fill.channels()[3] == 255);
    let [e1, e2] = basis(chunk)?;
    let at = |h1: i32, h2: i32| {
        let [h1, h2] = [f64::from(h1), f64::from(h2)];
        [h1 * e1[0] + h2 * e2[0], h1 * e1[1] + h2 * e2[1]]
    };
    let first = at(*chunk.hex1.first()?, chunk.hex2[0]);
    let origin = [chunk.x[0] - first[0], chunk.y[0] - first[1]];
    let fits = (0..chunk.len()).all(|i| {
        let [x, y] = at(chunk.hex1[i], chunk.hex2[i]);
        (origin[0] + x - chunk.x[i]).abs() < 0.02 && (origin[1] + y - chunk.y[i]).abs() < 0.02
    });
    let steps = [e1, e2, [e1[0] + e2[0], e1[1] + e2[1]]];
    let pitch = length(e2);
    let equal = steps
        .iter()
        .all(|&e| (length(e) / pitch - 1.0).abs() < 1e-3);
    let axis = match cell.shape {
        CellShape::FlatTop => 0,
        CellShape::PointyTop => 1,
    };
    let facing = steps.iter().any(|e| e[axis].abs() < 1e-3 * pitch);
    let apart = pitch >= cell.circumradius_px * 3f64.sqrt() * 0.999;
    let lattice = Lattice {
        origin,
        e1,
        e2,
        pitch,
        cell,
    };
    // Four decimals of a step must not add up to a visible distance.
    let near = chunk
        .hex1
        .iter()
        .chain(chunk.hex2)
        .all(|h| h.unsigned_abs() < 250);
    (opaque && fits && equal && facing && apart && near).then_some(lattice)
}

fn length([x, y]: Vector) -> f64 {
    (x * x + y * y).sqrt()
}

/// Steps of `hex1` and `hex2` from three columns that are not in line.
fn basis(chunk: &HexagonBatch<'_>) -> Option<[Vector; 2]> {
    let from = |i: usize| {
        let h = [chunk.hex1[i] - chunk.hex1[0], chunk.hex2[i] - chunk.hex2[0]].map(f64::from);
        (h, [chunk.x[i] - chunk.x[0], chunk.y[i] - chunk.y[0]])
    };
    let (a, pa) = from(chunk.len().checked_sub(1)?);
    let cross = |b: [f64; 2]| a[0] * b[1] - a[1] * b[0];
    let far = (0..chunk.len())
        .max_by(|&i, &j| cross(from(i).0).abs().total_cmp(&cross(from(j).0).abs()))?;
    let (b, pb) = from(far);
    let area = cross(b);
    if area == 0.0 {
        return None;
    }
    let e1 = [0, 1].map(|k| (pa[k] * b[1] - pb[k] * a[1]) / area);
    let e2 = [0, 1].map(|k| (pb[k] * a[0] - pa[k] * b[0]) / area);
    Some([e1, e2])
}

/// One direction of lines: where its units lie in px, and a column's place along and across.
struct Family {
    along: Vector,
    across: Vector,
    place: fn(i64, i64) -> [i64; 2],
}

impl Lattice {
    fn families(&self) -> [Family; 3] {
        let [e1, e2] = [self.e1, self.e2];
        let sum = |a: Vector, b: Vector, k: f64| [a[0] + k * b[0], a[1] + k * b[1]];
        let half = |a: Vector| [a[0] / 2.0, a[1] / 2.0];
        [
            Family {
                along: half(e2),
                across: sum(e1, e2, 0.5),
                place: |h1, h2| [2 * h2 - h1, h1],
            },
            Family {
                along: half(e1),
                across: sum(e2, e1, 0.5),
                place: |h1, h2| [2 * h1 - h2, h2],
            },
            Family {
                along: half(sum(e1, e2, 1.0)),
                across: half(sum(e1, e2, -1.0)),
                place: |h1, h2| [h1 + h2, h1 - h2],
            },
        ]
    }

    /// Width of lines and their dashes for hexagons grown by `rim` px, in lattice units.
    fn pen(&self, rim: f64) -> String {
        let r = self.cell.circumradius_px;
        let unit = self.pitch / 2.0;
        let dash = ((r * 3f64.sqrt() + 2.0 * rim) / unit).min(2.0);
        let side = (r + rim * 2.0 / 3f64.sqrt()) / (unit * 3f64.sqrt());
        let gap = decimals((2.0 - dash) / 2.0);
        format!(
            " stroke-width=\"{}\" stroke-dasharray=\"0 {} {} {}\"",
            value_text(decimals(side)),
            value_text(gap),
            value_text(decimals(2.0 - 2.0 * gap)),
            value_text(gap)
        )
    }
}

fn decimals(v: f64) -> f64 {
    (v * 1e4).round() / 1e4
}

/// Path elements for some columns.
fn lines(out: &mut Vec<u8>, lattice: &Lattice, columns: &[(i32, i32)]) {
    for family in lattice.families() {
        family_lines(out, lattice, &family, columns);
    }
}

/// The path element of one family.
fn family_lines(out: &mut Vec<u8>, lattice: &Lattice, family: &Family, columns: &[(i32, i32)]) {
    let numbers = [family.along, family.across, lattice.origin].concat();
    let numbers: Vec<String> = numbers.iter().map(|&v| value_text(decimals(v))).collect();
    let open = format!("<path transform=\"matrix({})\" d=\"", numbers.join(" "));
    out.extend_from_slice(open.as_bytes());
    let place = |&(h1, h2): &(i32, i32)| (family.place)(i64::from(h1), i64::from(h2));
    let mut places: Vec<[i64; 2]> = columns.iter().map(place).collect();
    places.sort_unstable_by_key(|&[along, across]| [across, along]);
    let mut pen = [0, 0];
    for run in places.chunk_by(|a, b| a[1] == b[1] && a[0] + 2 == b[0]) {
        let [start, row] = [run[0][0] - 1, run[0][1]];
        out.push(b'm');
        push_signed(out, start - pen[0]);
        if row >= pen[1] {
            out.push(b' ');
        }
        push_signed(out, row - pen[1]);
        out.push(b'h');
        push_signed(out, 2 * run.len() as i64);
        pen = [start + 2 * run.len() as i64, row];
    }
    out.extend_from_slice(b"\"/>\n");
}

/// What hexagons and signs look like.
#[derive(Clone, Copy)]
pub(crate) struct Shapes<'s> {
    pub(crate) outline: &'s Outline,
    pub(crate) signs: &'s Signs,
}

/// Draws a chunk of a blank map: all columns as the commonest status and colour, then the others
/// over them, few ones as hexagons, then the signs.
pub(crate) fn runs(
    head: &SceneHead,
    chunk: &HexagonBatch<'_>,
    lattice: &Lattice,
    shapes: Shapes<'_>,
) -> Vec<u8> {
    let mut groups: BTreeMap<(ColumnStatus, Rgba), Vec<usize>> = BTreeMap::new();
    for i in 0..chunk.len() {
        groups
            .entry((chunk.status[i], chunk.fill[i]))
            .or_default()
            .push(i);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.1.len()));
    if let Some(base) = groups.first_mut() {
        base.1 = (0..chunk.len()).collect();
    }
    let mut out = Vec::with_capacity(8192);
    for (k, ((status, fill), members)) in groups.iter().enumerate() {
        let title = shared_words(head, *status);
        let columns: Vec<_> = members
            .iter()
            .map(|&i| (chunk.hex1[i], chunk.hex2[i]))
            .collect();
        if k > 0 && members.len() <= FEW {
            few(&mut out, chunk, shapes.outline, members, *fill);
            push_title(&mut out, &title);
            out.extend_from_slice(b"</path>\n");
        } else {
            let outlined = needs_outline(*fill, Sign::of(*status, 0.0));
            if outlined {
                open(&mut out, lattice, OUTLINE, RIM);
                lines(&mut out, lattice, &columns);
                out.extend_from_slice(b"</g>\n");
            }
            let rim = if outlined { -RIM } else { RIM };
            open(&mut out, lattice, *fill, rim);
            push_title(&mut out, &title);
            lines(&mut out, lattice, &columns);
            out.extend_from_slice(b"</g>\n");
        }
        if *status == ColumnStatus::NoData {
            // Columns of another status are drawn over these, dots among them.
            let ink = ink(*fill);
            let width = 0.9 * shapes.signs.shape(Sign::NoData, ink).width;
            dots(&mut out, lattice, &columns, Dot { ink, width });
        }
    }
    others(&mut out, chunk, shapes.signs);
    out
}

/// Dots on columns, in the lines of the first family: the same path data again, which pack to nothing.
fn dots(out: &mut Vec<u8>, lattice: &Lattice, columns: &[(i32, i32)], dot: Dot) {
    let [along, across] =
        [2.0, 2.0 / 3f64.sqrt()].map(|units| decimals(dot.width * units / lattice.pitch));
    let gap = decimals(1.0 - along / 2.0);
    out.extend_from_slice(b"<g pointer-events=\"none\" stroke=\"");
    push_short(out, dot.ink);
    let pen = format!(
        "\" stroke-width=\"{}\" stroke-dasharray=\"0 {} {} {}\">",
        value_text(across),
        value_text(gap),
        value_text(along),
        value_text(gap)
    );
    out.extend_from_slice(pen.as_bytes());
    family_lines(out, lattice, &lattice.families()[0], columns);
    out.extend_from_slice(b"</g>\n");
}

/// What dots look like: small squares.
struct Dot {
    ink: Rgba,
    /// In px.
    width: f64,
}

/// All signs but dots.
fn others(out: &mut Vec<u8>, chunk: &HexagonBatch<'_>, signs: &Signs) {
    let kept = (0..chunk.len()).filter(|&i| chunk.status[i] != ColumnStatus::NoData);
    let paths = svg_signs::paths(chunk, signs, kept);
    if !paths.is_empty() {
        svg_signs::push_paths(out, signs, &paths);
    }
}

/// Up to so many columns are shorter as hexagons than as lines in three families.
const FEW: usize = 64;

/// One path of hexagons, left open for its title; its stroke covers what is below it.
fn few(
    out: &mut Vec<u8>,
    chunk: &HexagonBatch<'_>,
    outline: &Outline,
    members: &[usize],
    fill: Rgba,
) {
    let status = members.first().map(|&i| chunk.status[i]);
    let sign = status.and_then(|status| Sign::of(status, 0.0));
    let outlined = needs_outline(fill, sign);
    out.extend_from_slice(b"<path");
    push_fill(out, fill);
    out.extend_from_slice(b" stroke=\"");
    push_short(out, if outlined { OUTLINE } else { fill });
    out.extend_from_slice(b"\" stroke-width=\".5\" d=\"");
    for &i in members {
        outline.push_path(out, hundredths(chunk.x[i]), hundredths(chunk.y[i]));
    }
    out.extend_from_slice(b"\">");
}

fn push_title(out: &mut Vec<u8>, title: &str) {
    out.extend_from_slice(b"<title>");
    push_xml(out, title);
    out.extend_from_slice(b"</title>");
}

fn open(out: &mut Vec<u8>, lattice: &Lattice, color: Rgba, rim: f64) {
    out.extend_from_slice(b"<g stroke=\"");
    push_short(out, color);
    out.push(b'"');
    out.extend_from_slice(lattice.pen(rim).as_bytes());
    out.push(b'>');
}
