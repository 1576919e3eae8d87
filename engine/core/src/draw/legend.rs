//! The legend as marks: bins, a ramp or swatches, from high at the top to low at the bottom.
//!
//! A tick stands where its value lies; a scale that values go beyond says so at that end. No label
//! appears twice, and labels that would touch are left out. Colours that are too many for the column
//! are counted, never squeezed.

use eyemap_abi::job::LegendKind;

use super::{
    font::{bold, font},
    is_pale,
    mark::{Mark, SMALL_PX, TEXT_PX, Text, cut, extent, wrapped},
    number::{blank_repeats, tick_texts},
};
use crate::scene::{Legend, LegendEntry, Rect, Rgba};

/// Left end of labels beside bars, boxes and hexagons of 12 px.
pub(crate) const LABEL_X: f64 = 19.0;
/// From a label's middle to its baseline: half the height of digits.
pub(crate) const HALF_DIGIT: f64 = 3.4;

const BAR_WIDTH: f64 = 12.0;
const TICK: Rgba = Rgba(0x6666_66ff);
const TITLE_PITCH: f64 = 12.0;
const LABEL_PITCH: f64 = 10.5;
const ENTRY_PITCH: f64 = 15.0;
/// Lines that a title may take.
const TITLE_LINES: f64 = 3.0;
const RAMP_HEIGHT: f64 = 96.0;

/// Space for a legend, in px.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// A legend drawn at the origin.
#[derive(Default)]
pub(crate) struct Drawing {
    pub(crate) marks: Vec<Mark>,
    /// How far it reaches right, in px.
    pub(crate) width: f64,
    /// How far it reaches down, in px.
    pub(crate) height: f64,
}

/// Texts of a legend's ticks or swatches; those not to be shown are empty.
pub(crate) fn labels(legend: &Legend) -> Vec<String> {
    if legend.labels.is_empty() {
        return tick_texts(&legend.ticks);
    }
    blank_repeats(legend.labels.clone())
}

/// Texts of a bar's ticks; the ends say whether values go beyond them.
fn tick_labels(legend: &Legend) -> Vec<String> {
    let mut texts = labels(legend);
    let mark = |text: Option<&mut String>, sign: &str| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            text.insert_str(0, sign);
        }
    };
    if legend.open_below {
        mark(texts.first_mut(), "≤ ");
    }
    if legend.open_above {
        mark(texts.last_mut(), "≥ ");
    }
    texts
}

/// Draws a legend. With `without_zero`, a swatch of the value 0 is left to the marks below.
pub(crate) fn draw(legend: &Legend, without_zero: bool, room: Room) -> Drawing {
    if legend.is_empty() {
        return Drawing::default();
    }
    let mut out = Pen {
        marks: Vec::new(),
        y: 0.0,
        room,
    };
    out.title(&legend.title);
    if !legend.swatches.is_empty() {
        let rising = legend.swatches.iter().rev();
        out.entries(rising.filter(|one| !(without_zero && one.label == "0")));
    } else {
        match legend.kind {
            LegendKind::Bins | LegendKind::Ramp => out.bar(legend),
            LegendKind::Swatches => out.swatches(legend),
        }
    }
    out.entries(legend.entries.iter());
    let reach = extent(&out.marks).unwrap_or_default();
    Drawing {
        marks: out.marks,
        width: reach.x + reach.width,
        height: out.y,
    }
}

/// Draws downwards.
struct Pen {
    marks: Vec<Mark>,
    /// Where the next block begins.
    y: f64,
    room: Room,
}

impl Pen {
    fn title(&mut self, title: &str) {
        let room = [self.room.width, TITLE_LINES];
        for line in wrapped(title, bold(), TEXT_PX, room) {
            let at = [0.0, self.y + 0.9 * TEXT_PX];
            self.marks
                .push(Mark::Text(Text::new(at, TEXT_PX, line).bold()));
            self.y += TITLE_PITCH;
        }
        if self.y > 0.0 {
            self.y += 2.0;
        }
    }

