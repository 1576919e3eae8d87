//! PNGs: whether one is what a reference should be, and how two differ.

use png::{BitDepth, ColorType, Decoder, Transformations};

/// Larger references do not belong into the repository.
const LARGEST_BYTES: usize = 64 * 1024;
/// Smaller or larger pictures are no maps of a few columns.
const SIDE_PX: std::ops::RangeInclusive<u32> = 50..=2000;

/// Pixels in RGBA, row by row.
struct Pixels {
    width: usize,
    height: usize,
    rgba: Vec<u8>,
}

/// Checks that a PNG has a palette, a sensible size and more than one colour.
pub(super) fn sound(bytes: &[u8]) -> Result<(), String> {
    let reader = Decoder::new(std::io::Cursor::new(bytes)).read_info();
    let reader = reader.map_err(|error| error.to_string())?;
    let info = reader.info();
    if info.color_type != ColorType::Indexed || info.bit_depth == BitDepth::Sixteen {
        return Err(format!(
            "{:?}, where a palette was expected",
            info.color_type
        ));
    }
    if ![info.width, info.height]
        .iter()
        .all(|side| SIDE_PX.contains(side))
    {
        return Err(format!(
            "{} x {} pixels are no small map",
            info.width, info.height
        ));
    }
    if bytes.len() > LARGEST_BYTES {
        return Err(format!(
            "{} bytes are too many for a reference",
            bytes.len()
        ));
    }
    let pixels = pixels(bytes)?;
    let first = pixels.rgba.get(..4).ok_or("no pixels")?;
    match pixels.rgba.chunks_exact(4).any(|pixel| pixel != first) {
        true => Ok(()),
        false => Err("all pixels have one colour".into()),
    }
}

/// How two PNGs differ, in words: sizes, or the number of pixels and the rectangle that holds them.
pub fn difference(approved: &[u8], now: &[u8]) -> String {
    let (approved, now) = match (pixels(approved), pixels(now)) {
        (Ok(approved), Ok(now)) => (approved, now),
        (Err(error), _) => return format!("the reference is damaged: {error}"),
        (_, Err(error)) => return error,
    };
    if (approved.width, approved.height) != (now.width, now.height) {
        return format!(
            "{} x {} pixels became {} x {}",
            approved.width, approved.height, now.width, now.height
        );
    }
    let pairs = approved.rgba.chunks_exact(4).zip(now.rgba.chunks_exact(4));
    let other = pairs
        .enumerate()
        .filter(|(_, (before, after))| before != after);
    let places: Vec<(usize, usize)> = other.map(|(i, _)| (i % now.width, i / now.width)).collect();
    let bounds = |side: fn(&(usize, usize)) -> usize| {
        let sides = places.iter().map(side);
        sides.clone().min().zip(sides.max())
    };
    match (bounds(|place| place.0), bounds(|place| place.1)) {
        (Some((left, right)), Some((top, bottom))) => format!(
            "{} of {} pixels differ, from {left},{top} to {right},{bottom}",
            places.len(),
            now.width * now.height
        ),
        _ => "it is packed in another way; no pixel differs".into(),
    }
}

fn pixels(bytes: &[u8]) -> Result<Pixels, String> {
    let mut decoder = Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(Transformations::ALPHA | Transformations::STRIP_16);
    let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
    let size = reader.output_buffer_size().ok_or("too many pixels")?;
    let mut rgba = vec![0; size];
    let frame = reader
        .next_frame(&mut rgba)
        .map_err(|error| error.to_string())?;
    Ok(Pixels {
        width: frame.width as usize,
        height: frame.height as usize,
        rgba,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PNG of 60 x 60 pixels whose palette is white and red, red at some pixels.
    fn with_red(places: &[usize]) -> Vec<u8> {
        let mut pixels = vec![0; 3600];
        places.iter().for_each(|&place| pixels[place] = 1);
        encoded(ColorType::Indexed, 60, &pixels)
    }

    fn encoded(color: ColorType, side: u32, pixels: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, side, side);
        encoder.set_color(color);
        if color == ColorType::Indexed {
            encoder.set_palette(vec![255, 255, 255, 165, 15, 21]);
        }
        let mut writer = encoder.write_header().expect("a header");
        writer.write_image_data(pixels).expect("pixels");
        writer.finish().expect("an end");
        bytes
    }

    #[test]
    fn a_picture_that_is_no_reference_is_refused() {
        assert_eq!(sound(&with_red(&[7])), Ok(()));
        for (bytes, message) in [
            (with_red(&[]), "one colour"),
            (encoded(ColorType::Grayscale, 60, &[7; 3600]), "Grayscale"),
            (encoded(ColorType::Indexed, 20, &[0; 400]), "20 x 20"),
            (with_red(&[7])[..60].to_vec(), "end of file"),
            (b"<svg/>".to_vec(), ""),
        ] {
            let error = sound(&bytes).expect_err(message);
            assert!(error.contains(message), "{message:?} is not in {error}");
        }
        let mut noise = 1u32;
        let mut random = || {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            u8::from(noise >> 31 == 1)
        };
        let large: Vec<u8> = (0..1000 * 1000).map(|_| random()).collect();
        let error = sound(&encoded(ColorType::Indexed, 1000, &large)).expect_err("too large");
        assert!(error.contains("bytes are too many"), "{error}");
    }

    #[test]
    fn one_pixel_is_a_difference_and_is_placed() {
        let difference = |now: &[u8]| difference(&with_red(&[7]), now);
        assert_eq!(
            difference(&with_red(&[7, 60 * 3 + 5])),
            "1 of 3600 pixels differ, from 5,3 to 5,3"
        );
        assert_eq!(
            difference(&with_red(&[60 * 2 + 1])),
            "2 of 3600 pixels differ, from 1,0 to 7,2"
        );
        let larger = encoded(ColorType::Indexed, 61, &[0; 61 * 61]);
        assert_eq!(difference(&larger), "60 x 60 pixels became 61 x 61");
        let mut pixels = vec![255; 3 * 3600];
        pixels[21..24].copy_from_slice(&[165, 15, 21]);
        let other = encoded(ColorType::Rgb, 60, &pixels);
        assert_eq!(
            difference(&other),
            "it is packed in another way; no pixel differs"
        );
    }
}
