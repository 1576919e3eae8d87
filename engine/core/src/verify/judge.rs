//! One artifact against what was approved of it: bytes, then structure or pixels.

use super::{
    Difference, Kind, Level, PixelDifference, Tolerance,
    drawn::{self, Artifact},
    finding::{BY_HASH, TOLD},
    golden,
    picture::{Picture, Places},
    pixels::{self, Pixels, Seen},
    references::{Kept, Line},
    structure::{self, Parts},
};
use crate::{
    draw::Format,
    pipeline::{Fingerprint, Scene},
};

/// What is known of an artifact that is not equal to what was approved.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    /// Whether all that differs is within the tolerance.
    pub(super) is_tolerated: bool,
    pub(super) level: Option<Level>,
    pub(super) message: String,
    pub(super) differences: Vec<Difference>,
    pub(super) n_differences: u64,
    pub(super) pixels: Option<PixelDifference>,
    /// Hashes of the new picture, where it was read.
    pub(super) hashes: Option<Hashes>,
}

/// Hashes of what a picture shows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hashes {
    parts: Option<Parts>,
    pixels: Option<Fingerprint>,
}

impl Hashes {
    fn of(format: Format, bytes: &[u8]) -> Self {
        let (mut parts, mut pixels) = (None, None);
        if Picture::has_structure(format) {
            parts = Picture::read(format, bytes).ok().as_ref().map(Parts::of);
        } else {
            pixels = Pixels::decode(bytes).ok().as_ref().map(Pixels::hash);
        }
        Self { parts, pixels }
    }

    const fn of_parts(parts: Parts) -> Self {
        Self {
            parts: Some(parts),
            pixels: None,
        }
    }

    const fn of_pixels(pixels: Fingerprint) -> Self {
        Self {
            parts: None,
            pixels: Some(pixels),
        }
    }
}

/// What an artifact is compared with, and by.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    /// What was drawn, to name columns; none for a map too large to be held.
    pub(super) scene: Option<&'a Scene>,
    pub(super) places: &'a Places,
    pub(super) tolerance: Option<&'a Tolerance>,
    /// Pixels for each px of the canvas.
    pub(super) scale: f64,
}

impl Judge<'_> {
    /// What differs. The bytes are known to.
    pub(super) fn judge(&self, line: &Line, kept: &Kept, artifact: &Artifact) -> Judgement {
        let Some(after) = &artifact.bytes else {
            return Judgement::of_bytes(
                "the bytes differ; a map of this size is compared by its bytes alone",
            );
        };
        match (kept, artifact.format) {
            (Kept::Picture(before), Format::Png) => self.pngs(before, after),
            (Kept::Picture(before), format) => self.structures(format, before, after),
            (_, Format::Png) => hashed_png(line, after),
            (_, format) => hashed_structure(line, format, after),
        }
    }

    fn structures(&self, format: Format, before: &[u8], after: &[u8]) -> Judgement {
        let pictures = [before, after].map(|bytes| Picture::read(format, bytes));
        let [mut before_picture, mut after_picture] = match both(pictures) {
            Ok(pictures) => pictures,
            Err(unread) => return unread,
        };
        // Before columns are named, as whoever knows the hashes alone has no names.
        let hashes = Some(Hashes::of_parts(Parts::of(&after_picture)));
        before_picture.name_columns(self.places);
        after_picture.name_columns(self.places);
        let found = structure::compare(&before_picture, &after_picture, self.tolerance);
        if !found.is_empty() {
            return Judgement {
                level: Some(Level::Structure),
                message: found.message(),
                n_differences: found.count(),
                differences: found.into_told(),
                hashes,
                ..Judgement::default()
            };
        }
        // Without a tolerance nothing but the very same bytes passes.
        let exact = structure::compare(&before_picture, &after_picture, None);
        if !exact.is_empty() {
            return Judgement::tolerated();
        }
        Judgement {
            hashes,
            ..writing(before, after)
        }
    }

    fn pngs(&self, before: &[u8], after: &[u8]) -> Judgement {
        let [before, after] = match both([before, after].map(Pixels::decode)) {
            Ok(pictures) => pictures,
            Err(unread) => return unread,
        };
        let Some(found) = pixels::compare(&before, &after, self.tolerance) else {
            if before != after {
                return Judgement::tolerated();
            }
            return Judgement::of_bytes("the pixels are the same, and encoded in another way");
        };
        let heads = self.scene.map(|scene| &scene.head);
        let known = heads.map(|head| (drawn::corner(head), drawn::bins(head)));
        let seen = known.as_ref().map(|(corner, bins)| Seen {
            places: self.places,
            corner: *corner,
            scale: self.scale,
            bins,
        });
        let (differences, n) =
            pixels::explain([&before, &after], found, seen.as_ref(), self.tolerance);
        let first = differences
            .first()
            .map_or_else(String::new, Difference::line);
        let more = match n {
            1 => String::new(),
            n => format!("; {n} hexagons in all"),
        };
        Judgement {
            level: Some(Level::Pixels),
            message: format!("{first}{more}"),
            differences,
            n_differences: n,
            pixels: Some(found),
            hashes: Some(Hashes::of_pixels(after.hash())),
            ..Judgement::default()
        }
    }
}