    fn label(&mut self, middle: f64, text: &str) {
        let text = cut(text, font(), SMALL_PX, self.room.width - LABEL_X);
        if !text.is_empty() {
            let at = [LABEL_X, middle + HALF_DIGIT];
            self.marks.push(Mark::Text(Text::new(at, SMALL_PX, text)));
        }
    }

    /// Colours in a frame, a line for each tick, labels where there is room.
    fn bar(&mut self, legend: &Legend) {
        let top = (self.y + 5.0).round();
        let height = match legend.kind {
            LegendKind::Ramp => RAMP_HEIGHT,
            _ => (16.0 * legend.colors.len() as f64).min(160.0),
        };
        let last = legend.ticks.len().saturating_sub(1).max(1) as f64;
        let places = (0..legend.ticks.len()).map(|i| {
            let share = legend.positions.get(i).copied().unwrap_or(i as f64 / last);
            top + height * (1.0 - share)
        });
        let places: Vec<f64> = places.collect();
        let rect = Rect {
            x: 0.0,
            y: top,
            width: BAR_WIDTH,
            height,
        };
        match legend.kind {
            LegendKind::Ramp => self.marks.push(Mark::Ramp {
                rect,
                colors: legend.colors.clone(),
            }),
            _ => self.bins(legend, &places),
        }
        // Pale colours would end nowhere.
        if legend.colors.iter().any(|&color| is_pale(color)) {
            self.marks.push(Mark::frame(rect));
        }
        self.ticks(&tick_labels(legend), &places);
        self.y = top + height + 8.0;
    }

    fn bins(&mut self, legend: &Legend, places: &[f64]) {
        for (&color, edges) in legend.colors.iter().zip(places.windows(2)) {
            // Whole pixels, so that bins end sharply.
            let [bottom, top] = [edges[0].round(), edges[1].round()];
            self.marks.push(Mark::Box {
                rect: Rect {
                    x: 0.0,
                    y: top,
                    width: BAR_WIDTH,
                    height: bottom - top,
                },
                fill: color,
                radius: 0.0,
            });
        }
    }

    fn ticks(&mut self, texts: &[String], places: &[f64]) {
        for i in shown(texts, places) {
            let y = places[i];
            self.marks.push(Mark::Box {
                rect: Rect {
                    x: BAR_WIDTH,
                    y: y - 0.35,
                    width: 3.0,
                    height: 0.7,
                },
                fill: TICK,
                radius: 0.0,
            });
            self.label(y, &texts[i]);
        }
    }

    fn swatches(&mut self, legend: &Legend) {
        let texts = labels(legend);
        let entries = legend.colors.iter().enumerate();
        let entries: Vec<LegendEntry> = entries
            .map(|(i, &color)| LegendEntry {
                label: texts.get(i).cloned().unwrap_or_default(),
                color,
            })
            .collect();
        self.entries(entries.iter());
    }

    /// Boxes with a label each, downwards.
    fn entries<'e>(&mut self, entries: impl Iterator<Item = &'e LegendEntry>) {
        let entries: Vec<_> = entries.collect();
        let rows = ((self.room.height - self.y) / ENTRY_PITCH).max(8.0) as usize;
        let most = if entries.len() > rows {
            rows - 1
        } else {
            entries.len()
        };
        for entry in &entries[..most] {
            let rect = Rect {
                x: 0.0,
                y: self.y + 2.0,
                width: BAR_WIDTH,
                height: 11.0,
            };
            self.marks.push(Mark::Box {
                rect,
                fill: entry.color,
                radius: 0.0,
            });
            if is_pale(entry.color) {
                self.marks.push(Mark::frame(rect));
            }
            self.label(self.y + 7.5, &entry.label);
            self.y += ENTRY_PITCH;
        }
        if most < entries.len() {
            let more = format!("and {} more", entries.len() - most);
            let at = [0.0, self.y + 7.5 + HALF_DIGIT];
            self.marks.push(Mark::Text(Text::new(at, SMALL_PX, more)));
            self.y += ENTRY_PITCH;
        }
        if !entries.is_empty() {
            self.y += 4.0;
        }
    }
}

