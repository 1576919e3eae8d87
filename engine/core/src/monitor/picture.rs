//! The two pictures of a report's page: where the time went, and memory over time. Inline SVG without
//! a script; colours are classes, so that the page's style decides in light and in dark.

use std::fmt::Write as _;

use super::{IDLE, Share, share};
use crate::draw::xml;

/// Parts below this are put together: nobody sees them.
const SMALLEST: f64 = 0.005;
/// There are this many colours.
const COLORS: usize = 8;

/// A part of the bar, with the class of its colour.
pub(super) struct Part {
    pub(super) label: String,
    pub(super) share: f64,
    pub(super) class: String,
}

/// The parts of the bar: those that can be seen, then the rest, then idle.
pub(super) fn parts(shares: &[Share]) -> Vec<Part> {
    let seen = |share: &&Share| share.name != IDLE && share.share >= SMALLEST;
    let mut parts: Vec<_> = shares
        .iter()
        .filter(seen)
        .take(COLORS)
        .enumerate()
        .map(|(i, part)| Part {
            label: share::doing(&part.name, &part.of),
            share: part.share,
            class: format!("c{i}"),
        })
        .collect();
    let idle: f64 = shares
        .iter()
        .filter(|share| share.name == IDLE)
        .map(|share| share.share)
        .sum();
    let shown: f64 = parts.iter().map(|part| part.share).sum();
    let mut push = |label: &str, share: f64, class: &str| {
        if share > 1e-9 {
            parts.push(Part {
                label: label.into(),
                share,
                class: class.into(),
            });
        }
    };
    push("Everything else", 1.0 - shown - idle, "rest");
    push("Idle, or not timed", idle, "idle");
    parts
}

/// The stacked bar, 1000 wide.
pub(super) fn bar(parts: &[Part], of: &str) -> String {
    let mut out = format!(
        "<svg class=\"bar\" viewBox=\"0 0 1000 44\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Parts of {}\">\n",
        xml(of)
    );
    let mut x = 0.0;
    for part in parts {
        let width = part.share * 1000.0;
        // Writing into a String cannot fail.
        let _ = writeln!(
            out,
            "<rect class=\"{}\" x=\"{x:.2}\" y=\"0\" width=\"{:.2}\" height=\"44\"><title>{}: {}</title></rect>",
            part.class,
            // A hair of background between two parts.
            (width - 1.5).max(0.8),
            xml(&part.label),
            share::percent(part.share),
        );
        x += width;
    }
    out.push_str("</svg>\n");
    out
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 30.0;

/// Memory over time: milliseconds and bytes. None when there is nothing to see.
pub(super) fn memory(points: &[(f64, u64)], wall_ms: f64) -> Option<String> {
    let peak = points
        .iter()
        .map(|point| point.1)
        .max()
        .filter(|&peak| peak > 0)?;
    let end = points
        .last()
        .map_or(wall_ms, |last| last.0.max(wall_ms))
        .max(1.0);
    let (bytes_step, top) = steps(peak as f64 / 1e6);
    let (time_step, _) = steps(end / 1e3);
    let x = |ms: f64| LEFT + (WIDTH - LEFT - RIGHT) * ms / end;
    let y = |mb: f64| HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * mb / top;
    let mut out = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"Memory over time, at most {}\">\n",
        super::page::bytes(peak)
    );
    for i in 0..=(top / bytes_step).round() as usize {
        let mb = i as f64 * bytes_step;
        let _ = writeln!(
            out,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{} MB</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            y(mb) + 4.0,
            short(mb),
            y = y(mb)
        );
    }
    for i in 0..=(end / 1e3 / time_step) as usize {
        let seconds = i as f64 * time_step;
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{} s</text>",
            x(seconds * 1e3),
            HEIGHT - 8.0,
            short(seconds)
        );
    }
    let mut line = String::new();
    for &(ms, bytes) in points {
        let _ = write!(line, "{:.1},{:.1} ", x(ms), y(bytes as f64 / 1e6));
    }
    // The last stretch lasts until the end.
    let last = points.last().map_or(0, |last| last.1);
    let _ = write!(line, "{:.1},{:.1}", x(end), y(last as f64 / 1e6));
    let first = points.first().map_or(0.0, |first| first.0);
    let _ = writeln!(
        out,
        "<polygon class=\"area\" points=\"{:.1},{floor:.1} {line} {:.1},{floor:.1}\"/>\n<polyline class=\"line\" points=\"{line}\"/>\n</svg>",
        x(first),
        x(end),
        floor = y(0.0)
    );
    Some(out)
}

/// A step of 1, 2 or 5 times a power of ten that makes two to five of them, and the first multiple that
/// is not below.
fn steps(largest: f64) -> (f64, f64) {
    let largest = largest.max(1e-6);
    let magnitude = 10_f64.powf((largest / 4.0).log10().floor());
    let fine = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * magnitude);
    let step = fine
        .into_iter()
        .find(|step| largest / step <= 5.0)
        .unwrap_or(fine[3]);
    (step, (largest / step).ceil() * step)
}

/// A number of an axis, without noise behind it.
fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
