//! Two pictures compared in terms of columns, layers, labels and legend.

mod items;
mod parts;

use std::collections::BTreeMap;

use eyemap_abi::job::ColumnStatus;

use super::{
    Difference, Kind, Tolerance,
    finding::TOLD,
    picture::{Hexagon, LayerCell, Picture},
};
use crate::draw::value_text;

pub(super) use parts::{Parts, words as words_of_part};

/// Places are written in hundredths of a px, beside a first one that is not, so that a place read back
/// may be this far from where it was.
const ROUNDING_PX: f64 = 0.0101;
/// So many differences of a kind are told; the others are counted.
const TOLD_OF_A_KIND: usize = 40;

/// What differs between two pictures, that which explains most first.
#[derive(Debug, Default)]
pub(super) struct Differences {
    /// By kind; those that follow from others come after all that may explain them.
    by_kind: BTreeMap<(Follows, Kind), (Vec<Difference>, u64)>,
}

/// Whether a difference follows from others, where there are any.
type Follows = bool;

impl Differences {
    fn push(&mut self, difference: Difference) {
        self.push_as(false, difference);
    }

    /// One that tends to follow from another: a mark that moved, a description of all the rest.
    fn push_follower(&mut self, difference: Difference) {
        self.push_as(true, difference);
    }

    fn push_as(&mut self, follows: Follows, difference: Difference) {
        let key = (follows, difference.kind);
        let (told, count) = self.by_kind.entry(key).or_default();
        *count += 1;
        if told.len() < TOLD_OF_A_KIND {
            told.push(difference);
        }
    }

    /// Whether a hexagon is another: it came, went, moved, or has another status, value or fill, all of
    /// which marks follow.
    fn has_other_hexagons(&self) -> bool {
        let others = [
            Kind::Column,
            Kind::Place,
            Kind::Shape,
            Kind::Status,
            Kind::Value,
            Kind::Color,
            Kind::LayerValue,
        ];
        self.by_kind.keys().any(|(_, kind)| others.contains(kind))
    }

    /// The number of all, whether they are told or not.
    pub(super) fn count(&self) -> u64 {
        self.by_kind.values().map(|(_, count)| count).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_kind.is_empty()
    }

    /// The first in one line, and how many more there are of which kinds.
    pub(super) fn message(&self) -> String {
        let mut told = self.by_kind.values().flat_map(|(told, _)| told);
        let Some(first) = told.next() else {
            return String::new();
        };
        let more = self.count() - 1;
        if more == 0 {
            return first.line();
        }
        let mut kinds: Vec<&str> = Vec::new();
        for (_, kind) in self.by_kind.keys() {
            if !kinds.contains(&kind.words()) {
                kinds.push(kind.words());
            }
        }
        format!("{}; and {more} more ({})", first.line(), kinds.join(", "))
    }

    /// Those that are told.
    pub(super) fn into_told(self) -> Vec<Difference> {
        let told = self.by_kind.into_values().flat_map(|(told, _)| told);
        told.take(TOLD).collect()
    }
}

/// Compares what was approved with what there is.
pub(super) fn compare(
    before: &Picture,
    after: &Picture,
    tolerance: Option<&Tolerance>,
) -> Differences {
    let mut found = Differences::default();
    let [before_canvas, after_canvas] = [before.canvas, after.canvas];
    let sizes = [before_canvas, after_canvas].map(|canvas| {
        let [x, y, width, height] = canvas.map(value_text);
        format!("{width} x {height} from {x},{y}")
    });
    if let [before, after] = sizes
        && canvas_differs([before_canvas, after_canvas], tolerance)
    {
        // It holds whatever stands beside the map, and grows with it.
        found.push_follower(of_map(Kind::Canvas, "in px", before, after));
    }
    if let Some([before, after]) = items::first_difference(&before.script, &after.script) {
        found.push(of_map(Kind::Script, "", before, after));
    }
    let sides = Sides {
        before,
        after,
        tolerance,
    };
    sides.columns(&mut found);
    sides.nameless(&mut found);
    items::compare([before, after], tolerance, &mut found);
    found
}

/// Whether an edge of the canvas lies elsewhere. Edges are whole px, so that with a tolerance of places
/// the next one is no other.
fn canvas_differs(sides: [[f64; 4]; 2], tolerance: Option<&Tolerance>) -> bool {
    let beside = tolerance.map_or(0.0, |tolerance| tolerance.place_px).ceil();
    let edges = sides.map(|[x, y, width, height]| [x, y, x + width, y + height]);
    let mut pairs = edges[0].iter().zip(edges[1]);
    pairs.any(|(before, after)| (before - after).abs() > beside)
}

