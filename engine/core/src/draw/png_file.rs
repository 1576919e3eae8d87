//! Pixels as a PNG file: an exact palette where 256 colours do, else RGB; one IDAT.
//!
//! Never loses a colour. Compression is that of one version of one library at one level, so that
//! bytes are stable.

use std::io;

use libdeflater::{CompressionLvl, Compressor};
use tiny_skia::Pixmap;

use super::chunk::invalid;

const LEVEL: i32 = 2;

/// Encodes opaque pixels. Holds one byte a pixel beside them, three for an RGB file.
pub(crate) fn encode(pixels: &Pixmap) -> io::Result<Vec<u8>> {
    match indexed(pixels) {
        Some((colors, lines)) => file(pixels, Some(&colors), &lines),
        None => file(pixels, None, &rgb(pixels)),
    }
}

/// The rows of a picture, each with four bytes a pixel.
fn rows(pixels: &Pixmap) -> impl Iterator<Item = &[u8]> {
    pixels.data().chunks_exact(4 * pixels.width() as usize)
}

/// Colours in order of appearance and lines of indices, if there are at most 256 colours.
fn indexed(pixels: &Pixmap) -> Option<(Vec<u8>, Vec<u8>)> {
    const SLOTS: usize = 1024;
    let mut table = [(u32::MAX, 0u8); SLOTS];
    let mut colors = Vec::new();
    let mut lines = Vec::with_capacity(pixels.data().len() / 4 + pixels.height() as usize);
    let mut last = (u32::MAX, 0u8);
    for row in rows(pixels) {
        lines.push(NO_FILTER);
        for p in row.chunks_exact(4) {
            let color = u32::from_be_bytes([0, p[0], p[1], p[2]]);
            if color != last.0 {
                let mut slot = color.wrapping_mul(0x9e37_79b1) as usize >> 22;
                while table[slot].0 != color && table[slot].0 != u32::MAX {
                    slot = (slot + 1) % SLOTS;
                }
                if table[slot].0 == u32::MAX {
                    let index = u8::try_from(colors.len() / 3).ok()?;
                    table[slot] = (color, index);
                    colors.extend_from_slice(&p[..3]);
                }
                last = table[slot];
            }
            lines.push(last.1);
        }
    }
    Some((colors, lines))
}

/// Lines of RGB, each as what differs from the one above.
fn rgb(pixels: &Pixmap) -> Vec<u8> {
    let mut lines = Vec::with_capacity(pixels.data().len() / 4 * 3 + pixels.height() as usize);
    let mut above: Option<&[u8]> = None;
    for row in rows(pixels) {
        match above.replace(row) {
            None => {
                lines.push(NO_FILTER);
                lines.extend(row.chunks_exact(4).flat_map(|p| &p[..3]));
            }
            Some(above) => {
                lines.push(UP_FILTER);
                let pairs = row.chunks_exact(4).zip(above.chunks_exact(4));
                lines.extend(pairs.flat_map(|(p, q)| [0, 1, 2].map(|k| p[k].wrapping_sub(q[k]))));
            }
        }
    }
    lines
}

fn file(pixels: &Pixmap, palette: Option<&[u8]>, lines: &[u8]) -> io::Result<Vec<u8>> {
    let size = [pixels.width(), pixels.height()];
    let mut header = size.map(u32::to_be_bytes).concat();
    let color_type = if palette.is_some() { 3 } else { 2 };
    header.extend_from_slice(&[8, color_type, 0, 0, 0]);
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut out, b"IHDR", &header);
    if let Some(colors) = palette {
        chunk(&mut out, b"PLTE", colors);
    }
    chunk(&mut out, b"IDAT", &deflate(lines)?);
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
