//! Two PNGs compared pixel by pixel, and what that says of hexagons.

use std::io::Cursor;

use super::{
    Difference, Kind, PixelDifference, Tolerance, finding::TOLD, picture::Places, structure::of_map,
};
use crate::{fingerprint::Hash, pipeline::Fingerprint};

/// A picture may take so many bytes when it is decoded: that of 60 million pixels.
const MOST_BYTES: usize = 256 << 20;

/// Pixels of a picture, as red, green, blue, alpha.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pixels {
    width: u32,
    height: u32,
    rgba: Vec<u8>,
}

/// Where hexagons are in a picture, and what their colours mean.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    /// Centres of columns, in px of the map.
    pub(super) places: &'a Places,
    /// The upper left corner of the canvas, in px of the map.
    pub(super) corner: [f64; 2],
    /// Pixels for each px of the canvas.
    pub(super) scale: f64,
    /// Fills of bins from low to high, `#rrggbb`; empty where colours are no bins.
    pub(super) bins: &'a [String],
}

impl Pixels {
    /// Decodes a PNG.
    ///
    /// # Errors
    /// When it is none, is cut, or is too large. Any bytes are allowed.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let wrong = |error: png::DecodingError| format!("it is no PNG that can be read: {error}");
        let limits = png::Limits { bytes: MOST_BYTES };
        let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().map_err(wrong)?;
        // The decoder takes it for granted.
        let is_palette = |colors: &[u8]| colors.len().is_multiple_of(3) && colors.len() <= 3 * 256;
        if reader
            .info()
            .palette
            .as_deref()
            .is_some_and(|p| !is_palette(p))
        {
            return Err("it is no PNG that can be read: its palette is cut".into());
        }
        let size = reader
            .output_buffer_size()
            .filter(|&size| size <= MOST_BYTES);
        let size = size.ok_or_else(|| "it is too large to be compared".to_owned())?;
        let mut buffer = vec![0; size];
        let info = reader.next_frame(&mut buffer).map_err(wrong)?;
        buffer.truncate(info.buffer_size());
        Ok(Self {
            width: info.width,
            height: info.height,
            rgba: to_rgba(&buffer, info.color_type),
        })
    }

    /// A hash of what is seen, however it is encoded.
    pub(super) fn hash(&self) -> Fingerprint {
        let mut hash = Hash::new();
        hash.numbers([self.width, self.height].map(u32::to_le_bytes).into_iter());
        hash.raw(&self.rgba);
        hash.finish()
    }

    fn at(&self, x: u32, y: u32) -> Option<[u8; 4]> {
        let from = (y as usize * self.width as usize + x as usize) * 4;
        let inside = x < self.width && y < self.height;
        let pixel = inside.then(|| self.rgba.get(from..from + 4))??;
        pixel.try_into().ok()
    }

    fn row(&self, y: u32) -> &[u8] {
        let bytes = self.width as usize * 4;
        let from = y as usize * bytes;
        self.rgba.get(from..from + bytes).unwrap_or_default()
    }
}

fn to_rgba(buffer: &[u8], color: png::ColorType) -> Vec<u8> {
    let channels = color.samples();
    if channels == 4 {
        return buffer.to_vec();
    }
    let mut rgba = Vec::with_capacity(buffer.len() / channels * 4);
    for pixel in buffer.chunks_exact(channels) {
        rgba.extend_from_slice(&match *pixel {
            [r, g, b] => [r, g, b, 255],
            [gray, alpha] => [gray, gray, gray, alpha],
            _ => [pixel[0], pixel[0], pixel[0], 255],
        });
    }
    rgba
}

/// Counts pixels that differ by more than a tolerance. None if there is no such pixel.
pub(super) fn compare(
    before: &Pixels,
    after: &Pixels,
    tolerance: Option<&Tolerance>,
) -> Option<PixelDifference> {
    let [width, height] = [
        before.width.max(after.width),
        before.height.max(after.height),
    ];
    let of = u64::from(width) * u64::from(height);
    if (before.width, before.height) != (after.width, after.height) {
        return Some(PixelDifference {
            count: of,
            of,
            bounds: [0, 0, width, height],
            largest: 255,
        });
    }
    let most = tolerance.map_or(0, |tolerance| tolerance.color);
    let mut found = Found::default();
    for y in 0..height {
        let rows = [before.row(y), after.row(y)];
        // Most rows are equal, and equal rows are compared many bytes at a time.
        if rows[0] != rows[1] {
            found.row(y, rows, most);
        }
    }
    found.difference(of)
}