/// Whether words of the static form name a part of a scale and no single value: `18 – 36`, `> 72`.
fn are_of_scale(words: &str) -> bool {
    words.contains(" – ") || words.starts_with("> ") || words.starts_with("≤ ")
}

pub(super) fn of_map(
    kind: Kind,
    what: &str,
    before: impl Into<String>,
    after: impl Into<String>,
) -> Difference {
    Difference {
        kind,
        column: None,
        layer: None,
        what: what.into(),
        before: before.into(),
        after: after.into(),
        fills: None,
        at: None,
    }
}

struct Sides<'a> {
    before: &'a Picture,
    after: &'a Picture,
    tolerance: Option<&'a Tolerance>,
}

impl Sides<'_> {
    fn columns(&self, found: &mut Differences) {
        let [before, after] = [&self.before.columns, &self.after.columns];
        for (&column, hexagon) in before {
            match after.get(&column) {
                Some(now) => self.hexagon(Some(column), [hexagon, now], found),
                None => found.push(there_or_not(
                    column,
                    hexagon,
                    ["there", "gone"],
                    self.before,
                )),
            }
        }
        for (&column, hexagon) in after {
            if !before.contains_key(&column) {
                found.push(there_or_not(
                    column,
                    hexagon,
                    ["not there", "there"],
                    self.after,
                ));
            }
        }
    }

    /// Hexagons without columns, in the order of their places.
    fn nameless(&self, found: &mut Differences) {
        let [before, after] = [self.before, self.after].map(Picture::nameless_by_place);
        if before.len() != after.len() {
            let numbers = [before.len(), after.len()].map(|n| n.to_string());
            let [before, after] = numbers;
            found.push(of_map(Kind::Column, "number of hexagons", before, after));
            return;
        }
        for (before, after) in before.into_iter().zip(after) {
            self.hexagon(None, [before, after], found);
        }
    }

    fn hexagon(&self, column: Option<[i32; 2]>, sides: [&Hexagon; 2], found: &mut Differences) {
        let [before, after] = sides;
        // What is drawn alike and belongs to another part of the scale is so for another scale.
        let is_rescaled =
            before.fill == after.fill && sides.iter().all(|one| are_of_scale(&one.words));
        let mut push = |kind, [then, now]: [String; 2]| {
            let difference = Difference {
                kind,
                column,
                layer: None,
                what: String::new(),
                before: then,
                after: now,
                fills: Some(sides.map(|hexagon| hexagon.fill.clone())),
                at: Some(self.after.on_canvas(after)),
            };
            found.push_as(kind == Kind::Value && is_rescaled, difference);
        };
        let beside = self.tolerance.map_or(0.0, |tolerance| tolerance.place_px);
        let moved = [0, 1].map(|k| (after.at[k] - before.at[k]).abs());
        if moved.iter().any(|&px| px > ROUNDING_PX.max(beside)) {
            push(Kind::Place, sides.map(|hexagon| place(hexagon.center())));
        }
        if before.outline != after.outline {
            push(Kind::Shape, sides.map(|hexagon| hexagon.outline.clone()));
        }
        let is_new = self.value(sides);
        if let Some(kind) = is_new {
            push(kind, [0, 1].map(|k| self.value_words(k, sides[k])));
        } else {
            if self.differ(&before.fill, &after.fill) {
                push(
                    Kind::Color,
                    [0, 1].map(|k| self.fill_words(k, 0, &sides[k].fill)),
                );
            }
            if before.tooltip != after.tooltip {
                push(Kind::Tooltip, sides.map(|hexagon| hexagon.tooltip.clone()));
            }
        }
        if before.attributes != after.attributes {
            push(
                Kind::Tooltip,
                sides.map(|hexagon| hexagon.attributes.join(", ")),
            );
        }
        self.layers(column, sides, found);
    }

    /// Which difference of status or value there is between two hexagons.
    fn value(&self, [before, after]: [&Hexagon; 2]) -> Option<Kind> {
        if before.status != after.status {
            return Some(Kind::Status);
        }
        // A status in words is compared as such.
        let words = before.status.is_none() && before.words != after.words;
        (before.value != after.value || words).then_some(Kind::Value)
    }

    fn layers(&self, column: Option<[i32; 2]>, sides: [&Hexagon; 2], found: &mut Differences) {
        let n = sides.map(|hexagon| hexagon.layers.len());
        // One without data has no layers: its status says so already.
        let nothing = LayerCell::default();
        for layer in 0..n[0].min(n[1]) {
            let cells = sides.map(|hexagon| hexagon.layers.get(layer).unwrap_or(&nothing));
            if let Some((kind, [before, after])) = self.layer(layer + 1, cells) {
                found.push(Difference {
                    kind,
                    column,
                    layer: Some(label(self.after, layer)),
                    what: String::new(),
                    before,
                    after,
                    fills: Some(cells.map(|cell| cell.fill.clone())),
                    at: Some(self.after.on_canvas(sides[1])),
                });
            }
        }
    }

    fn layer(&self, layer: usize, cells: [&LayerCell; 2]) -> Option<(Kind, [String; 2])> {
        let [before, after] = cells;
        if (before.value, before.absent) != (after.value, after.absent) {
            let words = [0, 1].map(|k| {
                let value = match cells[k].value {
                    _ if cells[k].absent => "no row".into(),
                    Some(value) => value_text(value),
                    None => "unknown".into(),
                };
                value + &self.bin_words(k, layer, &cells[k].fill)
            });
            return Some((Kind::LayerValue, words));
        }
        if self.differ(&before.fill, &after.fill) {
            let words = [0, 1].map(|k| self.fill_words(k, layer, &cells[k].fill));
            return Some((Kind::LayerColor, words));
        }
        (before.tooltip != after.tooltip)
            .then(|| (Kind::Tooltip, cells.map(|cell| cell.tooltip.clone())))
    }

    fn picture(&self, side: usize) -> &Picture {
        if side == 0 { self.before } else { self.after }
    }

    /// `7 (bin 2)`, `no data`.
    fn value_words(&self, side: usize, hexagon: &Hexagon) -> String {
        match (hexagon.status, hexagon.value) {
            (Some(ColumnStatus::HasData), Some(value)) => {
                value_text(value) + &self.bin_words(side, 0, &hexagon.fill)
            }
            (Some(status), _) => status.word().replace('_', " "),
            (None, _) => hexagon.words.clone(),
        }
    }

    /// ` (bin 2)`; nothing where colours are no bins.
    fn bin_words(&self, side: usize, view: usize, fill: &str) -> String {
        let bin = self.picture(side).bin(view, fill);
        bin.map_or_else(String::new, |bin| format!(" (bin {bin})"))
    }

    fn fill_words(&self, side: usize, view: usize, fill: &str) -> String {
        fill.to_owned() + &self.bin_words(side, view, fill)
    }

    fn differ(&self, before: &str, after: &str) -> bool {
        colors_differ(before, after, self.tolerance)
    }
}