impl Judgement {
    fn of_bytes(message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            level: Some(Level::Bytes),
            differences: vec![structure::of_map(
                Kind::Writing,
                &message,
                "as approved",
                "other bytes",
            )],
            n_differences: 1,
            message,
            ..Self::default()
        }
    }

    fn tolerated() -> Self {
        Self {
            is_tolerated: true,
            ..Self::default()
        }
    }
}

/// Both pictures, or what is told of the first that cannot be read.
fn both<T, E: std::fmt::Display>(pictures: [Result<T, E>; 2]) -> Result<[T; 2], Judgement> {
    let unread = |which: &str, error: E| {
        Judgement::of_bytes(format!("the {which} picture cannot be read: {error}"))
    };
    match pictures {
        [Ok(before), Ok(after)] => Ok([before, after]),
        [Err(error), _] => Err(unread("approved", error)),
        [_, Err(error)] => Err(unread("new", error)),
    }
}

/// Bytes that differ though nothing that is seen does: where they begin to.
fn writing(before: &[u8], after: &[u8]) -> Judgement {
    let same = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let line = before[..same].iter().filter(|&&byte| byte == b'\n').count() + 1;
    Judgement::of_bytes(format!(
        "it looks the same and is written in another way, from line {line} on (byte {})",
        same + 1
    ))
}

/// Of an artifact of which hashes alone are kept: what they tell.
fn hashed_structure(line: &Line, format: Format, after: &[u8]) -> Judgement {
    let now = match Picture::read(format, after) {
        Ok(picture) => Parts::of(&picture),
        Err(error) => {
            return Judgement::of_bytes(format!("the new picture cannot be read: {error}"));
        }
    };
    let differences = line
        .parts
        .map_or_else(Vec::new, |parts| parts.differences(&now));
    if differences.is_empty() {
        return Judgement::of_bytes("it looks the same and is written in another way");
    }
    let kinds: Vec<&str> = differences
        .iter()
        .map(|one| structure::words_of_part(one.kind))
        .collect();
    Judgement {
        level: Some(Level::Structure),
        message: format!(
            "other than approved: {} (only hashes are kept of this map)",
            kinds.join(", ")
        ),
        n_differences: differences.len() as u64,
        differences,
        hashes: Some(Hashes::of_parts(now)),
        ..Judgement::default()
    }
}

fn hashed_png(line: &Line, after: &[u8]) -> Judgement {
    let now = match Pixels::decode(after) {
        Ok(pixels) => pixels.hash(),
        Err(error) => {
            return Judgement::of_bytes(format!("the new picture cannot be read: {error}"));
        }
    };
    if line.pixels == Some(now) {
        return Judgement::of_bytes("the pixels are the same, and encoded in another way");
    }
    let before = line
        .pixels
        .map_or_else(|| "unknown".into(), |hash| hash.to_string());
    Judgement {
        level: Some(Level::Pixels),
        message: "other pixels than approved (only hashes are kept of this map)".into(),
        differences: vec![structure::of_map(
            Kind::Pixels,
            BY_HASH,
            before,
            now.to_string(),
        )],
        n_differences: 1,
        hashes: Some(Hashes::of_pixels(now)),
        ..Judgement::default()
    }
}

/// What differs between two texts of golden vectors.
pub(super) fn judge_text(kept: &Kept, after: &str) -> Judgement {
    let Kept::Picture(before) = kept else {
        return Judgement::of_bytes("other answers than approved (only a hash of them is kept)");
    };
    let before = String::from_utf8_lossy(before);
    let found = golden::compare_text(&before, after);
    if found.is_empty() {
        return Judgement::of_bytes("the answers are the same, and written in another way");
    }
    let side = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".into());
    let told = found.iter().take(TOLD);
    let differences: Vec<Difference> = told
        .map(|one| {
            structure::of_map(
                Kind::Answer,
                &one.question,
                side(&one.before),
                side(&one.after),
            )
        })
        .collect();
    let n = found.len() as u64;
    let first = differences
        .first()
        .map_or_else(String::new, Difference::line);
    let more = if n > 1 {
        format!("; and {} more answers", n - 1)
    } else {
        String::new()
    };
    Judgement {
        level: Some(Level::Structure),
        message: format!("{first}{more}"),
        differences,
        n_differences: n,
        ..Judgement::default()
    }
}

/// What would be approved of a text: all of it is kept.
pub(super) fn line_of_text(path: &str, text: &str) -> Line {
    Line {
        path: path.into(),
        bytes: Fingerprint::of_bytes(text.as_bytes()),
        parts: None,
        pixels: None,
        picture: true,
    }
}

/// What would be approved of an artifact, with its hashes if they are known.
pub(super) fn line_of(artifact: &Artifact, picture: bool, hashes: Option<Hashes>) -> Line {
    let bytes = artifact.bytes.as_deref();
    let of_bytes = || bytes.map(|bytes| Hashes::of(artifact.format, bytes));
    let Hashes { parts, pixels } = hashes.or_else(of_bytes).unwrap_or_default();
    Line {
        path: artifact.path.as_str().into(),
        bytes: artifact.hash,
        parts,
        pixels,
        picture: picture && bytes.is_some(),
    }
}
