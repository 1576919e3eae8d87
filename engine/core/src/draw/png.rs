//! The PNG, drawn from the scene itself, never by way of SVG text.
//!
//! Colours are exact. White ground, always opaque. No system font, no hinting, no random state: the same
//! bytes on every machine. A picture of up to 12 million pixels is held and becomes an indexed file
//! where 256 colours do, else RGB; a larger one is drawn band by band and always becomes RGB.

use std::io::{self, Write};

use super::{
    canvas::{Canvas, Frame, Shape, size},
    chunk::invalid,
    layout::{Layout, layout},
    number::hundredths,
    png_bands::{BAND_BYTES, Bands, Beside},
    png_file,
    sign::{Fills, Sign},
};
use crate::scene::{HexagonBatch, SceneHead, SceneWriter};

/// Larger pictures are not held: they would take four bytes a pixel.
const MAX_HELD: u64 = 12_000_000;

/// Where hexagons are drawn.
enum Picture {
    Whole(Canvas),
    Bands(Box<Bands>),
}

pub(crate) struct PngWriter<'w> {
    head: &'w SceneHead,
    out: &'w mut dyn Write,
    layout: Layout,
    shape: Shape,
    fills: Fills,
    picture: Picture,
    seen: u64,
}

impl<'w> PngWriter<'w> {
    pub(crate) fn new(head: &'w SceneHead, out: &'w mut dyn Write, scale: f64) -> io::Result<Self> {
        Self::holding(head, out, scale, (MAX_HELD, BAND_BYTES))
    }

    /// Holds pictures of up to so many pixels; larger ones in bands of so many bytes.
    pub(crate) fn holding(
        head: &'w SceneHead,
        out: &'w mut dyn Write,
        scale: f64,
        (most, band_bytes): (u64, usize),
    ) -> io::Result<Self> {
        let layout = layout(head);
        let [width, height] = size(layout.canvas, scale)?;
        let origin = [layout.canvas.x, layout.canvas.y];
        let frame = Frame { origin, scale };
        let shape = Shape::new(head.cell);
        let picture = if u64::from(width) * u64::from(height) > most {
            let bands = Bands::new([width, height], frame, (shape.reach(), band_bytes));
            Picture::Bands(Box::new(bands))
        } else {
            let mut canvas = Canvas::new([width, height], frame, 0)?;
            canvas.marks(&layout.guides);
            Picture::Whole(canvas)
        };
        Ok(Self {
            head,
            out,
            layout,
            shape,
            fills: Fills::default(),
            picture,
            seen: 0,
        })
    }
}

impl SceneWriter for PngWriter<'_> {
    fn hexagons(&mut self, batch: &HexagonBatch<'_>) -> io::Result<()> {
        self.seen += batch.len() as u64;
        if self.seen > self.head.n_hexagons {
            return Err(invalid("more hexagons than the scene's head promises"));
        }
        self.fills.see(batch);
        for i in 0..batch.len() {
            let sign = Sign::of(batch.status[i], batch.value[i]);
            let at = [batch.x[i], batch.y[i]].map(hundredths);
            match &mut self.picture {
                Picture::Whole(canvas) => {
                    let at = at.map(|v| v as f64 / 100.0);
                    canvas.hexagon(&self.shape, at, batch.fill[i], sign);
                }
                Picture::Bands(bands) => bands.add(at, batch.fill[i], sign)?,
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.seen < self.head.n_hexagons {
            return Err(invalid("fewer hexagons than the scene's head promises"));
        }
        match &mut self.picture {
            Picture::Whole(canvas) => {
                canvas.foreground(self.head, &self.layout, &self.fills);
                let bytes = png_file::encode(&canvas.pixels)?;
                self.out.write_all(&bytes)
            }
            Picture::Bands(bands) => {
                let beside = Beside {
                    head: self.head,
                    layout: &self.layout,
                    fills: &self.fills,
                };
                bands.finish(&self.shape, &beside, self.out)
            }
        }
    }
}
