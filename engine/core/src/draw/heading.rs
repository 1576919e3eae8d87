//! What stands above the map: the title, beside it the place, below it a line of numbers.
//!
//! One row each, whatever their length, so that the map stays where it is.

use super::{
    font::{bold, font},
    layout::layer_label,
    mark::{Anchor, FAINT, Mark, TEXT_PX, TITLE_PX, Text, cut, legible_on},
};
use crate::scene::{Rect, Rgba, SceneHead};

/// Between title and place, and between places, in px.
const GAP: f64 = 9.0;
/// Around the letters of a badge, in px.
const PAD: f64 = 4.0;
const BADGE_PX: f64 = 11.0;
/// Room that a line of the subject has at the least, in px.
const LEAST: f64 = 60.0;

/// The rows above the map.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Heading {
    /// Where the title's baseline begins.
    at: [f64; 2],
    /// Visible titles: of whole columns, then of each layer.
    pub(crate) titles: Vec<String>,
    /// The lines below them; all empty where there is none.
    pub(crate) subtitles: Vec<String>,
    /// Beside the title.
    pub(crate) subject: Vec<Mark>,
}

impl Heading {
    /// The title of whole columns.
    pub(crate) fn title(&self) -> Mark {
        let text = self.titles.first().cloned().unwrap_or_default();
        Mark::Text(Text::new(self.at, TITLE_PX, text).bold())
    }

    /// The subtitle of whole columns, if any view has one.
    pub(crate) fn subtitle(&self) -> Option<Mark> {
        let [x, y] = self.at;
        let any = self.subtitles.iter().any(|text| !text.is_empty());
        let text = Text::new([x, y + 15.0], TEXT_PX, self.subtitles.first()?.as_str());
        any.then(|| Mark::Text(text.colored(FAINT)))
    }
}

/// Text of a 1-based layer's view, from a template with `{layer}` and
/// `{columns_in_layer}`; empty keeps that of whole columns.
fn of_layer(head: &SceneHead, template: &str, whole: &str, layer: usize) -> String {
    if template.is_empty() {
        return whole.to_owned();
    }
    eyemap_abi::text::expand(template, |name| match name {
        "layer" => Some(layer_label(head, layer)),
        "columns_in_layer" => Some(head.layer_counts.get(layer - 1)?.has_data.to_string()),
        _ => None,
    })
}

/// Whether nothing at all is to be read above the map.
pub(crate) fn is_empty(head: &SceneHead) -> bool {
    let texts = [
        &head.title,
        &head.layer_title,
        &head.subtitle,
        &head.layer_subtitle,
    ];
    texts.iter().all(|text| text.is_empty()) && head.subject.is_empty()
}

/// The heading of a map; it fills the upper rows of the content.
pub(crate) fn heading(head: &SceneHead, content: Rect) -> Heading {
    let views = |whole: &String, template: &str| -> Vec<String> {
        let layers = (1..=head.n_layers).map(|layer| of_layer(head, template, whole, layer));
        std::iter::once(whole.clone()).chain(layers).collect()
    };
    let [titles, subtitles] = [
        views(&head.title, &head.layer_title),
        views(&head.subtitle, &head.layer_subtitle),
    ];
    let room = content.width;
    let at = [content.x, content.y + 13.0];
    // The place is short as a rule; where it is not, title and place have half the room each.
    let mut items = items_within(head, room);
    let wanted: f64 = items.iter().map(|one| GAP + one.width).sum();
    let for_title = (room - wanted).max(0.5 * room);
    let titles: Vec<String> = titles
        .iter()
        .map(|text| cut(text, bold(), TITLE_PX, for_title))
        .collect();
    let widest = titles.iter().map(|text| bold().width(text, TITLE_PX));
    let widest = widest.fold(0.0, f64::max);
    if wanted > 0.5 * room && wanted > room - widest {
        items = items_within(head, room - widest);
    }
    let subtitles = subtitles
        .iter()
        .map(|text| cut(text, font(), TEXT_PX, room));
    Heading {
        at,
        subtitles: subtitles.collect(),
        subject: subject(items, head.title.is_empty(), [at[0] + widest, at[1]]),
        titles,
    }
}

/// A line of the subject, cut to fit.
struct Item {
    text: String,
    badge: Option<(String, Rgba)>,
    width: f64,
}

/// The subject within a width.
fn items_within(head: &SceneHead, room: f64) -> Vec<Item> {
    // As many as can be read; the picture's name has all of them.
    let most = (room / LEAST).floor().max(1.0) as usize;
    let shown = head.subject.len().min(most);
    let each = room / shown.max(1) as f64 - GAP;
    let item = |line: &eyemap_abi::job::SubjectLine| {
        let fill = |badge: &eyemap_abi::job::Badge| Rgba::parse(badge.fill.as_deref()?);
        let badge = line.badge.as_ref();
        let short = badge.map(|badge| cut(&badge.text, font(), BADGE_PX, each / 3.0));
        let solid = badge.and_then(fill).zip(short.clone());
        let solid = solid.map(|(fill, text)| (text, fill));
        let plain = match (&solid, short) {
            (None, Some(mark)) => format!(" ({mark})"),
            _ => String::new(),
        };
        let chip = solid
            .as_ref()
            .map_or(0.0, |(text, _)| font().width(text, BADGE_PX) + 3.0 * PAD);
        let tail = chip + font().width(&plain, TITLE_PX);
        let text = cut(&line.text, font(), TITLE_PX, each - tail) + &plain;
        Item {
            width: font().width(&text, TITLE_PX) + chip,
            text,
            badge: solid,
        }
    };
    head.subject[..shown].iter().map(item).collect()
}

fn subject(items: Vec<Item>, without_title: bool, [left, y]: [f64; 2]) -> Vec<Mark> {
    let mut marks = Vec::new();
    let mut x = left;
    for item in items {
        // Beside an empty title it begins where the title would.
        x += if marks.is_empty() && without_title {
            0.0
        } else {
            GAP
        };
        marks.push(Mark::Text(Text::new([x, y], TITLE_PX, item.text.as_str())));
        if let Some((text, fill)) = &item.badge {
            let right = x + item.width;
            let width = font().width(text, BADGE_PX) + 2.0 * PAD;
            let rect = Rect {
                x: right - width,
                y: y - 12.0,
                width,
                height: 15.0,
            };
            marks.push(Mark::Box {
                rect,
                fill: *fill,
                radius: 2.0,
            });
            let at = [right - width / 2.0, y - 0.8];
            let color = legible_on(*fill);
            let text = Text::new(at, BADGE_PX, text.as_str());
            marks.push(Mark::Text(text.anchored(Anchor::Middle).colored(color)));
        }
        x += item.width;
    }
    marks
}
