//! Where title, subject, legend and layer buttons go: one layout for all picture formats.
//!
//! Hexagons form an oval, so corners tend to be free; each block takes the place where it covers
//! least, in a fixed order of candidates, and stays on the canvas. Only a block that cannot help
//! covering hexagons gets a translucent white backing. What is drawn in a block is a list of
//! [`Mark`]s that knows no format.

use eyemap_abi::job::Guide;

use super::{
    desk::{Desk, MARGIN, Spot, Stair, grid},
    font::font,
    legend,
    text::fit,
};
use crate::scene::{Rect, Rgba, SceneHead};

pub(crate) const TITLE_PX: f64 = 11.0;
pub(crate) const TEXT_PX: f64 = 10.0;
pub(crate) const SMALL_PX: f64 = 9.0;
pub(crate) const INK: Rgba = Rgba(0x2222_22ff);

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
