//! The canvas while blocks are being placed: which place covers least.
//!
//! Candidates are tried in a fixed order, so that a map always looks the same. Nothing here knows
//! what a block shows.

use super::layout::Mark;
use crate::scene::{Occupancy, Rect, SceneHead};

/// Distance of blocks from the edges of the canvas, in px.
pub(crate) const MARGIN: f64 = 6.0;

/// Width and height, in px.
pub(crate) type Vector = [f64; 2];

/// The canvas while blocks are being placed.
pub(crate) struct Desk<'h> {
    head: &'h SceneHead,
    occupancy: Occupancy,
    placed: Vec<Rect>,
    /// Bounds of blocks that cover hexagons.
    pub(crate) backings: Vec<Rect>,
}

/// A place on the canvas.
#[derive(Clone, Copy)]
pub(crate) enum Spot {
    TopLeft,
    TopRight,
    BottomRight,
    BottomLeft,
    Top,
    Bottom,
    Left,
    Right,
}

impl<'h> Desk<'h> {
    /// An empty canvas, but for hexagons and guides.
    pub(crate) fn new(head: &'h SceneHead, guides: &[Mark]) -> Self {
        let mut occupancy = head.occupancy.clone();
        let mut mark = |x: f64, y: f64, r: f64| {
            occupancy.mark(x, y, r, head.width_px, head.height_px);
        };
        for guide in guides {
            match guide {
                Mark::Line { points, .. } => points.iter().for_each(|p| mark(p[0], p[1], 2.0)),
                Mark::Text { x, y, size, .. } => mark(*x, y - size * 0.35, *size),
                Mark::Box { .. } => {}
            }
        }
        Self {
            head,
            occupancy,
            placed: Vec::new(),
            backings: Vec::new(),
        }
    }

    /// Finds the place where one of several forms covers least; earlier forms and spots win ties. A
    /// form is a stack of rows `[width, height]`; `hugging` rows keep to the near side of the canvas,
    /// others start at the left. Gives the form's index, its bounds and whether it is at the right.
    pub(crate) fn place(
        &mut self,
        forms: &[Vec<Vector>],
        spots: &[Spot],
        hugging: bool,
    ) -> (usize, Rect, bool) {
        let mut best = (u32::MAX, 0, self.at([0.0; 2], Spot::TopLeft), false);
        for (form, rows) in forms.iter().enumerate() {
            let width = rows.iter().map(|row| row[0]).fold(0.0, f64::max);
            let height = rows.iter().map(|row| row[1]).sum();
            for &spot in spots {
                let rect = self.at([width, height], spot);
                let right = matches!(spot, Spot::TopRight | Spot::BottomRight | Spot::Right);
                let cost = self.cost(rect, rows, hugging && right);
                if cost < best.0 {
                    best = (cost, form, rect, right);
                }
            }
        }
        let (cost, form, rect, right) = best;
        if cost > 0 {
            self.backings.push(rect);
        }
        self.placed.push(rect);
        (form, rect, right)
    }

    fn cost(&self, rect: Rect, rows: &[Vector], right: bool) -> u32 {
        let head = self.head;
        let mut y = rect.y;
        let mut covered = 0;
        for &[width, height] in rows {
            let x = if right {
                rect.x + rect.width - width
            } else {
                rect.x
            };
            let row = Rect {
                x,
                y,
                width,
                height: height - 0.01,
            };
            covered += self.occupancy.covered(row, head.width_px, head.height_px);
            y += height;
        }
        let clashes = self
            .placed
            .iter()
            .filter(|&other| overlap(rect, *other))
            .count();
        let outside = rect.x + rect.width > head.width_px || rect.y + rect.height > head.height_px;
        covered + 10_000 * (clashes as u32) + 100_000 * u32::from(outside)
    }

    fn at(&self, [width, height]: [f64; 2], spot: Spot) -> Rect {
        let right = (self.head.width_px - width - MARGIN).max(0.0);
        let bottom = (self.head.height_px - height - MARGIN).max(0.0);
        let [near_x, near_y] = [MARGIN.min(right), MARGIN.min(bottom)];
        let [mid_x, mid_y] = [(right + near_x) / 2.0, (bottom + near_y) / 2.0];
        let [x, y] = match spot {
            Spot::TopLeft => [near_x, near_y],
            Spot::TopRight => [right, near_y],
            Spot::BottomRight => [right, bottom],
            Spot::BottomLeft => [near_x, bottom],
            Spot::Top => [mid_x, near_y],
            Spot::Bottom => [mid_x, bottom],
            Spot::Left => [near_x, mid_y],
            Spot::Right => [right, mid_y],
        };
        Rect {
            x,
            y,
            width,
            height,
        }
    }
}

fn overlap(a: Rect, b: Rect) -> bool {
    let gap = 4.0;
    a.x < b.x + b.width + gap
        && b.x < a.x + a.width + gap
        && a.y < b.y + b.height + gap
        && b.y < a.y + a.height + gap
}

/// Buttons in rows of `columns`, in reading order.
pub(crate) fn grid(bounds: Rect, n: usize, columns: usize, [w, h]: Vector) -> Vec<Rect> {
    let at = |i: usize| Rect {
        x: bounds.x + w * (i % columns) as f64,
        y: bounds.y + h * (i / columns) as f64,
        width: w - 2.0,
        height: h - 2.0,
    };
    (0..n).map(at).collect()
}

/// Buttons in a corner, in rows that shorten away from the edge as the oval bulges; in reading order.
pub(crate) struct Stair(pub(crate) Vec<Rect>);

impl Stair {
    /// Number of rows.
    pub(crate) fn steps(&self) -> usize {
        self.0.chunk_by(|a, b| a.y == b.y).count()
    }
}

impl Desk<'_> {
    /// Fills a corner with `n` buttons without covering anything, if it can hold them.
    pub(crate) fn stair(&self, spot: Spot, n: usize, [w, h]: Vector) -> Option<Stair> {
        const WIDEST: usize = 4;
        let bottom = matches!(spot, Spot::BottomLeft | Spot::BottomRight);
        let right = matches!(spot, Spot::TopRight | Spot::BottomRight);
        let bounds = |row: usize, len: usize| {
            let corner = self.at([w * len as f64 - 2.0, h - 2.0], spot);
            let off = h * row as f64;
            Rect {
                y: if bottom {
                    corner.y - off
                } else {
                    corner.y + off
                },
                ..corner
            }
        };
        let mut rows: Vec<Rect> = Vec::new();
        let [mut left, mut most] = [n, WIDEST];
        while left > 0 {
            let fits = |&len: &usize| {
                let rect = bounds(rows.len(), len);
                let free = self.cost(rect, &[[rect.width, rect.height]], right) == 0;
                free && rect.y >= 0.0 && rect.y + rect.height <= self.head.height_px
            };
            most = (1..=most.min(left)).rev().find(fits)?;
            rows.push(bounds(rows.len(), most));
            left -= most;
        }
        if bottom {
            rows.reverse();
        }
        let buttons = rows.iter().flat_map(|row| {
            let len = ((row.width + 2.0) / w).round() as usize;
            grid(*row, len, len, [w, h])
        });
        Some(Stair(buttons.collect()))
    }
}