#[derive(Default)]
struct Found {
    count: u64,
    largest: u8,
    /// Left, top, right, bottom; right and bottom included.
    bounds: Option<[u32; 4]>,
}

impl Found {
    fn row(&mut self, y: u32, [before, after]: [&[u8]; 2], most: u8) {
        let pairs = before.chunks_exact(4).zip(after.chunks_exact(4));
        for (x, (before, after)) in (0_u32..).zip(pairs) {
            let steps = before.iter().zip(after).map(|(a, b)| a.abs_diff(*b));
            let largest = steps.max().unwrap_or(0);
            if largest > most {
                self.count += 1;
                self.largest = self.largest.max(largest);
                let [left, top, right, bottom] = self.bounds.unwrap_or([x, y, x, y]);
                self.bounds = Some([left.min(x), top.min(y), right.max(x), bottom.max(y)]);
            }
        }
    }

    fn difference(&self, of: u64) -> Option<PixelDifference> {
        let [left, top, right, bottom] = self.bounds?;
        Some(PixelDifference {
            count: self.count,
            of,
            bounds: [left, top, right - left + 1, bottom - top + 1],
            largest: self.largest,
        })
    }
}

/// Which hexagons changed their colour, and in how many hexagons anything did; else what is known of the
/// pixels. The number of all differences comes with those that are told.
pub(super) fn explain(
    sides: [&Pixels; 2],
    pixels: PixelDifference,
    seen: Option<&Seen<'_>>,
    tolerance: Option<&Tolerance>,
) -> (Vec<Difference>, u64) {
    let [before, after] = sides;
    if (before.width, before.height) != (after.width, after.height) {
        let sizes = sides.map(|side| format!("{} x {}", side.width, side.height));
        let [before, after] = sizes;
        return (vec![of_map(Kind::Canvas, "in pixels", before, after)], 1);
    }
    let mut changed = Vec::new();
    let mut count = 0;
    if let Some(seen) = seen {
        for (column, center) in seen.places.iter() {
            let center = [0, 1].map(|k| center[k] - seen.corner[k]);
            let Some(fills) = seen.fills(sides, center, tolerance) else {
                continue;
            };
            count += 1;
            if changed.len() < TOLD {
                changed.push(recolored(column, center, fills, seen.bins));
            }
        }
    }
    if count == 0 {
        changed.push(somewhere(pixels, seen));
        count = 1;
    }
    (changed, count)
}

/// Points of a hexagon that no mark covers, which are lines along diagonals, a dot in the middle and
/// outlines: relative to the circumradius.
const BESIDE_MARKS: [[f64; 2]; 4] = [[0.43, 0.17], [0.17, 0.43], [-0.43, -0.17], [-0.17, -0.43]];

impl Seen<'_> {
    /// The fills of a hexagon, then and now, if they differ.
    fn fills(
        &self,
        sides: [&Pixels; 2],
        center: [f64; 2],
        tolerance: Option<&Tolerance>,
    ) -> Option<[String; 2]> {
        let [before, after] = sides.map(|side| self.fill(side, center));
        let (before, after) = (before?, after?);
        let most = tolerance.map_or(0, |tolerance| tolerance.color);
        let differ = before.iter().zip(after).any(|(a, b)| a.abs_diff(b) > most);
        differ.then(|| [before, after].map(|[r, g, b, _]| format!("#{r:02x}{g:02x}{b:02x}")))
    }

    /// What most points beside marks have: one may lie at the edge of a mark.
    fn fill(&self, pixels: &Pixels, center: [f64; 2]) -> Option<[u8; 4]> {
        let radius = self.places.radius_px();
        let colors = BESIDE_MARKS.iter().filter_map(|point| {
            let [x, y] = [0, 1].map(|k| (center[k] + point[k] * radius) * self.scale);
            let inside = x >= 0.0 && y >= 0.0;
            inside.then(|| pixels.at(x as u32, y as u32)).flatten()
        });
        let colors: Vec<[u8; 4]> = colors.collect();
        let votes = |color: &&[u8; 4]| colors.iter().filter(|other| other == color).count();
        // The first of equals.
        colors.iter().rev().max_by_key(votes).copied()
    }
}

