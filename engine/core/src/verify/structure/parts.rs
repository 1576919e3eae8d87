//! Hashes of what a picture is made of, one for each thing that may change on its own: where no
//! picture is kept, they still tell what is different.

use std::fmt;

use super::of_map;
use crate::{
    fingerprint::Hash,
    verify::{
        Difference, Kind,
        finding::BY_HASH,
        picture::{Group, Hexagon, Picture},
    },
};

/// Kinds that a part stands for, in the order in which they are written.
const KINDS: [Kind; 8] = [
    Kind::Canvas,
    Kind::Script,
    Kind::Legend,
    Kind::Title,
    Kind::Template,
    Kind::Place,
    Kind::Value,
    Kind::Color,
];
/// Bits of a part: enough to tell versions of one picture apart; its bytes have 128.
const BITS: u32 = 40;

/// One hash for each of [`KINDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts([u64; KINDS.len()]);

impl Parts {
    /// Of a picture that was read.
    pub(crate) fn of(picture: &Picture) -> Self {
        let mut hashes: [Hash; KINDS.len()] = std::array::from_fn(|_| Hash::new());
        let [canvas, script, legend, title, template, place, value, color] = &mut hashes;
        canvas.floats(&picture.canvas);
        script.text(&picture.script);
        for item in &picture.items {
            let hash = match item.group {
                Group::Legend => &mut *legend,
                Group::Title | Group::Label => &mut *title,
                Group::Template => &mut *template,
                Group::Sign => &mut *color,
            };
            hash.text(&item.name);
            hash.text(&item.text);
            for (name, value) in &item.form {
                hash.text(name);
                hash.text(value);
            }
        }
        picture.layers.iter().for_each(|label| title.text(label));
        for (column, hexagon) in &picture.columns {
            place.integers(column);
            value.integers(column);
            hash_hexagon(hexagon, [place, value, color, template]);
        }
        // A file may have them in the order of their fills, which would be no news of their places.
        for hexagon in picture.nameless_by_place() {
            hash_hexagon(hexagon, [place, value, color, template]);
        }
        Self(hashes.map(|hash| hash.finish().short() >> (64 - BITS)))
    }

    /// From its text.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|digits| {
            let plain = digits.len() == 10 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            plain.then(|| u64::from_str_radix(digits, 16).ok())?
        });
        let mut found = [0; KINDS.len()];
        for part in &mut found {
            *part = parts.next()??;
        }
        parts.next().is_none().then_some(Self(found))
    }

    /// What differs from another.
    pub(crate) fn differences(&self, now: &Self) -> Vec<Difference> {
        let pairs = self.0.iter().zip(&now.0).zip(KINDS);
        let mut found: Vec<_> = pairs
            .filter(|((before, after), _)| before != after)
            .map(|((before, after), kind)| {
                let [before, after] = [before, after].map(|part| format!("{part:010x}"));
                of_map(kind, BY_HASH, before, after)
            })
            .collect();
        found.sort_by_key(|one| one.kind);
        found
    }
}

/// What a part covers, in words: it may be more than its kind says.
pub(crate) fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::Title => "title or labels",
        Kind::Template => "tooltips",
        Kind::Place => "which columns there are, or where",
        Kind::Value => "values",
        Kind::Color => "colours or marks",
        other => other.words(),
    }
}

fn hash_hexagon(hexagon: &Hexagon, [place, value, color, template]: [&mut Hash; 4]) {
    // Places that were read back are hundredths but for rounding.
    let hundredths = hexagon.at.map(|px| (px * 100.0).round() as i64);
    place.numbers(hundredths.map(i64::to_le_bytes).into_iter());
    place.text(&hexagon.outline);
    let status = hexagon.status.map_or("", |status| status.word());
    value.text(status);
    value.text(&hexagon.words);
    value.floats(&[hexagon.value.unwrap_or(f64::NAN)]);
    color.text(&hexagon.fill);
    template.text(&hexagon.tooltip);
    hexagon
        .attributes
        .iter()
        .for_each(|text| template.text(text));
    for cell in &hexagon.layers {
        value.floats(&[cell.value.map_or(f64::NAN, |value| value + 0.0)]);
        value.raw(&[u8::from(cell.absent)]);
        color.text(&cell.fill);
        template.text(&cell.tooltip);
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, part) in self.0.iter().enumerate() {
            let dot = if i == 0 { "" } else { "." };
            write!(f, "{dot}{part:010x}")?;
        }
        Ok(())
    }
}
