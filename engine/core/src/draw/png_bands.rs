//! A PNG too large to be held: hexagons wait on disk, sorted into bands of rows, and one band after the
//! other is drawn.
//!
//! Hexagons come column by column, so that each band needs some of nearly every batch. Thirteen bytes
//! a hexagon go to an unnamed file in the system's directory for temporary files.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
};

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter};

use super::{
    canvas::{Canvas, Frame, Shape},
    layout::Layout,
    sign::{Fills, Sign},
};
use crate::scene::{Rgba, SceneHead};

/// Bytes of a band's pixels, about.
pub(super) const BAND_BYTES: usize = 8 << 20;

/// Bytes of a hexagon: its place in hundredths of a px, its fill, the number of its sign.
const RECORD: usize = 13;

/// Stands for no sign.
const NO_SIGN: u8 = u8::MAX;

/// Bytes of hexagons of one band that wait in memory; three hundred bands then take a few megabytes.
const BLOCK: usize = 1024 * RECORD;

/// What lies beside the hexagons.
pub(super) struct Beside<'w> {
    pub(super) head: &'w SceneHead,
    pub(super) layout: &'w Layout,
    pub(super) fills: &'w Fills,
}

/// Hexagons by band.
pub(super) struct Bands {
    size: [u32; 2],
    frame: Frame,
    /// Rows in each band; the last one may have fewer.
    rows: u32,
    /// How far a hexagon reaches above and below its centre, in px.
    reach: f64,
    bands: Vec<Band>,
    file: Option<File>,
    end: u64,
}

#[derive(Default)]
struct Band {
    waiting: Vec<u8>,
    /// Offset and length of each block in the file.
    blocks: Vec<(u64, usize)>,
}

impl Bands {
    pub(super) fn new(
        [width, height]: [u32; 2],
        frame: Frame,
        (reach, band_bytes): (f64, usize),
    ) -> Self {
        // It depends on the width alone, so that bytes do not depend on memory.
        let rows = (band_bytes / (4 * width as usize)).clamp(16, height.max(16) as usize) as u32;
        let mut bands = Vec::new();
        bands.resize_with(height.div_ceil(rows) as usize, Band::default);
        Self {
            size: [width, height],
            frame,
            rows,
            reach,
            bands,
            file: None,
            end: 0,
        }
    }

    /// Takes a hexagon with its centre in hundredths of a px.
    pub(super) fn add(
        &mut self,
        [x, y]: [i64; 2],
        fill: Rgba,
        sign: Option<Sign>,
    ) -> io::Result<()> {
        let scale = self.frame.scale;
        let center = y as f64 / 100.0 - self.frame.origin[1];
        let band = |y: f64| (y * scale / f64::from(self.rows)).floor() as i64;
        // One pixel more than it reaches: rows at the edge are partly covered.
        let slack = self.reach + 1.0 / scale;
        let last = self.bands.len() as i64 - 1;
        let [from, to] = [band(center - slack), band(center + slack)].map(|b| b.clamp(0, last));
        for index in from..=to {
            let band = &mut self.bands[index as usize];
            // Canvases are at most a billion px wide, and these have 2^32 pixels.
            band.waiting.extend_from_slice(&(x as i32).to_le_bytes());
            band.waiting.extend_from_slice(&(y as i32).to_le_bytes());
            band.waiting.extend_from_slice(&fill.0.to_le_bytes());
            band.waiting.push(sign.map_or(NO_SIGN, |sign| sign as u8));
            if band.waiting.len() >= BLOCK {
                self.write(index as usize)?;
            }
        }
        Ok(())
    }

    fn write(&mut self, index: usize) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        let band = &mut self.bands[index];
        file.seek(SeekFrom::Start(self.end))?;
        file.write_all(&band.waiting)?;
        band.blocks.push((self.end, band.waiting.len()));
        self.end += band.waiting.len() as u64;
        band.waiting.clear();
        Ok(())
    }

    /// Draws all bands into a file.
    pub(super) fn finish(
        &mut self,
        shape: &Shape,
        beside: &Beside<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let [width, height] = self.size;
        let mut encoder = Encoder::new(out, width, height);
        encoder.set_color(ColorType::Rgb);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_compression(Compression::Fast);
        encoder.set_filter(Filter::Up);
        let mut writer = encoder.write_header().map_err(io_error)?;
        let mut lines = writer.stream_writer().map_err(io_error)?;
        for index in 0..self.bands.len() {
            let top = index as u32 * self.rows;
            let rows = self.rows.min(height - top);
            let mut canvas = Canvas::new([width, rows], self.frame, top)?;
            canvas.marks(&beside.layout.guides);
            self.draw(index, shape, &mut canvas)?;
            canvas.foreground(beside.head, beside.layout, beside.fills);
            for line in canvas.pixels.data().chunks_exact(4 * width as usize) {
                let rgb: Vec<u8> = line
                    .chunks_exact(4)
                    .flat_map(|p| [p[0], p[1], p[2]])
                    .collect();
                lines.write_all(&rgb)?;
            }
        }
        lines.finish().map_err(io_error)?;
        writer.finish().map_err(io_error)
    }

    /// Draws the hexagons of a band, in the order in which they came.
    fn draw(&mut self, index: usize, shape: &Shape, canvas: &mut Canvas) -> io::Result<()> {
        let band = std::mem::take(&mut self.bands[index]);
        let mut block = Vec::new();
        for (offset, len) in band.blocks {
            let Some(file) = &mut self.file else { break };
            block.resize(len, 0);
            file.seek(SeekFrom::Start(offset))?;
            file.read_exact(&mut block)?;
            hexagons(&block, shape, canvas);
        }
        hexagons(&band.waiting, shape, canvas);
        Ok(())
    }
}

fn hexagons(records: &[u8], shape: &Shape, canvas: &mut Canvas) {
    let number = |bytes: &[u8]| {
        let mut four = [0; 4];
        four.copy_from_slice(bytes);
        four
    };
    for record in records.chunks_exact(RECORD) {
        let [x, y] =
            [&record[..4], &record[4..8]].map(|b| f64::from(i32::from_le_bytes(number(b))));
        let fill = Rgba(u32::from_le_bytes(number(&record[8..12])));
        let sign = Sign::ALL.get(usize::from(record[12])).copied();
        canvas.hexagon(shape, [x / 100.0, y / 100.0], fill, sign);
    }
}

fn io_error(error: EncodingError) -> io::Error {
    match error {
        EncodingError::IoError(error) => error,
        error => io::Error::other(error),
    }
}
