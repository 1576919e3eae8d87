//! The one font, in two weights: a Latin and Greek subset of Liberation Sans, embedded.
//!
//! Widths serve the layout of every format, outlines the PNG. No system font is ever read. A
//! character that the font lacks is the `.notdef` box, never dropped. Kerning is not applied, as the
//! widths of browsers' substitutes differ more than that.

use std::{collections::HashMap, sync::LazyLock};

use tiny_skia::{Path, PathBuilder};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

static REGULAR: &[u8] = include_bytes!("../../assets/LiberationSans-subset.ttf");
static BOLD: &[u8] = include_bytes!("../../assets/LiberationSans-Bold-subset.ttf");

/// What browsers are asked for: fonts of the same widths, the most common one first.
pub(crate) const FAMILY: &str = "Arial,Liberation Sans,sans-serif";

static FONT: LazyLock<Font> = LazyLock::new(|| Font::load(REGULAR));
static BOLD_FONT: LazyLock<Font> = LazyLock::new(|| Font::load(BOLD));

/// Advance widths in units of the em, and glyph outlines in font units, y upwards.
pub(crate) struct Font {
    face: Option<Face<'static>>,
    ascii: [f64; 128],
    outlines: HashMap<u16, Path>,
    units: f64,
}

/// The embedded font.
pub(crate) fn font() -> &'static Font {
    &FONT
}

/// The embedded font in bold, for titles.
pub(crate) fn bold() -> &'static Font {
    &BOLD_FONT
}

impl Font {
    fn load(bytes: &'static [u8]) -> Self {
        let face = Face::parse(bytes, 0).ok();
        let units = face.as_ref().map_or(1.0, |f| f64::from(f.units_per_em()));
        let mut font = Self {
            face,
            ascii: [0.0; 128],
            outlines: HashMap::new(),
            units,
        };
        font.outlines = font.all_outlines();
        font.ascii = std::array::from_fn(|c| font.measure(char::from(c as u8)));
        font
    }

    fn all_outlines(&self) -> HashMap<u16, Path> {
        let Some(face) = &self.face else {
            return HashMap::new();
        };
        (0..face.number_of_glyphs())
            .filter_map(|id| {
                let mut pen = Pen(PathBuilder::new());
                face.outline_glyph(GlyphId(id), &mut pen)?;
                Some((id, pen.0.finish()?))
            })
            .collect()
    }

    fn glyph(&self, c: char) -> GlyphId {
        let found = self.face.as_ref().and_then(|face| face.glyph_index(c));
        found.unwrap_or(GlyphId(0))
    }

    fn measure(&self, c: char) -> f64 {
        let face = self.face.as_ref();
        let advance = face.and_then(|face| face.glyph_hor_advance(self.glyph(c)));
        f64::from(advance.unwrap_or(0)) / self.units
    }

    /// How far a character moves the pen, in units of the letters' size.
    pub(crate) fn advance(&self, c: char) -> f64 {
        match self.ascii.get(c as usize) {
            Some(&advance) => advance,
            None => self.measure(c),
        }
    }

    /// Width of a text at a size, in px.
    pub(crate) fn width(&self, text: &str, size_px: f64) -> f64 {
        text.chars().map(|c| self.advance(c)).sum::<f64>() * size_px
    }

    /// Outline of a character in font units, y upwards; none for blanks.
    pub(crate) fn outline(&self, c: char) -> Option<&Path> {
        self.outlines.get(&self.glyph(c).0)
    }

    /// Font units in one em.
    pub(crate) const fn units(&self) -> f64 {
        self.units
    }
}

struct Pen(PathBuilder);

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        self.0.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_outlines_and_strangers_are_boxes() {
        for font in [font(), bold()] {
            for c in "Tm3 µöŁΩ′″→₂²–…·≥≤".chars().filter(|&c| c != ' ') {
                assert!(font.outline(c).is_some(), "{c}");
                assert_ne!(font.glyph(c).0, 0, "{c}");
            }
            assert_eq!(font.glyph('\u{1fab0}').0, 0);
            assert!(font.outline('\u{1fab0}').is_some());
        }
        assert!((bold().width("AB", 10.0) - 14.44).abs() < 0.02);
        assert!((font().width("AB", 10.0) - 13.34).abs() < 0.02);
    }
}