/// Whether two colours differ by more than a tolerance. Texts that are no colours have none.
fn colors_differ(before: &str, after: &str, tolerance: Option<&Tolerance>) -> bool {
    before != after
        && match (tolerance, channels(before), channels(after)) {
            (Some(tolerance), Some(before), Some(after)) => before
                .iter()
                .zip(after)
                .any(|(&before, after)| before.abs_diff(after) > tolerance.color),
            _ => true,
        }
}

fn label(picture: &Picture, layer: usize) -> String {
    let label = picture.layers.get(layer);
    label.map_or_else(|| (layer + 1).to_string(), Clone::clone)
}

fn place(at: [f64; 2]) -> String {
    let [x, y] = at.map(|px| value_text((px * 100.0).round() / 100.0));
    format!("{x}, {y} px")
}

/// Of a column that one picture has and the other has not.
fn there_or_not(
    column: [i32; 2],
    hexagon: &Hexagon,
    [before, after]: [&str; 2],
    picture: &Picture,
) -> Difference {
    Difference {
        column: Some(column),
        at: Some(picture.on_canvas(hexagon)),
        fills: None,
        ..of_map(Kind::Column, "", before, after)
    }
}

/// Red, green, blue and alpha of `#rrggbb` or `#rrggbbaa`.
pub(super) fn channels(fill: &str) -> Option<[u8; 4]> {
    let digits = fill.strip_prefix('#')?;
    let full = match digits.len() {
        6 => format!("{digits}ff"),
        8 => digits.to_owned(),
        _ => return None,
    };
    Some(u32::from_str_radix(&full, 16).ok()?.to_be_bytes())
}