fn recolored(
    column: [i32; 2],
    center: [f64; 2],
    fills: [String; 2],
    bins: &[String],
) -> Difference {
    let words = |fill: &String| match bins.iter().position(|bin| bin == fill) {
        Some(bin) => format!("{fill} (bin {})", bin + 1),
        None => fill.clone(),
    };
    let [before, after] = [0, 1].map(|k| words(&fills[k]));
    Difference {
        column: Some(column),
        at: Some(center),
        fills: Some(fills),
        ..of_map(Kind::Color, "", before, after)
    }
}

/// Where pixels differ that are no fill of a hexagon.
fn somewhere(pixels: PixelDifference, seen: Option<&Seen<'_>>) -> Difference {
    let [left, top, width, height] = pixels.bounds;
    let middle =
        [(left, width), (top, height)].map(|(from, long)| f64::from(from) + f64::from(long) / 2.0);
    let near = seen.and_then(|seen| {
        let place = [0, 1].map(|k| middle[k] / seen.scale + seen.corner[k]);
        seen.places.nearest(place)
    });
    let what = match near {
        Some(([hex1, hex2], _)) => format!("around column {hex1},{hex2}"),
        None => "beside the hexagons".into(),
    };
    let amount = format!(
        "{} of {} differ, within {width} x {height} pixels at {left},{top}, by up to {} of 255",
        pixels.count, pixels.of, pixels.largest
    );
    of_map(Kind::Pixels, &what, "as approved", amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(colors: &[[u8; 3]], width: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let height = colors.len() as u32 / width;
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&colors.concat()).unwrap();
        writer.finish().unwrap();
        bytes
    }

    fn pixels(colors: &[[u8; 3]], width: u32) -> Pixels {
        Pixels::decode(&picture(colors, width)).unwrap()
    }

    #[test]
    fn differing_pixels_are_counted_bounded_and_measured() {
        let mut colors = vec![[10, 20, 30]; 12];
        let before = pixels(&colors, 4);
        assert_eq!(compare(&before, &before, None), None);
        colors[5] = [10, 20, 37];
        colors[10] = [11, 20, 30];
        let after = pixels(&colors, 4);
        let found = compare(&before, &after, None).unwrap();
        let wanted = PixelDifference {
            count: 2,
            of: 12,
            bounds: [1, 1, 2, 2],
            largest: 7,
        };
        assert_eq!(found, wanted);
        let tolerance = Tolerance {
            color: 6,
            place_px: 0.0,
            forced: false,
        };
        assert_eq!(compare(&before, &after, Some(&tolerance)).unwrap().count, 1);
        assert_ne!(before.hash(), after.hash());
    }

    #[test]
    fn another_size_is_another_picture() {
        let (a, b) = (pixels(&[[0; 3]; 6], 3), pixels(&[[0; 3]; 6], 2));
        assert_eq!(compare(&a, &b, None).unwrap().count, 9);
        let told = explain([&a, &b], compare(&a, &b, None).unwrap(), None, None).0;
        assert_eq!(told[0].line(), "canvas in pixels: 3 x 2 -> 2 x 3");
        assert_ne!(a.hash(), b.hash());
    }

    #[test]
    fn a_palette_that_is_cut_is_refused() {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 1, 1);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette(vec![1, 2, 3, 4]);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[0]).unwrap();
        writer.finish().unwrap();
        assert!(Pixels::decode(&bytes).unwrap_err().contains("palette"));
    }

    #[test]
    fn what_is_no_png_is_refused() {
        let whole = picture(&[[1, 2, 3]; 9], 3);
        for wrong in [&b""[..], b"no picture", &whole[..whole.len() / 2]] {
            assert!(Pixels::decode(wrong).is_err());
        }
    }
}
