//! One diagram: capacities to the right on a logarithmic scale, a share upwards, a line a policy.

use std::fmt::Write as _;

use super::{BOTTOM, Curve, FONT_PX, PANEL_HEIGHT, PANEL_WIDTH, Point, TOP, mark};
use crate::{
    config::Size,
    draw::{font, xml},
};

/// Between the frame and the first and last points.
const PAD: f64 = 14.0;
/// Names at the ends of lines are no closer than this.
const NAME_GAP: f64 = 13.5;

/// A diagram of one value.
pub(super) struct Panel<'c> {
    title: &'static str,
    curves: &'c [Curve],
    value: fn(&Point) -> Option<f64>,
    capacities: Vec<u64>,
    low: f64,
    high: f64,
    step: f64,
}

impl<'c> Panel<'c> {
    pub(super) fn new(
        title: &'static str,
        curves: &'c [Curve],
        value: fn(&Point) -> Option<f64>,
    ) -> Self {
        let points = || curves.iter().flat_map(|curve| &curve.points);
        let mut capacities: Vec<_> = points().map(|point| point.capacity).collect();
        capacities.sort_unstable();
        capacities.dedup();
        let (least, most) = points()
            .filter_map(value)
            .fold((1.0f64, 0.0f64), |(low, high), v| (low.min(v), high.max(v)));
        let steps = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1];
        let fits = |step: &f64| (most - least) / step <= 7.0;
        let step = steps.into_iter().find(fits).unwrap_or(0.2);
        let low = (least / step).floor() * step;
        let high = (most / step).ceil() * step;
        Self {
            title,
            curves,
            value,
            capacities,
            low: low.min(high),
            high: if high > low { high } else { low + step },
            step,
        }
    }

    /// Draws it with its left edge at `left`.
    pub(super) fn draw(&self, out: &mut String, left: f64) {
        let _ = writeln!(
            out,
            "<text x=\"{left}\" y=\"{}\" font-weight=\"bold\" fill=\"#111\">{}</text>",
            TOP - 14.0,
            self.title
        );
        self.draw_shares(out, left);
        self.draw_capacities(out, left);
        for curve in self.curves {
            self.draw_curve(out, left, curve);
        }
        self.draw_names(out, left + PANEL_WIDTH);
    }

    fn x(&self, left: f64, capacity: u64) -> f64 {
        let log = |capacity: u64| (capacity.max(1) as f64).ln();
        let (Some(&first), Some(&last)) = (self.capacities.first(), self.capacities.last()) else {
            return left;
        };
        let wide = PANEL_WIDTH - 2.0 * PAD;
        let part = match log(last) - log(first) {
            span if span > 0.0 => (log(capacity) - log(first)) / span,
            _ => 0.5,
        };
        left + PAD + part * wide
    }

    fn y(&self, value: f64) -> f64 {
        BOTTOM - (value - self.low) / (self.high - self.low) * PANEL_HEIGHT
    }

    fn draw_shares(&self, out: &mut String, left: f64) {
        let ticks = ((self.high - self.low) / self.step).round() as u32;
        let digits = usize::from(self.step < 0.0099);
        for i in 0..=ticks {
            let value = self.low + f64::from(i) * self.step;
            let y = self.y(value);
            let shade = if i == 0 { "#888" } else { "#e4e4e4" };
            let _ = writeln!(
                out,
                "<path d=\"M{left} {y:.1}h{PANEL_WIDTH}\" stroke=\"{shade}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{:.digits$} %</text>",
                left - 8.0,
                y + 4.0,
                value * 100.0
            );
        }
    }

    fn draw_capacities(&self, out: &mut String, left: f64) {
        let mut free_from = f64::NEG_INFINITY;
        for &capacity in &self.capacities {
            let (x, text) = (self.x(left, capacity), Size::of_bytes(capacity).short());
            let half = font().width(&text, FONT_PX) / 2.0;
            let _ = writeln!(out, "<path d=\"M{x:.1} {BOTTOM}v5\" stroke=\"#888\"/>");
            if x - half < free_from {
                continue;
            }
            free_from = x + half + 6.0;
            let _ = writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
                BOTTOM + 19.0
            );
        }
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#555\">\
             Capacity (logarithmic)</text>",
            left + PANEL_WIDTH / 2.0,
            BOTTOM + 40.0
        );
    }

    fn draw_curve(&self, out: &mut String, left: f64, curve: &Curve) {
        let (mut line, mut marks) = (String::new(), String::new());
        for point in &curve.points {
            let Some(value) = (self.value)(point) else {
                continue;
            };
            let (x, y) = (self.x(left, point.capacity), self.y(value));
            let begin = if line.is_empty() { 'M' } else { 'L' };
            let _ = write!(line, "{begin}{x:.1} {y:.1}");
            let size = Size::of_bytes(point.capacity).short();
            let hint = format!("{}, {size}: {:.2} %", curve.name, value * 100.0);
            marks += &mark(curve, x, y, &hint);
        }
        let _ = writeln!(
            out,
            "<path d=\"{line}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" \
             stroke-linejoin=\"round\"{}/>{marks}",
            curve.color, curve.dash
        );
    }

    /// The name of each policy at the end of its line, moved apart where lines end close together.
    fn draw_names(&self, out: &mut String, right: f64) {
        let mut ends: Vec<(f64, &Curve)> = self
            .curves
            .iter()
            .filter_map(|curve| Some((self.y((self.value)(curve.points.last()?)?), curve)))
            .collect();
        ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        let wanted: Vec<f64> = ends.iter().map(|(y, _)| *y).collect();
        for ((end, curve), y) in ends.iter().zip(spread(&wanted)) {
            let _ = writeln!(
                out,
                "<path d=\"M{:.1} {end:.1}L{:.1} {y:.1}\" fill=\"none\" stroke=\"{}\" \
                 stroke-opacity=\".7\"/><text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                right - PAD + 5.0,
                right + 10.0,
                curve.color,
                right + 13.0,
                y + 4.0,
                xml(&curve.name)
            );
        }
    }
}

