//! The legend as marks: bins, a ramp or swatches, from high at the top to low at the bottom.
//!
//! No label appears twice, and labels that would touch are left out. Colours that are too many for
//! the canvas are counted, never squeezed.

use eyemap_abi::job::LegendKind;

use super::{
    font::font,
    layout::{Mark, SMALL_PX, cut, text_mark},
    number::{blank_repeats, tick_texts},
};
use crate::scene::{Legend, Rect, Rgba};

const TITLE_HEIGHT: f64 = 14.5;
const BAR_WIDTH: f64 = 12.0;
const GAP: f64 = 4.0;
const LABEL_PITCH: f64 = 10.0;
/// Half the height of digits at [`SMALL_PX`].
const HALF_DIGIT: f64 = 3.2;

/// A legend drawn at the origin.
pub(crate) struct Drawing {
    marks: Vec<Mark>,
    /// Width of its title in px.
    pub(crate) title_width: f64,
    /// Height of its title in px.
    pub(crate) title_height: f64,
    /// Width of what is below the title, in px.
    pub(crate) body_width: f64,
    /// Height in px.
    pub(crate) height: f64,
}

/// Texts of a legend's ticks or swatches; those not to be shown are empty.
pub(crate) fn labels(legend: &Legend) -> Vec<String> {
    if legend.labels.is_empty() {
        return tick_texts(&legend.ticks);
    }
    blank_repeats(legend.labels.clone())
}

/// Draws a legend for a canvas.
pub(crate) fn draw(legend: &Legend, canvas_width: f64, canvas_height: f64) -> Drawing {
    let mut out = Drawing {
        marks: Vec::new(),
        title_width: 0.0,
        title_height: 0.0,
        body_width: 0.0,
        height: 0.0,
    };
    let room = canvas_width * 0.3;
    let mut top = 0.0;
    if !legend.title.is_empty() {
        out.text(0.0, SMALL_PX * 0.85, &cut(&legend.title, SMALL_PX, room));
        out.title_width = std::mem::take(&mut out.body_width);
        out.title_height = TITLE_HEIGHT;
        top = TITLE_HEIGHT;
    }
    match legend.kind {
        LegendKind::Bins => out.bins(legend, top, room),
        LegendKind::Ramp => out.ramp(legend, top, room),
        LegendKind::Swatches => out.swatches(legend, top, [room, canvas_height * 0.5]),
    }
    out
}

impl Drawing {
    /// Its marks with the origin at `x, y`.
    pub(crate) fn moved(self, x: f64, y: f64) -> Vec<Mark> {
        let mut marks = self.marks;
        for mark in &mut marks {
            match mark {
                Mark::Box { rect, .. } => {
                    rect.x += x;
                    rect.y += y;
                }
                Mark::Text { x: tx, y: ty, .. } => {
                    *tx += x;
                    *ty += y;
                }
                Mark::Line { points, .. } => points.iter_mut().for_each(|p| {
                    p[0] += x;
                    p[1] += y;
                }),
            }
        }
        marks
    }

    fn text(&mut self, x: f64, y: f64, text: &str) {
        self.grow(x + font().width(text, SMALL_PX), y + 2.0);
        if !text.is_empty() {
            self.marks.push(text_mark(x, y, SMALL_PX, text));
        }
    }

    fn fill(&mut self, rect: Rect, fill: Rgba) {
        self.grow(rect.x + rect.width, rect.y + rect.height);
        self.marks.push(Mark::Box {
            rect,
            fill,
            radius: 0.0,
        });
    }

    fn grow(&mut self, right: f64, bottom: f64) {
        self.body_width = self.body_width.max(right);
        self.height = self.height.max(bottom);
    }

    /// A frame, so that pale colours end visibly.
    fn frame(&mut self, rect: Rect) {
        let Rect {
            x,
            y,
            width,
            height,
        } = rect;
        let [right, bottom] = [x + width, y + height];
        self.marks.push(Mark::Line {
            points: vec![[x, y], [right, y], [right, bottom], [x, bottom], [x, y]],
            color: super::OUTLINE,
            width: 0.5,
            arrow: false,
        });
    }

