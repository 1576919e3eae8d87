//! Where everything but the hexagons goes: one layout for all picture formats.
//!
//! Nothing ever covers a hexagon. Title and subtitle stand above the map; at its right a column has legends
//! and marks at its upper end, layer buttons and the compass at its lower end. Maps of one size have them at
//! the same places; marks follow the legend, which may be long or short. The
//! canvas is what holds them all: coordinates of hexagons stay, so that it may begin left of and above
//! the origin. What is too long for its place is wrapped or ends in an ellipsis.

use eyemap_abi::job::Guide;

use super::{
    compass,
    font::font,
    heading::{self, Heading},
    legend::{self, Drawing, Room},
    mark::{Anchor, Mark, SMALL_PX, Text, cut, extent},
    sign::Sign,
};
use crate::scene::{Rect, Rgba, SceneHead};

/// Empty px at the edges of the canvas.
const MARGIN: f64 = 16.0;
/// Between the map and the column at its right, in px.
const GAP: f64 = 24.0;
/// Height of title and subtitle with the space below them, in px.
const HEADING: f64 = 44.0;
/// Least width of title and subtitle, in px: a map of a few columns has words too.
const HEADING_WIDTH: f64 = 330.0;
/// Width of the column, in px: the same for all maps whose labels fit.
const COLUMN: [f64; 2] = [104.0, 168.0];
/// From one mark's row in the legend to the next, in px.
pub(crate) const ROW_PITCH: f64 = 17.0;
/// Between blocks of the column, in px.
const BLOCK_GAP: f64 = 14.0;

/// A button of the layer choice.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Button {
    /// Where.
    pub(crate) rect: Rect,
    /// What is read on it, cut to fit.
    pub(crate) label: String,
}

/// The list of marks below the legends.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Rows {
    /// Middle of the first row's left end.
    pub(crate) at: [f64; 2],
    /// Where counts end, from the left.
    pub(crate) width: f64,
}

/// Everything but the hexagons.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Layout {
    /// The whole picture, in whole px; its origin may be negative.
    pub(crate) canvas: Rect,
    /// Drawn below the hexagons.
    pub(crate) guides: Vec<Mark>,
    /// Titles of all views, and what stands beside them.
    pub(crate) heading: Heading,
    /// Legend of whole columns, if there is one.
    pub(crate) legend: Vec<Mark>,
    /// Legends of layers: none, one, or one each.
    pub(crate) layer_legends: Vec<Vec<Mark>>,
    /// Where marks are explained.
    pub(crate) rows: Rows,
    /// The choice `All`, then each layer.
    pub(crate) buttons: Vec<Button>,
    /// Where dorsal and anterior lie.
    pub(crate) compass: Vec<Mark>,
}

/// The whole picture of a map, in whole px.
pub(crate) fn canvas(head: &SceneHead) -> Rect {
    layout(head).canvas
}

/// Lays a map out.
pub(crate) fn layout(head: &SceneHead) -> Layout {
    let guides: Vec<Mark> = head.guides.iter().map(guide_mark).collect();
    let map = extent(&guides).map_or(head.bounds, |guides| guides.union(head.bounds));
    let column = column(head, map);
    let [least_width, heading] = match heading::is_empty(head) {
        true => [0.0; 2],
        false => [HEADING_WIDTH, HEADING],
    };
    let content = Rect {
        x: map.x,
        y: map.y - heading,
        width: (map.width + GAP + column.width).max(least_width),
        height: heading + map.height.max(column.height),
    };
    let canvas = around(content, [head.width_px, head.height_px]);
    let place = [map.x + map.width + GAP, map.y].map(f64::round);
    let moved = |marks: Vec<Mark>| marks.into_iter().map(|mark| mark.moved(place)).collect();
    let mut legends = column.legends.into_iter().map(|one| moved(one.marks));
    let legend = head.legend.as_ref().and_then(|_| legends.next());
    Layout {
        canvas,
        guides,
        heading: heading::heading(head, content),
        legend: legend.unwrap_or_default(),
        layer_legends: legends.collect(),
        rows: Rows {
            at: [place[0], place[1] + column.rows_y],
            width: column.width,
        },
        buttons: moved_buttons(column.buttons, place),
        compass: moved(column.compass),
    }
}

/// Content with a margin around it, at least of a size.
fn around(content: Rect, [width, height]: [f64; 2]) -> Rect {
    let wide = content.width + 2.0 * MARGIN;
    let high = content.height + 2.0 * MARGIN;
    // What a small map leaves of the least canvas lies on both sides of it.
    let [spare_x, spare_y] = [(width - wide).max(0.0), (height - high).max(0.0)];
    let x = (content.x - MARGIN - spare_x / 2.0).floor();
    let y = (content.y - MARGIN - spare_y / 2.0).floor();
    Rect {
        x,
        y,
        width: (content.x - x + content.width + MARGIN).max(width).ceil(),
        height: (content.y - y + content.height + MARGIN).max(height).ceil(),
    }
}

/// What stands at the right of the map, with the upper left corner at the origin.
struct Column {
    legends: Vec<Drawing>,
    rows_y: f64,
    buttons: Vec<Button>,
    compass: Vec<Mark>,
    width: f64,
    height: f64,
}

