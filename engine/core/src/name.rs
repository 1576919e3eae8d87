//! File names for anything that a table can call a cell type.
//!
//! A name is safe on every file system and tells two cell types apart even where case does not: a
//! letter case other than `Tm3`'s (first letter large, the rest small) is appended as a number after
//! `~`. What is not a plain letter, digit, `-`, `_` or one of `'(),+` is percent-encoded. The mapping
//! depends on the name alone, so a map keeps its file whatever else is in the table.

use std::fmt::Write as _;

/// Stems longer than this are cut and end in a hash.
const MAX_STEM: usize = 120;

/// Names that DOS reserves, whatever their extension and case.
const RESERVED: [&str; 6] = ["con", "prn", "aux", "nul", "com", "lpt"];

/// A file name, without extension, for a cell type.
///
/// ```
/// use eyemap_engine::name::file_stem;
/// assert_eq!(file_stem("Tm3"), "Tm3");
/// assert_eq!(file_stem("aMe17e"), "aMe17e~2");
/// assert_eq!(file_stem("AME17e"), "AME17e~7");
/// assert_eq!(file_stem("../../etc/passwd"), "%2E%2E%2F%2E%2E%2Fetc%2Fpasswd~0");
/// ```
pub fn file_stem(name: &str) -> String {
    let mut stem = encode(name);
    let case = case_bits(name);
    if let Some(case) = &case {
        let _ = write!(stem, "~{case}");
    }
    if stem.len() <= MAX_STEM {
        return stem;
    }
    let hash = blake3::hash(name.as_bytes()).to_hex();
    let mut cut = 80;
    // Not inside an escape such as %2F.
    while stem.as_bytes()[cut - 2..cut].contains(&b'%') {
        cut -= 1;
    }
    format!("{}~~{}", &stem[..cut], &hash[..32])
}

/// A directory name for a region or metric: as [`file_stem`], but without the letter case, as a
/// configuration whose regions or metrics differ only in case is refused.
pub fn directory(name: &str) -> String {
    encode(name)
}

fn encode(name: &str) -> String {
    let mut plain = String::with_capacity(name.len() + 4);
    for (i, byte) in name.bytes().enumerate() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-_'(),+".contains(&byte);
        if is_plain && !(i == 0 && is_reserved(name)) {
            plain.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(plain, "%{byte:02X}");
        }
    }
    plain
}

fn is_reserved(name: &str) -> bool {
    let base = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    let stem = base.trim_end_matches(|c: char| c.is_ascii_digit());
    RESERVED.contains(&stem)
}

/// Which letters are large, as a hexadecimal number whose lowest bit is the first letter; `None` for
/// the usual case, the first letter alone.
fn case_bits(name: &str) -> Option<String> {
    let letters = name.bytes().filter(u8::is_ascii_alphabetic);
    let large: Vec<bool> = letters.map(|letter| letter.is_ascii_uppercase()).collect();
    if large.first().is_none_or(|&first| first) && large.iter().skip(1).all(|&large| !large) {
        return None;
    }
    let digit = |bits: &[bool]| {
        let value = bits
            .iter()
            .rev()
            .fold(0, |value, &bit| value * 2 + u32::from(bit));
        char::from_digit(value, 16).unwrap_or('0')
    };
    let digits: String = large.chunks(4).map(digit).rev().collect();
    let digits = digits.trim_start_matches('0');
    Some(if digits.is_empty() {
        "0".into()
    } else {
        digits.into()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_and_awkward_names_become_plain_ones() {
        for (name, stem) in [
            ("KCa'b'-ap1", "KCa'b'-ap1~3"),
            ("PEN_b(PEN2)", "PEN_b(PEN2)~77"),
            ("R1&R6<script>", "R1%26R6%3Cscript%3E~3"),
            ("con", "%63on~0"),
            ("Lpt1", "%4Cpt1"),
            ("a.", "a%2E~0"),
            ("", ""),
        ] {
            assert_eq!(file_stem(name), stem, "{name}");
        }
        assert_eq!(file_stem("🪰"), "%F0%9F%AA%B0");
        assert!(file_stem(&"x".repeat(300)).len() <= MAX_STEM);
        assert!(file_stem(&"🪰".repeat(75)).len() <= MAX_STEM);
    }

    #[test]
    fn names_that_differ_only_in_case_have_files_that_differ_in_more() {
        let names = [
            "aMe17e", "AME17e", "ame17e", "Ame17e", "AMe17e", "T4a", "T4A",
        ];
        let mut seen = BTreeMap::new();
        for name in names {
            let before = seen.insert(file_stem(name).to_lowercase(), name);
            assert_eq!(before, None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn two_names_never_share_a_file(a in ".{0,40}", b in ".{0,40}") {
            prop_assume!(a != b);
            prop_assert_ne!(file_stem(&a).to_lowercase(), file_stem(&b).to_lowercase());
        }

        #[test]
        fn flipping_the_case_of_letters_gives_another_file(name in "[a-zA-Z%~]{1,12}", flips: u16) {
            let other: String = name.chars().enumerate().map(|(i, c)| match flips >> i & 1 {
                1 if c.is_ascii_lowercase() => c.to_ascii_uppercase(),
                1 => c.to_ascii_lowercase(),
                _ => c,
            }).collect();
            prop_assume!(name != other);
            prop_assert_ne!(file_stem(&name).to_lowercase(), file_stem(&other).to_lowercase());
        }

        #[test]
        fn a_stem_is_plain_and_short(name in ".{0,400}") {
            let stem = file_stem(&name);
            prop_assert!(stem.len() <= MAX_STEM);
            prop_assert!(stem.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_'(),+%~".contains(&b)));
        }
    }
}