    fn bins(&mut self, legend: &Legend, top: f64, room: f64) {
        let n = legend.colors.len();
        let step = (140.0 / n.max(1) as f64).clamp(2.0, 11.5);
        for (i, &color) in legend.colors.iter().rev().enumerate() {
            let rect = Rect {
                x: 0.0,
                y: top + HALF_DIGIT + step * i as f64,
                width: BAR_WIDTH,
                height: step,
            };
            self.fill(rect, color);
        }
        self.bar(legend, top, step * n as f64, room);
    }

    fn ramp(&mut self, legend: &Legend, top: f64, room: f64) {
        const STEPS: usize = 36;
        let height = 72.0;
        for i in 0..STEPS {
            let rect = Rect {
                x: 0.0,
                y: top + HALF_DIGIT + height * i as f64 / STEPS as f64,
                width: BAR_WIDTH,
                height: height / STEPS as f64,
            };
            let at = 1.0 - (i as f64 + 0.5) / STEPS as f64;
            self.fill(rect, mix(&legend.colors, at));
        }
        self.bar(legend, top, height, room);
    }

    /// Frame and tick labels of a bar; ticks are evenly spaced along it.
    fn bar(&mut self, legend: &Legend, top: f64, height: f64, room: f64) {
        let y = top + HALF_DIGIT;
        self.frame(Rect {
            x: 0.0,
            y,
            width: BAR_WIDTH,
            height,
        });
        let texts = labels(legend);
        let last = texts.len().saturating_sub(1);
        let pitch = height / last.max(1) as f64;
        let stride = (LABEL_PITCH / pitch.max(0.1)).ceil().max(1.0) as usize;
        for (i, text) in texts.iter().enumerate() {
            // The top label stays; those too close below it give way.
            let shown = i == last || (i % stride == 0 && i + stride <= last);
            if shown {
                let at = y + height - pitch * i as f64 + HALF_DIGIT;
                self.text(BAR_WIDTH + GAP, at, &cut(text, SMALL_PX, room));
            }
        }
    }

    fn swatches(&mut self, legend: &Legend, top: f64, [room, tall]: [f64; 2]) {
        let pitch = 12.0;
        let rows = ((tall - top) / pitch).max(1.0) as usize;
        let texts = labels(legend);
        let n = legend.colors.len();
        let shown = if n > rows { rows - 1 } else { n };
        for (i, &color) in legend.colors.iter().take(shown).enumerate() {
            let y = top + pitch * i as f64;
            let rect = Rect {
                x: 0.0,
                y,
                width: BAR_WIDTH,
                height: 9.0,
            };
            self.fill(rect, color);
            self.frame(rect);
            let text = texts.get(i).map_or("", String::as_str);
            self.text(BAR_WIDTH + GAP, y + 7.7, &cut(text, SMALL_PX, room));
        }
        if shown < n {
            let more = format!("and {} more", n - shown);
            self.text(0.0, top + pitch * shown as f64 + 7.7, &more);
        }
    }
}

/// Colour at `t` in [0, 1] along evenly spaced colours, linear in sRGB.
fn mix(colors: &[Rgba], t: f64) -> Rgba {
    let Some(last) = colors.len().checked_sub(1) else {
        return super::OUTLINE;
    };
    let at = t * last as f64;
    let i = (at as usize).min(last.saturating_sub(1));
    let [low, high] = [colors[i].channels(), colors[last.min(i + 1)].channels()];
    let part = at - i as f64;
    let channel = |c: usize| {
        let [a, b] = [f64::from(low[c]), f64::from(high[c])];
        (a + (b - a) * part).round() as u8
    };
    Rgba(u32::from_be_bytes([
        channel(0),
        channel(1),
        channel(2),
        channel(3),
    ]))
}