/// Ticks whose labels do not touch: both ends first, then from high to low.
fn shown(texts: &[String], places: &[f64]) -> Vec<usize> {
    let n = texts.len().min(places.len());
    let ends = n.checked_sub(1).into_iter().chain((n > 1).then_some(0));
    let between = (1..n.saturating_sub(1)).rev();
    let mut kept: Vec<usize> = Vec::new();
    for i in ends.chain(between).filter(|&i| !texts[i].is_empty()) {
        let free = |&other: &usize| (places[i] - places[other]).abs() >= LABEL_PITCH;
        if kept.iter().all(free) {
            kept.push(i);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room {
        width: 150.0,
        height: 400.0,
    };

    fn ramp(ticks: &[f64], positions: &[f64]) -> Legend {
        Legend {
            kind: LegendKind::Ramp,
            ticks: ticks.to_vec(),
            positions: positions.to_vec(),
            colors: vec![Rgba::WHITE, Rgba(255)],
            ..Legend::default()
        }
    }

    /// Label and the height of its middle.
    fn texts(legend: &Legend) -> Vec<(String, f64)> {
        let marks = draw(legend, true, ROOM).marks;
        let text = |mark: &Mark| match mark {
            Mark::Text(text) => Some((text.text.clone(), text.y - HALF_DIGIT)),
            _ => None,
        };
        marks.iter().filter_map(text).collect()
    }

    #[test]
    fn ticks_stand_where_their_values_lie() {
        let found = texts(&ramp(&[1.0, 10.0, 100.0], &[0.0, 0.25, 1.0]));
        let y = |label: &str| found.iter().find(|one| one.0 == label).unwrap().1;
        assert_eq!(y("1") - y("100"), RAMP_HEIGHT);
        assert_eq!(y("1") - y("10"), RAMP_HEIGHT / 4.0);
    }

    #[test]
    fn labels_never_touch_and_the_ends_stay() {
        let found = texts(&ramp(&[1.0, 2.0, 3.0, 100.0], &[0.0, 0.01, 0.5, 1.0]));
        let labels: Vec<_> = found.iter().map(|one| one.0.as_str()).collect();
        assert_eq!(labels, ["100", "1", "3"]);
    }

    #[test]
    fn open_ends_say_so() {
        let mut legend = super::super::test_scene::legend(50.0, 100.0);
        legend.title.clear();
        let ends = |legend: &Legend| {
            let found = texts(legend);
            [found[0].0.clone(), found[1].0.clone()]
        };
        assert_eq!(ends(&legend), ["100", "50"]);
        legend.open_above = true;
        assert_eq!(ends(&legend), ["≥ 100", "50"]);
        legend.open_below = true;
        assert_eq!(ends(&legend), ["≥ 100", "≤ 50"]);
    }

    #[test]
    fn swatches_replace_the_bar_and_rise() {
        let mut legend = super::super::test_scene::legend(0.0, 3.0);
        legend.title.clear();
        let entry = |label: &str| LegendEntry {
            label: label.into(),
            color: Rgba(0x1020_30ff),
        };
        legend.swatches = ["0", "1", "3"].map(entry).to_vec();
        legend.entries = vec![entry("a mark")];
        let labels: Vec<_> = texts(&legend).into_iter().map(|one| one.0).collect();
        assert_eq!(labels, ["3", "1", "a mark"], "zero is among the marks");
        let marks = draw(&legend, false, ROOM).marks;
        let boxes = marks.iter().filter(|mark| matches!(mark, Mark::Box { .. }));
        assert_eq!(boxes.count(), 4);
    }

    #[test]
    fn no_label_is_repeated_and_too_many_colours_are_counted() {
        let mut legend = Legend {
            kind: LegendKind::Swatches,
            ticks: vec![1.0, 2.0, 3.0],
            labels: vec!["a".into(), "a".into(), "b".into()],
            colors: vec![Rgba(255), Rgba(511), Rgba(767)],
            ..Legend::default()
        };
        assert_eq!(labels(&legend), ["a", "", "b"]);
        legend.labels = (0..100).map(|i| format!("n{i}")).collect();
        legend.colors = vec![Rgba(255); 100];
        let found = texts(&legend);
        assert_eq!(found.last().unwrap().0, "and 75 more");
    }
}
