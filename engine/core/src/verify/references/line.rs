//! A line of the manifest: an approved artifact by its hashes.

use std::fmt;

use crate::{draw::Format, pipeline::Fingerprint, verify::structure::Parts};

/// Longer names are none that this program gives.
const LONGEST_PATH: usize = 1000;

/// What version control writes around lines that it cannot merge.
const CONFLICT: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

/// What is approved of one artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its name: where `render` writes it.
    pub(crate) path: Box<str>,
    /// Hash of its bytes.
    pub(crate) bytes: Fingerprint,
    /// Hashes of its structure, where it has one.
    pub(crate) parts: Option<Parts>,
    /// Hash of its pixels, where it has some.
    pub(crate) pixels: Option<Fingerprint>,
    /// Whether the picture itself is kept.
    pub(crate) picture: bool,
}

impl Line {
    /// Reads a line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if CONFLICT.iter().any(|mark| text.starts_with(mark)) {
            return Err(
                "two versions were merged and disagree: keep the lines of one of them".into(),
            );
        }
        let (path, rest) = text
            .split_once(' ')
            .ok_or_else(|| "it is no path followed by hashes".to_owned())?;
        Self::of(path, rest)
    }

    /// The line of a path, and what follows it.
    pub(crate) fn of(path: &str, rest: &str) -> Result<Self, String> {
        check_path(path)?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let [bytes, parts, pixels, keeps] = fields[..] else {
            return Err(format!("{} fields follow the path, not 4", fields.len()));
        };
        fn optional<T>(text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, String> {
            match text {
                "-" => Ok(None),
                text => Ok(Some(parse(text).ok_or_else(|| wrong_hash(text))?)),
            }
        }
        let line = Self {
            path: path.into(),
            bytes: Fingerprint::parse(bytes).ok_or_else(|| wrong_hash(bytes))?,
            parts: optional(parts, Parts::parse)?,
            pixels: optional(pixels, Fingerprint::parse)?,
            picture: match keeps {
                "picture" => true,
                "hash" => false,
                other => return Err(format!("{other:?} is kept; a line keeps picture or hash")),
            },
        };
        // One form alone, so that equal lines are equal texts.
        if line.rest() != rest {
            return Err(format!(
                "{path} has hashes that this program writes otherwise"
            ));
        }
        Ok(line)
    }

    /// All but the path, as text.
    pub(crate) fn rest(&self) -> String {
        let parts = self
            .parts
            .map_or_else(|| "-".into(), |parts| parts.to_string());
        let pixels = self
            .pixels
            .map_or_else(|| "-".into(), |pixels| pixels.to_string());
        let keeps = if self.picture { "picture" } else { "hash" };
        format!("{} {parts} {pixels} {keeps}", self.bytes)
    }

    /// The format that the path tells.
    pub(crate) fn format(&self) -> Option<Format> {
        format_of(&self.path)
    }
}

fn wrong_hash(text: &str) -> String {
    let text: String = text.chars().take(40).collect();
    format!("{text:?} is no hash")
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, self.rest())
    }
}

/// The format of a file name.
pub(crate) fn format_of(path: &str) -> Option<Format> {
    // `static.svg` ends like `svg`: the longest that fits.
    let fits = Format::ALL.into_iter().filter(|format| {
        let rest = path.strip_suffix(format.extension());
        rest.is_some_and(|rest| rest.ends_with('.'))
    });
    fits.max_by_key(|format| format.extension().len())
}

/// Whether a name is that of a text: golden vectors of a plugin.
pub(crate) fn is_text(path: &str) -> bool {
    path.ends_with(".txt")
}

/// What all formats of a map have in common: the path without its format.
pub(crate) fn map_of(path: &str) -> &str {
    let extension = format_of(path).map_or(0, |format| format.extension().len() + 1);
    &path[..path.len() - extension]
}

/// Whether a path is one that this program gives: relative, of plain letters, with a known format.
pub(crate) fn check_path(path: &str) -> Result<(), String> {
    let plain = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"\\/:*?\"<>|".contains(&b))
    };
    let known = format_of(path).is_some() || is_text(path);
    if path.len() <= LONGEST_PATH && path.split('/').all(plain) && known {
        return Ok(());
    }
    let shown: String = path.chars().take(80).collect();
    Err(format!("{shown:?} is no name of an artifact"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_and_the_map_are_in_the_name() {
        assert_eq!(format_of("a/b/c.static.svg"), Some(Format::SvgStatic));
        assert_eq!(format_of("a/b/c.svg"), Some(Format::Svg));
        assert_eq!(format_of("a/b/csvg"), None);
        assert_eq!(map_of("a/b/c.static.svg"), "a/b/c");
        assert_eq!(map_of("a/b/c"), "a/b/c");
    }

    #[test]
    fn only_names_that_stay_in_the_directory_are_taken() {
        assert_eq!(check_path("ME_R/synapses/Tm3%2F~2.svg"), Ok(()));
        for wrong in [
            "../x.svg",
            "/etc/x.svg",
            "a//x.svg",
            "a/./x.svg",
            "a\\x.svg",
            "a/\u{202e}x.svg",
            "a/x.exe",
            "",
            "a/x\n.svg",
            "C:x.svg",
        ] {
            assert!(check_path(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_line_is_read_as_it_is_written() {
        let parts = ["0123456789"; 8].join(".");
        let text = format!("a/b.svg {} {parts} - picture", "ab".repeat(16));
        assert_eq!(Line::parse(&text).unwrap().to_string(), text);
        for wrong in [
            "",
            "a/b.svg",
            "a/b.svg - - - hash",
            "a/b.svg 12 - - hash",
            &format!("{text} more"),
            &text.replace("picture", "nothing"),
            &text.replacen("ab", "AB", 1),
            &text.replace("0123456789.", ""),
        ] {
            assert!(Line::parse(wrong).is_err(), "{wrong}");
        }
    }
}
