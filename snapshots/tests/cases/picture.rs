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
pub(crate) fn sound(bytes: &[u8]) -> Result<(), String> {
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

/// How two pictures differ, in words.
pub(crate) fn difference(approved: &[u8], now: &[u8]) -> String {
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
