//! A miss-ratio curve as one SVG: what each policy misses at each capacity, and, where the trace has
//! costs, what it saves. It runs no script and loads nothing.

mod panel;

use std::fmt::Write as _;

use self::panel::Panel;
use super::sweep::{Swept, TraceFacts};
use crate::{
    config::Size,
    draw::{FAMILY, fit, font, xml},
};

/// Draws a sweep. `trace` names the trace, in the title.
pub fn chart(trace: &str, swept: &[Swept], facts: &TraceFacts) -> String {
    let curves = curves(swept, facts);
    let miss: fn(&Point) -> Option<f64> = |point| Some(point.miss);
    let mut panels = vec![Panel::new("Miss ratio: lower is better", &curves, miss)];
    if facts.has_costs() {
        let title = "Recompute time saved: higher is better";
        panels.push(Panel::new(title, &curves, |point| point.saved));
    }
    let step = AXIS + PANEL_WIDTH + names_px(&curves) + MARGIN;
    let width = (MARGIN + panels.len() as f64 * step).ceil();
    let (legend, rows) = legend(&curves, width);
    let height = LEGEND_TOP + f64::from(rows) * LEGEND_ROW + 4.0;
    let mut out = head(trace, facts, &curves, (width, height));
    for (i, panel) in panels.iter().enumerate() {
        panel.draw(&mut out, MARGIN + i as f64 * step + AXIS);
    }
    out + &legend + "</svg>\n"
}

const MARGIN: f64 = 20.0;
/// Room for the numbers left of a panel.
const AXIS: f64 = 44.0;
const PANEL_WIDTH: f64 = 420.0;
/// Names that are longer, as those of files are, are cut.
const MAX_NAME: f64 = 220.0;
const TOP: f64 = 104.0;
const PANEL_HEIGHT: f64 = 360.0;
const BOTTOM: f64 = TOP + PANEL_HEIGHT;
const LEGEND_TOP: f64 = BOTTOM + 72.0;
const LEGEND_ROW: f64 = 20.0;
const FONT_PX: f64 = 12.0;
const TITLE_PX: f64 = 18.0;

/// Okabe and Ito, "Color universal design" (2008), without its yellow, which white swallows; and a
/// wine red and a grey, which differ from the others in lightness.
const COLORS: [&str; 9] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#000000", "#e69f00", "#56b4e9", "#882255",
    "#808080",
];
/// When colours come round again, dashes tell lines apart.
const DASHES: [&str; 3] = ["", " stroke-dasharray=\"7 7\"", " stroke-dasharray=\"2 3\""];

/// One policy at one capacity.
#[derive(PartialEq)]
struct Point {
    capacity: u64,
    miss: f64,
    saved: Option<f64>,
}

/// One policy.
struct Curve {
    name: String,
    points: Vec<Point>,
    color: &'static str,
    dash: &'static str,
    /// Which shape its points have.
    mark: usize,
}

/// The points of each policy from the smallest capacity up, in the order of the policies.
fn curves(swept: &[Swept], facts: &TraceFacts) -> Vec<Curve> {
    let (mut curves, mut policies): (Vec<Curve>, Vec<&str>) = Default::default();
    for one in swept {
        let at = policies.iter().position(|policy| *policy == one.policy);
        let at = at.unwrap_or_else(|| {
            let n = curves.len();
            policies.push(&one.policy);
            let failed = |run: &Swept| run.policy == one.policy && run.replayed.fault.is_some();
            // What is drawn is then not what the policy would do.
            let mark = if swept.iter().any(failed) { "! " } else { "" };
            curves.push(Curve {
                name: cut(&format!("{mark}{}", one.policy), FONT_PX, MAX_NAME),
                points: Vec::new(),
                color: COLORS[n % COLORS.len()],
                dash: DASHES[n / COLORS.len() % DASHES.len()],
                mark: n,
            });
            n
        });
        curves[at].points.push(Point {
            capacity: one.capacity,
            miss: 1.0 - one.hit_ratio(facts),
            saved: one.saved(facts),
        });
    }
    for i in 0..curves.len() {
        let (before, rest) = curves.split_at_mut(i);
        let curve = &mut rest[0];
        curve.points.sort_by_key(|point| point.capacity);
        // Over a line that it would hide, it leaves gaps.
        if before.iter().any(|other| other.points == curve.points) {
            curve.dash = DASHES[1];
        }
    }
    curves
}

