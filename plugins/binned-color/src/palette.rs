//! Palettes by name, and any number of colours from any of them.
//!
//! `reds` are the five of neuView; `blues` to `greys` are ColorBrewer's five-class schemes
//! (Brewer, Harrower and the Pennsylvania State University, Apache 2.0); `viridis` and `magma` are
//! five even steps of Smith and van der Walt's maps, `cividis` of Nunez, Anderton and Renslow 2018.
//! `viridis` and `cividis` are read alike by colour-blind people.

use eyemap_sdk::prelude::*;

const NAMED: [(&str, [u32; 5]); 9] = [
    ("reds", [0xfee5d9, 0xfcbba1, 0xfc9272, 0xef6548, 0xa50f15]),
    ("blues", [0xeff3ff, 0xbdd7e7, 0x6baed6, 0x3182bd, 0x08519c]),
    ("greens", [0xedf8e9, 0xbae4b3, 0x74c476, 0x31a354, 0x006d2c]),
    (
        "oranges",
        [0xfeedde, 0xfdbe85, 0xfd8d3c, 0xe6550d, 0xa63603],
    ),
    (
        "purples",
        [0xf2f0f7, 0xcbc9e2, 0x9e9ac8, 0x756bb1, 0x54278f],
    ),
    ("greys", [0xf7f7f7, 0xcccccc, 0x969696, 0x636363, 0x252525]),
    (
        "viridis",
        [0x440154, 0x3b528b, 0x21918c, 0x5ec962, 0xfde725],
    ),
    ("magma", [0x000004, 0x51127c, 0xb73779, 0xfc8961, 0xfcfdbf]),
    (
        "cividis",
        [0x00224e, 0x434e6c, 0x7d7c78, 0xbcae6c, 0xfee838],
    ),
];

/// The colours of a named palette.
pub(crate) fn named(name: &str) -> Result<Vec<Rgba>> {
    let found = NAMED.iter().find(|(known, _)| *known == name);
    let (_, colors) = found.ok_or_else(|| {
        let known = NAMED.map(|(name, _)| name).join(", ");
        let message =
            format!("the palette {name:?} is not known: give a list of colours or one of {known}");
        Error::config("palette", message)
    })?;
    Ok(colors.iter().map(|&rgb| Rgba(rgb << 8 | 0xff)).collect())
}

/// Colours written as `#rrggbb` or `#rrggbbaa`.
pub(crate) fn listed(colors: &[String]) -> Result<Vec<Rgba>> {
    if colors.is_empty() {
        return Err(Error::config(
            "palette",
            "the palette is empty: give at least one colour",
        ));
    }
    let parse = |(i, text): (usize, &String)| color(&format!("palette[{i}]"), text);
    colors.iter().enumerate().map(parse).collect()
}

/// One colour of the configuration.
pub(crate) fn color(key: &str, text: &str) -> Result<Rgba> {
    Rgba::parse(text).ok_or_else(|| {
        Error::config(
            key,
            format!("{text:?} is not a colour: write #rrggbb or #rrggbbaa"),
        )
    })
}

/// `n` colours evenly along a palette, linear in each sRGB channel between its colours.
pub(crate) fn spread(palette: &[Rgba], n: usize) -> Vec<Rgba> {
    if n == palette.len() {
        return palette.to_vec();
    }
    let last = palette.len() - 1;
    let at = |i: usize| {
        let place = if n == 1 {
            0.0
        } else {
            (i * last) as f64 / (n - 1) as f64
        };
        let low = (place as usize).min(last);
        mix(
            palette[low],
            palette[(low + 1).min(last)],
            place - low as f64,
        )
    };
    (0..n).map(at).collect()
}

fn mix(low: Rgba, high: Rgba, share: f64) -> Rgba {
    let (low, high) = (low.channels(), high.channels());
    let channel = |i: usize| {
        let (low, high) = (f64::from(low[i]), f64::from(high[i]));
        // Both ends are within 0 to 255, so is everything between them.
        (low + (high - low) * share + 0.5) as u8
    };
    Rgba(u32::from_be_bytes(std::array::from_fn(channel)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreading_keeps_the_ends_and_passes_through_the_middle() {
        let reds = named("reds").expect("reds");
        let nine = spread(&reds, 9);
        let every_second: Vec<_> = nine.iter().step_by(2).copied().collect();
        assert_eq!(every_second, reds);
        assert_eq!(spread(&reds, 2), [reds[0], reds[4]]);
        assert_eq!(spread(&reds[..1], 3), [reds[0]; 3]);
    }

    #[test]
    fn a_bad_colour_is_named_by_its_place_in_the_list() {
        let error = listed(&["#ffffff".into(), "red".into()]).expect_err("an error");
        assert_eq!(
            error.to_string(),
            "\"red\" is not a colour: write #rrggbb or #rrggbbaa (at palette[1])"
        );
        assert!(
            named("rainbow")
                .expect_err("an error")
                .to_string()
                .contains("viridis")
        );
    }
}
