//! Pixels as a PNG file: an exact palette where 256 colours do, else RGB; one IDAT.
//!
//! Never loses a colour. Compression is that of one version of one library at one level, so that
//! bytes are stable.

use std::io;

use tiny_skia::Pixmap;

use super::chunk::invalid;

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
    let mut out = Vec::with_capacity(48 * 1024);
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_depth(png::BitDepth::Eight);
    if let Some(colors) = palette {
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette(colors);
        encoder.set_filter(png::Filter::NoFilter);
    } else {
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_filter(png::Filter::Paeth);
    }
    encoder.set_compression(png::Compression::Balanced);
    let mut writer = encoder.write_header().map_err(|e| invalid(e.to_string()))?;
    writer
        .write_image_data(data)
        .map_err(|e| invalid(e.to_string()))?;
    writer.finish().map_err(|e| invalid(e.to_string()))?;
    Ok(out)
}
