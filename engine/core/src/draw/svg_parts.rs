//! What both SVG forms share: the root, marks, colours.
//!
//! No `style`, no handlers, and no ids but those of gradients, which say what is in them: maps inlined
//! in one page cannot disturb each other, and a strict content security policy has nothing to refuse.

use std::collections::BTreeMap;

use super::{
    font::FAMILY,
    layout::Layout,
    mark::{Anchor, INK, Mark, SMALL_PX, Text},
    number::{hundredths, push_hundredths, value_text},
    text::{push_xml, xml},
};
use crate::scene::{Rect, Rgba, SceneHead};

/// Appends ` name="number of px"`.
pub(crate) fn attribute_px(out: &mut Vec<u8>, name: &str, px: f64) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    push_hundredths(out, hundredths(px));
    out.push(b'"');
}

/// Appends `#rrggbb`.
pub(crate) fn push_hex(out: &mut Vec<u8>, color: Rgba) {
    out.push(b'#');
    let rgb = color.rgb();
    for shift in [20, 16, 12, 8, 4, 0] {
        out.push(b"0123456789abcdef"[(rgb >> shift & 15) as usize]);
    }
}

/// Appends `#rgb` where that says it, else `#rrggbb`.
pub(crate) fn push_short(out: &mut Vec<u8>, color: Rgba) {
    let rgb = color.rgb();
    if rgb >> 4 & 0x000f_0f0f != rgb & 0x000f_0f0f {
        return push_hex(out, color);
    }
    out.push(b'#');
    for shift in [16, 8, 0] {
        out.push(b"0123456789abcdef"[(rgb >> shift & 15) as usize]);
    }
}

/// Opacity of a colour with four decimals.
pub(crate) fn opacity(color: Rgba) -> f64 {
    let alpha = f64::from(color.channels()[3]) / 255.0;
    (alpha * 1e4).round() / 1e4
}

/// Appends ` fill="#rrggbb"`, and the opacity if it is not full.
pub(crate) fn push_fill(out: &mut Vec<u8>, color: Rgba) {
    push_paint(out, "fill", color);
}

/// Appends a paint and its opacity: of a `fill`, a `stroke`, or a gradient's `stop`.
pub(crate) fn push_paint(out: &mut Vec<u8>, what: &str, color: Rgba) {
    out.push(b' ');
    out.extend_from_slice(what.as_bytes());
    out.extend_from_slice(if what == "stop" { b"-color=\"" } else { b"=\"" });
    push_short(out, color);
    out.push(b'"');
    if color.channels()[3] < 255 {
        let text = format!(" {what}-opacity=\"{}\"", value_text(opacity(color)));
        out.extend_from_slice(text.as_bytes());
    }
}

/// What the whole picture is called: title and subject.
pub(crate) fn name(head: &SceneHead) -> String {
    let subject = head.subject.iter().map(|line| match &line.badge {
        Some(badge) => format!("{} ({})", line.text, badge.text),
        None => line.text.clone(),
    });
    let subject = subject.collect::<Vec<_>>().join(", ");
    match (head.title.is_empty(), subject.is_empty()) {
        (false, false) => format!("{}: {subject}", head.title),
        (false, true) => head.title.clone(),
        (true, false) => subject,
        (true, true) => head.map.to_string(),
    }
}

/// Opens the root and names it.
pub(crate) fn open_root(out: &mut Vec<u8>, head: &SceneHead, canvas: Rect, mark: &str) {
    out.extend_from_slice(b"<svg xmlns=\"http://www.w3.org/2000/svg\"");
    out.extend_from_slice(mark.as_bytes());
    out.extend_from_slice(b" viewBox=\"");
    for (i, px) in [canvas.x, canvas.y, canvas.width, canvas.height]
        .into_iter()
        .enumerate()
    {
        if i > 0 {
            out.push(b' ');
        }
        push_hundredths(out, hundredths(px));
    }
    out.push(b'"');
    attribute_px(out, "width", canvas.width);
    attribute_px(out, "height", canvas.height);
    let rest = format!(
        " role=\"graphics-document\" font-family=\"{FAMILY}\" font-size=\"{SMALL_PX}\">\n<title>{}</title>\n",
        xml(&name(head))
    );
    out.extend_from_slice(rest.as_bytes());
    if !head.description.is_empty() {
        out.extend_from_slice(b"<desc>");
        push_xml(out, &head.description);
        out.extend_from_slice(b"</desc>\n");
    }
}

/// Appends the lines below the hexagons.
pub(crate) fn push_guides(out: &mut Vec<u8>, layout: &Layout) {
    if layout.guides.is_empty() {
        return;
    }
    open_words(out);
    push_marks(out, &layout.guides);
    out.extend_from_slice(b"</g>\n");
}

/// Appends a group with an attribute.
pub(crate) fn push_group(out: &mut Vec<u8>, attributes: &str, marks: &[Mark]) {
    if marks.is_empty() {
        return;
    }
    out.extend_from_slice(format!("<g {attributes}>\n").as_bytes());
    push_marks(out, marks);
    out.extend_from_slice(b"</g>\n");
}

/// Opens what has texts in it: those of the common colour inherit it.
pub(crate) fn open_words(out: &mut Vec<u8>) {
    out.extend_from_slice(b"<g pointer-events=\"none\"");
    push_fill(out, INK);
    out.extend_from_slice(b">\n");
}

