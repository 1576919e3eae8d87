//! What drawing a map will hold, from what is known of it without drawing it: columns, layers, formats.
//!
//! The figures are those of the structures that are held, with room for lists that grow by doubling; what a
//! plugin holds beside its answer is not known. `snapshots/tests/memory.rs` holds them against what runs take.

use super::{Maps, Request};
use crate::draw::Format;

/// Buffers of files, legends, texts and the state of compression.
const FIXED_BYTES: u64 = 768 << 10;
/// Columns that a map which is never held has in memory at a time, see `stream`.
const STREAMED_COLUMNS: u64 = 2 * 16_384;
/// Pictures with more pixels are drawn in bands, see `draw::png`.
const MOST_PIXELS: f64 = 12e6;
/// A band, and what is read back and compressed with it.
const BANDS_BYTES: u64 = 24 << 20;
/// A pixel in memory, and as it goes into the file.
const PIXEL_BYTES: f64 = 6.0;

impl Maps<'_> {
    /// The most that a thread holds to draw a map in these formats, PNGs at this scale, in bytes.
    pub(crate) fn predicted_bytes(&self, request: Request, formats: &[Format], scale: f64) -> u64 {
        let summary = &self.dataset.types[request.cell_type];
        let layers = summary
            .part(request.region, request.side)
            .map_or(0, |part| part.n_layers as u64);
        let side = self.dataset.atlas.side(request.side);
        let (columns, values) = if self.is_streamed(request) {
            (STREAMED_COLUMNS, 0)
        } else {
            (
                side.columns.len() as u64,
                self.dataset.value_bytes(request.cell_type),
            )
        };
        let scene = columns * (96 + 32 * layers);
        let drawn = formats.iter().map(|&format| match format {
            Format::Svg | Format::SvgStatic => columns * (200 + 12 * layers),
            Format::Json => columns * (400 + 80 * layers),
            Format::Png => self.pixels(request, scale),
        });
        let merge = self.dataset.stored.merge_bytes(request.cell_type);
        FIXED_BYTES + scene + values + merge + drawn.max().unwrap_or(0)
    }

    /// What the pixels of a map take. Where columns lie is up to a plugin; by the usual one they fill half of
    /// a square on its tip.
    fn pixels(&self, request: Request, scale: f64) -> u64 {
        let map = &self.pipeline.config.map;
        let extent = self.dataset.atlas.side(request.side).extent;
        let across = |[low, high]: [i32; 2]| f64::from(high) - f64::from(low) + 1.0;
        let step = map.hex_size_px * map.spacing;
        let [width, height] = extent.map_or([0.0; 2], |extent| {
            let (a, b) = (across(extent.hex1), across(extent.hex2));
            [(a + b) * step * 1.5, (a + b) * step * 0.9]
        });
        let margin = 2.0 * map.margin_px + 160.0;
        let width = (width + margin).max(map.min_width_px + margin) * scale;
        let height = (height + margin).max(map.min_height_px + margin) * scale;
        match width * height {
            // The guess may be twice what it is.
            pixels if pixels > 2.0 * MOST_PIXELS => BANDS_BYTES,
            pixels => (pixels.min(MOST_PIXELS) * PIXEL_BYTES) as u64,
        }
    }
}