/// Moves heights, sorted from the top down, apart and keeps them between top and bottom.
fn spread(wanted: &[f64]) -> Vec<f64> {
    let gap = NAME_GAP.min(PANEL_HEIGHT / wanted.len().max(1) as f64);
    // Groups of names that touch, each as the sum of where its first name wants to be, and its size.
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for &y in wanted {
        groups.push((y, 1));
        while let [.., (above, n), (below, m)] = groups[..] {
            let (top, next) = (above / n as f64, below / m as f64);
            if next >= top + n as f64 * gap {
                break;
            }
            groups.pop();
            groups.pop();
            groups.push((above + below - (n * m) as f64 * gap, n + m));
        }
    }
    let mut placed = Vec::new();
    for (sum, n) in groups {
        let lowest = (BOTTOM - n as f64 * gap).max(TOP);
        let first = (sum / n as f64).clamp(TOP, lowest);
        placed.extend((0..n).map(|i| first + i as f64 * gap));
    }
    // What was kept above the bottom may have come too close to the group above it.
    for i in (1..placed.len()).rev() {
        placed[i - 1] = placed[i - 1].min(placed[i] - gap);
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_distance_and_their_order() {
        let placed = spread(&[150.0, 151.0, 151.5, 300.0, TOP + PANEL_HEIGHT]);
        for two in placed.windows(2) {
            assert!(two[1] - two[0] >= NAME_GAP - 1e-9, "{placed:?}");
        }
        assert!((placed[3] - 300.0).abs() < 1e-9);
        // A group stays where its members are, on average.
        let middle = (placed[0] + placed[2]) / 2.0;
        assert!((middle - 150.83).abs() < 0.1, "{placed:?}");
        assert!(placed.iter().all(|&y| (TOP..=BOTTOM).contains(&y)));
    }
}
