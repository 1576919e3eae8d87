//! Reading what was approved, for fuzz targets: files in a repository may hold anything.

use super::{
    picture::Picture,
    pixels::Pixels,
    references::Line,
    structure::{Parts, compare},
};
use crate::draw::Format;

/// Reads bytes as a picture of a format; whether they are one.
///
/// # Panics
/// When a picture differs from itself, or its hashes are not read as they are written.
pub fn is_picture(format: Format, bytes: &[u8]) -> bool {
    if !Picture::has_structure(format) {
        let Ok(pixels) = Pixels::decode(bytes) else {
            return false;
        };
        let again = Pixels::decode(bytes).map(|again| again.hash());
        assert_eq!(again, Ok(pixels.hash()));
        return true;
    }
    let Ok(picture) = Picture::read(format, bytes) else {
        return false;
    };
    let found = compare(&picture, &picture, None);
    assert!(found.is_empty(), "{}", found.message());
    let parts = Parts::of(&picture);
    assert_eq!(Parts::parse(&parts.to_string()), Some(parts));
    true
}

/// A line of a manifest as it is written again; none if it is none.
pub fn line(text: &str) -> Option<String> {
    Line::parse(text).ok().map(|line| line.to_string())
}
