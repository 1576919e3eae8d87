//! Signs in both SVG forms: on hexagons, and explained with their counts beside the map.

use std::collections::BTreeMap;

use eyemap_abi::job::{Cell, CellShape};

use super::{
    OUTLINE,
    layout::{Layout, ROW_PITCH},
    legend::{HALF_DIGIT, LABEL_X},
    mark::{Anchor, FAINT, Mark, SMALL_PX, Text},
    needs_outline,
    number::hundredths,
    outline::Outline,
    sign::{DARK, Fills, Shape, Sign, Signs, Trail, ink},
    svg_parts::{attribute_px, push_fill, push_marks, push_paint, push_short},
};
use crate::scene::{Counts, HexagonBatch, Rgba, SceneHead};

/// Hexagons of the legend have the size of bars.
pub(crate) const SAMPLE_PX: f64 = 6.0;

/// The cell of the legend's hexagons.
pub(crate) fn sample(shape: CellShape) -> Cell {
    Cell {
        shape,
        circumradius_px: SAMPLE_PX,
    }
}

/// Appends the signs of a chunk, one path for each sign and ink; with `empty` the group even if there
/// are none, for the script to fill.
pub(crate) fn push_signs(out: &mut Vec<u8>, chunk: &HexagonBatch<'_>, signs: &Signs, empty: bool) {
    let paths = paths(chunk, signs, 0..chunk.len());
    if empty || !paths.is_empty() {
        push_paths(out, signs, &paths);
    }
}

/// Path data by sign and ink.
pub(crate) type Paths = BTreeMap<(Sign, Rgba), Trail>;

/// The signs of some hexagons.
pub(crate) fn paths(
    chunk: &HexagonBatch<'_>,
    signs: &Signs,
    which: impl Iterator<Item = usize>,
) -> Paths {
    let mut paths = Paths::new();
    for i in which {
        if let Some(sign) = Sign::of(chunk.status[i], chunk.value[i]) {
            let ink = ink(chunk.fill[i]);
            let path = paths.entry((sign, ink)).or_default();
            let at = [chunk.x[i], chunk.y[i]].map(hundredths);
            path.push(signs.shape(sign, ink), at);
        }
    }
    paths
}

/// Appends a group of paths.
pub(crate) fn push_paths(out: &mut Vec<u8>, signs: &Signs, paths: &Paths) {
    out.extend_from_slice(
        b"<g data-signs=\"\" fill=\"none\" stroke-linecap=\"round\" pointer-events=\"none\">\n",
    );
    for ((sign, ink), path) in paths {
        push_sign(out, ink, signs.shape(*sign, *ink).width, &path.data);
    }
    out.extend_from_slice(b"</g>\n");
}

fn push_sign(out: &mut Vec<u8>, ink: &Rgba, width: f64, path: &[u8]) {
    out.extend_from_slice(b"<path");
    push_paint(out, "stroke", *ink);
    attribute_px(out, "stroke-width", width);
    out.extend_from_slice(b" d=\"");
    out.extend_from_slice(path);
    out.extend_from_slice(b"\"/>\n");
}

/// Appends a row for each sign of the whole columns; with `layers` also hidden ones for those of
/// layers, which the script fills.
pub(crate) fn push_rows(
    out: &mut Vec<u8>,
    head: &SceneHead,
    layout: &Layout,
    fills: &Fills,
    layers: bool,
) {
    let hidden = |sign: &Sign| {
        let mut views = head.layer_counts.iter().filter(|_| layers);
        views.any(|counts| sign.count(counts) > 0)
    };
    let occurs = |sign: &Sign| sign.count(&head.counts) > 0 || hidden(sign);
    let rows: Vec<Sign> = Sign::LISTED.into_iter().filter(occurs).collect();
    if rows.is_empty() {
        return;
    }
    let [x, y] = layout.rows.at;
    out.extend_from_slice(b"<g data-counts=\"\" transform=\"translate(");
    out.extend_from_slice(format!("{x} {y}").as_bytes());
    out.extend_from_slice(b")\" stroke-width=\".5\" stroke-linecap=\"round\">\n");
    let pen = RowPen {
        outline: Outline::new(sample(head.cell.shape)),
        signs: Signs::new(sample(head.cell.shape)),
        width: layout.rows.width,
        layers: layers && !head.layer_counts.is_empty(),
    };
    let mut shown = 0;
    for sign in rows {
        pen.push(out, sign, &head.counts, fills.of(sign), shown);
        shown += usize::from(sign.count(&head.counts) > 0);
    }
    out.extend_from_slice(b"</g>\n");
}

/// What rows are drawn with.
struct RowPen {
    outline: Outline,
    signs: Signs,
    width: f64,
    /// Whether the script shows layers.
    layers: bool,
}

impl RowPen {
    /// Appends both shapes of a zero for the script, whose layers may have other fills.
    fn push_shapes(&self, out: &mut Vec<u8>) {
        for (name, ink) in [("dark", DARK), ("white", Rgba::WHITE)] {
            out.extend_from_slice(format!(" data-{name}=\"").as_bytes());
            let shape = self.signs.shape(Sign::Zero, ink);
            out.extend_from_slice(&one(shape, [hundredths(SAMPLE_PX), 0]));
            out.push(b'"');
        }
    }

    fn push(&self, out: &mut Vec<u8>, sign: Sign, counts: &Counts, fill: Rgba, above: usize) {
        let count = sign.count(counts);
        let open = format!(
            "<g data-sign=\"{}\" transform=\"translate(0 {})\"",
            sign as usize,
            ROW_PITCH * above as f64
        );
        out.extend_from_slice(open.as_bytes());
        if sign == Sign::Zero && self.layers {
            self.push_shapes(out);
        }
        let rest: &[u8] = if count == 0 {
            b" display=\"none\">"
        } else {
            b">"
        };
        out.extend_from_slice(rest);
        let center = [hundredths(SAMPLE_PX), 0];
        out.extend_from_slice(b"<path");
        push_fill(out, fill);
        if needs_outline(fill, Some(sign)) {
            out.extend_from_slice(b" stroke=\"");
            push_short(out, OUTLINE);
            out.push(b'"');
        }
        out.extend_from_slice(b" d=\"");
        self.outline.push_path(out, center[0], center[1]);
        out.extend_from_slice(b"\"/><path fill=\"none\"");
        push_paint(out, "stroke", ink(fill));
        let shape = self.signs.shape(sign, ink(fill));
        attribute_px(out, "stroke-width", shape.width);
        out.extend_from_slice(b" d=\"");
        out.extend_from_slice(&one(shape, center));
        out.extend_from_slice(b"\"/>\n");
        push_marks(out, &row_texts(sign, count, self.width));
        out.extend_from_slice(b"</g>\n");
    }
}

/// Path data of one shape.
fn one(shape: &Shape, at: [i64; 2]) -> Vec<u8> {
    let mut trail = Trail::default();
    trail.push(shape, at);
    trail.data
}

/// What is written in a row, relative to its left end's middle.
pub(crate) fn row_texts(sign: Sign, count: u64, width: f64) -> [Mark; 2] {
    let words = Text::new([LABEL_X, HALF_DIGIT], SMALL_PX, sign.words());
    let count = Text::new([width, HALF_DIGIT], SMALL_PX, count.to_string());
    [
        Mark::Text(words),
        Mark::Text(count.anchored(Anchor::End).colored(FAINT)),
    ]
}
