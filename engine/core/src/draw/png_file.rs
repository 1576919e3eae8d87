//! Pixels as a PNG file: an exact palette where 256 colours do, else RGB; one IDAT.
//!
//! Never loses a colour. Compression is that of one version of one library at one level, so that
//! bytes are stable.

use std::io;

use libdeflater::{CompressionLvl, Compressor};
use tiny_skia::Pixmap;

use super::chunk::invalid;

const LEVEL: i32 = 2;

/// Encodes opaque pixels.
pub(crate) fn encode(pixels: &Pixmap) -> io::Result<Vec<u8>> {
    let rgb: Vec<u32> = pixels
        .data()
        .chunks_exact(4)
        .map(|p| u32::from_be_bytes([0, p[0], p[1], p[2]]))
        .collect();
    let size = [pixels.width(), pixels.height()];
    match palette(&rgb) {
        Some((colors, indices)) => file(size, Some(&colors), &indices),
        None => {
            let bytes: Vec<u8> = rgb
                .iter()
                .flat_map(|c| c.to_be_bytes().into_iter().skip(1))
                .collect();
            file(size, None, &bytes)
        }
    }
}

/// Colours in order of appearance and the index of each pixel, if there are at most 256.
fn palette(rgb: &[u32]) -> Option<(Vec<u8>, Vec<u8>)> {
    const SLOTS: usize = 1024;
    let mut table = [(u32::MAX, 0u8); SLOTS];
    let mut colors = Vec::new();
    let mut indices = Vec::with_capacity(rgb.len());
    let mut last = (u32::MAX, 0u8);
    for &color in rgb {
        if color != last.0 {
            let mut slot = color.wrapping_mul(0x9e37_79b1) as usize >> 22;
            while table[slot].0 != color && table[slot].0 != u32::MAX {
                slot = (slot + 1) % SLOTS;
            }
            if table[slot].0 == u32::MAX {
                let index = u8::try_from(colors.len() / 3).ok()?;
                table[slot] = (color, index);
                colors.extend_from_slice(&color.to_be_bytes()[1..]);
            }
            last = table[slot];
        }
        indices.push(last.1);
    }
    Some((colors, indices))
}

fn file([width, height]: [u32; 2], palette: Option<&[u8]>, data: &[u8]) -> io::Result<Vec<u8>> {
    let stride = width as usize * if palette.is_some() { 1 } else { 3 };
    let mut lines = Vec::with_capacity(data.len() + height as usize);
    for row in 0..height as usize {
        let line = &data[row * stride..(row + 1) * stride];
        if palette.is_some() || row == 0 {
            lines.push(NO_FILTER);
            lines.extend_from_slice(line);
        } else {
            let above = &data[(row - 1) * stride..row * stride];
            lines.push(UP_FILTER);
            lines.extend(line.iter().zip(above).map(|(a, b)| a.wrapping_sub(*b)));
        }
    }
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    let color_type = if palette.is_some() { 3 } else { 2 };
    header.extend_from_slice(&[8, color_type, 0, 0, 0]);
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut out, b"IHDR", &header);
    if let Some(colors) = palette {
        chunk(&mut out, b"PLTE", colors);
    }
    chunk(&mut out, b"IDAT", &deflate(&lines)?);
    chunk(&mut out, b"IEND", &[]);
    Ok(out)
}

const NO_FILTER: u8 = 0;
const UP_FILTER: u8 = 2;

/// A zlib stream. The second level of libdeflate is several times as fast as the default of other
/// libraries on these pictures, and its files are smaller.
fn deflate(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let level = CompressionLvl::new(LEVEL).map_err(|_| invalid("no such compression level"))?;
    let mut compressor = Compressor::new(level);
    let mut out = vec![0; compressor.zlib_compress_bound(bytes.len())];
    let len = compressor
        .zlib_compress(bytes, &mut out)
        .map_err(|e| invalid(e.to_string()))?;
    out.truncate(len);
    Ok(out)
}

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    out.extend_from_slice(&(data.len() as u32).to_be_bytes());
    let start = out.len();
    out.extend_from_slice(kind);
    out.extend_from_slice(data);
    let sum = libdeflater::crc32(&out[start..]);
    out.extend_from_slice(&sum.to_be_bytes());
}
