//! Where title, subject, legend and layer buttons go: one layout for all picture formats.
//!
//! Hexagons form an oval, so corners tend to be free; each block takes the place where it covers
//! least, in a fixed order of candidates, and stays on the canvas. Only a block that cannot help
//! covering hexagons gets a translucent white backing. What is drawn in a block is a list of
//! [`Mark`]s that knows no format.

use eyemap_abi::job::Guide;

use super::{font::font, legend, text::fit};
use crate::scene::{Occupancy, Rect, Rgba, SceneHead};

pub(crate) const TITLE_PX: f64 = 11.0;
pub(crate) const TEXT_PX: f64 = 10.0;
pub(crate) const SMALL_PX: f64 = 9.0;
pub(crate) const INK: Rgba = Rgba(0x2222_22ff);
const MARGIN: f64 = 6.0;

/// Which point of a text its `x` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// Its left end.
    Start,
    /// Its centre.
    Middle,
    /// Its right end.
    End,
}

/// One thing to draw.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Mark {
    /// A filled rectangle with corners of a radius, in px.
    Box { rect: Rect, fill: Rgba, radius: f64 },
    /// A line of text on a baseline.
    Text {
        x: f64,
        y: f64,
        size: f64,
        anchor: Anchor,
        color: Rgba,
        text: String,
    },
    /// A line through points; an arrow ends in a head.
    Line {
        points: Vec<[f64; 2]>,
        color: Rgba,
        width: f64,
        arrow: bool,
    },
}

/// A button of the layer choice.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Button {
    /// Where.
    pub(crate) rect: Rect,
    /// What is read on it, cut to fit.
    pub(crate) label: String,
}

/// Everything but the hexagons.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Layout {
    /// Drawn below the hexagons.
    pub(crate) guides: Vec<Mark>,
    /// Translucent white grounds below blocks that cover hexagons; the buttons' is kept apart.
    pub(crate) backings: Vec<Rect>,
    /// Where the title's baseline begins, or ends if it is at the right.
    title_at: [f64; 2],
    title_right: bool,
    /// Visible titles: of whole columns, then of each layer.
    pub(crate) titles: Vec<String>,
    /// Lines below the title.
    pub(crate) subject: Vec<Mark>,
    /// Legend of whole columns, if there is one.
    pub(crate) legend: Vec<Mark>,
    /// Legends of layers: none, one, or one each.
    pub(crate) layer_legends: Vec<Vec<Mark>>,
    /// The choice `All`, then each layer.
    pub(crate) buttons: Vec<Button>,
    /// Ground below the buttons.
    pub(crate) button_backing: Option<Rect>,
}

impl Layout {
    /// The title of whole columns.
    pub(crate) fn title(&self) -> Mark {
        let [x, y] = self.title_at;
        let text = self.titles.first().map_or("", String::as_str);
        anchored(text_mark(x, y, TITLE_PX, text), self.title_right)
    }
}

fn anchored(mut mark: Mark, right: bool) -> Mark {
    if let Mark::Text { anchor, .. } = &mut mark {
        *anchor = if right { Anchor::End } else { Anchor::Start };
    }
    mark
}

/// Lays a map out.
pub(crate) fn layout(head: &SceneHead) -> Layout {
    let guides: Vec<Mark> = head.guides.iter().map(guide_mark).collect();
    let mut desk = Desk::new(head, &guides);
    let mut out = Layout {
        guides,
        titles: titles(head),
        ..Layout::default()
    };
    place_words(head, &mut desk, &mut out);
    place_legends(head, &mut desk, &mut out);
    out.backings = std::mem::take(&mut desk.backings);
    place_buttons(head, &mut desk, &mut out);
    out.button_backing = desk.backings.pop();
    out
}

type Vector = [f64; 2];

/// The canvas while blocks are being placed.
struct Desk<'h> {
    head: &'h SceneHead,
    occupancy: Occupancy,
    placed: Vec<Rect>,
    backings: Vec<Rect>,
}