fn head(trace: &str, facts: &TraceFacts, curves: &[Curve], (w, h): (f64, f64)) -> String {
    let names: Vec<_> = curves.iter().map(|curve| curve.name.as_str()).collect();
    let what = xml(&format!(
        "{} requests for {} keys, {} in all; replayed in exact mode",
        thousands(facts.requests),
        thousands(facts.keys),
        Size::of_bytes(facts.footprint_bytes).short(),
    ));
    let names = xml(&names.join(", "));
    let title = format!("Cache policies on {trace}");
    let shown = xml(&cut(&title, 1.1 * TITLE_PX, w - 2.0 * MARGIN));
    let title = xml(&title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h:.0}\" \
         viewBox=\"0 0 {w} {h:.0}\" role=\"img\" font-family=\"{FAMILY}\" \
         font-size=\"{FONT_PX}\" fill=\"#333\">\n\
         <title>{title}</title>\n<desc>{what}: {names}</desc>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"{MARGIN}\" y=\"32\" font-size=\"{TITLE_PX}\" font-weight=\"bold\" \
         fill=\"#111\">{shown}</text>\n\
         <text x=\"{MARGIN}\" y=\"52\" fill=\"#555\">{what}</text>\n"
    )
}

/// Room for the names at the ends of lines, with what leads to them.
fn names_px(curves: &[Curve]) -> f64 {
    let widths = curves
        .iter()
        .map(|curve| font().width(&curve.name, FONT_PX));
    20.0 + widths.fold(40.0, f64::max)
}

/// A text as far as there is room for it.
fn cut(text: &str, size_px: f64, width_px: f64) -> String {
    fit(text, width_px / size_px, |c| font().advance(c))
}

/// What each line looks like, in rows, and how many these are.
fn legend(curves: &[Curve], width: f64) -> (String, u32) {
    let (mut out, mut row, mut x) = (String::new(), 0, MARGIN);
    for curve in curves {
        let needed = 30.0 + font().width(&curve.name, FONT_PX) + 22.0;
        if x > MARGIN && x + needed > width - MARGIN {
            (row, x) = (row + 1, MARGIN);
        }
        let y = LEGEND_TOP + f64::from(row) * LEGEND_ROW;
        let (color, dash) = (curve.color, curve.dash);
        let _ = writeln!(
            out,
            "<path d=\"M{x:.1} {y:.1}h24\" stroke=\"{color}\" stroke-width=\"2\"{dash}/>{}\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            mark(curve, x + 12.0, y, ""),
            x + 30.0,
            y + 4.0,
            xml(&curve.name)
        );
        x += needed;
    }
    (out, row + 1)
}

/// A point of a curve: colours and shapes both tell policies apart.
fn mark(curve: &Curve, x: f64, y: f64, hint: &str) -> String {
    let shape = match curve.mark % 4 {
        0 => "m-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z",
        1 => "m-3.2 -3.2h6.4v6.4h-6.4z",
        2 => "m0 -4.2l4.2 7.2h-8.4z",
        _ => "m0 -4.4l4.4 4.4l-4.4 4.4l-4.4 -4.4z",
    };
    let color = curve.color;
    let hint = match hint {
        "" => String::new(),
        hint => format!("<title>{}</title>", xml(hint)),
    };
    format!(
        "<path d=\"M{x:.1} {y:.1}{shape}\" fill=\"{color}\" stroke=\"#fff\" \
         stroke-width=\".8\">{hint}</path>"
    )
}

/// A whole number with its thousands apart.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests;