fn column(head: &SceneHead, map: Rect) -> Column {
    let room = Room {
        width: COLUMN[1],
        height: (0.5 * map.height).max(120.0),
    };
    let zero = |layer: usize| signs(head, layer).any(|sign| sign == Sign::Zero);
    let whole = head
        .legend
        .iter()
        .map(|one| legend::draw(one, zero(0), room));
    let several = head.layer_legends.len() > 1;
    let layers = head.layer_legends.iter().enumerate().map(|(i, one)| {
        // A legend for all layers leaves out what any of them has a mark for.
        let marked = if several {
            zero(i + 1)
        } else {
            (1..=head.n_layers).any(zero)
        };
        legend::draw(one, marked, room)
    });
    let legends: Vec<Drawing> = whole.chain(layers).collect();
    let rows_y = most(legends.iter().map(|one| one.height)).max(0.0);
    let counted = (0..=head.n_layers).map(|layer| signs(head, layer).count());
    let rows = counted.max().unwrap_or(0) as f64;
    let width = most(legends.iter().map(|one| one.width));
    let width = width
        .max(rows_width(head))
        .clamp(COLUMN[0], COLUMN[1])
        .ceil();
    let mut y = rows_y + ROW_PITCH * rows;
    let mut buttons = buttons(head, width);
    let mut compass = head.compass.map(compass::draw).unwrap_or_default();
    let reach = extent(&compass).map(|reach| reach.height);
    // At the lower end of the map where there is room: a legend of another height moves neither.
    let above_compass = map.height - 8.0 - reach.map_or(0.0, |height| height + BLOCK_GAP);
    if let Some(last) = buttons.last().map(|last| last.rect) {
        let height = last.y + last.height;
        let top = (above_compass - height).max(y + BLOCK_GAP).round();
        buttons.iter_mut().for_each(|button| button.rect.y += top);
        y = top + height;
    }
    if let Some(height) = reach {
        let top = (map.height - height - 8.0).max(y + BLOCK_GAP).round();
        compass = compass
            .into_iter()
            .map(|mark| mark.moved([8.0, top]))
            .collect();
        y = top + height;
    }
    Column {
        legends,
        rows_y: (rows_y + ROW_PITCH / 2.0).round(),
        buttons,
        compass,
        width,
        height: y,
    }
}

fn most(sizes: impl Iterator<Item = f64>) -> f64 {
    sizes.fold(0.0, f64::max)
}

/// The marks that occur in a view: whole columns, or a layer from 1.
pub(crate) fn signs(head: &SceneHead, view: usize) -> impl Iterator<Item = Sign> + '_ {
    let counts = match view {
        0 => Some(&head.counts),
        layer => head.layer_counts.get(layer - 1),
    };
    let occurs = move |sign: &Sign| counts.is_some_and(|counts| sign.count(counts) > 0);
    Sign::LISTED.into_iter().filter(occurs)
}

fn rows_width(head: &SceneHead) -> f64 {
    let views = std::iter::once(&head.counts).chain(&head.layer_counts);
    let count = |sign: Sign| views.clone().map(move |counts| sign.count(counts)).max();
    let widths = Sign::ALL.map(|sign| match count(sign) {
        None | Some(0) => 0.0,
        Some(n) => {
            let words = font().width(sign.words(), SMALL_PX);
            legend::LABEL_X + words + 10.0 + font().width(&n.to_string(), SMALL_PX)
        }
    });
    most(widths.into_iter())
}

/// Name of a 1-based layer.
pub(crate) fn layer_label(head: &SceneHead, layer: usize) -> String {
    let known = head.layer_labels.get(layer - 1);
    known.cloned().unwrap_or_else(|| layer.to_string())
}

/// The layer choice in rows below each other; none without layers.
fn buttons(head: &SceneHead, width: f64) -> Vec<Button> {
    if head.n_layers == 0 {
        return Vec::new();
    }
    let labels = std::iter::once("All".to_owned())
        .chain((1..=head.n_layers).map(|layer| layer_label(head, layer)))
        .map(|label| cut(&label, font(), SMALL_PX, 60.0));
    let labels: Vec<String> = labels.collect();
    let widest = most(labels.iter().map(|label| font().width(label, SMALL_PX)));
    let [w, h] = [(widest.max(14.0) + 8.0).ceil(), 14.0];
    let columns = ((width + 3.0) / (w + 3.0)).floor().max(1.0) as usize;
    let buttons = labels.into_iter().enumerate();
    buttons
        .map(|(i, label)| Button {
            rect: Rect {
                x: (w + 3.0) * (i % columns) as f64,
                y: (h + 3.0) * (i / columns) as f64,
                width: w,
                height: h,
            },
            label,
        })
        .collect()
}

fn moved_buttons(mut buttons: Vec<Button>, [dx, dy]: [f64; 2]) -> Vec<Button> {
    for button in &mut buttons {
        button.rect.x += dx;
        button.rect.y += dy;
    }
    buttons
}

fn guide_mark(guide: &Guide) -> Mark {
    let color = |text: &String| Rgba::parse(text).unwrap_or(Rgba(0x6666_66ff));
    match guide {
        Guide::Polyline {
            points,
            color: c,
            width_px,
            arrow,
        } => Mark::Line {
            points: points.clone(),
            color: color(c),
            width: *width_px,
            arrow: *arrow,
        },
        Guide::Label {
            x,
            y,
            text,
            color: c,
            size_px,
        } => {
            let text = cut(text, font(), *size_px, 200.0);
            let text = Text::new([*x, y + size_px * 0.35], *size_px, text);
            Mark::Text(text.anchored(Anchor::Middle).colored(color(c)))
        }
    }
}

#[cfg(test)]
mod tests;