#[derive(Clone, Copy)]
enum Spot {
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
    fn new(head: &'h SceneHead, guides: &[Mark]) -> Self {
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
    fn place(
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

fn widest<'t>(texts: impl IntoIterator<Item = &'t String>, size: f64) -> f64 {
    texts
        .into_iter()
        .map(|t| font().width(t, size))
        .fold(0.0, f64::max)
}

/// Cuts a text to a width in px.
pub(crate) fn cut(text: &str, size: f64, width: f64) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    fit(&line, width, |c| font().advance(c) * size)
}

fn titles(head: &SceneHead) -> Vec<String> {
    let room = text_room(head);
    let mut titles = vec![cut(&head.title, TITLE_PX, room)];
    titles.extend((1..=head.n_layers).map(|layer| cut(&layer_title(head, layer), TITLE_PX, room)));
    titles
}

/// Title of a 1-based layer's view.
pub(crate) fn layer_title(head: &SceneHead, layer: usize) -> String {
    if head.layer_title.is_empty() {
        return head.title.clone();
    }
    eyemap_abi::text::expand(&head.layer_title, |name| {
        (name == "layer").then(|| layer_label(head, layer))
    })
}

/// Name of a 1-based layer.
pub(crate) fn layer_label(head: &SceneHead, layer: usize) -> String {
    let known = head.layer_labels.get(layer - 1);
    known.cloned().unwrap_or_else(|| layer.to_string())
}

fn text_room(head: &SceneHead) -> f64 {
    (head.width_px * 0.45)
        .max(120.0)
        .min(head.width_px - 2.0 * MARGIN)
}

fn place_words(head: &SceneHead, desk: &mut Desk<'_>, out: &mut Layout) {
    use Spot::{Bottom, BottomLeft, BottomRight, Left, Right, Top, TopLeft, TopRight};
    let spots = [
        TopLeft,
        TopRight,
        BottomLeft,
        BottomRight,
        Top,
        Bottom,
        Left,
        Right,
    ];
    let lines = subject_lines(head);
    let line_px = TEXT_PX * 1.25;
    let mut rows = vec![[widest(&out.titles, TITLE_PX), TITLE_PX * 1.2]];
    rows.extend(lines.iter().map(|line| [line.width, line_px]));
    let (_, rect, right) = desk.place(std::slice::from_ref(&rows), &spots, true);
    let edge = |width: f64| {
        if right {
            rect.x + rect.width - width
        } else {
            rect.x
        }
    };
    out.title_at = [edge(0.0), rect.y + TITLE_PX * 0.85];
    out.title_right = right;
    for (i, line) in lines.iter().enumerate() {
        let y = rect.y + rows[0][1] + line_px * (i as f64 + 0.8);
        line.draw(edge(line.width), y, &mut out.subject);
    }
}

/// A subject line, cut to fit.
struct Line {
    text: String,
    badge: Option<(String, Rgba)>,
    width: f64,
}

const BADGE_PAD: f64 = 3.0;

fn subject_lines(head: &SceneHead) -> Vec<Line> {
    let room = text_room(head);
    let lines = head.subject.iter().map(|line| {
        let badge = line
            .badge
            .as_ref()
            .map(|b| (cut(&b.text, TEXT_PX, room / 3.0), &b.fill));
        let filled = |(text, fill): &(String, &Option<String>)| {
            Some((text.clone(), Rgba::parse(fill.as_ref()?)?))
        };
        let solid = badge.as_ref().and_then(filled);
        let plain = match (&badge, &solid) {
            (Some((mark, _)), None) => format!(" ({mark})"),
            _ => String::new(),
        };
        let tail = match &solid {
            Some((mark, _)) => font().width(mark, SMALL_PX) + 3.0 * BADGE_PAD,
            None => font().width(&plain, TEXT_PX),
        };
        let text = cut(&line.text, TEXT_PX, room - tail) + &plain;
        let own = if solid.is_some() { tail } else { 0.0 };
        let width = font().width(&text, TEXT_PX) + own;
        Line {
            text,
            badge: solid,
            width,
        }
    });
    lines.collect()
}

impl Line {
    fn draw(&self, x: f64, y: f64, out: &mut Vec<Mark>) {
        out.push(text_mark(x, y, TEXT_PX, &self.text));
        let Some((mark, fill)) = &self.badge else {
            return;
        };
        let left = x + font().width(&self.text, TEXT_PX) + BADGE_PAD;
        let width = font().width(mark, SMALL_PX) + 2.0 * BADGE_PAD;
        let rect = Rect {
            x: left,
            y: y - 8.5,
            width,
            height: 11.0,
        };
        out.push(Mark::Box {
            rect,
            fill: *fill,
            radius: 2.0,
        });
        out.push(Mark::Text {
            x: left + width / 2.0,
            y: y - 0.3,
            size: SMALL_PX,
            anchor: Anchor::Middle,
            color: legible_on(*fill),
            text: mark.clone(),
        });
    }
}

/// Black or white, whichever is easier to read on a colour.
pub(crate) fn legible_on(ground: Rgba) -> Rgba {
    let [r, g, b, _] = ground.channels().map(f64::from);
    if 0.299 * r + 0.587 * g + 0.114 * b > 150.0 {
        INK
    } else {
        Rgba(0xffff_ffff)
    }
}

/// A dark text that starts at `x`.
pub(crate) fn text_mark(x: f64, y: f64, size: f64, text: &str) -> Mark {
    Mark::Text {
        x,
        y,
        size,
        anchor: Anchor::Start,
        color: INK,
        text: text.to_owned(),
    }
}

fn place_legends(head: &SceneHead, desk: &mut Desk<'_>, out: &mut Layout) {
    use Spot::{Bottom, BottomLeft, BottomRight, Left, Right, Top, TopLeft, TopRight};
    let all: Vec<legend::Drawing> = head
        .legend
        .iter()
        .chain(&head.layer_legends)
        .map(|one| legend::draw(one, head.width_px, head.height_px))
        .collect();
    if all.is_empty() {
        return;
    }
    let most = |size: fn(&legend::Drawing) -> f64| all.iter().map(size).fold(0.0, f64::max);
    let title = most(|one| one.title_height);
    let rows = vec![
        [most(|one| one.title_width), title],
        [most(|one| one.body_width), most(|one| one.height) - title],
    ];
    let spots = [
        BottomRight,
        TopRight,
        BottomLeft,
        TopLeft,
        Right,
        Left,
        Bottom,
        Top,
    ];
    let (_, rect, _) = desk.place(&[rows], &spots, false);
    let mut drawn = all.into_iter().map(|one| one.moved(rect.x, rect.y));
    if head.legend.is_some() {
        out.legend = drawn.next().unwrap_or_default();
    }
    out.layer_legends = drawn.collect();
}

fn place_buttons(head: &SceneHead, desk: &mut Desk<'_>, out: &mut Layout) {
    use Spot::{Bottom, BottomLeft, BottomRight, Left, Right, Top, TopLeft, TopRight};
    if head.n_layers == 0 {
        return;
    }
    let labels = std::iter::once("All".to_owned())
        .chain((1..=head.n_layers).map(|layer| layer_label(head, layer)))
        .map(|label| cut(&label, SMALL_PX, 60.0));
    let labels: Vec<String> = labels.collect();
    let [w, h] = [widest(&labels, SMALL_PX).max(14.0) + 7.0, 13.0];
    let pitch = [w + 2.0, h + 2.0];
    let corners = [BottomLeft, TopRight, BottomRight, TopLeft];
    let stair = corners
        .into_iter()
        .filter_map(|spot| desk.stair(spot, labels.len(), pitch));
    let rects = match stair.min_by_key(Stair::steps) {
        Some(stair) => stair.0,
        None => {
            let columns = [2, 1, 3, 4, 6, labels.len()];
            let forms = columns.map(|n| {
                let rows = labels.len().div_ceil(n);
                vec![[pitch[0] * n as f64 - 2.0, pitch[1] * rows as f64 - 2.0]]
            });
            let spots = [
                BottomLeft,
                TopRight,
                BottomRight,
                TopLeft,
                Left,
                Right,
                Bottom,
                Top,
            ];
            let (form, rect, _) = desk.place(&forms, &spots, false);
            grid(rect, labels.len(), columns[form], pitch)
        }
    };
    let buttons = labels.into_iter().zip(rects);
    out.buttons = buttons
        .map(|(label, rect)| Button { rect, label })
        .collect();
}

/// Buttons in rows of `columns`, in reading order.
fn grid(bounds: Rect, n: usize, columns: usize, [w, h]: Vector) -> Vec<Rect> {
    let at = |i: usize| Rect {
        x: bounds.x + w * (i % columns) as f64,
        y: bounds.y + h * (i / columns) as f64,
        width: w - 2.0,
        height: h - 2.0,
    };
    (0..n).map(at).collect()
}

/// Buttons in a corner, in rows that shorten away from the edge as the oval bulges; in reading order.
struct Stair(Vec<Rect>);

impl Stair {
    fn steps(&self) -> usize {
        self.0.chunk_by(|a, b| a.y == b.y).count()
    }
}

impl Desk<'_> {
    /// Fills a corner with `n` buttons without covering anything, if it can hold them.
    fn stair(&self, spot: Spot, n: usize, [w, h]: Vector) -> Option<Stair> {
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
        } => Mark::Text {
            x: *x,
            y: y + size_px * 0.35,
            size: *size_px,
            anchor: Anchor::Middle,
            color: color(c),
            text: cut(text, *size_px, 200.0),
        },
    }
}
