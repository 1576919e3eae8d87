//! What is drawn besides hexagons, as a list that knows no format: boxes, texts, lines, ramps.
//!
//! Writers turn marks into their format one by one; layout knows how far each reaches.

use super::{
    font::{Font, bold, font},
    text::fit,
};
use crate::scene::{Rect, Rgba};

/// Height of the title's letters, in px.
pub(crate) const TITLE_PX: f64 = 15.0;
/// Height of the letters of the subtitle and of legend titles, in px.
pub(crate) const TEXT_PX: f64 = 10.0;
/// Height of all other letters, in px.
pub(crate) const SMALL_PX: f64 = 9.5;
/// Colour of texts.
pub(crate) const INK: Rgba = Rgba(0x1a1c_22ff);
/// Colour of texts that matter less: 6.3 times as dark as white.
pub(crate) const FAINT: Rgba = Rgba(0x5b61_6eff);

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

/// A line of text on a baseline.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Text {
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// Height of the letters, in px.
    pub(crate) size: f64,
    pub(crate) bold: bool,
    pub(crate) anchor: Anchor,
    pub(crate) color: Rgba,
    pub(crate) text: String,
}

/// One thing to draw.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Mark {
    /// A filled rectangle with corners of a radius, in px.
    Box { rect: Rect, fill: Rgba, radius: f64 },
    /// A smooth change between evenly spaced colours, the first at the bottom.
    Ramp { rect: Rect, colors: Vec<Rgba> },
    /// A line of text.
    Text(Text),
    /// A line through points; an arrow ends in a head.
    Line {
        points: Vec<[f64; 2]>,
        color: Rgba,
        width: f64,
        arrow: bool,
    },
}

impl Text {
    /// A dark text that starts at `at`, with letters of a size in px.
    pub(crate) fn new(at: [f64; 2], size: f64, text: impl Into<String>) -> Self {
        Self {
            x: at[0],
            y: at[1],
            size,
            bold: false,
            anchor: Anchor::Start,
            color: INK,
            text: text.into(),
        }
    }

    /// In bold letters.
    #[must_use]
    pub(crate) fn bold(self) -> Self {
        Self { bold: true, ..self }
    }

    /// In another colour.
    #[must_use]
    pub(crate) fn colored(self, color: Rgba) -> Self {
        Self { color, ..self }
    }

    /// At another point of the text.
    #[must_use]
    pub(crate) fn anchored(self, anchor: Anchor) -> Self {
        Self { anchor, ..self }
    }

    /// Its font.
    pub(crate) fn font(&self) -> &'static Font {
        if self.bold { bold() } else { font() }
    }

    /// Its width in px.
    pub(crate) fn width(&self) -> f64 {
        self.font().width(&self.text, self.size)
    }

    /// Its left end, in px.
    pub(crate) fn left(&self) -> f64 {
        match self.anchor {
            Anchor::Start => self.x,
            Anchor::Middle => self.x - self.width() / 2.0,
            Anchor::End => self.x - self.width(),
        }
    }

    fn extent(&self) -> Rect {
        Rect {
            x: self.left(),
            y: self.y - 0.8 * self.size,
            width: self.width(),
            height: 1.05 * self.size,
        }
    }
}

impl Mark {
    /// The rectangle that it fills, in px.
    pub(crate) fn extent(&self) -> Rect {
        match self {
            Self::Box { rect, .. } | Self::Ramp { rect, .. } => *rect,
            Self::Text(text) => text.extent(),
            Self::Line { points, width, .. } => {
                let dots = points.iter().map(|&[x, y]| Rect {
                    x: x - width / 2.0,
                    y: y - width / 2.0,
                    width: *width,
                    height: *width,
                });
                dots.reduce(Rect::union).unwrap_or_default()
            }
        }
    }

    /// The same elsewhere.
    #[must_use]
    pub(crate) fn moved(mut self, [dx, dy]: [f64; 2]) -> Self {
        match &mut self {
            Self::Box { rect, .. } | Self::Ramp { rect, .. } => {
                rect.x += dx;
                rect.y += dy;
            }
            Self::Text(text) => {
                text.x += dx;
                text.y += dy;
            }
            Self::Line { points, .. } => points.iter_mut().for_each(|point| {
                point[0] += dx;
                point[1] += dy;
            }),
        }
        self
    }

    /// A frame of half a px.
    pub(crate) fn frame(rect: Rect) -> Self {
        let [right, bottom] = [rect.x + rect.width, rect.y + rect.height];
        let Rect { x, y, .. } = rect;
        Self::Line {
            points: vec![[x, y], [right, y], [right, bottom], [x, bottom], [x, y]],
            color: super::OUTLINE,
            width: 0.5,
            arrow: false,
        }
    }
}

/// The rectangle around all of them; none around nothing.
pub(crate) fn extent<'m>(marks: impl IntoIterator<Item = &'m Mark>) -> Option<Rect> {
    marks.into_iter().map(Mark::extent).reduce(Rect::union)
}

/// Cuts a text to a width in px, and makes it one line.
pub(crate) fn cut(text: &str, font: &Font, size: f64, width: f64) -> String {
    fit(&one_line(text), width, |c| font.advance(c) * size)
}

/// Breaks a text between words into at most `most` lines of a width in px; the last one is cut.
pub(crate) fn wrapped(text: &str, font: &Font, size: f64, room: [f64; 2]) -> Vec<String> {
    let [width, most] = room;
    let mut lines: Vec<String> = Vec::new();
    for word in one_line(text).split_whitespace() {
        let joined = lines.last().map(|line| format!("{line} {word}"));
        let full = lines.len() as f64 >= most;
        match (joined, lines.last_mut()) {
            (Some(joined), Some(line)) if full || font.width(&joined, size) <= width => {
                *line = joined;
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
        .iter()
        .map(|line| cut(line, font, size, width))
        .collect()
}

fn one_line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(plain).collect()
}

/// Black or white, whichever is easier to read on a colour.
pub(crate) fn legible_on(ground: Rgba) -> Rgba {
    let [r, g, b, _] = ground.channels().map(f64::from);
    if 0.299 * r + 0.587 * g + 0.114 * b > 150.0 {
        INK
    } else {
        Rgba::WHITE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_titles_break_between_words_and_end_in_an_ellipsis() {
        let lines = |text| wrapped(text, font(), 10.0, [60.0, 2.0]);
        assert_eq!(lines("Total Synapses"), ["Total", "Synapses"]);
        assert_eq!(lines("one"), ["one"]);
        assert_eq!(lines("").len(), 0);
        let long = lines("all of the synapses that were ever counted");
        assert_eq!(long.len(), 2);
        assert!(long[1].ends_with('…'), "{long:?}");
        assert!(long.iter().all(|line| font().width(line, 10.0) <= 60.0));
    }
}