/// Appends marks, one a line, within what [`open_words`] opened.
pub(crate) fn push_marks(out: &mut Vec<u8>, marks: &[Mark]) {
    for mark in marks {
        match mark {
            Mark::Box { rect, fill, radius } => push_box(out, *rect, *fill, *radius),
            Mark::Ramp { rect, colors } => {
                push_rect(out, *rect);
                let fill = format!(" fill=\"url(#{})\"/>\n", ramp_id(colors));
                out.extend_from_slice(fill.as_bytes());
            }
            Mark::Text(text) => push_text(out, text),
            Mark::Line {
                points,
                color,
                width,
                arrow,
            } => {
                push_line(out, points, *color, *width);
                if let (true, Some(head)) = (*arrow, arrow_head(points, *width)) {
                    out.extend_from_slice(b"<path");
                    push_points(out, &head);
                    push_fill(out, *color);
                    out.extend_from_slice(b"/>\n");
                }
            }
        }
    }
}

pub(crate) fn push_rect(out: &mut Vec<u8>, rect: Rect) {
    out.extend_from_slice(b"<rect");
    attribute_px(out, "x", rect.x);
    attribute_px(out, "y", rect.y);
    attribute_px(out, "width", rect.width);
    attribute_px(out, "height", rect.height);
}

fn push_box(out: &mut Vec<u8>, rect: Rect, fill: Rgba, radius: f64) {
    push_rect(out, rect);
    if radius > 0.0 {
        attribute_px(out, "rx", radius);
    }
    push_fill(out, fill);
    out.extend_from_slice(b"/>\n");
}

/// A gradient needs an id. It is a hash of its colours: where another map in the page has the same id,
/// it has the same gradient.
fn ramp_id(colors: &[Rgba]) -> String {
    let bytes: Vec<u8> = colors
        .iter()
        .flat_map(|color| color.0.to_le_bytes())
        .collect();
    format!("ramp-{:.16}", blake3::hash(&bytes).to_hex())
}

/// Appends the gradients of ramps, each once.
pub(crate) fn push_gradients(out: &mut Vec<u8>, layout: &Layout) {
    let marks = layout
        .layer_legends
        .iter()
        .chain([&layout.legend])
        .flatten();
    let ramps = marks.filter_map(|mark| match mark {
        Mark::Ramp { colors, .. } => Some((ramp_id(colors), colors)),
        _ => None,
    });
    for (id, colors) in ramps.collect::<BTreeMap<_, _>>() {
        push_gradient(out, &id, colors);
    }
}

fn push_gradient(out: &mut Vec<u8>, id: &str, colors: &[Rgba]) {
    let open = format!("<linearGradient id=\"{id}\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\">");
    out.extend_from_slice(open.as_bytes());
    let last = colors.len().saturating_sub(1).max(1) as f64;
    for (i, &color) in colors.iter().enumerate() {
        let at = (i as f64 / last * 1e4).round() / 1e4;
        out.extend_from_slice(format!("<stop offset=\"{}\"", value_text(at)).as_bytes());
        push_paint(out, "stop", color);
        out.extend_from_slice(b"/>");
    }
    out.extend_from_slice(b"</linearGradient>\n");
}

fn push_text(out: &mut Vec<u8>, text: &Text) {
    out.extend_from_slice(b"<text");
    attribute_px(out, "x", text.x);
    attribute_px(out, "y", text.y);
    if text.size != SMALL_PX {
        attribute_px(out, "font-size", text.size);
    }
    if text.bold {
        out.extend_from_slice(b" font-weight=\"700\"");
    }
    match text.anchor {
        Anchor::Start => {}
        Anchor::Middle => out.extend_from_slice(b" text-anchor=\"middle\""),
        Anchor::End => out.extend_from_slice(b" text-anchor=\"end\""),
    }
    if text.color != INK {
        push_fill(out, text.color);
    }
    out.push(b'>');
    push_xml(out, &text.text);
    out.extend_from_slice(b"</text>\n");
}

fn push_points(out: &mut Vec<u8>, points: &[[f64; 2]]) {
    out.extend_from_slice(b" d=\"");
    for (i, point) in points.iter().enumerate() {
        out.push(if i == 0 { b'M' } else { b' ' });
        push_hundredths(out, hundredths(point[0]));
        out.push(b' ');
        push_hundredths(out, hundredths(point[1]));
    }
    out.push(b'"');
}

fn push_line(out: &mut Vec<u8>, points: &[[f64; 2]], color: Rgba, width: f64) {
    out.extend_from_slice(b"<path");
    push_points(out, points);
    out.extend_from_slice(b" fill=\"none\"");
    push_paint(out, "stroke", color);
    attribute_px(out, "stroke-width", width);
    out.extend_from_slice(b"/>\n");
}

/// The head of an arrow along the last stretch of a line.
pub(crate) fn arrow_head(points: &[[f64; 2]], width: f64) -> Option<[[f64; 2]; 3]> {
    let [.., from, to] = points else { return None };
    let [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    let length = (dx * dx + dy * dy).sqrt();
    if length.is_nan() || length <= 0.0 {
        return None;
    }
    let size = 3.0 + 2.0 * width;
    let [ux, uy] = [dx / length * size, dy / length * size];
    let [bx, by] = [to[0] - ux, to[1] - uy];
    Some([
        *to,
        [bx - uy * 0.45, by + ux * 0.45],
        [bx + uy * 0.45, by - ux * 0.45],
    ])
}
